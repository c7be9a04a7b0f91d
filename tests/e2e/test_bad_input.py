"""Story: somebody makes a mistake. They are told where they look, others are not harmed, and the fix works at once."""

from collections.abc import Iterator

import pytest
from kubernetes.client.exceptions import ApiException

from tests.bad_inputs import BAD_INPUTS, GIVEN, MESH, BadInput
from tests.builders import Manifest
from tests.e2e.cluster import Cluster
from tests.e2e.kubernetes_api import describe, is_active, message_of
from tests.e2e.world import World
from tests.waiting import until

BY_SCHEMA = [case for case in BAD_INPUTS if case.refused_by == "schema"]
BY_CONDITION = [case for case in BAD_INPUTS if case.refused_by != "schema"]


@pytest.fixture(scope="module")
def given(cluster: Cluster) -> Iterator[list[Manifest]]:
    """What the whole table needs; nothing is left of it afterwards."""
    resources = [manifest for manifest in GIVEN if manifest["kind"] != "Namespace"]
    cluster.converge(*resources)
    yield resources
    cluster.remove_world(World(MESH))


def cases(table: list[BadInput]) -> list[object]:
    """The table as parameters."""
    return [pytest.param(case, id=case.id) for case in table]


@pytest.mark.parametrize("case", cases(BY_SCHEMA))
def test_what_the_schema_refuses_is_answered_with_the_field(
    cluster: Cluster, given: list[Manifest], case: BadInput
) -> None:
    """The API server's message names the field, and nothing is stored; the mended object becomes Active."""
    with pytest.raises(ApiException) as refused:
        cluster.kubernetes.create(case.manifest)
    assert refused.value.status == 422
    assert case.field is not None
    assert case.field in message_of(refused.value)
    assert cluster.kubernetes.get(case.manifest) is None
    cluster.converge(case.fixed)
    cluster.kubernetes.delete(case.fixed)


@pytest.mark.parametrize("case", cases(BY_CONDITION))
def test_what_is_refused_later_is_told_by_condition_and_event(
    cluster: Cluster, given: list[Manifest], case: BadInput
) -> None:
    """Condition False with a documented reason and the message, a Warning Event; others go on; the fix converges."""
    bystander = given[1]
    cluster.kubernetes.apply(case.manifest)
    assert case.reason is not None
    condition = cluster.kubernetes.wait_reason(case.manifest, case.reason)
    assert condition["status"] == "False"
    assert (case.message or case.field or "") in condition["message"]
    warnings = until(
        lambda: [event for event in cluster.kubernetes.events(case.manifest) if event["reason"] == case.reason],
        what=f"an Event about {describe(case.manifest)}",
    )
    assert warnings[-1]["type"] == "Warning"
    assert cluster.kubernetes.condition(bystander)["status"] == "True"
    same_name = case.fixed["metadata"]["name"] == case.manifest["metadata"]["name"]
    if not same_name:
        cluster.kubernetes.delete(case.manifest)
        cluster.wait_let_go(case.manifest)
    cluster.converge(case.fixed)
    cluster.kubernetes.delete(case.fixed)
    cluster.wait_let_go(case.fixed)


def test_others_go_on_while_every_mistake_is_there(cluster: Cluster, given: list[Manifest]) -> None:
    """All mistakes at once: a good service of the mesh comes and changes, and the good ones neither turn nor wait."""
    mistakes = [case.manifest for case in BY_CONDITION]
    before = [cluster.workflows.length(manifest) for manifest in given]
    cluster.kubernetes.apply(*mistakes)
    cluster.converge(World(MESH).service("good"))
    cluster.converge(World(MESH).service("good", routes=2))
    assert all(is_active(cluster.kubernetes.get(manifest)) for manifest in given)
    assert [cluster.workflows.length(manifest) for manifest in given] == before
    cluster.kubernetes.delete(*mistakes)
    cluster.wait_let_go(*mistakes)


def test_the_table_has_at_least_thirty_mistakes() -> None:
    """Of all three who can refuse."""
    assert len(BAD_INPUTS) >= 30
    assert {case.refused_by for case in BAD_INPUTS} == {"schema", "meshwright", "app-mesh"}
