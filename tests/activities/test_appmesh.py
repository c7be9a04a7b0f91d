"""The App Mesh activities over a client that only remembers what it was asked."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from temporalio.activity import _Definition
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import names
from activities.appmesh import AppMeshActivities, record_of, request_of
from activities.failures import Failure
from activities.messages import Call, ListRoutes, ListTags, Record, RoutesPage, Tags
from activities.names import Verb, operation
from activities.objects import ApiKind, ApiObject

ROUTER = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh="shop", name="cart-router-prod")
OBJECTS = {
    ApiKind.MESH: ApiObject.mesh_object("shop"),
    ApiKind.VIRTUAL_NODE: ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh="shop", name="cart-prod"),
    ApiKind.VIRTUAL_ROUTER: ROUTER,
    ApiKind.ROUTE: ApiObject(kind=ApiKind.ROUTE, mesh="shop", name="blue", router=ROUTER.name),
    ApiKind.VIRTUAL_SERVICE: ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh="shop", name="cart.prod"),
}
PAYLOADS = {
    ApiKind.MESH: "mesh",
    ApiKind.VIRTUAL_NODE: "virtualNode",
    ApiKind.VIRTUAL_ROUTER: "virtualRouter",
    ApiKind.ROUTE: "route",
    ApiKind.VIRTUAL_SERVICE: "virtualService",
}
SPEC = {"listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}]}
METADATA = {"arn": "arn:x", "version": 3}


class FakeClient:
    """Any operation of boto3's client, each answered by what was put in."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """An operation."""

        def call(**request: Any) -> dict[str, Any]:
            self.asked.append((name, request))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


def named(functions: list[Callable[..., Any]]) -> dict[str | None, Callable[..., Any]]:
    """Activities by the names under which a worker registers them."""
    return {_Definition.must_from_callable(function).name: function for function in functions}


@pytest.mark.parametrize("kind", ApiKind, ids=str)
@pytest.mark.parametrize("verb", Verb, ids=str)
def test_activity_makes_its_one_call(verb: Verb, kind: ApiKind) -> None:
    """The operation of its name, with the object's identity, spec and token, and nothing else."""
    client = FakeClient({PAYLOADS[kind]: {"metadata": METADATA, "spec": SPEC}})
    activities = AppMeshActivities(client)
    activity = named(activities.writes() + activities.reads())[operation(verb, kind)]
    carries = verb in (Verb.CREATE, Verb.UPDATE)
    call = Call(object=OBJECTS[kind], spec=SPEC if carries else None, client_token="t" if carries else None)
    record = ActivityEnvironment().run(activity, call)
    method = {
        ApiKind.MESH: "mesh",
        ApiKind.VIRTUAL_NODE: "virtual_node",
        ApiKind.VIRTUAL_ROUTER: "virtual_router",
        ApiKind.ROUTE: "route",
        ApiKind.VIRTUAL_SERVICE: "virtual_service",
    }[kind]
    assert client.asked == [
        (f"{verb.lower()}_{method}", OBJECTS[kind].identity | ({"spec": SPEC, "clientToken": "t"} if carries else {}))
    ]
    assert record == Record(object=OBJECTS[kind], arn="arn:x", version=3, spec=SPEC)


def test_every_name_that_workflows_use_is_registered() -> None:
    """Workflows know activities by name alone, so a name without an activity would hang."""
    activities = AppMeshActivities(FakeClient({}))
    assert set(named(activities.writes())) == set(names.WRITES)
    assert set(named(activities.reads())) == {*names.DESCRIBES, names.LIST_ROUTES, names.LIST_TAGS}


@pytest.mark.parametrize(
    ("token", "answer", "page"),
    [
        pytest.param(None, {"routes": []}, RoutesPage(names=()), id="none"),
        pytest.param(
            None,
            {"routes": [{"routeName": "a"}, {"routeName": "b"}], "nextToken": "more"},
            RoutesPage(names=("a", "b"), next_token="more"),
            id="first-page",
        ),
        pytest.param("more", {"routes": [{"routeName": "c"}]}, RoutesPage(names=("c",)), id="last-page"),
    ],
)
def test_routes_are_listed_page_by_page(token: str | None, answer: dict[str, Any], page: RoutesPage) -> None:
    """One activity is one call; the workflow asks for the next page."""
    client = FakeClient(answer)
    found = ActivityEnvironment().run(
        AppMeshActivities(client).list_routes, ListRoutes(router=ROUTER, next_token=token)
    )
    assert found == page
    assert client.asked == [
        ("list_routes", {**ROUTER.identity, "limit": 100} | ({"nextToken": token} if token is not None else {}))
    ]


def test_tags_are_sent_as_pairs_and_read_back_as_names_and_values() -> None:
    """One call for all tags of an object: App Mesh lets it have as many as a page holds."""
    mesh = OBJECTS[ApiKind.MESH]
    pairs = [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]
    assert request_of(Call(object=mesh, spec={}, tags={"b": "", "a": "1"}))["tags"] == pairs
    client = FakeClient({"tags": pairs})
    found = ActivityEnvironment().run(AppMeshActivities(client).list_tags, ListTags(object=mesh, arn="arn:x"))
    assert found == Tags(tags={"a": "1", "b": ""})
    assert client.asked == [("list_tags_for_resource", {"resourceArn": "arn:x", "limit": 50})]


def test_refusal_names_what_was_tried() -> None:
    """The message reaches a condition, where only the object's name tells which of twenty routes it was."""
    error = ClientError({"Error": {"Code": "BadRequestException", "Message": "bad prefix"}}, "CreateRoute")
    activity = named(AppMeshActivities(FakeClient(error)).writes())["CreateRoute"]
    with pytest.raises(ApplicationError, match="CreateRoute blue: bad prefix") as failed:
        ActivityEnvironment().run(activity, Call(object=OBJECTS[ApiKind.ROUTE], spec={}))
    assert failed.value.type == Failure.BAD_REQUEST


def test_empty_spec_is_sent_and_an_absent_one_is_not() -> None:
    """A Mesh without options has an empty spec, which is not the same as none."""
    mesh = OBJECTS[ApiKind.MESH]
    assert request_of(Call(object=mesh, spec={})) == {"meshName": "shop", "spec": {}}
    assert request_of(Call(object=mesh)) == {"meshName": "shop"}


def test_answer_without_a_spec_is_remembered_as_empty() -> None:
    """Some endpoints leave an empty spec out."""
    mesh = OBJECTS[ApiKind.MESH]
    assert record_of(Call(object=mesh), {"metadata": METADATA}) == Record(object=mesh, arn="arn:x", version=3)
