"""Differential truth: App Mesh ends as the controller that the resources were first written for would leave it."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.messages import References
from tests.builders import Manifest, listener, mesh, virtual_node, virtual_service
from tests.convergence import reference
from tests.convergence.api import Client, control_plane
from tests.convergence.controller import Controller
from tests.workflows.snapshots import desired
from workflows.planning.plan import Observed

Json = dict[str, Any]

NODES = ("cart", "cart.v2", "pay.shop.example")
ROUTER_NAMES = (None, " ", "main", "other.router")
SERVICES = ("cart.prod.svc.cluster.local", "pay")
FULL_NAMES = {"cart": "cart-prod", "cart.v2": "cart-v2", "pay.shop.example": "pay-shop-example"}

_numbers = itertools.count(1)
_texts = st.sampled_from(["/", "/cart", "/a/b"])
_files = {"certificateChain": "/chain.pem"}
tls = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["STRICT", "PERMISSIVE", "DISABLED"]),
        "certificate": st.just({"file": _files | {"privateKey": "/key.pem"}}),
    }
)
client_policies = st.fixed_dictionaries(
    {
        "tls": st.fixed_dictionaries(
            {"validation": st.just({"trust": {"file": _files}})},
            optional={"enforce": st.booleans(), "ports": st.lists(st.integers(1, 9), max_size=2)},
        )
    }
)
health_checks = st.fixed_dictionaries(
    {},
    optional={
        "healthyThreshold": st.integers(2, 10),
        "intervalMillis": st.integers(5000, 300_000),
        "path": _texts,
        "timeoutMillis": st.integers(2000, 60_000),
        "unhealthyThreshold": st.integers(2, 10),
    },
)
discoveries = st.fixed_dictionaries(
    {
        "cloudMap": st.fixed_dictionaries(
            {"serviceName": st.just("cart"), "namespaceName": st.just("shop.local")},
            optional={"attributes": st.dictionaries(st.sampled_from(["a", "b", "zone"]), st.just("x"))},
        )
    },
    optional={"dns": st.just({"hostName": "cart.example"})},
)
_matches = st.fixed_dictionaries(
    {"name": st.sampled_from(["x-user", "x-team"])},
    optional={"invert": st.booleans(), "match": st.sampled_from([{"exact": "a"}, {"range": {"start": 1, "end": 5}}])},
)
http_matches = st.fixed_dictionaries(
    {"prefix": _texts},
    optional={
        "method": st.sampled_from(["GET", "POST"]),
        "scheme": st.sampled_from(["http", "https"]),
        "headers": st.lists(_matches, max_size=2),
    },
)
grpc_matches = st.fixed_dictionaries(
    {}, optional={"serviceName": st.just("Cart"), "metadata": st.lists(_matches, max_size=2)}
)
retries = st.fixed_dictionaries(
    {
        "perRetryTimeoutMillis": st.integers(0, 9999),
        "maxRetries": st.integers(0, 5),
        "httpRetryEvents": st.lists(st.sampled_from(["server-error", "client-error"]), min_size=1, unique=True),
    },
    optional={"tcpRetryEvents": st.just(["connection-error"])},
)


@st.composite
def nodes(draw: st.DrawFn, name: str, protocol: str) -> Manifest:
    """A node with one listener of this protocol."""
    optional = {"healthCheck": health_checks, "tls": tls}
    members = draw(st.fixed_dictionaries({}, optional=optional))
    backends = [
        {
            "virtualService": {"virtualServiceName": called}
            | draw(st.fixed_dictionaries({}, optional={"clientPolicy": client_policies}))
        }
        for called in draw(st.sets(st.sampled_from((*SERVICES, "absent"))))
    ]
    more: Json = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "serviceDiscovery": discoveries,
                "backendDefaults": st.fixed_dictionaries({"clientPolicy": client_policies}),
                "logging": st.just({"accessLog": {"file": {"path": "/dev/stdout"}}}),
            },
        )
    )
    port = draw(st.sampled_from([8080, 9090]))
    return virtual_node(name, listeners=[listener(port, protocol, **members)], backends=backends, **more)


@st.composite
def routes(draw: st.DrawFn, name: str, protocol: str, there: list[str]) -> Json:
    """A route of this protocol; http2 and grpc may name a node as App Mesh does."""
    weighted: list[Json] = []
    for node in draw(st.lists(st.sampled_from(there), min_size=1, unique=True)):
        full = protocol in ("http2", "grpc") and bool(weighted) and draw(st.booleans())
        weighted.append({"virtualNodeName": FULL_NAMES[node] if full else node, "weight": draw(st.integers(1, 30))})
    content: Json = {"action": {"weightedTargets": weighted}}
    if protocol != "tcp":
        content["match"] = draw(grpc_matches if protocol == "grpc" else http_matches)
        content |= draw(st.fixed_dictionaries({}, optional={"retryPolicy": retries}))
    return {"name": name, protocol: content} | draw(st.fixed_dictionaries({}, optional={"priority": st.integers(0, 9)}))


@st.composite
def shops(draw: st.DrawFn) -> list[Manifest]:
    """Nodes, and services with routers of their own (sharing is what the other controller could not do)."""
    protocol = draw(st.sampled_from(["http", "http2", "grpc", "tcp"]))
    there = draw(st.lists(st.sampled_from(NODES), min_size=1, unique=True))
    made = [draw(nodes(name, protocol)) for name in there]
    routers = draw(st.permutations(ROUTER_NAMES))
    for service, router in zip(draw(st.lists(st.sampled_from(SERVICES), unique=True)), routers, strict=False):
        names = draw(st.lists(st.sampled_from(["a", "b_c", "default"]), unique=True))
        own = [draw(routes(name, protocol, there)) for name in names]
        listeners = [listener(draw(st.sampled_from([80, 8080])), protocol)]
        given_router: Json = {"name": router} if router is not None else {}
        if not own or draw(st.booleans()):
            given_router |= {"listeners": listeners}
        made.append(virtual_service(service, virtualRouter=given_router or None, routes=own))
    return made


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A control plane."""
    with control_plane(tmp_path_factory.mktemp("control-plane")) as client:
        yield client


@given(manifests=shops())
@settings(max_examples=80, derandomize=True)
def test_app_mesh_ends_as_the_first_controller_would_leave_it(client: Client, manifests: list[Manifest]) -> None:
    """Names, defaults, inferred listeners, http2 and grpc targets: every object and every field."""
    controller = Controller(client, f"mesh-{next(_numbers)}")
    for manifest in manifests:
        controller.apply(manifest)
    controller.settle()
    applied = [entity.manifest for entity in controller.entities.values()]
    assert [entity.outcome.reason for entity in controller.entities.values()] == ["Active"] * len(manifests)
    reached = {
        (segment(object.kind), *((object.router,) if object.router else ()), object.name): reference.solid(spec)
        for object, spec in controller.specs().items()
    }
    assert reached == reference.objects(applied)


@pytest.mark.parametrize(
    "egress", [{}, {"egressFilter": {"type": "ALLOW_ALL"}}, {"egressFilter": {"type": "DROP_ALL"}}]
)
def test_a_mesh_is_sent_as_it_is_written(egress: Json) -> None:
    """Its name bare; an egress filter that is not given is left to App Mesh."""
    (wanted,) = desired(mesh("a.shop", **egress)).wanted(References(), Observed())
    assert (wanted.object.name, wanted.spec) == ("a.shop", egress)


def segment(kind: str) -> str:
    """A kind as it stands in ARNs."""
    return kind[0].lower() + kind[1:]
