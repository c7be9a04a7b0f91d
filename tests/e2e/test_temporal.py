"""Story: somebody opens the Temporal UI to see what happened. This is what it shows, read by the same API."""

from tests.e2e.cluster import Cluster
from tests.e2e.world import World


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
