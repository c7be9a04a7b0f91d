"""Hypothesis strategies for valid resources. Each gives a manifest, as a user could write it; parse it for a model.

They reach every field and every bound of the models, which the laws in this room lean on. `st.none()` stands for a
field that is written without a value, as `headers:` in YAML.
"""

from typing import Any

from hypothesis import strategies as st

from resources.kinds import API_VERSION, Kind
from resources.ports import Protocol
from resources.routes import GrpcRetryEvent, HttpMethod, HttpRetryEvent, HttpScheme, TcpRetryEvent
from resources.tls import TlsMode

Json = dict[str, Any]
Manifests = st.SearchStrategy[Json]

ports = st.integers(1, 65535)
whole_numbers = st.integers(-(2**53), 2**53)
# Kubernetes names: lower-case letters, digits, dashes and, in most kinds, dots.
labels = st.from_regex(r"[a-z]([a-z0-9-]{0,14}[a-z0-9])?", fullmatch=True)
object_names = st.lists(labels, min_size=1, max_size=3).map(".".join)
target_names = object_names | st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)


def text(most: int, least: int = 1) -> st.SearchStrategy[str]:
    """Any text that JSON can carry, now and then as long as allowed.

    Only NUL is left out: our App Mesh API refuses it anywhere, as its database cannot store it.
    """
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    return st.text(characters, min_size=least, max_size=min(most, 12)) | st.just("x" * most)


def maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Any choice of these fields, and nulls here and there."""
    return st.fixed_dictionaries({}, optional={name: value | st.none() for name, value in fields.items()})


def must(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """All the required fields, and any choice of the others."""
    return st.builds(lambda given, more: given | more, st.fixed_dictionaries(required), maybe(**optional))


def one_of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Exactly one of these fields."""
    return st.one_of(*(st.fixed_dictionaries({name: value}) for name, value in fields.items()))


def values(enum: type) -> st.SearchStrategy[str]:
    """The JSON values of an enum."""
    return st.sampled_from([member.value for member in enum])  # type: ignore[attr-defined]


port_mappings = st.fixed_dictionaries({"port": ports, "protocol": values(Protocol)})
router_listeners = st.fixed_dictionaries({"portMapping": port_mappings})

# TLS
file_paths = text(255)
arns = text(2048)
listener_certificates = one_of(
    acm=st.fixed_dictionaries({"certificateArn": arns}),
    file=st.fixed_dictionaries({"certificateChain": file_paths, "privateKey": file_paths}),
)
listener_tls = st.fixed_dictionaries({"mode": values(TlsMode), "certificate": listener_certificates})
trusts = one_of(
    acm=st.fixed_dictionaries({"certificateAuthorityArns": st.lists(arns, min_size=1, max_size=3)}),
    file=st.fixed_dictionaries({"certificateChain": file_paths}),
)
client_tls = must(
    {"validation": st.fixed_dictionaries({"trust": trusts})}, enforce=st.booleans(), ports=st.lists(ports, max_size=3)
)
client_policies = maybe(tls=client_tls)

# Virtual nodes
thresholds = st.integers(2, 10)
health_checks = maybe(
    healthyThreshold=thresholds,
    intervalMillis=st.integers(5000, 300_000),
    path=text(1024, least=0),
    port=ports,
    protocol=values(Protocol),
    timeoutMillis=st.integers(2000, 60_000),
    unhealthyThreshold=thresholds,
)
listeners = must({"portMapping": port_mappings}, healthCheck=health_checks, tls=listener_tls)
attribute_keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
attribute_values = st.from_regex(r"[!-~][ !-~]{0,20}", fullmatch=True)
dns = st.fixed_dictionaries({"hostName": text(255)})
cloud_maps = must(
    {"serviceName": text(1024), "namespaceName": text(1024)},
    attributes=st.dictionaries(attribute_keys, attribute_values, max_size=4),
)
discoveries = must({"dns": dns}, cloudMap=cloud_maps) | must({"cloudMap": cloud_maps}, dns=dns)
backends = st.fixed_dictionaries(
    {"virtualService": must({"virtualServiceName": text(255)}, clientPolicy=client_policies)}
)
logs = maybe(accessLog=maybe(file=st.fixed_dictionaries({"path": file_paths})))

# Routes
value_matches = one_of(
    exact=text(255),
    prefix=text(255),
    suffix=text(255),
    regex=text(255),
    range=st.tuples(whole_numbers, whole_numbers)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: {"start": min(pair), "end": max(pair)}),
)
header_matches = must({"name": text(50)}, invert=st.booleans(), match=value_matches)
headers = st.lists(header_matches, max_size=3)
http_matches = must(
    {"prefix": text(100, least=0).map(lambda path: f"/{path}")},
    method=values(HttpMethod),
    scheme=values(HttpScheme),
    headers=headers,
)
grpc_matches = must({"serviceName": text(255)}, methodName=text(50), metadata=headers) | maybe(metadata=headers)
targets = st.fixed_dictionaries({"virtualNodeName": target_names, "weight": st.integers(0, 100)})
actions = st.fixed_dictionaries({"weightedTargets": st.lists(targets, min_size=1, max_size=10)})
_attempts = {"perRetryTimeoutMillis": st.integers(0, 2**31 - 1), "maxRetries": st.integers(0, 2**31 - 1)}
_http_events = st.lists(values(HttpRetryEvent), max_size=4)
_tcp_events = st.lists(values(TcpRetryEvent), max_size=1)
http_retries = must(_attempts, httpRetryEvents=_http_events, tcpRetryEvents=_tcp_events)
grpc_retries = must(
    _attempts,
    httpRetryEvents=_http_events,
    tcpRetryEvents=_tcp_events,
    grpcRetryEvents=st.lists(values(GrpcRetryEvent), max_size=5),
)
http_routes = must({"match": http_matches, "action": actions}, retryPolicy=http_retries)
route_kinds = one_of(
    http=http_routes,
    http2=http_routes,
    tcp=st.fixed_dictionaries({"action": actions}),
    grpc=must({"action": actions}, match=grpc_matches, retryPolicy=grpc_retries),
)
routes = st.builds(
    lambda named, kind: named | kind, must({"name": text(255)}, priority=st.integers(0, 1000)), route_kinds
)


def _manifest(kind: Kind, metadata: st.SearchStrategy[Json], spec: st.SearchStrategy[Json | None]) -> Manifests:
    return st.fixed_dictionaries(
        {"apiVersion": st.just(API_VERSION), "kind": st.just(kind.value), "metadata": metadata, "spec": spec}
    )


_named = st.fixed_dictionaries({"name": object_names, "namespace": labels})


def meshes() -> Manifests:
    """Valid Meshes."""
    egress = st.fixed_dictionaries({"type": st.sampled_from(["ALLOW_ALL", "DROP_ALL"])})
    spec = maybe(
        egressFilter=egress, serviceDiscoveryType=text(255, least=0), cloudMapNamespaceName=text(1024, least=0)
    )
    return _manifest(Kind.MESH, st.fixed_dictionaries({"name": object_names}), spec | st.none())


def virtual_nodes() -> Manifests:
    """Valid VirtualNodes."""
    rest = {
        "backends": st.lists(backends, max_size=3),
        "backendDefaults": maybe(clientPolicy=client_policies),
        "logging": logs,
    }
    found = must(
        {"meshName": object_names, "serviceDiscovery": discoveries}, listeners=st.lists(listeners, max_size=3), **rest
    )
    silent = must({"meshName": object_names}, listeners=st.just([]), **rest)
    return _manifest(Kind.VIRTUAL_NODE, _named, found | silent)


def virtual_services() -> Manifests:
    """Valid VirtualServices."""
    spec = must(
        {"meshName": object_names},
        virtualRouter=maybe(
            name=st.sampled_from(["", " "]) | object_names, listeners=st.lists(router_listeners, max_size=3)
        ),
        routes=st.lists(routes, max_size=4, unique_by=lambda route: route["name"]),
    )
    return _manifest(Kind.VIRTUAL_SERVICE, _named, spec)
