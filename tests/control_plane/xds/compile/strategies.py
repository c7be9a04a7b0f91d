"""Hypothesis strategies for whole meshes of valid specs, as the API would have stored them."""

from typing import Any

from hypothesis import strategies as st

from control_plane.xds.compile import Options
from control_plane.xds.state import Instance, MeshState
from tests.control_plane import specs
from tests.control_plane.shapes import NODES, SERVICE, valid_specs
from tests.control_plane.xds.compile.meshes import mesh

OTHER_SERVICES = ("Service.local", "direct.local", "empty.local", "a name with spaces")
MISSING_SERVICE = "missing.local"

options = st.sampled_from(
    [
        Options(),
        Options(ipv6=True),
        Options(capture=False, application_address="127.0.0.2"),
        Options(capture=False, ingress_ports={8000: 8001}, tcp_ports={f"{SERVICE}:8000": 15400}),
    ]
)


@st.composite
def meshes(draw: st.DrawFn) -> MeshState:
    """A mesh in which `front` and the gateway call services of every sort; some references lead nowhere."""
    nodes = {name: draw(valid_specs("VirtualNode")) for name in (*NODES, "front")}
    named = [specs.backend(name) for name in (SERVICE, *OTHER_SERVICES, MISSING_SERVICE)]
    # The policies of the generated backends, for services that there are.
    policies = [backend["virtualService"] for backend in nodes["front"].get("backends", ())]
    for backend, drawn in zip(named, policies, strict=False):
        backend["virtualService"] = {**drawn, **backend["virtualService"]}
    nodes["front"] = {**nodes["front"], "backends": draw(st.permutations(named))}
    if draw(st.booleans()):
        del nodes[draw(st.sampled_from(NODES))]
    routes = draw(st.lists(valid_specs("Route"), max_size=4))
    gateway_routes = draw(st.lists(valid_specs("GatewayRoute"), max_size=3))
    state = mesh(
        spec=draw(valid_specs("Mesh")),
        nodes=nodes,
        routers={"router": _fitting(draw(valid_specs("VirtualRouter")), routes)},
        routes={f"router/route-{number}": route for number, route in enumerate(routes)},
        services={
            SERVICE: specs.service(router="router"),
            "Service.local": specs.service(node=NODES[1]),
            "direct.local": specs.service(node=NODES[0]),
            "empty.local": {},
            "a name with spaces": specs.service(node=NODES[0]),
        },
        gateways={"gateway": draw(valid_specs("VirtualGateway"))},
        gateway_routes={f"gateway/route-{number}": route for number, route in enumerate(gateway_routes)},
    )
    return MeshState(state.objects, draw(_instances(nodes)))


def _fitting(router: dict[str, Any], routes: list[dict[str, Any]]) -> dict[str, Any]:
    """A router that listens where most of its routes are for, more often than chance would have it."""
    kinds = [name.removesuffix("Route") for route in routes for name in route if name.endswith("Route")]
    return {"listeners": [specs.listener(8000, kinds[0])]} if kinds else router


def _instances(nodes: dict[str, Any]) -> st.SearchStrategy[dict[tuple[str, str], tuple[Instance, ...]]]:
    """Some instances for the Cloud Map services of the nodes."""
    discoveries = [node.get("serviceDiscovery", {}).get("awsCloudMap") for node in nodes.values()]
    known = {(each["namespaceName"], each["serviceName"]): each for each in discoveries if each}
    one = st.sampled_from(["10.0.0.1", "10.0.0.2", "not an address", ""])
    addresses = st.lists(st.tuples(one, st.sampled_from(["fd00::1", "fd00::2", ""])), max_size=3)
    return st.fixed_dictionaries(
        {
            at: addresses.map(
                lambda found, wanted=each: tuple(  # type: ignore[misc]
                    Instance(ipv4, ipv4, ipv6, {pair["key"]: pair["value"] for pair in wanted.get("attributes", ())})
                    for ipv4, ipv6 in found
                )
            )
            for at, each in known.items()
        }
    )
