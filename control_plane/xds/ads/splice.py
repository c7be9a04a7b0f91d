"""A resource that leaves some of its parts as they were. Pure.

A route configuration holds the services of a port, a listener the ports of a node, all of them, and each is taken or
refused as a whole. Where one service cannot be told, only its part waits: the others are told what is new.
"""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from envoy.config.listener.v3.listener_components_pb2 import FilterChain
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf.message import Message

from control_plane.xds.ads.references import clusters_of_chain, clusters_of_host
from control_plane.xds.parts import chain_name
from control_plane.xds.snapshot import Kind, Resource


@dataclass(frozen=True, slots=True)
class Spliced:
    """What can be told, and which parts it does not tell of as asked."""

    resource: Resource | None
    """None: nothing of it."""
    held: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Form:
    """How the parts of a kind of resource are found."""

    read: Callable[[bytes], Any]
    field: str
    name: Callable[[Any], str]
    clusters: Callable[[Any], Iterable[str]]
    may_be_empty: bool

    def parts(self, message: Any) -> Any:
        """The parts of a message, to be changed in place."""
        return getattr(message, self.field)

    def by_name(self, body: bytes) -> dict[str, Any]:
        """The parts of a body; of none, none."""
        return {self.name(part): part for part in self.parts(self.read(body))}


def _host_name(host: VirtualHost) -> str:
    return str(host.name)


_FORMS = {
    Kind.ROUTE: _Form(RouteConfiguration.FromString, "virtual_hosts", _host_name, clusters_of_host, True),
    Kind.LISTENER: _Form(Listener.FromString, "filter_chains", chain_name, clusters_of_chain, False),
}


def parts(resource: Resource | None) -> dict[str, bytes]:
    """The content of each part, by name, in order."""
    return dict(_parts(resource.kind, resource.body)) if resource is not None else {}


@lru_cache(maxsize=256)
def _parts(kind: Kind, body: bytes) -> tuple[tuple[str, bytes], ...]:
    found = _FORMS[kind].by_name(body)
    return tuple((name, part.SerializeToString(deterministic=True)) for name, part in found.items())


def without(target: Resource, base: Resource | None, clusters: AbstractSet[str]) -> Spliced:
    """The target, but parts that name one of these clusters lead where they do in `base`, or are left out.

    Args:
        target: a route configuration or a listener.
        base: the one that the client is to go on from, if it has any.
        clusters: those that cannot be named.
    """
    return _without(target.kind, target.name, target.body, base.body if base else b"", frozenset(clusters))


@lru_cache(maxsize=256)
def _without(kind: Kind, name: str, target: bytes, base: bytes, clusters: frozenset[str]) -> Spliced:
    form = _FORMS[kind]
    held = frozenset(part for part, new in form.by_name(target).items() if not clusters.isdisjoint(form.clusters(new)))

    def as_before(old: Any, new: Any) -> Any | None:
        if not clusters.isdisjoint(form.clusters(old)):
            return None
        if isinstance(old, VirtualHost):
            # By the new domains: those of other hosts are new too, and no two may have the same.
            old.ClearField("domains")
            old.domains.extend(new.domains)
        return old

    return Spliced(_spliced(form, kind, name, target, base, held, as_before), held)


def keeping(target: Resource, base: Resource | None, held: AbstractSet[str]) -> Resource | None:
    """The target, but these parts are as they are in `base`, or are left out; None if nothing would be left."""
    return _keeping(target.kind, target.name, target.body, base.body if base else b"", frozenset(held))


@lru_cache(maxsize=256)
def _keeping(kind: Kind, name: str, target: bytes, base: bytes, held: frozenset[str]) -> Resource | None:
    form = _FORMS[kind]
    # Domains too are as they were, since they may be what is wrong; but for those that others have now.
    taken = {domain for part, new in form.by_name(target).items() if part not in held for domain in _domains(new)}

    def as_before(old: Any, _new: Any) -> Any | None:
        if isinstance(old, VirtualHost):
            left = [domain for domain in old.domains if domain not in taken]
            if not left:
                return None
            old.ClearField("domains")
            old.domains.extend(left)
            taken.update(left)
        return old

    return _spliced(form, kind, name, target, base, held, as_before)


def _domains(part: VirtualHost | FilterChain) -> Iterator[str]:
    if isinstance(part, VirtualHost):
        yield from part.domains


def _spliced(
    form: _Form,
    kind: Kind,
    name: str,
    target: bytes,
    base: bytes,
    held: AbstractSet[str],
    as_before: Callable[[Any, Any], Any | None],
) -> Resource | None:
    new: Message = form.read(target)
    before = form.by_name(base)
    kept = []
    for part in form.parts(new):
        at = form.name(part)
        if at not in held:
            kept.append(part)
        elif at in before and (old := as_before(before[at], part)) is not None:
            kept.append(old)
    if not kept and not form.may_be_empty:
        return None
    kept = [
        type(part).FromString(part.SerializeToString()) for part in kept
    ]  # parts die with what they are taken out of
    del form.parts(new)[:]
    form.parts(new).extend(kept)
    return Resource.of(kind, name, new)
