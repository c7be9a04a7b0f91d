"""The state-of-the-world form of the protocol: requests into a subscription, batches into bytes. Pure.

https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#basic-protocol-overview
"""

from functools import lru_cache

from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse

from control_plane.xds.ads.subscription import Batch, Mode, Subscription
from control_plane.xds.snapshot import Kind, Resource

METHOD = "StreamAggregatedResources"
Request = DiscoveryRequest

_FULL_SETS = (Kind.LISTENER, Kind.CLUSTER)
_ANY = "*"


def mode(kind: Kind) -> Mode:
    """How responses of this kind are to be read."""
    return Mode.FULL_SET if kind in _FULL_SETS else Mode.ADDITIONS


def names_in(request: DiscoveryRequest) -> int:
    """How many names the request carries."""
    return len(request.resource_names)


def clusters_claimed(request: DiscoveryRequest) -> str:
    """The version of all its clusters that a client comes with; it does not say which those are."""
    version: str = request.version_info
    return version if request.type_url == Kind.CLUSTER else ""


def ask(here: Subscription, request: DiscoveryRequest) -> None:
    """Take over what the client asks for; each request names all of it."""
    names = set(request.resource_names)
    everything = _ANY in names
    names.discard(_ANY)
    if not here.asked:
        everything = everything or (not names and here.kind in _FULL_SETS)
        if request.version_info:
            here.claim(request.version_info)
    elif not names and here.wildcard and not here.names:
        everything = True  # an empty list goes on meaning everything until there was a name
    if everything != here.wildcard:
        here.ask_for_everything() if everything else here.ask_only_by_name()
    here.drop(here.names - names)
    here.add(names - here.names)


def write(kind: Kind, batch: Batch, nonce: str) -> bytes:
    """The response that tells this. Messages may be concatenated: the resources are serialised once for all streams."""
    if mode(kind) is Mode.FULL_SET:
        body = _shared(tuple(batch.whole.values()))
    else:
        body = b"".join(_wire(each) for each in batch.changes.values() if each is not None)
    rest: bytes = DiscoveryResponse(version_info=batch.version, type_url=kind, nonce=nonce).SerializeToString()
    return body + rest


@lru_cache(maxsize=64)
def _shared(resources: tuple[Resource, ...]) -> bytes:
    return b"".join(_wire(each) for each in resources)


@lru_cache(maxsize=4096)
def _wire(resource: Resource) -> bytes:
    response = DiscoveryResponse()
    response.resources.add(type_url=resource.kind, value=resource.body)
    serialised: bytes = response.SerializeToString()
    return serialised
