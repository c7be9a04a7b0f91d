"""What `meshwright export` writes, and the law that it comes to the same in App Mesh."""

from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from cli.account import MESH, ROUTE, VIRTUAL_GATEWAY, VIRTUAL_NODE, VIRTUAL_ROUTER, VIRTUAL_SERVICE, Held
from cli.export import texts
from cli.exported import Exported, exported
from cli.inversion import resource_name
from resources.names import namespaced_name, virtual_node_api_name
from resources.normal import pruned, same_spec
from resources.ownership import Owner, tags_of
from resources.parsing import parse_mesh, parse_virtual_node, parse_virtual_service
from resources.translate.mesh import mesh_spec
from resources.translate.virtual_node import virtual_node_spec
from tests.resources import strategies
from tests.resources.requests import service_requests

LISTENER = {"portMapping": {"port": 8080, "protocol": "http"}}
NODE = {"listeners": [LISTENER], "serviceDiscovery": {"dns": {"hostname": "cart.shop.local"}}}
ROUTER = {"listeners": [LISTENER]}


def route_to(**weights: int) -> dict[str, Any]:
    """An http route's spec; dashes of nodes are written as underscores."""
    targets = [{"virtualNode": node.replace("_", "-"), "weight": weight} for node, weight in weights.items()]
    return {"httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": targets}}}


def provided(router: str) -> dict[str, Any]:
    """A service's spec."""
    return {"provider": {"virtualRouter": {"virtualRouterName": router}}}


def shop(**changed: Any) -> list[Held]:
    """A mesh with a node, and a service that routes to it, in namespace `shop`."""
    specs: dict[str, Any] = {"mesh": {}, "node": NODE, "router": ROUTER, "route": route_to(cart_shop=1)} | changed
    return [
        Held(MESH, ("m",), specs["mesh"]),
        Held(VIRTUAL_NODE, ("m", "cart-shop"), specs["node"]),
        Held(VIRTUAL_ROUTER, ("m", "cart-router-shop"), specs["router"]),
        Held(ROUTE, ("m", "cart-router-shop", "all"), specs["route"]),
        Held(VIRTUAL_SERVICE, ("m", "cart.shop.svc.cluster.local"), provided("cart-router-shop")),
    ]


def written(found: Exported) -> dict[str, Any]:
    """Its manifest, which there is."""
    assert found.manifest is not None
    return found.manifest


def losses(found: list[Exported]) -> list[str]:
    """What could not be said."""
    return [str(loss) for each in found for loss in each.losses]


def test_a_shop_is_exported_whole():
    """Names lose the namespace that they get again."""
    found = list(exported(shop()))
    assert losses(found) == []
    _, node, service = [written(each) for each in found]
    assert node["metadata"] == {"name": "cart", "namespace": "shop"}
    assert service["metadata"] == {"name": "cart.shop.svc.cluster.local", "namespace": "shop"}
    assert service["spec"]["virtualRouter"]["name"] == "cart-router"
    assert service["spec"]["routes"][0]["http"]["action"]["weightedTargets"] == [
        {"virtualNodeName": "cart", "weight": 1}
    ]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        pytest.param(
            {"mesh": {"serviceDiscovery": {"ipPreference": "IPv4_ONLY"}}},
            'mesh/m: serviceDiscovery: {"ipPreference": "IPv4_ONLY"} -> none',
            id="mesh",
        ),
        pytest.param(
            {"node": NODE | {"listeners": [LISTENER | {"timeout": {"http": {"idle": {"unit": "s", "value": 1}}}}]}},
            "mesh/m/virtualNode/cart-shop: listeners[0].timeout",
            id="node",
        ),
        pytest.param(
            {"route": {"httpRoute": route_to(cart_shop=1)["httpRoute"] | {"match": {"path": {"exact": "/"}}}}},
            "mesh/m/virtualService/cart.shop.svc.cluster.local: spec.routes[0].http.match.prefix",
            id="what no manifest can be made of",
        ),
        pytest.param(
            {
                "route": route_to(cart_shop=1)
                | {"priority": 1}
                | {"httpRoute": route_to(cart_shop=1)["httpRoute"] | {"timeout": {"idle": {"unit": "s", "value": 9}}}}
            },
            "mesh/m/virtualRouter/cart-router-shop/route/all: httpRoute.timeout",
            id="route",
        ),
        pytest.param({"router": {}}, "mesh/m/virtualRouter/cart-router-shop: it has no listener", id="no listener"),
    ],
)
def test_what_cannot_be_said_is_told(changed, told):
    """By object and field; and nothing else is."""
    [only] = losses(list(exported(shop(**changed))))
    assert only.startswith(told)


def test_what_has_no_resource_is_told():
    """Gateways, routers that nobody uses, services without a provider, names that no resource comes to."""
    more = [
        Held(VIRTUAL_GATEWAY, ("m", "gate"), {}),
        Held(VIRTUAL_ROUTER, ("m", "idle"), ROUTER),
        Held(ROUTE, ("m", "idle", "all"), route_to(cart_shop=1)),
        Held(VIRTUAL_SERVICE, ("m", "nobody"), {}),
        Held(VIRTUAL_NODE, ("m", "plain"), NODE),
        Held(VIRTUAL_NODE, ("m", "Capitals-shop"), NODE),
    ]
    told = losses(list(exported([*shop(), *more])))
    assert [each.split(": ")[0] for each in told] == [
        "mesh/m/virtualNode/plain",
        "mesh/m/virtualNode/Capitals-shop",
        "mesh/m/virtualService/nobody",
        "mesh/m/virtualGateway/gate",
        "mesh/m/virtualRouter/idle",
        "mesh/m/virtualRouter/idle/route/all",
    ]


def test_a_router_that_came_while_all_was_read_is_told():
    """A service that was turned to it in the meantime has no manifest; the rest has."""
    *before, service = shop()
    swapped = Held(VIRTUAL_SERVICE, service.path, provided("cart-router-shop-2"))
    found = list(exported([*before, swapped]))
    assert [written(each)["kind"] for each in found[:2]] == ["Mesh", "VirtualNode"]
    told = losses(found)
    assert "its router cart-router-shop-2 was not there yet when routers were read; run again" in told[0]
    assert [each.split(": ")[0] for each in told] == [
        "mesh/m/virtualService/cart.shop.svc.cluster.local",
        "mesh/m/virtualRouter/cart-router-shop",
        "mesh/m/virtualRouter/cart-router-shop/route/all",
    ]


def test_tags_tell_the_resource_that_an_object_was_made_for():
    """Its own name and namespace, whatever else the name could come from."""
    tags = tags_of(Owner(cluster="east", namespace="b-shop", name="cart", uid="1"))
    [found] = exported([Held(VIRTUAL_NODE, ("m", "cart-b-shop"), NODE, tags)], "shop")
    assert written(found)["metadata"] == {"name": "cart", "namespace": "b-shop"}


def test_services_that_share_a_router_go_on_sharing_it():
    """One has the routes, or each its own where tags tell."""
    both = [*shop(), Held(VIRTUAL_SERVICE, ("m", "basket.shop.svc.cluster.local"), provided("cart-router-shop"))]
    found = [written(each) for each in exported(both)][2:]
    assert [len(each["spec"].get("routes", ())) for each in found] == [1, 0]
    assert {each["spec"]["virtualRouter"]["name"] for each in found} == {"cart-router"}


def test_a_service_may_be_answered_by_a_node():
    """Without a router; and a node elsewhere cannot be found."""
    direct = Held(
        VIRTUAL_SERVICE, ("m", "cart.shop.svc"), {"provider": {"virtualNode": {"virtualNodeName": "cart-shop"}}}
    )
    *_, service = exported([*shop()[:2], direct], "shop")
    assert service.losses == ()
    assert written(service)["spec"]["provider"] == {"virtualNode": {"virtualNodeName": "cart"}}
    *_, alone = exported([shop()[0], direct], "shop")
    assert "has no manifest" in losses([alone])[0]


def test_what_would_be_taken_away_is_written_as_a_comment_unless_asked_for():
    """So that applying an export changes nothing."""
    odd = list(exported(shop(node=NODE | {"listeners": [LISTENER | {"outlierDetection": {"maxServerErrors": 1}}]})))
    kinds = [each["kind"] for each in yaml.safe_load_all("".join(texts(odd, lossy=False)))]
    assert kinds == ["Mesh", "VirtualService"]
    assert "# Cannot be said: mesh/m/virtualNode/cart-shop: listeners[0].outlierDetection" in "".join(texts(odd, False))
    assert len(list(yaml.safe_load_all("".join(texts(odd, lossy=True))))) == 3


@pytest.mark.parametrize("end", ["\n", "\r", "\u2028", "\x85"])
def test_nobody_s_name_is_a_manifest(end):
    """App Mesh takes any character in a name, and what is exported is applied."""
    evil = Held(VIRTUAL_ROUTER, ("m", f"x{end}---{end}kind: Mesh{end}metadata: {{name: evil}}"), ROUTER)
    written = "".join(texts(list(exported([shop()[0], evil])), lossy=True))
    assert [each["metadata"]["name"] for each in yaml.safe_load_all(written)] == ["m"]


@given(name=strategies.object_names, namespace=strategies.labels)
def test_law_an_exported_name_comes_to_the_same(name, namespace):
    """Whatever name is found, it is no other object's."""
    found = resource_name(namespaced_name(name, namespace), namespace)
    assert found is None or namespaced_name(found, namespace) == namespaced_name(name, namespace)
    assert found is not None or "." in name or "-" not in namespaced_name(name, namespace)


@given(manifest=strategies.meshes())
def test_law_a_mesh_comes_back(manifest):
    """Export, then translate: the request that made it."""
    mesh = parse_mesh(manifest)
    [found] = exported([Held(MESH, (mesh.metadata.name,), mesh_spec(mesh))])
    assert found.losses == ()
    assert same_spec(mesh_spec(parse_mesh(written(found))), mesh_spec(mesh))


@given(manifest=strategies.virtual_nodes())
def test_law_a_virtual_node_comes_back(manifest):
    """Export, then translate: the request that made it, under the same name."""
    node = parse_virtual_node(manifest)
    name, spec = virtual_node_api_name(node), virtual_node_spec(node)
    [found] = exported([Held(VIRTUAL_NODE, (node.spec.mesh_name, name), spec)], node.metadata.namespace)
    assert found.losses == ()
    again = parse_virtual_node(written(found))
    assert virtual_node_api_name(again) == name
    assert same_spec(virtual_node_spec(again), spec)


@given(manifest=strategies.virtual_services(), port=st.integers(1, 65535))
def test_law_router_routes_and_service_come_back(manifest, port):
    """Export, then translate: the requests that made them, each under the same name."""
    given_router = manifest["spec"].setdefault("virtualRouter", {}) or {}
    if not given_router.get("listeners"):
        given_router["listeners"] = [{"portMapping": {"port": port, "protocol": "http"}}]
    manifest["spec"]["virtualRouter"] = given_router
    service = parse_virtual_service(manifest)
    requests = list(service_requests(service, []))
    mesh, namespace = service.spec.mesh_name, service.metadata.namespace or ""
    held = [_held(mesh, request) for request in requests]
    targets = {target for each in held if each.sort is ROUTE for target in _nodes(each)}
    assume(all(resource_name(each, namespace) for each in targets))
    nodes = [Held(VIRTUAL_NODE, (mesh, each), {}) for each in sorted(targets)]
    *exported_nodes, found = exported([*nodes, *held], namespace)
    assert found.losses == ()
    again = list(
        service_requests(
            parse_virtual_service(written(found)), [parse_virtual_node(written(each)) for each in exported_nodes]
        )
    )
    assert len(again) == len(requests)
    for one, other in zip(again, requests, strict=True):
        assert {**one, "spec": None} == {**other, "spec": None}
        assert same_spec(one["spec"], pruned(other["spec"]))


def _held(mesh: str, request: dict[str, Any]) -> Held:
    for sort in (ROUTE, VIRTUAL_ROUTER, VIRTUAL_SERVICE):
        if sort.noun in request:
            path = (mesh, request["of"], request["route"]) if sort is ROUTE else (mesh, request[sort.noun])
            return Held(sort, path, request["spec"])
    raise AssertionError(request)


def _nodes(route: Held) -> list[str]:
    [typed] = [value for key, value in route.spec.items() if key.endswith("Route")]
    return [target["virtualNode"] for target in typed["action"]["weightedTargets"]]
