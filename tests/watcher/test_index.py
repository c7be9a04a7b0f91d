"""What the watcher knows, and who depends on whom."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.kinds import Kind
from tests import builders
from tests.watcher.sightings import index_of, sighting
from watcher.index import Index, Name, infers_listener, mesh_of, nodes_of
from workflows.messages import Snapshot

CART = Name(Kind.VIRTUAL_NODE, "prod", "cart")


def nodes(*names: str) -> frozenset[Name]:
    """VirtualNodes of the namespace prod."""
    return frozenset(Name(Kind.VIRTUAL_NODE, "prod", name) for name in names)


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        pytest.param([], nodes(), id="no-routes"),
        pytest.param([builders.http_route(targets={"cart": 1, "cart-v2": 1})], nodes("cart", "cart-v2"), id="http"),
        pytest.param([builders.tcp_route(targets={"cart-prod": 1})], nodes("cart-prod"), id="tcp-is-never-a-full-name"),
        pytest.param([builders.http2_route(targets={"cart": 1})], nodes("cart"), id="http2"),
        pytest.param([builders.grpc_route(targets={"cart-prod": 1})], nodes("cart-prod", "cart"), id="full-name"),
        pytest.param([{"name": "broken"}], nodes(), id="route-without-a-type"),
        pytest.param([{"name": "broken", "http": None}], nodes(), id="null-type"),
        pytest.param([{"name": "broken", "http": {"action": None}}], nodes(), id="null-action"),
        pytest.param(
            [{"name": "broken", "http": {"action": {"weightedTargets": [{"weight": 1}]}}}],
            nodes(),
            id="nameless-target",
        ),
        pytest.param(None, nodes(), id="null-routes"),
    ],
)
def test_nodes_of_a_service_are_all_that_its_targets_may_mean(routes: Any, expected: frozenset[Name]) -> None:
    """Read from the raw spec: whatever the API server let through is indexed, and nothing breaks the watcher."""
    service = sighting(builders.virtual_service())
    service = service.model_copy(update={"spec": service.spec | {"routes": routes}})
    assert nodes_of(service) == expected


@pytest.mark.parametrize(
    ("router", "infers"),
    [
        pytest.param(None, True, id="no-router"),
        pytest.param({"name": "r"}, True, id="no-listeners"),
        pytest.param({"name": "r", "listeners": []}, True, id="empty-listeners"),
        pytest.param({"name": "r", "listeners": [builders.listener()]}, False, id="listener-given"),
    ],
)
def test_service_without_listeners_infers_them(router: Any, infers: bool) -> None:
    """Such a service has to hear when the listener of its first target changes."""
    assert infers_listener(sighting(builders.virtual_service(virtualRouter=router))) is infers


def test_only_services_infer_listeners_and_only_members_have_a_mesh() -> None:
    """A Mesh is nobody's member."""
    assert not infers_listener(sighting(builders.virtual_node()))
    assert mesh_of(sighting(builders.mesh())) is None
    assert mesh_of(sighting(builders.virtual_node())) == builders.MESH


def test_dependents_are_those_that_name_the_resource_now() -> None:
    """An edit moves a service from the node that it left to the one that it went to."""
    index = index_of(sighting(builders.virtual_service("s", routes=[builders.http_route(targets={"cart": 1})])))
    assert [found.key.name for found in index.services_of(CART)] == ["s"]
    index.put(sighting(builders.virtual_service("s", routes=[builders.http_route(targets={"cart-v2": 1})])))
    assert list(index.services_of(CART)) == []
    assert [found.key.name for found in index.services_of(Name(Kind.VIRTUAL_NODE, "prod", "cart-v2"))] == ["s"]


def test_nodes_of_another_namespace_are_others() -> None:
    """A target means a VirtualNode beside the service."""
    index = index_of(sighting(builders.virtual_service("s")))
    assert list(index.services_of(Name(Kind.VIRTUAL_NODE, "staging", "cart"))) == []


def test_meshes_come_first() -> None:
    """So that at start what others wait for is told before those that wait."""
    index = index_of(sighting(builders.virtual_service()), sighting(builders.virtual_node()), sighting(builders.mesh()))
    assert [found.key.kind for found in index.all()] == [Kind.MESH, Kind.VIRTUAL_NODE, Kind.VIRTUAL_SERVICE]


members = st.builds(
    lambda service, name, mesh, target: sighting(
        builders.virtual_service(name, meshName=mesh, routes=[builders.grpc_route(targets={target: 1})])
        if service
        else builders.virtual_node(name, meshName=mesh)
    ),
    st.booleans(),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["shop", "other"]),
    st.sampled_from(["a", "a-prod", "b"]),
)


@given(st.lists(st.tuples(st.booleans(), members), max_size=20))
def test_reverse_index_is_what_a_look_at_everything_would_give(edits: list[tuple[bool, Snapshot]]) -> None:
    """However sightings come and go, the answers are those of a search through all resources."""
    index = Index()
    kept: dict[Name, Snapshot] = {}
    for present, snapshot in edits:
        name = Name.of(snapshot)
        before = kept.pop(name, None)
        if present:
            kept[name] = snapshot
            assert index.put(snapshot) == before
        else:
            assert index.remove(name) == before
    assert len(index) == len(kept)
    for mesh in ("shop", "other"):
        expected = {name for name, snapshot in kept.items() if mesh_of(snapshot) == mesh}
        assert {Name.of(found) for found in index.members(mesh)} == expected
    for node in ("a", "b", "a-prod"):
        wanted = Name(Kind.VIRTUAL_NODE, "prod", node)
        expected = {name for name, snapshot in kept.items() if wanted in nodes_of(snapshot)}
        assert {Name.of(found) for found in index.services_of(wanted)} == expected
    for kind in Kind:
        assert index.names(kind) == {name for name in kept if name.kind is kind}
