"""Bad input, as a table: each manifest, who refuses it, and what its user is told. Data only.

Three can refuse. The API server, by the schema: the manifest is not stored, and the message names the field.
Meshwright itself, for what no schema can judge: the condition says InvalidSpec, and the message names the field. App
Mesh: the condition carries the reason and App Mesh's message. `tests/resources` holds the first two against the models,
the end-to-end tests hold all of them against the real parts.

All objects have names of their own, so the whole table can be applied at once. `GIVEN` must exist beforehand;
`fixed` is the same object with the mistake mended.
"""

from dataclasses import dataclass
from typing import Any, Literal

from resources.conditions import Reason
from tests import builders
from tests.builders import Manifest, action, grpc_route, http_route, listener, tcp_route

NAMESPACE = "bad-input"
MESH = "bad-input"

GIVEN: tuple[Manifest, ...] = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    builders.mesh(MESH),
    builders.virtual_node("cart", NAMESPACE, meshName=MESH),
    builders.virtual_node("cart-v2", NAMESPACE, meshName=MESH),
    builders.virtual_node("many-ports", NAMESPACE, meshName=MESH, listeners=[listener(8080), listener(8081)]),
)


@dataclass(frozen=True)
class BadInput:
    """One mistake.

    Attributes:
        id: What the mistake is, in words.
        manifest: The manifest that has it.
        fixed: The same object without it; of another name where the name is the mistake.
        refused_by: Who refuses.
        field: JSON path of what is wrong; part of the API server's message, or of Meshwright's. None: App Mesh judges.
        reason: The condition's reason. None where the API server refuses.
        message: Part of App Mesh's message. None where others judge.
        by_rule: Whether the schema refuses by a CEL rule or a list's key, which only a real API server knows.
    """

    id: str
    manifest: Manifest
    fixed: Manifest
    refused_by: Literal["schema", "meshwright", "app-mesh"]
    field: str | None = None
    reason: Reason | None = None
    message: str | None = None
    by_rule: bool = False


def _node(id: str, **spec: Any) -> Manifest:
    return builders.virtual_node(f"bad-{id}", NAMESPACE, **{"meshName": MESH} | spec)


def _service(id: str, **spec: Any) -> Manifest:
    """A service with a router of its own; without one of these fields when it is None."""
    name = f"bad-{id}"
    router = {"name": name, "listeners": [listener()]}
    return builders.virtual_service(
        f"{name}.{NAMESPACE}.svc.cluster.local", NAMESPACE, **{"meshName": MESH, "virtualRouter": router} | spec
    )


def _schema(id: str, manifest: Manifest, field: str, *, by_rule: bool = False) -> BadInput:
    return BadInput(id, manifest, _mended(id, manifest), "schema", field=field, by_rule=by_rule)


def _app_mesh(id: str, manifest: Manifest, message: str, reason: Reason = Reason.BAD_REQUEST) -> BadInput:
    return BadInput(id, manifest, _mended(id, manifest), "app-mesh", reason=reason, message=message)


def _mended(id: str, manifest: Manifest) -> Manifest:
    """The valid object of the same kind and name."""
    if manifest["kind"] == "Mesh":
        return builders.mesh(manifest["metadata"]["name"].replace(".", "-"))
    return _node(id) if manifest["kind"] == "VirtualNode" else _service(id)


def _in_service(id: str, route: dict[str, Any], field: str, *, by_rule: bool = False) -> BadInput:
    """A service whose one route has the mistake; `field` counts from the route."""
    path = f"spec.routes[0].{field}" if field else "spec.routes[0]"
    return _schema(id, _service(id, routes=[route]), path, by_rule=by_rule)


def _on_listener(id: str, field: str, *, by_rule: bool = False, **more: Any) -> BadInput:
    """A node whose one listener has the mistake; `field` counts from the listener."""
    return _schema(id, _node(id, listeners=[listener() | more]), f"spec.listeners[0].{field}", by_rule=by_rule)


def _health_check(id: str, field: str, value: object) -> BadInput:
    return _on_listener(id, f"healthCheck.{field}", healthCheck={field: value})


def _header(id: str, field: str, *, by_rule: bool = False, **header: Any) -> BadInput:
    """A service whose one header condition has the mistake; `field` counts from the condition."""
    route = http_route(headers=[{"name": "color"} | header])
    return _in_service(id, route, f"http.match.headers[0].{field}", by_rule=by_rule)


def _retrying(**policy: Any) -> dict[str, Any]:
    route = http_route()
    route["http"]["retryPolicy"] = {"maxRetries": 2, "perRetryTimeoutMillis": 500} | policy
    return {**route, "http": {key: value for key, value in route["http"].items() if value is not None}}


_CERTIFICATE = {"file": {"certificateChain": "/certs/chain.pem", "privateKey": "/certs/key.pem"}}
_BOTH_CERTIFICATES = _CERTIFICATE | {"acm": {"certificateArn": "arn:aws:acm:us-west-2:000000000000:certificate/1"}}
_BACKEND = {"virtualService": {"virtualServiceName": "cart.bad-input.svc.cluster.local"}}
_LONG = "n" * 240
_TOTAL = "must have a total weight of at most 100"

SCHEMA: tuple[BadInput, ...] = (
    # Mesh
    _schema(
        "egress-filter-unknown", builders.mesh("bad-egress", egressFilter={"type": "BLOCK"}), "spec.egressFilter.type"
    ),
    _schema("egress-filter-without-type", builders.mesh("bad-egress-2", egressFilter={}), "spec.egressFilter.type"),
    # VirtualNode
    _schema("node-without-mesh", _node("node-without-mesh", meshName=None), "spec.meshName"),
    _schema("node-with-empty-mesh", _node("node-with-empty-mesh", meshName=""), "spec.meshName"),
    _schema("node-with-mesh-in-capitals", _node("node-with-mesh-in-capitals", meshName="Bad_Input"), "spec.meshName"),
    _on_listener("port-zero", "portMapping.port", portMapping={"port": 0, "protocol": "http"}),
    _on_listener("port-too-high", "portMapping.port", portMapping={"port": 70000, "protocol": "http"}),
    _on_listener("port-as-text", "portMapping.port", portMapping={"port": "8080", "protocol": "http"}),
    _on_listener("protocol-https", "portMapping.protocol", portMapping={"port": 443, "protocol": "https"}),
    _on_listener("protocol-missing", "portMapping.protocol", portMapping={"port": 8080}),
    _health_check("interval-too-short", "intervalMillis", 1000),
    _health_check("timeout-too-long", "timeoutMillis", 90_000),
    _health_check("threshold-too-low", "healthyThreshold", 1),
    _health_check("threshold-too-high", "unhealthyThreshold", 11),
    _on_listener("tls-mode-unknown", "tls.mode", tls={"mode": "ON", "certificate": _CERTIFICATE}),
    _on_listener("tls-without-certificate", "tls.certificate", tls={"mode": "STRICT"}),
    _on_listener(
        "tls-with-two-certificates",
        "tls.certificate",
        by_rule=True,
        tls={"mode": "STRICT", "certificate": _BOTH_CERTIFICATES},
    ),
    _schema(
        "listener-without-discovery", _node("listener-without-discovery", serviceDiscovery=None), "spec", by_rule=True
    ),
    _schema(
        "dns-without-host-name",
        _node("dns-without-host-name", serviceDiscovery={"dns": {}}),
        "spec.serviceDiscovery.dns.hostName",
    ),
    _schema(
        "cloud-map-without-namespace",
        _node("cloud-map-without-namespace", serviceDiscovery={"cloudMap": {"serviceName": "cart"}}),
        "spec.serviceDiscovery.cloudMap.namespaceName",
    ),
    _schema(
        "cloud-map-attribute-key-with-blank",
        _node(
            "cloud-map-attribute-key-with-blank",
            serviceDiscovery={
                "cloudMap": {"serviceName": "cart", "namespaceName": "local", "attributes": {"a key": "value"}}
            },
        ),
        "spec.serviceDiscovery.cloudMap.attributes",
        by_rule=True,
    ),
    _schema(
        "cloud-map-attribute-without-value",
        _node(
            "cloud-map-attribute-without-value",
            serviceDiscovery={
                "cloudMap": {"serviceName": "cart", "namespaceName": "local", "attributes": {"track": ""}}
            },
        ),
        "spec.serviceDiscovery.cloudMap.attributes.track",
    ),
    _schema(
        "backend-without-service",
        _node("backend-without-service", backends=[{}]),
        "spec.backends[0].virtualService",
    ),
    _schema(
        "client-policy-without-trust",
        _node("client-policy-without-trust", backendDefaults={"clientPolicy": {"tls": {"validation": {}}}}),
        "spec.backendDefaults.clientPolicy.tls.validation.trust",
    ),
    _schema(
        "log-without-path",
        _node("log-without-path", logging={"accessLog": {"file": {}}}),
        "spec.logging.accessLog.file.path",
    ),
    # VirtualService
    _schema("service-without-mesh", _service("service-without-mesh", meshName=None), "spec.meshName"),
    _schema(
        "two-routes-of-one-name",
        _service("two-routes-of-one-name", routes=[http_route("same"), http_route("same", prefix="/b")]),
        "spec.routes",
        by_rule=True,
    ),
    _in_service("route-of-two-types", http_route() | tcp_route(), "", by_rule=True),
    _in_service("route-of-no-type", {"name": "empty"}, "", by_rule=True),
    _in_service("route-without-name", {"tcp": {"action": action({"cart": 1})}}, "name"),
    _in_service("priority-too-high", http_route() | {"priority": 1001}, "priority"),
    _in_service("priority-negative", http_route() | {"priority": -1}, "priority"),
    _in_service("weight-above-100", http_route(targets={"cart": 101}), "http.action.weightedTargets[0].weight"),
    _in_service("weight-negative", http_route(targets={"cart": -1}), "http.action.weightedTargets[0].weight"),
    _in_service(
        "target-with-blank", http_route(targets={"cart ": 1}), "http.action.weightedTargets[0].virtualNodeName"
    ),
    _in_service(
        "weight-missing",
        {"name": "all", "tcp": {"action": {"weightedTargets": [{"virtualNodeName": "cart"}]}}},
        "tcp.action.weightedTargets[0].weight",
    ),
    _in_service(
        "no-targets", {"name": "all", "tcp": {"action": {"weightedTargets": []}}}, "tcp.action.weightedTargets"
    ),
    _in_service(
        "eleven-targets",
        http_route(targets={f"cart-{number}": 1 for number in range(11)}),
        "http.action.weightedTargets",
    ),
    _in_service("prefix-without-slash", http_route(prefix="cart"), "http.match.prefix"),
    _in_service("prefix-missing", http_route(prefix=None), "http.match.prefix"),
    _in_service("method-in-lower-case", http_route(method="get"), "http.match.method"),
    _in_service("scheme-unknown", http_route(scheme="ftp"), "http.match.scheme"),
    _in_service(
        "eleven-headers", http_route(headers=[{"name": f"h{number}"} for number in range(11)]), "http.match.headers"
    ),
    _header("header-name-too-long", "name", name="h" * 51),
    _header("header-with-two-matches", "match", by_rule=True, match={"exact": "blue", "prefix": "b"}),
    _header("header-with-empty-match", "match", by_rule=True, match={}),
    _header("header-range-turned-round", "match.range", by_rule=True, match={"range": {"start": 9, "end": 3}}),
    _header("header-range-without-end", "match.range.end", match={"range": {"start": 9}}),
    _in_service("grpc-method-without-service", grpc_route(methodName="Add"), "grpc.match", by_rule=True),
    _in_service("retry-event-unknown", _retrying(httpRetryEvents=["bad-luck"]), "http.retryPolicy.httpRetryEvents[0]"),
    _in_service("retries-negative", _retrying(maxRetries=-1), "http.retryPolicy.maxRetries"),
    _in_service(
        "retry-without-timeout", _retrying(perRetryTimeoutMillis=None), "http.retryPolicy.perRetryTimeoutMillis"
    ),
)

MESHWRIGHT: tuple[BadInput, ...] = (
    BadInput(
        "name-too-long-with-its-namespace",
        builders.virtual_node(f"{_LONG}-nodes", NAMESPACE, meshName=MESH, listeners=None, serviceDiscovery=None),
        _node("name-too-long-with-its-namespace"),
        "meshwright",
        field="metadata.name",
        reason=Reason.INVALID_SPEC,
    ),
    BadInput(
        "target-too-long-with-its-namespace",
        _service("target-too-long-with-its-namespace", routes=[http_route(targets={"cart": 1, f"{_LONG}-nodes": 1})]),
        _service("target-too-long-with-its-namespace"),
        "meshwright",
        field="spec.routes[0].http.action.weightedTargets[1].virtualNodeName",
        reason=Reason.INVALID_SPEC,
    ),
)

APP_MESH: tuple[BadInput, ...] = (
    _app_mesh(
        "mesh-name-with-dot", builders.mesh("bad.mesh"), "must consist of letters, digits, hyphens and underscores"
    ),
    _app_mesh(
        "health-check-of-another-port",
        _node("health-check-of-another-port", listeners=[listener(8080, healthCheck={"port": 9090})]),
        "must be the listener's port 8080",
    ),
    _app_mesh(
        "two-listeners-on-one-port",
        _node("two-listeners-on-one-port", listeners=[listener(8080), listener(8080, "grpc")]),
        "another listener has port 8080 already",
    ),
    _app_mesh("one-backend-twice", _node("one-backend-twice", backends=[_BACKEND, _BACKEND]), "another backend is"),
    _app_mesh(
        "more-backends-than-the-quota",
        _node(
            "more-backends-than-the-quota",
            backends=[{"virtualService": {"virtualServiceName": f"service-{number}"}} for number in range(51)],
        ),
        "backends",
        Reason.LIMIT_EXCEEDED,
    ),
    _app_mesh(
        "weights-above-100-together",
        _service("weights-above-100-together", routes=[http_route(targets={"cart": 60, "cart-v2": 60})]),
        _TOTAL,
    ),
    _app_mesh(
        "weights-all-zero",
        _service("weights-all-zero", routes=[http_route(targets={"cart": 0, "cart-v2": 0})]),
        "must have a weight above 0",
    ),
    _app_mesh(
        "route-of-another-protocol",
        _service("route-of-another-protocol", routes=[tcp_route()]),
        "must be the route of a listener with protocol http",
    ),
    _app_mesh(
        "two-router-listeners",
        _service(
            "two-router-listeners",
            virtualRouter={"name": "bad-two-router-listeners", "listeners": [listener(8080), listener(8081)]},
        ),
        "must define a port match criteria",
    ),
    _app_mesh(
        "router-listens-twice-on-one-port",
        _service(
            "router-listens-twice-on-one-port",
            virtualRouter={"name": "bad-router-port", "listeners": [listener(8080), listener(8080)]},
        ),
        "another listener has port 8080 already",
    ),
    _app_mesh(
        "retry-without-a-cause",
        _service("retry-without-a-cause", routes=[_retrying()]),
        "must have at least one event",
    ),
    _app_mesh(
        "target-with-several-listeners",
        _service("target-with-several-listeners", routes=[http_route(targets={"many-ports": 1})]),
        "is required: the target has listeners on ports 8080, 8081",
    ),
)

BAD_INPUTS: tuple[BadInput, ...] = (*SCHEMA, *MESHWRIGHT, *APP_MESH)
