"""`meshwright bootstrap`: prints the configuration with which an Envoy, or a gRPC client, starts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.settings import SettingsError

_MESH = typer.Option("--mesh", help="Name of the mesh in App Mesh.")
_NODE = typer.Option("--node", help="Name of the virtual node in App Mesh, or with --gateway of the gateway.")
_GATEWAY = typer.Option("--gateway", help="The proxy is a virtual gateway.")
_XDS = typer.Option(
    "--xds", envvar="MESHWRIGHT_XDS_ADDRESS", help="HOST:PORT of the control plane's xDS, as the proxy sees it."
)
_CA = typer.Option("--ca-file", help="Who signed the control plane's certificate; without it there is no TLS.")
_CERTIFICATE = typer.Option("--certificate-file", help="The proxy's own certificate, where the control plane asks.")
_KEY = typer.Option("--key-file", help="The key of the proxy's certificate.")
_TOKEN = typer.Option("--token", envvar="MESHWRIGHT_XDS_TOKEN", help="The proxy's token, where the control plane asks.")
_ADMIN = typer.Option(
    "--admin-port", min=0, max=65535, help="Port of Envoy's admin interface, on 127.0.0.1; 0: a free one."
)
_SOTW = typer.Option(
    "--sotw", help="Ask for all of a kind each time (state of the world), instead of for changes only."
)
_GRPC = typer.Option(
    "--grpc",
    help="For a gRPC client that calls xds:///SERVICE and has no Envoy: the file that GRPC_XDS_BOOTSTRAP names.",
)
_EXPLICIT = typer.Option(
    "--explicit-ports", help="Nothing redirects traffic to the proxy: it listens on the node's ports itself."
)
_IPV6 = typer.Option("--ipv6", help="IPv6 is redirected to the proxy too (`APPMESH_ENABLE_IPV6=1`).")
_EGRESS = typer.Option(
    "--egress-port", min=1, max=65535, help="With explicit ports: where the application sends what is for the mesh."
)
_INGRESS_ADDRESS = typer.Option("--ingress-address", help="With explicit ports: where those of the node are.")
_APPLICATION = typer.Option(
    "--application-port", metavar="PORT=PORT", help="A port of the node, and where the application listens for it."
)
_TCP = typer.Option(
    "--tcp-port", metavar="SERVICE:PORT=PORT", help="With explicit ports: the local port of a TCP service."
)


def bootstrap(
    mesh: Annotated[str, _MESH],
    node: Annotated[str, _NODE],
    xds: Annotated[str, _XDS],
    gateway: Annotated[bool, _GATEWAY] = False,
    ca_file: Annotated[Path | None, _CA] = None,
    certificate_file: Annotated[Path | None, _CERTIFICATE] = None,
    key_file: Annotated[Path | None, _KEY] = None,
    token: Annotated[str | None, _TOKEN] = None,
    admin_port: Annotated[int, _ADMIN] = 9901,
    sotw: Annotated[bool, _SOTW] = False,
    grpc: Annotated[bool, _GRPC] = False,
    ipv6: Annotated[bool, _IPV6] = False,
    explicit_ports: Annotated[bool, _EXPLICIT] = False,
    egress_port: Annotated[int | None, _EGRESS] = None,
    ingress_address: Annotated[str | None, _INGRESS_ADDRESS] = None,
    application_port: Annotated[list[str], _APPLICATION] = [],  # noqa: B006 typer copies it
    tcp_port: Annotated[list[str], _TCP] = [],  # noqa: B006
) -> None:
    """Print the configuration with which an Envoy starts as the sidecar of a node, or as a gateway (JSON).

    With --grpc, that of a gRPC client which reads xDS itself.
    """
    import json

    from control_plane.xds import bootstrap as made
    from control_plane.xds.compile.options import METADATA_KEY, options_of
    from control_plane.xds.proxies import ProxyId, parse

    if (certificate_file is None) != (key_file is None):
        raise SettingsError("--certificate-file and --key-file belong together")
    if grpc:
        for_envoy = {
            "--gateway": gateway,
            "--token": token,
            "--sotw": sotw,
            "--ipv6": ipv6,
            "--explicit-ports": explicit_ports,
            "--egress-port": egress_port,
            "--ingress-address": ingress_address,
            "--application-port": application_port,
            "--tcp-port": tcp_port,
        }
        if unfit := [flag for flag, value in for_envoy.items() if value]:
            raise SettingsError(f"--grpc: {', '.join(unfit)} are for an Envoy; gRPC's client has nothing of the kind")
    options: dict[str, Any] = {
        "proxyless": grpc,
        "ipv6": ipv6,
        "egressPort": egress_port,
        "ingressAddress": ingress_address,
        "applicationPorts": _pairs(application_port, "--application-port"),
        "tcpPorts": _pairs(tcp_port, "--tcp-port"),
    }
    given = {"capture": False} if explicit_ports else {}
    given |= {name: value for name, value in options.items() if value}
    metadata = {METADATA_KEY: given} if given else {}
    try:
        options_of(metadata)
        named = ProxyId(mesh, "virtualGateway" if gateway else "virtualNode", node)
        proxy = parse(str(named), account="")  # as the control plane will read it; there is no ARN in it
        security = made.Security(ca_file, certificate_file, key_file, token)
        if grpc:
            document = made.grpc_bootstrap(proxy, xds, metadata=metadata, security=security)
        else:
            document = made.bootstrap(
                proxy, xds, metadata=metadata, security=security, admin_port=admin_port, delta=not sotw
            )
    except ValueError as error:
        raise SettingsError(str(error)) from error
    print(json.dumps(document, indent=2))


def _pairs(given: list[str], option: str) -> dict[str, int]:
    found = {}
    for pair in given:
        name, separator, port = pair.rpartition("=")
        if not (separator and name and port.isascii() and port.isdigit()):
            raise SettingsError(f"{option} {pair}: expected a port after =")
        found[name] = int(port)
    return found
