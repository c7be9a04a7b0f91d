"""moto's App Mesh as a second opinion, where it is right: specs are echoed alike, versions count alike."""

import boto3
import pytest
from moto import mock_aws

from tests.control_plane import specs
from tests.control_plane.mesh import MeshUnderTest

CASES = [
    pytest.param("virtualNode", specs.node(specs.listener(80, healthCheck=specs.health_check(port=80))), {}, id="node"),
    pytest.param("virtualRouter", specs.router(), {}, id="router"),
    pytest.param("route", specs.route(), {"router": "router"}, id="http route"),
    pytest.param(
        "route",
        {
            "http2Route": {
                "match": {"prefix": "/", "headers": [{"name": "x", "match": {"range": {"start": 1, "end": 5}}}]},
                "action": specs.targets(node=7),
                "retryPolicy": {
                    "maxRetries": 3,
                    "perRetryTimeout": {"unit": "s", "value": 2},
                    "httpRetryEvents": ["server-error"],
                },
                "timeout": {"idle": {"unit": "s", "value": 60}},
            },
            "priority": 10,
        },
        {"router": "http2"},
        id="http2 route",
    ),
    pytest.param("virtualGateway", specs.gateway(), {}, id="gateway"),
]


@pytest.fixture
def motos_mesh():
    """The same mesh in moto."""
    with mock_aws():
        client = boto3.client("appmesh", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
        client.create_mesh(meshName="m")
        yield MeshUnderTest(client, "m")
        client.close()


@pytest.mark.parametrize(("kind", "spec", "parent"), CASES)
def test_we_echo_what_moto_echoes(mesh, motos_mesh, kind, spec, parent):
    """The same create and update give the same spec and version."""
    echoes = []
    for each in (mesh, motos_mesh):
        each.node(), each.router(), each.router("http2", specs.listener(protocol="http2"))
        created = each.create(kind, "made", spec, **parent)
        updated = each.update(kind, "made", spec, **parent)
        echoes.append([(answer["spec"], answer["metadata"]["version"]) for answer in (created, updated)])
    assert echoes[0] == echoes[1] == [(spec, 1), (spec, 2)]
