"""What a reconcile would call: foretold with the planners, against the control plane in this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from activities.appmesh import AppMeshActivities
from activities.messages import Call
from activities.names import Verb
from activities.objects import ApiKind
from cli.forecast import AppMesh, Forecast, Forecaster, concerned, with_manifest
from cli.plan import lines
from resources.conditions import active_condition
from resources.kinds import Kind
from tests.builders import http_route, mesh, virtual_node, virtual_service
from tests.convergence.api import Client, control_plane
from watcher.index import Index, Name

SERVICE = "cart.prod.svc.cluster.local"


class Cluster:
    """Manifests that are applied, and an App Mesh that takes what is planned."""

    def __init__(self, client: Client) -> None:
        self.index = Index()
        self.client = client
        self._activities = AppMeshActivities(client)
        calls = iter(self._activities.writes())
        self._write = {
            (verb, kind): next(calls) for verb in (Verb.CREATE, Verb.UPDATE, Verb.DELETE) for kind in ApiKind
        }

    def plan(self, *manifests: dict[str, Any]) -> list[Forecast]:
        """What applying them would bring about; of all resources when none is given."""
        changed = [with_manifest(self.index, Kind(each["kind"]), each) for each in manifests]
        names = concerned(self.index, [name for name in changed if name is not None])
        return self.plan_of(names if manifests else {Name.of(each) for each in self.index.all()})

    def plan_of(self, names: set[Name]) -> list[Forecast]:
        """What is due for these."""
        return list(Forecaster(self.index, AppMesh(self._activities), "default").forecasts(names))

    def carry_out(self, forecasts: list[Forecast]) -> None:
        """Make the calls, and say so in every status."""
        for each in list(self.index.all()):
            active = {"type": active_condition(each.key.kind), "status": "True", "reason": "Active"}
            self.index.put(each.model_copy(update={"status": {"conditions": [active]}}))
        for step in (step for each in forecasts for step in each.plan.steps):
            self._write[step.verb, step.object.kind](Call(object=step.object, spec=step.spec))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """An empty one."""
    with control_plane(tmp_path) as client:
        yield Cluster(client)


def text(forecasts: list[Forecast]) -> list[str]:
    """As people see them."""
    return [line for each in forecasts for line in lines(each)]


def test_files_that_are_not_applied_are_planned_in_the_order_of_their_references(cluster: Cluster) -> None:
    """What is planned counts as done for what depends on it; when it is done, nothing is left to do."""
    given = [virtual_service(routes=[http_route("a"), http_route("b")]), virtual_node(), mesh()]
    planned = cluster.plan(*given)
    assert text(planned) == [
        "mesh/shop",
        "  1. Create mesh shop",
        "virtualnode/prod/cart",
        "  1. Create virtual node cart-prod",
        f"virtualservice/prod/{SERVICE}",
        "  1. Create router cart-router-prod",
        "  2. Create route a of router cart-router-prod",
        "  2. Create route b of router cart-router-prod",
        f"  3. Create virtual service {SERVICE}",
    ]
    cluster.carry_out(planned)
    assert text(cluster.plan()) == [
        "mesh/shop: no calls",
        "virtualnode/prod/cart: no calls",
        f"virtualservice/prod/{SERVICE}: no calls",
    ]
    assert cluster.plan(*given) == []


def test_an_edit_in_a_file_is_planned_alone(cluster: Cluster) -> None:
    """One changed weight is one call, and those whom it does not concern are not looked at."""
    given = [mesh(), virtual_node(), virtual_node("late"), virtual_service()]
    cluster.carry_out(cluster.plan(*given))
    edited = cluster.plan(virtual_service(routes=[http_route(targets={"cart": 5})]))
    assert text(edited)[1:] == ["  1. Update route all of router cart-router-prod"]


def test_a_mesh_that_names_a_namespace_is_the_mesh_all_the_same(cluster: Cluster) -> None:
    """The API server passes over it."""
    placed = mesh() | {"metadata": {"name": "shop", "namespace": "prod"}}
    assert text(cluster.plan(placed, virtual_node()))[::2] == ["mesh/shop", "virtualnode/prod/cart"]


def test_nothing_is_written(cluster: Cluster) -> None:
    """A plan is made of reads."""
    cluster.plan(mesh(), virtual_node(), virtual_service())
    assert cluster.client.calls
    assert all(operation.startswith(("Describe", "List")) for operation in cluster.client.calls)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param([virtual_node()], "WaitingForMesh: Mesh shop does not exist", id="no mesh"),
        pytest.param(
            [mesh(), virtual_service()], "WaitingForVirtualNodes: VirtualNode cart does not exist", id="no node"
        ),
        pytest.param([mesh(), virtual_node(listeners=[{}])], "InvalidSpec: ", id="cannot be read"),
    ],
)
def test_what_stands_in_the_way_is_told(cluster: Cluster, given: list[dict[str, Any]], said: str) -> None:
    """In the words of the condition that there would be."""
    last = cluster.plan(*given)[-1]
    assert not last.outcome.achieved
    assert said in lines(last)[0]
    assert last.plan.steps == ()


def test_what_another_cluster_made_is_not_planned_over(cluster: Cluster) -> None:
    """Its tags say whose it is."""
    cluster.carry_out(cluster.plan(mesh()))
    tags = {"managed-by": "meshwright", "cluster": "east", "name": "cart", "namespace": "prod", "uid": "u"}
    cluster.client.create_virtual_node(
        meshName="shop",
        virtualNodeName="cart-prod",
        spec={},
        tags=[{"key": f"meshwright.dev/{key}", "value": value} for key, value in tags.items()],
    )
    _, node = cluster.plan(virtual_node(), mesh(egressFilter={"type": "ALLOW_ALL"}))
    assert lines(node) == [
        "virtualnode/prod/cart: NameConflict: virtual node cart-prod belongs to prod/cart of cluster east"
    ]


def test_a_resource_that_is_being_deleted_is_planned_to_go(cluster: Cluster) -> None:
    """Service, routes, router: in the order in which App Mesh lets them go."""
    cluster.carry_out(cluster.plan(mesh(), virtual_node(), virtual_service()))
    name = Name(Kind.VIRTUAL_SERVICE, "prod", SERVICE)
    there = cluster.index.get(name)
    assert there is not None
    leaving = {
        "deleted_at": "2026-01-01T00:00:00Z",
        "finalizers": (Kind.VIRTUAL_SERVICE.finalizer,),
        "annotations": {"meshwright.dev/deletion-policy": "Delete"},
    }
    cluster.index.put(there.model_copy(update=leaving))
    [forecast] = cluster.plan_of({name})
    assert lines(forecast)[1:] == [
        f"  1. Delete virtual service {SERVICE}",
        "  2. Delete route all of router cart-router-prod",
        "  3. Delete router cart-router-prod",
    ]
