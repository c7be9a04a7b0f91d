"""What one proxy is to be told: all its Envoy resources, serialised once, each with a version made from its content.

Versions are hashes of the bytes, so any replica of the control plane, before or after a restart, gives one state one
version, and nothing about versions has to be stored.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from google.protobuf.message import Message

from control_plane.store.records import ObjectKey

_PREFIX = "type.googleapis.com/envoy.config"


class Kind(StrEnum):
    """The kinds of resource that we serve, by their type URL."""

    LISTENER = f"{_PREFIX}.listener.v3.Listener"
    ROUTE = f"{_PREFIX}.route.v3.RouteConfiguration"
    CLUSTER = f"{_PREFIX}.cluster.v3.Cluster"
    ENDPOINT = f"{_PREFIX}.endpoint.v3.ClusterLoadAssignment"


@dataclass(frozen=True, slots=True)
class Resource:
    """One Envoy resource, ready to be sent. Proxies that need the same one may share it."""

    kind: Kind
    name: str
    body: bytes
    version: str

    @classmethod
    def of(cls, kind: Kind, name: str, message: Message) -> "Resource":
        """The resource with this content."""
        return cls.of_bytes(kind, name, message.SerializeToString(deterministic=True))

    @classmethod
    def of_bytes(cls, kind: Kind, name: str, body: bytes) -> "Resource":
        """The resource with this content, serialised already."""
        return cls(kind, name, body, digest(body))


@dataclass(frozen=True, slots=True)
class Problem:
    """What Envoy cannot be told as asked: `field` (a path like `spec.listeners[0].tls`) of the object at `key`."""

    key: ObjectKey
    field: str
    message: str


@dataclass(frozen=True)
class Snapshot:
    """All that one proxy is to have. Consistent: each name that one resource uses is there, or told in `problems`."""

    resources: Mapping[Kind, Mapping[str, Resource]]
    problems: tuple[Problem, ...] = ()
    reads: frozenset[ObjectKey] = frozenset()
    """The objects that it was made from, those included that are not there: a change of any other leaves it as it is.

    A collection (the routes of a router, say) is read when its parent's key is here.
    """
    instances: frozenset[tuple[str, str]] = frozenset()
    """The Cloud Map services (namespace and name) whose instances it was made from, known or not."""
    sources: Mapping[tuple[Kind, str], frozenset[ObjectKey]] = field(default_factory=lambda: MappingProxyType({}))
    """Which objects a resource comes from, to tell whose fault a refusal is. What is not here comes from the node."""
    part_sources: Mapping[tuple[Kind, str, str], frozenset[ObjectKey]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """The same of a part (see `parts`). What is not here comes from what its resource comes from."""
    written: Callable[[ObjectKey], int] = field(default=lambda _key: 0, compare=False, repr=False)
    """The revision of the last write of a source; 0: it is not there, or nobody knows."""

    def named(self, kind: Kind) -> Mapping[str, Resource]:
        """The resources of a kind by name; empty if there are none."""
        return self.resources.get(kind, {})

    def version(self, kind: Kind) -> str:
        """The version of all resources of a kind together."""
        return self._versions[kind]

    @cached_property
    def _versions(self) -> Mapping[Kind, str]:
        return {kind: version_of(self.named(kind).values()) for kind in Kind}


def version_of(resources: Iterable[Resource]) -> str:
    """One version for several resources, whatever their order."""
    return digest("\n".join(sorted(f"{each.name} {each.version}" for each in resources)).encode())


def digest(content: bytes) -> str:
    """A short hash of content."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()
