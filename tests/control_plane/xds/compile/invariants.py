"""What holds of every snapshot, whatever it was made from."""

from collections.abc import Iterator
from typing import Any

from control_plane.xds.snapshot import Kind, Snapshot
from tests.control_plane.xds.compile.meshes import told

SDS_CLUSTER = "static_cluster_sds_unix_socket"  # in the bootstrap of the proxies that use it


def check(snapshot: Snapshot) -> None:
    """Raise AssertionError if the snapshot is not consistent in itself."""
    everything = {kind: {name: told(snapshot, kind, name) for name in snapshot.named(kind)} for kind in Kind}
    for kind, resources in everything.items():
        for name, resource in resources.items():
            assert resource.get("name", resource.get("cluster_name")) == name, f"{kind} {name}"
    clusters, routes = everything[Kind.CLUSTER], everything[Kind.ROUTE]
    assert _named(everything, "cluster") | _named(everything, "clusters") <= clusters.keys() | {SDS_CLUSTER}
    assert set(_route_configurations(everything[Kind.LISTENER])) == routes.keys()
    by_eds = {name for name, cluster in clusters.items() if cluster.get("type") == "EDS"}
    assert everything[Kind.ENDPOINT].keys() == by_eds
    for route in routes.values():
        domains = [domain.lower() for host in route.get("virtual_hosts", ()) for domain in host["domains"]]
        assert len(domains) == len(set(domains)), "a domain twice"
    for listener in everything[Kind.LISTENER].values():
        matches = [repr(chain.get("filter_chain_match", {})) for chain in listener["filter_chains"]]
        assert len(matches) == len(set(matches)), "two chains for the same connections"


def _named(value: Any, field: str) -> set[str]:
    """The clusters that are named in fields of this name, anywhere in it."""
    return {name for each in _fields(value, field) for name in _names(each)}


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (each["name"] for each in value)


def _fields(value: Any, field: str) -> Iterator[Any]:
    if isinstance(value, dict):
        if field in value:
            yield value[field]
        for member in value.values():
            yield from _fields(member, field)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item, field)


def _route_configurations(listeners: Any) -> Iterator[str]:
    return (rds["route_config_name"] for rds in _fields(listeners, "rds"))
