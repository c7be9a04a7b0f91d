"""`meshwright bootstrap`: what it prints is what Envoy starts with."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from control_plane.xds.compile.options import Options, options_of

NODE = ["bootstrap", "--mesh", "shop", "--node", "cart", "--xds", "xds.example:18000"]


def printed(*arguments: str) -> dict[str, Any]:
    """The document."""
    result = CliRunner().invoke(app, [*NODE, *arguments])
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.output)
    return document


def test_a_sidecar_says_whose_it_is_and_asks_the_control_plane_for_the_rest():
    """In App Mesh's short form of a node id, over one stream."""
    document = printed()
    assert document["node"] == {"id": "mesh/shop/virtualNode/cart", "cluster": "mesh/shop/virtualNode/cart"}
    assert document["dynamic_resources"]["ads_config"]["api_type"] == "DELTA_GRPC"
    assert printed("--sotw")["dynamic_resources"]["ads_config"]["api_type"] == "GRPC"
    cluster = document["static_resources"]["clusters"][0]
    address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
    assert address == {"socket_address": {"address": "xds.example", "port_value": 18000}}
    assert "transport_socket" not in cluster


def test_a_gateway_says_that_it_is_one():
    """Else it would be told what a node is told."""
    assert printed("--gateway")["node"]["id"] == "mesh/shop/virtualGateway/cart"


def test_ports_reach_the_compiler_as_it_reads_them():
    """What is printed is parsed by the other side."""
    arguments = ["--explicit-ports", "--egress-port", "15101", "--ingress-address", "127.0.0.1"]
    arguments += ["--application-port", "8080=18080", "--tcp-port", "db.shop:5432=15432"]
    assert options_of(printed(*arguments)["node"]["metadata"]) == Options(
        capture=False,
        egress_port=15101,
        ingress_address="127.0.0.1",
        application_ports={8080: 18080},
        tcp_ports={"db.shop:5432": 15432},
    )


def test_a_token_goes_with_each_stream_and_a_certificate_with_each_connection():
    """And the control plane must show the name under which it was asked for."""
    arguments = ["--ca-file", "/ca.pem", "--certificate-file", "/me.pem", "--key-file", "/me.key", "--token", "t0p"]
    document = printed(*arguments)
    service = document["dynamic_resources"]["ads_config"]["grpc_services"][0]
    assert service["initial_metadata"] == [{"key": "authorization", "value": "Bearer t0p"}]
    context = document["static_resources"]["clusters"][0]["transport_socket"]["typed_config"]["common_tls_context"]
    assert context["tls_certificates"][0]["private_key"] == {"filename": "/me.key"}
    names = context["validation_context"]["match_typed_subject_alt_names"]
    assert {name["matcher"]["exact"] for name in names} == {"xds.example"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--xds", "nowhere"], "expected HOST:PORT", id="address"),
        pytest.param(["--application-port", "8080"], "expected a port after =", id="pair"),
        pytest.param(["--application-port", "8080=0"], "must be a port from 1", id="port"),
        pytest.param(["--key-file", "/me.key"], "belong together", id="key-alone"),
        pytest.param(["--node", "a b"], "node id 'mesh/shop/virtualNode/a b': expected mesh/MESH", id="node"),
        pytest.param(["--node", ""], "node id 'mesh/shop/virtualNode/'", id="no node"),
        pytest.param(["--mesh", "m/x", "--gateway"], "node id 'mesh/m/x/virtualGateway/cart'", id="mesh"),
        pytest.param(["--mesh", "m/x", "--grpc"], "node id 'mesh/m/x/virtualNode/cart'", id="mesh of a gRPC client"),
    ],
)
def test_what_cannot_be_is_refused_by_name(arguments, message):
    """Before an Envoy starts with it."""
    result = CliRunner().invoke(app, [*NODE, *arguments])
    assert result.exit_code != 0
    assert message in str(result.exception)


@pytest.mark.parametrize("option", [["--admin-port", "99999"], ["--admin-port", "-1"], ["--egress-port", "0"]])
def test_a_port_that_is_none_is_wrong_usage(option: list[str]):
    """Envoy would refuse the configuration; of its admin interface's port alone, 0 means a free one."""
    result = CliRunner().invoke(app, [*NODE, *option])
    assert result.exit_code == 2
    assert option[0] in result.output
    assert printed("--admin-port", "0")["admin"]["address"]["socket_address"]["port_value"] == 0


def test_a_grpc_client_is_told_where_and_as_whom_to_ask():
    """In the form of gRPC's own bootstrap, with the files of its certificate."""
    files = ["--ca-file", "/ca.pem", "--certificate-file", "/me.pem", "--key-file", "/me.key"]
    document = printed("--grpc", *files)
    assert options_of(document["node"]["metadata"]).proxyless
    assert document["node"]["id"] == "mesh/shop/virtualNode/cart"
    [server] = document["xds_servers"]
    assert server["server_uri"] == "xds.example:18000"
    config = {"ca_certificate_file": "/ca.pem", "certificate_file": "/me.pem", "private_key_file": "/me.key"}
    assert server["channel_creds"] == [{"type": "tls", "config": config}]
    assert printed("--grpc")["xds_servers"][0]["channel_creds"] == [{"type": "insecure"}]


@pytest.mark.parametrize("flag", [["--gateway"], ["--sotw"], ["--token", "t0p"], ["--tcp-port", "db:1=2"]])
def test_what_is_for_an_envoy_is_refused_for_a_grpc_client(flag: list[str]):
    """Rather than printed without it."""
    result = CliRunner().invoke(app, [*NODE, "--grpc", *flag])
    assert result.exit_code != 0
    assert flag[0] in str(result.exception)
