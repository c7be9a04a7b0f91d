"""VirtualNode → VirtualNodeSpec."""

from typing import Any

from resources.kinds import GROUP
from resources.names import virtual_node_api_name
from resources.normal import pruned
from resources.ports import PortMapping
from resources.tls import ClientPolicy, ListenerTls
from resources.translate.ports import port_mapping
from resources.virtual_node import Backend, CloudMapDiscovery, HealthCheck, Listener, VirtualNode

# By these two attributes a node's own instances are told from others in one Cloud Map service.
MESH_ATTRIBUTE = f"{GROUP}/mesh"
VIRTUAL_NODE_ATTRIBUTE = f"{GROUP}/virtualNode"

HEALTHY_THRESHOLD = 10
INTERVAL_MILLIS = 30_000
TIMEOUT_MILLIS = 5_000
UNHEALTHY_THRESHOLD = 2


def virtual_node_spec(node: VirtualNode) -> dict[str, Any]:
    """The spec of CreateVirtualNode and UpdateVirtualNode."""
    spec = node.spec
    defaults = spec.backend_defaults
    log = spec.logging.access_log if spec.logging else None
    return pruned(
        {
            "listeners": [_listener(listener) for listener in spec.listeners],
            "serviceDiscovery": _service_discovery(node),
            "backends": [_backend(backend) for backend in spec.backends],
            "backendDefaults": {"clientPolicy": _client_policy(defaults.client_policy)} if defaults else None,
            "logging": {"accessLog": {"file": {"path": log.file.path}}} if log and log.file else None,
        }
    )


def _listener(listener: Listener) -> dict[str, Any]:
    return {
        "portMapping": port_mapping(listener.port_mapping),
        "healthCheck": _health_check(listener.health_check, listener.port_mapping) if listener.health_check else None,
        "tls": _listener_tls(listener.tls) if listener.tls else None,
    }


def _health_check(check: HealthCheck, listens_on: PortMapping) -> dict[str, Any]:
    """A health check with every gap filled: App Mesh demands all but path and port."""
    return {
        "healthyThreshold": check.healthy_threshold or HEALTHY_THRESHOLD,
        "intervalMillis": check.interval_millis or INTERVAL_MILLIS,
        "path": check.path,
        "port": check.port or listens_on.port,
        "protocol": (check.protocol or listens_on.protocol).value,
        "timeoutMillis": check.timeout_millis or TIMEOUT_MILLIS,
        "unhealthyThreshold": check.unhealthy_threshold or UNHEALTHY_THRESHOLD,
    }


def _listener_tls(tls: ListenerTls) -> dict[str, Any]:
    return {"mode": tls.mode.value, "certificate": tls.certificate.to_json()}


def _service_discovery(node: VirtualNode) -> dict[str, Any] | None:
    discovery = node.spec.service_discovery
    if discovery is None:
        return None
    if discovery.dns:
        return {"dns": {"hostname": discovery.dns.host_name}}
    if discovery.cloud_map:
        return {"awsCloudMap": _cloud_map(discovery.cloud_map, node)}
    return None


def _cloud_map(cloud_map: CloudMapDiscovery, node: VirtualNode) -> dict[str, Any]:
    attributes = cloud_map.attributes | {
        MESH_ATTRIBUTE: node.spec.mesh_name,
        VIRTUAL_NODE_ATTRIBUTE: virtual_node_api_name(node),
    }
    return {
        "namespaceName": cloud_map.namespace_name,
        "serviceName": cloud_map.service_name,
        "attributes": [{"key": key, "value": value} for key, value in sorted(attributes.items())],
    }


def _backend(backend: Backend) -> dict[str, Any]:
    service = backend.virtual_service
    return {
        "virtualService": {
            "virtualServiceName": service.virtual_service_name,
            "clientPolicy": _client_policy(service.client_policy),
        }
    }


def _client_policy(policy: ClientPolicy | None) -> dict[str, Any] | None:
    if policy is None or policy.tls is None:
        return None
    return {
        "tls": {
            "enforce": policy.tls.enforce is not False,
            "ports": list(policy.tls.ports),
            "validation": policy.tls.validation.to_json(),
        }
    }
