"""A real Envoy that is led by our ADS server: its bootstrap, its process, and what its admin interface tells."""

import json
import os
import subprocess
import urllib.request
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError

from deploy.local.toolchain import Toolchain
from tests.waiting import until


def bootstrap(node_id, xds_port, *, delta=False, google_grpc=False):
    """How Envoy finds us: as Envoy's own gRPC client does, or as App Mesh's agent has it, by Google's."""
    service = (
        {"google_grpc": {"target_uri": f"127.0.0.1:{xds_port}", "stat_prefix": "xds"}}
        if google_grpc
        else {"envoy_grpc": {"cluster_name": "xds"}}
    )
    endpoint = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": xds_port}}}
    http2: dict[str, Any] = {"explicit_http_config": {"http2_protocol_options": {}}}
    options = {"@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions", **http2}
    return {
        "node": {"id": node_id, "cluster": node_id},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {
            "lds_config": {"ads": {}, "resource_api_version": "V3"},
            "cds_config": {"ads": {}, "resource_api_version": "V3"},
            "ads_config": {
                "api_type": "DELTA_GRPC" if delta else "GRPC",
                "transport_api_version": "V3",
                "grpc_services": [service],
            },
        },
        "static_resources": {
            "clusters": [
                {
                    "name": "xds",
                    "type": "STATIC",
                    "typed_extension_protocol_options": {
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
                    },
                    "load_assignment": {
                        "cluster_name": "xds",
                        "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
                    },
                }
            ]
        },
    }


class Envoy:
    """A running one."""

    def __init__(self, admin):
        self.admin = admin

    def ask(self, path):
        """A page of the admin interface."""
        with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=10) as response:
            return response.read().decode()

    def stat(self, name):
        """One number; 0 if there is none of that name."""
        lines = self.ask(f"/stats?filter=^{name}$").splitlines()
        return int(lines[0].rpartition(" ")[2]) if lines else 0

    def clusters(self):
        """The names of its clusters that are in use, with their connect timeouts."""
        dump = json.loads(self.ask("/config_dump?resource=dynamic_active_clusters"))
        return {each["cluster"]["name"]: each["cluster"]["connect_timeout"] for each in dump.get("configs", [])}

    def patterns(self):
        """Of each virtual host, the pattern of its first route."""
        dump = json.loads(self.ask("/config_dump"))["configs"]
        configs = [each["route_config"] for part in dump for each in part.get("dynamic_route_configs", [])]
        hosts = [host for each in configs for host in each.get("virtual_hosts", [])]
        return {host["name"]: host["routes"][0]["match"]["safe_regex"]["regex"] for host in hosts}


@contextmanager
def running(directory, config):
    """An Envoy with this bootstrap, until the block ends."""
    program = Toolchain.from_environment(os.environ).resolve(["envoy"])["envoy"]
    at, log = directory / "bootstrap.json", directory / "envoy.log"
    admin = directory / "admin"
    at.write_text(json.dumps(config))
    command = [program, "-c", at, "--admin-address-path", admin, "--concurrency", "1", "--use-dynamic-base-id"]
    with log.open("w") as out, subprocess.Popen([str(each) for each in command], stdout=out, stderr=out) as process:
        try:
            until(lambda: admin.exists() and admin.read_text(), what=f"Envoy's admin interface ({log})")
            envoy = Envoy(admin.read_text())
            until(lambda: _answers(envoy), what="Envoy to answer")
            yield envoy
        finally:
            process.terminate()


def _answers(envoy):
    try:
        return envoy.ask("/server_info")
    except (URLError, OSError):
        return None
