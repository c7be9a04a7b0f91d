"""Story: somebody opens the Temporal UI to see what happened. This is what it shows, read by the same API."""

import re
from pathlib import Path

from tests.builders import http_route, tcp_route
from tests.e2e.cluster import Cluster
from tests.e2e.workflows import id_of
from tests.e2e.world import World
from tests.waiting import until

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "temporal-ui.md"
VIEWS = dict(re.findall(r"^\| ([^|]+) \| `([^`|]+)` \|$", HOW_TO.read_text(), re.MULTILINE))
"""The documented queries, by the name of their view."""


def test_a_reconcile_can_be_read_by_a_person(cluster: Cluster, world: World) -> None:
    """Id, type and summary say which resource; each call is a step with its name and its input."""
    shop = world.shop(routes=2)
    service = shop[-1]
    cluster.converge(*shop)
    found = cluster.workflows.describe(service)
    assert found is not None
    host = service["metadata"]["name"]
    assert found.id == f"default/virtualservice/{world.name}/{host}"
    assert found.workflow_type == "VirtualService"
    assert cluster.workflows.summary(service) == f"VirtualService {world.name}/{host}"
    router = f"cart-router-{world.name}"
    steps = cluster.workflows.activities(service)
    assert {(step.name, step.summary) for step in steps} == {
        ("CreateVirtualRouter", f"Create router {router}"),
        ("CreateRoute", f"Create route r1 of router {router}"),
        ("CreateRoute", f"Create route r2 of router {router}"),
        ("CreateVirtualService", f"Create virtual service {host}"),
    }
    assert all(step.argument["object"]["mesh"] == world.name for step in steps)


def test_steps_are_in_order_and_routes_side_by_side(cluster: Cluster, world: World) -> None:
    """Router, then every route before any has finished, then the service."""
    shop = world.shop(routes=3)
    cluster.converge(*shop)
    router, *routes, service = cluster.workflows.activities(shop[-1])
    assert router.name == "CreateVirtualRouter"
    assert service.name == "CreateVirtualService"
    assert all(router.completed < route.scheduled < service.scheduled for route in routes)
    assert max(route.scheduled for route in routes) < min(route.completed for route in routes)


def test_the_documented_queries_find_what_they_say(cluster: Cluster, world: World) -> None:
    """One service is Active, one waits for a node, one is refused; each view finds the right ones of them."""
    fine, *others = world.service("fine"), world.service("waits", [http_route("a", {"late": 1})])
    refused = world.service("refused", [tcp_route()])
    cluster.converge(world.mesh(), world.node(), fine)
    cluster.kubernetes.apply(*others, refused)
    known = {id_of(fine): "fine", id_of(others[0]): "waits", id_of(refused): "refused"}
    expected = {
        "Somebody has to act": {"refused"},
        "Not Active": {"waits", "refused"},
        "Refused by App Mesh": {"refused"},
        "Waits for its mesh or a node": {"waits"},
        "One mesh": {"fine", "waits", "refused"},
        "One namespace": {"fine", "waits", "refused"},
        "Services of one namespace": {"fine", "waits", "refused"},
        "One cluster of several": {"fine", "waits", "refused"},
    }
    assert expected.keys() <= VIEWS.keys()
    for view, query in VIEWS.items():
        here = query.replace('"colors"', f'"{world.name}"')
        until(
            lambda here=here: {known[id] for id in cluster.workflows.found_by(here) if id in known},  # type: ignore[misc]
            lambda found, view=view: found == expected.get(view, set()),  # type: ignore[misc]
            f"the view {view!r}",
        )
