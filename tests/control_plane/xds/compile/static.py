"""Snapshots as a static bootstrap, so that `envoy --mode validate` can look at many of them at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from control_plane.xds.snapshot import Kind, Snapshot
from tests.control_plane.xds.compile.meshes import told

_HTTP_FILTER = "envoy.filters.network.http_connection_manager"
_SDS_CLUSTER = {
    "name": "static_cluster_sds_unix_socket",
    "connect_timeout": "1s",
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    },
    "load_assignment": {
        "cluster_name": "static_cluster_sds_unix_socket",
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": "/tmp/sds.sock"}}}}]}],
    },
}


def bootstrap(snapshots: Sequence[Snapshot], files: Mapping[str, str], *, listen: bool = False) -> dict[str, Any]:
    """All resources of all snapshots, with routes inside their listeners and endpoints inside their clusters.

    Names are prefixed by snapshot, and so are the clusters that routes name: Envoy checks here that they exist.
    `files`: what stands for the `certificate_chain`, `private_key` and `trusted_ca` of users, as Envoy looks into them.
    `listen`: where the snapshots say; otherwise nowhere that means anything.
    """
    listeners: list[Any] = []
    clusters: list[Any] = [_SDS_CLUSTER]
    for number, snapshot in enumerate(snapshots):
        known = {name: f"{number}.{name}" for name in snapshot.named(Kind.CLUSTER)}
        clusters += [_renamed(_static_cluster(snapshot, name), known) for name in known]
        for name in snapshot.named(Kind.LISTENER):
            listener = _renamed(_static_listener(snapshot, name), known)
            listener["name"] = f"{number}.{name}"
            if not listen:  # two listeners of one address would be refused
                listener["address"] = {"pipe": {"path": f"@{number}.{name}"}}
                for place, more in enumerate(listener.get("additional_addresses", ())):
                    more["address"] = {"pipe": {"path": f"@{number}.{name}.{place}"}}
            listeners.append(listener)
    return {
        "node": {"id": "validate", "cluster": "validate"},
        "static_resources": _with_files({"listeners": listeners, "clusters": clusters}, files),
        "layered_runtime": {"layers": [{"name": "limits", "static_layer": {"re2.max_program_size.error_level": 1000}}]},
    }


def _static_cluster(snapshot: Snapshot, name: str) -> Any:
    cluster = told(snapshot, Kind.CLUSTER, name)
    if cluster.get("type") == "EDS":
        del cluster["eds_cluster_config"]
        cluster.update(type="STATIC", load_assignment=told(snapshot, Kind.ENDPOINT, name))
    return cluster


def _static_listener(snapshot: Snapshot, name: str) -> Any:
    listener = told(snapshot, Kind.LISTENER, name)
    for chain in listener["filter_chains"]:
        for network in chain["filters"]:
            if network["name"] == _HTTP_FILTER:
                routes = network["typed_config"].pop("rds")["route_config_name"]
                network["typed_config"]["route_config"] = {
                    **told(snapshot, Kind.ROUTE, routes),
                    "validate_clusters": True,
                }
    return listener


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(member, names) for name, member in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _with_files(value: Any, files: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_files(item, files) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("@type", "").endswith("FileAccessLog"):
        return {**value, "path": "/dev/null"}
    return {
        name: {"filename": files[name]} if name in files else _with_files(member, files)
        for name, member in value.items()
    }
