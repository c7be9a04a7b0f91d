"""What a proxy may still be using: the nodes of its mesh, as it would call them."""

from typing import Any

from hypothesis import given, settings

from control_plane.xds.compile import Compiler, Options
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind
from control_plane.xds.state import Instance
from tests.control_plane import specs
from tests.control_plane.xds.compile.meshes import MESH, caller, mesh, one_target, snapshot_of
from tests.control_plane.xds.compile.strategies import meshes, options

FRONT = ProxyId(MESH, "virtualNode", "front")
GATEWAY = ProxyId(MESH, "virtualGateway", "gateway")
ENFORCED = {"tls": {"validation": {"trust": {"file": {"certificateChain": "/tls/ca.pem"}}}}}
BLUE, GREEN = "cds_egress_shop_blue_http_8080", "cds_egress_shop_green_http_8080"


def spare(state, proxy=FRONT, options=Options()) -> dict[Kind, list[str]]:  # noqa: B008
    """The names of what there is, by kind."""
    return {kind: sorted(named) for kind, named in Compiler().spare(state, proxy, options).items()}


def colours(front: Any, **more: Any) -> Any:
    """Two nodes that nothing leads to, and `front`."""
    node = specs.node(specs.listener(8080))
    return mesh(nodes={"front": front, "blue": node, "green": node, "silent": {}}, **more)


def test_every_node_that_can_be_called_is_there_though_nothing_leads_to_it():
    """By the names that its clusters have at callers."""
    assert spare(colours(caller())) == {Kind.CLUSTER: [BLUE, GREEN], Kind.ENDPOINT: []}


def test_a_node_that_is_called_is_there_as_it_is_called():
    """Byte for byte, so that an Envoy which has it does not notice."""
    state = one_target(specs.node(specs.listener(8080)))
    name = "cds_egress_shop_target_http_8080"
    assert Compiler().spare(state, FRONT, Options())[Kind.CLUSTER][name] == snapshot_of(state).named(Kind.CLUSTER)[name]


def test_where_policies_do_not_agree_how_a_node_is_called_it_is_not_there():
    """An offer must not turn calls to TLS, or from it; with one policy for all it is as that says."""
    backends = [
        specs.backend("a.local"),
        {"virtualService": {"virtualServiceName": "b.local", "clientPolicy": ENFORCED}},
    ]
    assert spare(colours({"backends": backends}))[Kind.CLUSTER] == []
    made = Compiler().spare(colours({"backendDefaults": {"clientPolicy": ENFORCED}}), FRONT, Options())
    assert b"/tls/ca.pem" in made[Kind.CLUSTER][BLUE].body


def test_endpoints_are_there_only_if_they_are_known():
    """That nothing was heard yet must not be told as none."""
    discovery = {"awsCloudMap": {"namespaceName": "shop.local", "serviceName": "blue"}}
    nodes = {"front": caller(), "blue": specs.node(specs.listener(8080), serviceDiscovery=discovery)}
    heard = mesh(nodes=nodes, instances={("shop.local", "blue"): [Instance("1", "10.0.0.1", "", {})]})
    assert spare(mesh(nodes=nodes)) == {Kind.CLUSTER: [BLUE], Kind.ENDPOINT: []}
    assert spare(heard) == {Kind.CLUSTER: [BLUE], Kind.ENDPOINT: [BLUE]}


def test_who_is_not_there_and_who_asks_by_name_has_nothing_spare():
    """A client without a proxy never says that it wants all clusters."""
    assert spare(mesh(nodes={"blue": specs.node(specs.listener(8080))})) == {}
    assert spare(colours(caller()), options=Options(capture=False, proxyless=True)) == {}


@given(state=meshes(), options=options)
@settings(max_examples=20)
def test_what_is_spare_is_what_a_snapshot_would_have(state, options):
    """Whoever has it from an earlier snapshot goes on as before."""
    compiler = Compiler()
    for proxy in (FRONT, GATEWAY):
        snapshot = compiler.compile_proxy(state, proxy, options)
        assert snapshot is not None
        for kind, resources in compiler.spare(state, proxy, options).items():
            both = resources.keys() & snapshot.named(kind).keys()
            assert {name: resources[name] for name in both} == {name: snapshot.named(kind)[name] for name in both}
