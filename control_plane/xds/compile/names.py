"""What Envoy's resources are called: App Mesh's names, byte for byte, as dashboards and alerts know them."""

AMAZON_SNI = "*.amazonaws.com"
HOST_HEADER = "x-meshwright-host"
"""What a gateway keeps a call's host in, on the way through itself."""

SDS_CLUSTER = "static_cluster_sds_unix_socket"


def ingress_listener(address: str, port: int) -> str:
    """The listener for calls from other proxies."""
    return f"lds_ingress_{address}_{port}"


def egress_listener(address: str, port: int) -> str:
    """The listener for the application's own calls."""
    return f"lds_egress_{address}_{port}"


def ingress_routes(port: int) -> str:
    """The route configuration of calls from other proxies to a port."""
    return f"rds_ingress_http_{port}"


def egress_routes(port: int) -> str:
    """The route configuration of the application's calls to a port."""
    return f"rds_egress_http_{port}"


def ingress_cluster(mesh: str, node: str, protocol: str, port: int) -> str:
    """The application behind the proxy."""
    return f"cds_ingress_{mesh}_{node}_{protocol}_{port}"


def self_redirect_cluster(mesh: str, gateway: str, protocol: str, port: int) -> str:
    """A gateway's own egress, through which its calls go on to the services."""
    return f"cds_ingress_{mesh}_{gateway}_self_redirect_{protocol}_{port}"


def egress_cluster(mesh: str, node: str, protocol: str, port: int) -> str:
    """Another virtual node."""
    return f"cds_egress_{mesh}_{node}_{protocol}_{port}"


def amazon_cluster(mesh: str) -> str:
    """AWS's own services, reached as they were addressed."""
    return f"cds_egress_{mesh}_amazonaws"


def allow_all_cluster(mesh: str) -> str:
    """Whatever else is called where the mesh lets everything out."""
    return f"cds_egress_{mesh}_mesh-allow-all"
