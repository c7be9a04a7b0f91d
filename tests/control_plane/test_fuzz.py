"""Whatever arrives, the answer is one of ours: nothing that a stranger sends is an internal error."""

import asyncio
import base64
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from control_plane.api import paging
from control_plane.api.access import FixedKeys
from control_plane.api.arns import ArnFormat
from control_plane.api.bell import Bell
from control_plane.api.dispatch import Dispatcher
from control_plane.api.endpoint import ApiEndpoint
from control_plane.api.errors import ApiError
from control_plane.api.metrics import ApiMetrics
from control_plane.api.quotas import Quotas
from control_plane.api.session import Installation
from control_plane.store.database import Database
from tests.control_plane.serving import ACCOUNT, KEY_ID, REGION, SECRET

ARNS = ArnFormat(REGION, ACCOUNT)
HOST = "http://localhost"
PIECES = st.sampled_from(["v20190125", "meshes", "m", "virtualNodes", "virtualRouter", "routes", "tags", "tag", ""])
PATHS = st.lists(PIECES | st.text("az09%/.-_~é\x00", max_size=6), max_size=7).map("/".join)
METHODS = st.sampled_from(["GET", "PUT", "DELETE", "POST", "HEAD", "PATCH", "QUERY"])
QUERIES = st.text("abct=&%0123456789Fnextokli", max_size=30) | st.sampled_from(
    ["limit=%00", "nextToken=%ff", "limit=x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["meshName", "spec", "tags", "clientToken"]) | st.text(max_size=5), inner)
    ),
    max_leaves=8,
)
BODIES = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()) | st.just(b"[" * 100_000)
HEADERS = st.lists(st.tuples(st.sampled_from([b"authorization", b"x-amz-date", b"user-agent"]), st.binary(max_size=40)))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiEndpoint]:
    """The operations, without a server in front of them."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/x.db")
    installation = Installation(ACCOUNT, ARNS, Quotas())
    logging.disable(logging.INFO)
    with ThreadPoolExecutor(1) as threads:
        keys = FixedKeys.of({KEY_ID: SECRET})
        yield ApiEndpoint(Dispatcher(database, installation), keys, ApiMetrics(), threads, Bell())
    logging.disable(logging.NOTSET)
    database.close()


def status_of(
    endpoint: ApiEndpoint, method: str, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes
) -> int:
    """The status with which the application answers."""
    scope = {"method": method, "path": "", "raw_path": path, "query_string": query, "headers": headers}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(endpoint(scope, receive, send))
    status: int = sent[0]["status"]
    return status


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(method=METHODS, path=st.binary(max_size=60), query=st.binary(max_size=40), headers=HEADERS, body=BODIES)
def test_any_bytes_without_a_signature_are_refused(endpoint, method, path, query, headers, body):
    """Never carried out, never our fault."""
    assert 400 <= status_of(endpoint, method, b"/" + path, query, headers, body) < 500


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(method=METHODS, path=PATHS, query=QUERIES, body=BODIES)
def test_any_signed_request_is_carried_out_or_refused(endpoint, method, path, query, body):
    """Also where the caller has a key: 200, or an error of the model."""
    raw = ("/" + path).encode()
    request = AWSRequest(method, HOST, data=body)
    signer = SigV4Auth(Credentials(KEY_ID, SECRET), "appmesh", REGION)
    request.url = f"{HOST}/{path}?{query}"
    signer.add_auth(request)
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    status = status_of(endpoint, method, raw, query.encode(), [(b"host", b"localhost"), *headers], body)
    assert status == 200 or 400 <= status < 500


@given(st.text() | st.text(":/ab", max_size=30).map(lambda tail: f"arn:aws:appmesh:{REGION}:{ACCOUNT}:mesh{tail}"))
def test_any_arn_is_read_or_refused(arn):
    """Nothing but its own errors."""
    with suppress(ApiError):
        ARNS.parse(arn)


@given(st.text() | JSON.map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode()))
def test_any_paging_token_is_read_or_refused(token):
    """Nothing but its own errors."""
    with suppress(ApiError):
        paging.position(("mesh",), token)
