"""The App Mesh activities against our own App Mesh API, over a socket: one case for each way to fail."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import uvicorn
from botocore.config import Config
from temporalio.activity import _Definition
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.appmesh import AppMeshActivities
from activities.failures import Failure
from activities.messages import Call, ListRoutes, ListTags, Record
from activities.names import Verb, operation
from activities.objects import ApiKind, ApiObject
from control_plane.api.access import FixedKeys
from control_plane.api.quotas import Quotas
from control_plane.server import ControlPlaneConfig, create_app, uvicorn_config
from resources.ownership import Owner, tags_of

KEY, SECRET = "AKIATEST", "secret"
MESH = ApiObject.mesh_object("shop")
NODE = ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh="shop", name="cart-prod")
ROUTER = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh="shop", name="router-prod")
ROUTER_SPEC = {"listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}]}
ROUTE_SPEC = {
    "httpRoute": {
        "match": {"prefix": "/"},
        "action": {"weightedTargets": [{"virtualNode": NODE.name, "weight": 1}]},
    }
}


def route(name: str) -> ApiObject:
    """A route of the router."""
    return ApiObject(kind=ApiKind.ROUTE, mesh="shop", name=name, router=ROUTER.name)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """An App Mesh API with room for two routes."""
    config = ControlPlaneConfig(
        listen="127.0.0.1:0",
        database_url=f"sqlite:///{tmp_path / 'app-mesh.db'}",
        keys=FixedKeys.of({KEY: SECRET}),
        quotas=Quotas(routes_per_virtual_router=2),
    )
    server = uvicorn.Server(uvicorn_config(create_app(config)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # asyncio.run, since a thread that is not the main one may not install the handlers of `Server.run`.
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


class Api:
    """Activities by verb and kind, as a worker would run them."""

    def __init__(self, url: str, secret: str = SECRET) -> None:
        self._client = boto3.Session().client(
            "appmesh",
            endpoint_url=url,
            region_name="us-west-2",
            aws_access_key_id=KEY,
            aws_secret_access_key=secret,
            config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
        )
        self.activities = AppMeshActivities(self._client)
        functions = [*self.activities.writes(), *self.activities.reads()]
        self._by_name: dict[str | None, Callable[..., Any]] = {
            _Definition.must_from_callable(function).name: function for function in functions
        }

    def __call__(
        self,
        verb: Verb,
        object: ApiObject,
        spec: Any = None,
        token: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> Record:
        """Run one activity."""
        call = Call(object=object, spec=spec, client_token=token, tags=tags)
        record: Record = ActivityEnvironment().run(self._by_name[operation(verb, object.kind)], call)
        return record

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


@pytest.fixture
def api(endpoint: str) -> Iterator[Api]:
    """A mesh with a node and a router."""
    api = Api(endpoint)
    api(Verb.CREATE, MESH, {})
    api(Verb.CREATE, NODE, {})
    api(Verb.CREATE, ROUTER, ROUTER_SPEC)
    yield api
    api.close()


def fails(failure: Failure, message: str) -> Any:
    """The activity fails in this way."""
    return pytest.raises(ApplicationError, match=f"(?is)^{failure}.*{message}")


def test_an_object_lives_through_create_describe_update_delete(api: Api) -> None:
    """Versions count up, specs come back, and a repeated create with the same token is the same create."""
    made = api(Verb.CREATE, route("blue"), ROUTE_SPEC, "token-1")
    assert (made.version, ApiObject.from_arn(made.arn), made.spec) == (1, route("blue"), ROUTE_SPEC)
    assert api(Verb.CREATE, route("blue"), ROUTE_SPEC, "token-1") == made
    assert api(Verb.DESCRIBE, route("blue")) == made
    assert api(Verb.UPDATE, route("blue"), {"priority": 3, **ROUTE_SPEC}, "token-2").version == 2
    listed = ActivityEnvironment().run(api.activities.list_routes, ListRoutes(router=ROUTER))
    assert listed.names == ("blue",)
    api(Verb.DELETE, route("blue"))
    with fails(Failure.NOT_FOUND, "blue"):
        api(Verb.DESCRIBE, route("blue"))


@pytest.mark.parametrize("kind", ApiKind, ids=str)
def test_every_kind_is_tagged_by_its_create(api: Api, kind: ApiKind) -> None:
    """No further call, routes included; the tags of the longest names fit."""
    object, spec = {
        ApiKind.MESH: (ApiObject.mesh_object("other"), {}),
        ApiKind.VIRTUAL_NODE: (ApiObject(kind=kind, mesh="shop", name="new"), {}),
        ApiKind.VIRTUAL_ROUTER: (ApiObject(kind=kind, mesh="shop", name="new"), ROUTER_SPEC),
        ApiKind.ROUTE: (route("new"), ROUTE_SPEC),
        ApiKind.VIRTUAL_SERVICE: (ApiObject(kind=kind, mesh="shop", name="new"), {}),
    }[kind]
    tags = tags_of(Owner(cluster="c" * 63, namespace="n" * 63, name="x" * 253, uid="u" * 36))
    made = api(Verb.CREATE, object, spec, "token", tags)
    found = ActivityEnvironment().run(api.activities.list_tags, ListTags(object=object, arn=made.arn))
    assert found.tags == tags


def test_name_that_is_taken_is_a_conflict(api: Api) -> None:
    """Create of what exists, without the token that made it."""
    with fails(Failure.CONFLICT, "shop"):
        api(Verb.CREATE, MESH, {}, "another-token")


def test_reference_that_does_not_exist_is_not_found(api: Api) -> None:
    """A route to a node that App Mesh does not hold."""
    missing = {"virtualNode": "no-such", "weight": 1}
    spec = {"httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": [missing]}}}
    with fails(Failure.NOT_FOUND, "no-such"):
        api(Verb.CREATE, route("blue"), spec)


def test_object_that_others_use_cannot_be_deleted(api: Api) -> None:
    """A mesh with members."""
    with fails(Failure.IN_USE, "shop"):
        api(Verb.DELETE, MESH)


def test_content_that_app_mesh_refuses_is_a_bad_request(api: Api) -> None:
    """A prefix has to begin with a slash."""
    spec = {"httpRoute": {**ROUTE_SPEC["httpRoute"], "match": {"prefix": "no-slash"}}}
    with fails(Failure.BAD_REQUEST, "prefix"):
        api(Verb.CREATE, route("blue"), spec)


def test_content_that_botocore_refuses_is_a_bad_request(api: Api) -> None:
    """It never reaches the API."""
    with fails(Failure.BAD_REQUEST, "listeners"):
        api(Verb.UPDATE, ROUTER, {"listeners": "none"})


def test_used_up_quota_is_told(api: Api) -> None:
    """The third route where there is room for two."""
    api(Verb.CREATE, route("a"), ROUTE_SPEC)
    api(Verb.CREATE, route("b"), ROUTE_SPEC)
    with fails(Failure.LIMIT_EXCEEDED, "route"):
        api(Verb.CREATE, route("c"), ROUTE_SPEC)


def test_wrong_key_is_forbidden(endpoint: str) -> None:
    """A request signed with another secret."""
    api = Api(endpoint, secret="wrong")
    with fails(Failure.FORBIDDEN, "signature"):
        api(Verb.CREATE, MESH, {})
    api.close()


def test_api_that_is_away_is_unavailable() -> None:
    """Nobody listens there: that passes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    api = Api(f"http://127.0.0.1:{port}")
    with pytest.raises(ApplicationError) as failed:
        api(Verb.CREATE, MESH, {})
    assert (failed.value.type, failed.value.non_retryable) == (Failure.UNAVAILABLE, False)
    api.close()


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        pytest.param(b"HTTP/1.1 503 Away\r\nContent-Length: 6\r\n\r\n<html>", Failure.UNAVAILABLE, id="proxy-503"),
        pytest.param(b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", Failure.THROTTLED, id="proxy-429"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", Failure.UNAVAILABLE, id="cut-in-the-middle"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", Failure.UNAVAILABLE, id="null"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", Failure.UNAVAILABLE, id="list"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", Failure.UNAVAILABLE, id="html"),
        pytest.param(
            b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"metadata": "mine"}', Failure.UNAVAILABLE, id="no-object"
        ),
        pytest.param(b"", Failure.UNAVAILABLE, id="hung-up"),
        pytest.param(b"nonsense\r\n\r\n", Failure.UNAVAILABLE, id="not-http"),
    ],
)
def test_answer_that_is_not_app_meshs_is_classified_too(answer: bytes, failure: Failure) -> None:
    """What proxies and dying servers say."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        api = Api(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(ApplicationError) as failed:
            api(Verb.DESCRIBE, MESH)
        thread.join()
        api.close()
    assert failed.value.type == failure
