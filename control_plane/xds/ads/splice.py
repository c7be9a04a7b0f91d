"""A route configuration that leaves some of its virtual hosts as they were. Pure.

A route configuration holds the services of a port, all of them, and is taken or refused as a whole. Where one service
names a cluster that the client refuses, only its host waits for that: the others are told what is new.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from envoy.config.route.v3.route_pb2 import RouteConfiguration

from control_plane.xds.ads.references import clusters_of_host
from control_plane.xds.snapshot import Kind, Resource


@dataclass(frozen=True, slots=True)
class Spliced:
    """What can be told, and which hosts it does not tell of as asked."""

    resource: Resource
    held: frozenset[str]


def without(target: Resource, base: Resource | None, clusters: AbstractSet[str]) -> Spliced:
    """The routes of `target`, but hosts that name one of these clusters route as in `base`, or are left out.

    Args:
        target: a route configuration.
        base: the one that the client is to go on from, if it has any.
        clusters: those that cannot be named.
    """
    return _without(target.name, target.body, base.body if base is not None else b"", frozenset(clusters))


@lru_cache(maxsize=256)
def _without(name: str, target: bytes, base: bytes, clusters: frozenset[str]) -> Spliced:
    new = RouteConfiguration.FromString(target)
    before = {host.name: host for host in RouteConfiguration.FromString(base).virtual_hosts}
    hosts, held = [], set()
    for host in new.virtual_hosts:
        if clusters.isdisjoint(clusters_of_host(host)):
            hosts.append(host)
            continue
        held.add(host.name)
        old = before.get(host.name)
        if old is not None and clusters.isdisjoint(clusters_of_host(old)):
            # By the new domains: those of other hosts are new too, and no two may have the same.
            old.ClearField("domains")
            old.domains.extend(host.domains)
            hosts.append(old)
    del new.virtual_hosts[:]
    new.virtual_hosts.extend(hosts)
    return Spliced(Resource.of(Kind.ROUTE, name, new), frozenset(held))
