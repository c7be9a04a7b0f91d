"""Calls to App Mesh and Cloud Map are counted, whoever makes them, and told under the older names too."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from prometheus_client import REGISTRY, CollectorRegistry

from activities import metrics

NOT_FOUND = "NotFoundException"


@pytest.fixture
def app_mesh() -> Iterator[Any]:
    """A client that is watched, at an address where nobody is."""
    client = boto3.client(
        "appmesh",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-west-2",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )
    metrics.watch(client, "appmesh")
    yield client
    client.close()


def calls(**labels: str) -> float:
    """How many have been counted."""
    return REGISTRY.get_sample_value("meshwright_aws_calls_total", {"service": "App Mesh"} | labels) or 0.0


def test_an_answer_is_counted_with_its_code(app_mesh):
    """A success as 200, a refusal by its error code; each with its time."""
    refused = {"operation": "DeleteRoute", "code": NOT_FOUND}
    before = calls(**refused), calls(operation="ListMeshes", code="200")
    with Stubber(app_mesh) as stub:
        stub.add_response("list_meshes", {"meshes": []})
        stub.add_client_error("delete_route", NOT_FOUND, http_status_code=404)
        app_mesh.list_meshes()
        with pytest.raises(ClientError):
            app_mesh.delete_route(meshName="m", virtualRouterName="r", routeName="x")
    assert (calls(**refused), calls(operation="ListMeshes", code="200")) == (before[0] + 1, before[1] + 1)
    timed = {"service": "App Mesh", "operation": "DeleteRoute"}
    assert REGISTRY.get_sample_value("meshwright_aws_call_duration_seconds_count", timed)


def test_no_answer_is_counted_by_what_went_wrong(app_mesh):
    """The name of boto3's exception."""
    lost = {"operation": "DescribeMesh", "code": "EndpointConnectionError"}
    before = calls(**lost)
    with pytest.raises(EndpointConnectionError):
        app_mesh.describe_mesh(meshName="m")
    assert calls(**lost) == before + 1


def test_the_older_names_are_told_too(app_mesh):
    """Requests of all codes, errors by code, durations by kind and verb."""
    with Stubber(app_mesh) as stub:
        stub.add_client_error("update_virtual_node", "BadRequestException", http_status_code=400)
        with pytest.raises(ClientError):
            app_mesh.update_virtual_node(meshName="m", virtualNodeName="n", spec={})
    registry = CollectorRegistry()
    metrics.register(registry)
    labels = {"service": "App Mesh", "operation": "UpdateVirtualNode"}
    made = registry.get_sample_value("appmesh_aws_api_requests", labels)
    assert made == registry.get_sample_value("appmesh_aws_api_errors", labels | {"errorcode": "BadRequestException"})
    timed = {"kind": "virtual_node", "operation": "update"}
    assert registry.get_sample_value("appmesh_api_request_duration_seconds_count", timed) == made
    assert registry.get_sample_value("appmesh_api_request_duration_seconds_bucket", timed | {"le": "+Inf"}) == made


@pytest.mark.parametrize(
    ("operation", "labels"),
    [
        ("CreateMesh", ("mesh", "create")),
        ("ListMeshes", ("mesh", "list")),
        ("ListRoutes", ("virtual_route", "list")),
        ("ListVirtualServices", ("virtual_service", "list")),
        ("DescribeVirtualRouter", ("virtual_router", "describe")),
        ("ListTagsForResource", None),
    ],
)
def test_an_operation_has_an_older_kind_and_verb(operation: str, labels: tuple[str, str] | None):
    """Each pair is that of one operation, so nothing is mixed."""
    assert metrics.kind_and_verb("App Mesh", operation) == labels


def test_operations_of_cloud_map_are_of_one_kind():
    """The older controller called it cloudmap."""
    assert metrics.kind_and_verb("ServiceDiscovery", "RegisterInstance") == ("cloudmap", "register_instance")
