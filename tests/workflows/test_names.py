"""Workflow ids, and client tokens."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio import workflow

from activities.names import Verb
from activities.objects import ApiObject
from resources.kinds import Kind
from tests.resources.strategies import labels, object_names
from tests.workflows.snapshots import router, service
from workflows import names
from workflows.calls import client_token
from workflows.planning.plan import Step

ROUTER = router()


@given(labels, st.sampled_from(Kind), labels, object_names)
def test_workflow_id_is_read_back(cluster: str, kind: Kind, namespace: str, name: str) -> None:
    """Every resource has an id of its own, and the id tells which resource it is."""
    where = namespace if kind.namespaced else None
    id = names.workflow_id(cluster, kind, where, name)
    assert names.parse_workflow_id(cluster, id) == (kind, where, name)
    assert names.parse_workflow_id(f"{cluster}x", id) is None
    assert id.startswith(names.cluster_prefix(cluster))


@pytest.mark.parametrize("id", ["", "c/mesh/-", "c/gateway/-/shop", "c/mesh/-/shop/more", "other/mesh/-/shop"])
def test_id_of_something_else_is_no_resource(id: str) -> None:
    """Others may use the same Temporal namespace."""
    assert names.parse_workflow_id("c", id) is None


@pytest.mark.parametrize(
    ("kind", "namespace", "summary"),
    [(Kind.MESH, None, "Mesh shop"), (Kind.VIRTUAL_NODE, "prod", "VirtualNode prod/shop")],
)
def test_summary_is_for_people(kind: Kind, namespace: str | None, summary: str) -> None:
    """One line in the Temporal UI."""
    assert names.summary(kind, namespace, "shop") == summary


def test_client_token_is_the_same_for_every_attempt_and_for_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run, reconcile, operation, object: each makes a token of its own, within App Mesh's 64 characters."""

    def token(verb: Verb = Verb.CREATE, object: ApiObject = ROUTER, reconcile: int = 1, run: str = "run-1") -> str:
        monkeypatch.setattr(workflow, "info", lambda: SimpleNamespace(run_id=run))
        return client_token(Step(verb=verb, object=object, spec={}), reconcile)

    assert token() == token()
    tokens = {token(), token(verb=Verb.UPDATE), token(object=service()), token(reconcile=2), token(run="run-2")}
    assert len(tokens) == 5
    assert all(1 <= len(each) <= 64 for each in tokens)
