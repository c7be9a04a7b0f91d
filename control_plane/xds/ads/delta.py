"""The incremental form of the protocol: requests into a subscription, batches into bytes. Pure.

https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
"""

from functools import lru_cache

from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse

from control_plane.xds.ads.subscription import Batch, Mode, Subscription
from control_plane.xds.snapshot import Kind, Resource

METHOD = "DeltaAggregatedResources"
Request = DeltaDiscoveryRequest

_ANY = "*"


def mode(kind: Kind) -> Mode:
    """How responses of this kind are to be read."""
    return Mode.DELTA


def names_in(request: DeltaDiscoveryRequest) -> int:
    """How many names the request carries."""
    return (
        len(request.resource_names_subscribe)
        + len(request.resource_names_unsubscribe)
        + len(request.initial_resource_versions)
    )


def clusters_claimed(request: DeltaDiscoveryRequest) -> str:
    """Nothing: the versions that a client comes with are told by name."""
    return ""


def ask(here: Subscription, request: DeltaDiscoveryRequest) -> None:
    """Take over what the client asks for; each request tells what is different."""
    more, less = set(request.resource_names_subscribe), set(request.resource_names_unsubscribe)
    if not here.asked:
        if request.initial_resource_versions:
            here.claim(dict(request.initial_resource_versions))
        if not more and here.kind in (Kind.LISTENER, Kind.CLUSTER):
            more = {_ANY}
    if _ANY in less and here.wildcard:
        here.ask_only_by_name()
    if _ANY in more:
        here.ask_for_everything()
    here.drop(less - {_ANY})
    here.add(more - {_ANY})


def write(kind: Kind, batch: Batch, nonce: str) -> bytes:
    """The response that tells this. Messages may be concatenated: a resource is serialised once for all streams."""
    response = DeltaDiscoveryResponse(
        system_version_info=batch.version,
        type_url=kind,
        removed_resources=[name for name, each in batch.changes.items() if each is None],
        nonce=nonce,
    )
    rest: bytes = response.SerializeToString()
    return b"".join(_wire(each) for each in batch.changes.values() if each is not None) + rest


@lru_cache(maxsize=4096)
def _wire(resource: Resource) -> bytes:
    response = DeltaDiscoveryResponse()
    wrapped = response.resources.add(name=resource.name, version=resource.version)
    wrapped.resource.type_url, wrapped.resource.value = resource.kind, resource.body
    serialised: bytes = response.SerializeToString()
    return serialised
