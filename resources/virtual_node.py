"""VirtualNode: a workload in the mesh. Where it listens, how it is found, whom it calls."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from resources.base import Model, Rule
from resources.conditions import Condition
from resources.fields import (
    BY_TYPE,
    Arn,
    AttributeValue,
    CloudMapName,
    FilePath,
    Generation,
    HealthInterval,
    HealthThreshold,
    HealthTimeout,
    MeshName,
    Name,
    Port,
    Versions,
)
from resources.kinds import Kind
from resources.metadata import ObjectMeta
from resources.ports import PortMapping, Protocol
from resources.tls import ClientPolicy, ListenerTls


class HealthCheck(Model):
    """How a listener is probed. What is left out is filled in when App Mesh is asked, never in the stored object."""

    healthy_threshold: HealthThreshold | None = None
    """Successes in a row before the listener counts as healthy; 10 when not given."""
    interval_millis: HealthInterval | None = None
    """Time from one probe to the next; 30000 when not given."""
    path: Annotated[str, Field(max_length=1024)] | None = None
    """Path to ask for; used with http and http2 only."""
    port: Port | None = None
    """Port to probe; App Mesh wants it to be the listener's, which is what it is when not given."""
    protocol: Protocol | None = None
    """Protocol of the probe; the listener's when not given."""
    timeout_millis: HealthTimeout | None = None
    """How long an answer may take; 5000 when not given."""
    unhealthy_threshold: HealthThreshold | None = None
    """Failures in a row before the listener counts as unhealthy; 2 when not given."""


class Listener(Model):
    """Where the node takes traffic."""

    port_mapping: PortMapping
    """Port and protocol of the application."""
    health_check: HealthCheck | None = None
    """How the listener is probed; not at all when not given."""
    tls: ListenerTls | None = None
    """TLS offered to callers; plain text only when not given."""


class DnsDiscovery(Model):
    """Endpoints are found by DNS."""

    host_name: Name
    """Host name that resolves to the node, usually that of its Kubernetes Service."""


def _attribute_keys_are_valid(attributes: dict[str, str]) -> dict[str, str]:
    for key in attributes:
        if not is_attribute_key(key):
            raise PydanticCustomError("attribute_key", "{key} is no key: " + ATTRIBUTE_KEY_RULE, {"key": repr(key)})
    return attributes


def is_attribute_key(key: str) -> bool:
    """Whether Cloud Map takes this as the key of an instance attribute."""
    return 1 <= len(key) <= 255 and all("!" <= character <= "~" for character in key)


ATTRIBUTE_KEY_RULE = "an attribute's key has 1 to 255 printable ASCII characters and no blank"


class CloudMapDiscovery(Model):
    """Endpoints are found in AWS Cloud Map, where the node's pods are registered."""

    service_name: CloudMapName
    """Cloud Map service; made when it does not exist."""
    namespace_name: CloudMapName
    """Cloud Map namespace; must exist."""
    attributes: Annotated[
        dict[str, AttributeValue],
        Field(
            default_factory=dict,
            max_length=30,
            json_schema_extra={
                "x-kubernetes-validations": [
                    {"rule": "self.all(key, key.matches('^[!-~]{1,255}$'))", "message": ATTRIBUTE_KEY_RULE}
                ]
            },
        ),
        AfterValidator(_attribute_keys_are_valid),
    ]
    """Attributes that an instance must have to be an endpoint of this node."""


class ServiceDiscovery(Model):
    """How callers find the node's endpoints. If both ways are given, DNS is used."""

    cloud_map: CloudMapDiscovery | None = None
    """By AWS Cloud Map."""
    dns: DnsDiscovery | None = None
    """By DNS."""


class BackendService(Model):
    """A virtual service that the node calls."""

    virtual_service_name: Name
    """Name of the virtual service, exactly as its VirtualService is called. It need not exist yet."""
    client_policy: ClientPolicy | None = None
    """What the node demands of this backend, in place of its backendDefaults."""


class Backend(Model):
    """Something that the node calls."""

    virtual_service: BackendService
    """The virtual service that is called."""


class BackendDefaults(Model):
    """What holds for every backend that says nothing else."""

    client_policy: ClientPolicy | None = None
    """What the node demands of its backends."""


class FileAccessLog(Model):
    """An access log in a file."""

    path: FilePath
    """Path of the log in the sidecar's file system, such as /dev/stdout."""


class AccessLog(Model):
    """Where requests are logged."""

    file: FileAccessLog | None = None
    """Log to a file."""


class Logging(Model):
    """What the sidecar logs."""

    access_log: AccessLog | None = None
    """Log of the requests that the node takes."""


def _listeners_can_be_found(spec: "VirtualNodeSpec") -> bool:
    discovery = spec.service_discovery
    return not spec.listeners or (discovery is not None and (discovery.dns or discovery.cloud_map) is not None)


class VirtualNodeSpec(Model):
    """What the virtual node is to be."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=(
                "!has(self.listeners) || self.listeners.size() == 0 || "
                "(has(self.serviceDiscovery) && "
                "(has(self.serviceDiscovery.dns) || has(self.serviceDiscovery.cloudMap)))"
            ),
            message="a node with listeners needs serviceDiscovery, by dns or by cloudMap",
            holds=_listeners_can_be_found,
        ),
    )

    mesh_name: MeshName
    """The Mesh that the node belongs to."""
    listeners: Annotated[tuple[Listener, ...], Field(max_length=10)] = ()
    """Where the node takes traffic; none for a node that only calls others."""
    service_discovery: ServiceDiscovery | None = None
    """How callers find the node's endpoints; needed when there are listeners."""
    backends: Annotated[tuple[Backend, ...], Field(max_length=200)] = ()
    """The virtual services that the node calls. App Mesh's quota may be lower than this schema's bound."""
    backend_defaults: BackendDefaults | None = None
    """What holds for every backend that says nothing else."""
    logging: Logging | None = None
    """What the sidecar logs."""


class CloudMapServiceStatus(Model):
    """The Cloud Map service in which the node's pods are registered."""

    service_id: Name | None = None
    """Identifier of the Cloud Map service."""
    namespace_id: Name | None = None
    """Identifier of its Cloud Map namespace."""


class VirtualNodeStatus(Model):
    """What became of the virtual node."""

    mesh_arn: Arn | None = None
    """Amazon Resource Name of the node's mesh."""
    virtual_node_arn: Arn | None = None
    """Amazon Resource Name of the virtual node in App Mesh."""
    conditions: Annotated[tuple[Condition, ...], BY_TYPE] = ()
    """Where the node stands."""
    cloudmap_service: CloudMapServiceStatus | None = None
    """The Cloud Map service in use, if any. The field's name is that of older controllers."""
    versions: Versions = Field(default_factory=dict)
    """Versions of the App Mesh objects as this controller left them, by ARN; a later one tells of drift."""
    data_plane_revision: Generation | None = None
    """Where the last write is in the order of all of App Mesh's, if it tells; proxies that are as far have it."""
    observed_generation: Generation | None = None
    """The metadata.generation that this status is about."""


class VirtualNode(Model):
    """A workload in the mesh."""

    kind: ClassVar[Kind] = Kind.VIRTUAL_NODE

    metadata: ObjectMeta
    """Kubernetes metadata; name and namespace make the name in App Mesh."""
    spec: VirtualNodeSpec
    """What the virtual node is to be."""
    status: VirtualNodeStatus = VirtualNodeStatus()
    """What became of it."""
