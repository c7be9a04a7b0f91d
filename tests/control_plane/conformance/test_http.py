"""What plain HTTP sees: the unsigned paths, the form of refusals, the metrics."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.control_plane.serving import served
from tests.control_plane.web import Http

MESHES = "/v20190125/meshes"


def test_health_is_answered_without_a_signature(web):
    """Whoever runs the process may ask without a key."""
    assert web.send("GET", "/healthz").status == 200
    assert web.send("GET", "/readyz").status == 200
    assert web.send("GET", "/metrics").headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_unsigned_request_is_forbidden(web, method):
    """403 in App Mesh's form: the code in a header, the message in a JSON body."""
    answer = web.send(method, MESHES, b"{}")
    assert answer.error == (403, "ForbiddenException", "The request is not signed: it has no Authorization header")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize("path", ["/", "/v20190125/nothing", "/v20181001/meshes", "/metrics/more"])
def test_an_unknown_url_is_an_unknown_operation(web, path):
    """404 UnknownOperationException for any URL outside the model."""
    status, code, message = web.signed("GET", path).error
    assert (status, code) == (404, "UnknownOperationException")
    assert path in message


def test_a_wrong_method_is_told_the_right_ones(web):
    """405 with the methods that there are."""
    answer = web.signed("POST", MESHES, b"{}")
    assert answer.error == (405, "UnknownOperationException", "POST is not possible here; there is GET and PUT")
    assert answer.headers["allow"] == "GET, PUT"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_body_that_is_no_json_object_is_a_bad_request(web, body):
    """400 that says what the body is not."""
    status, code, message = web.signed("PUT", MESHES, body).error
    assert (status, code) == (400, "BadRequestException")
    assert message.startswith("The body ")


def test_a_body_of_more_than_a_mebibyte_is_refused(web):
    """413 before the signature is looked at, and the connection ends."""
    answer = web.send("PUT", MESHES, b" " * (2**20 + 1))
    assert answer.error[:2] == (413, "BadRequestException")
    assert answer.headers["connection"] == "close"


def test_a_chunked_body_of_more_than_a_mebibyte_is_refused(web):
    """The bound holds without a content-length too."""
    chunks = iter([b" " * 2**19] * 3)
    answer = web.send("PUT", MESHES, chunks, **{"Transfer-Encoding": "chunked"})
    assert answer.error[:2] == (413, "BadRequestException")


def test_a_connection_serves_many_requests(web):
    """Connections are kept alive over answers and refusals alike."""
    for _ in range(3):
        assert web.signed("GET", MESHES).status == 200
        assert web.send("GET", MESHES).status == 403


def test_requests_are_counted_by_operation_and_code(tmp_path):
    """The counter tells what was asked and what came of it."""
    with served(tmp_path) as api, api.client() as client:
        client.create_mesh(meshName="m")
        for _ in range(2):
            with pytest.raises(client.exceptions.NotFoundException):
                client.describe_mesh(meshName="x")
        web = Http(api.url)
        web.send("GET", MESHES)
        web.signed("GET", "/nowhere")
        counted = _samples(web.send("GET", "/metrics").body.decode(), "appmesh_api_requests_total")
        web.close()
    assert counted == {
        'code="200",operation="CreateMesh"': 1,
        'code="NotFoundException",operation="DescribeMesh"': 2,
        'code="ForbiddenException",operation="ListMeshes"': 1,
        'code="UnknownOperationException",operation="Unknown"': 1,
    }


def test_two_applications_count_for_themselves(tmp_path):
    """Several APIs can live in one process."""
    with served(tmp_path / "a") as first, served(tmp_path / "b") as second:
        for api, expected in ((first, 1), (second, 2)):
            with api.client() as client:
                for _ in range(expected):
                    client.list_meshes()
            web = Http(api.url)
            metrics = web.send("GET", "/metrics").body.decode()
            web.close()
            assert _samples(metrics, "appmesh_api_requests_total") == {'code="200",operation="ListMeshes"': expected}
            assert "process_resident_memory_bytes" in metrics
            assert 'appmesh_api_request_duration_seconds_count{operation="ListMeshes"}' in metrics


def test_a_bug_of_ours_is_an_internal_error_without_details(api, web, monkeypatch):
    """500 InternalServerErrorException names the request, not the bug."""

    def crash(*_arguments: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("control_plane.store.objects.page", crash)
    status, code, message = web.signed("GET", MESHES).error
    assert (status, code) == (500, "InternalServerErrorException")
    assert "secret detail" not in message


def test_a_database_that_is_locked_for_too_long_is_unavailable(tmp_path, monkeypatch):
    """503 for writes while another process holds the database; reads go on and the process is alive."""
    monkeypatch.setattr("control_plane.store.database.BUSY_TIMEOUT_SECONDS", 0.1)
    with served(tmp_path) as api, closing(sqlite3.connect(tmp_path / "control-plane.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        web = Http(api.url)
        refused = web.signed("PUT", MESHES, b'{"meshName": "m"}').error
        assert refused == (503, "ServiceUnavailableException", "The database does not answer; try again")
        assert web.signed("GET", MESHES).status == web.send("GET", "/healthz").status == 200
        other.execute("ROLLBACK")
        assert web.signed("PUT", MESHES, b'{"meshName": "m"}').status == 200
        web.close()


def _samples(metrics: str, name: str) -> dict[str, float]:
    """Value by labels of one metric."""
    lines = (line.removeprefix(name).partition("} ") for line in metrics.splitlines() if line.startswith(f"{name}{{"))
    return {labels.lstrip("{"): float(value) for labels, _, value in lines}
