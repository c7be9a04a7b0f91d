"""Activities that call App Mesh: one API call each, safe to repeat.

Each is registered under the operation's own name and takes the object, its spec and a client token that the workflow
made, so that a repeated create or update is the same request to the API.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from temporalio import activity

from activities import names
from activities.errors import app_mesh_errors
from activities.messages import Call, ListRoutes, ListTags, Record, RoutesPage, Tags
from activities.names import Verb, operation
from activities.objects import ApiKind


class AppMeshClient(Protocol):
    """As much of boto3's `appmesh` client as we use: one method per operation, found by name."""

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """The method of an operation, in snake case."""


REVISION_HEADER = "x-appmesh-revision"
_PAYLOADS = {kind: kind.value[0].lower() + kind.value[1:] for kind in ApiKind}


class AppMeshActivities:
    """The App Mesh calls. `client` is thread-safe and shared by all."""

    def __init__(self, client: AppMeshClient) -> None:
        self._client = client

    def writes(self) -> list[Callable[..., Any]]:
        """Activities that change App Mesh."""
        return [self._activity(verb, kind) for verb in (Verb.CREATE, Verb.UPDATE, Verb.DELETE) for kind in ApiKind]

    def reads(self) -> list[Callable[..., Any]]:
        """Activities that look at App Mesh."""
        return [*(self._activity(Verb.DESCRIBE, kind) for kind in ApiKind), self.list_routes, self.list_tags]

    @activity.defn(name=names.LIST_ROUTES)
    def list_routes(self, page: ListRoutes) -> RoutesPage:
        """One page of a router's routes; names only.

        Raises:
            ApplicationError: of a type in `Failure`.
        """
        request = {"meshName": page.router.mesh, "virtualRouterName": page.router.name, "limit": 100}
        if page.next_token is not None:
            request["nextToken"] = page.next_token
        with app_mesh_errors(f"ListRoutes of {page.router}"):
            answer = self._client.list_routes(**request)
            routes = tuple(route["routeName"] for route in answer["routes"])
        return RoutesPage(names=routes, next_token=answer.get("nextToken"))

    @activity.defn(name=names.LIST_TAGS)
    def list_tags(self, of: ListTags) -> Tags:
        """The tags of an object.

        Raises:
            ApplicationError: of a type in `Failure`.
        """
        with app_mesh_errors(f"ListTagsForResource {of.object}"):
            answer = self._client.list_tags_for_resource(resourceArn=of.arn, limit=50)
            return Tags(tags={tag["key"]: tag["value"] for tag in answer["tags"]})

    def _activity(self, verb: Verb, kind: ApiKind) -> Callable[[Call], Record]:
        name = operation(verb, kind)
        call = getattr(self._client, _snake(name))

        @activity.defn(name=name)
        def run(step: Call) -> Record:
            with app_mesh_errors(f"{name} {step.object.name}"):
                answer = call(**request_of(step))
                return record_of(step, answer[_PAYLOADS[kind]], revision_in(answer))

        return run


def request_of(step: Call) -> dict[str, Any]:
    """The call's keyword arguments: identity, and spec, token and tags where given."""
    request: dict[str, Any] = dict(step.object.identity)
    if step.spec is not None:
        request["spec"] = step.spec
    if step.client_token is not None:
        request["clientToken"] = step.client_token
    if step.tags:
        request["tags"] = [{"key": key, "value": value} for key, value in sorted(step.tags.items())]
    return request


def record_of(step: Call, answer: Mapping[str, Any], revision: int | None = None) -> Record:
    """What to remember of the API's answer."""
    metadata, spec = answer["metadata"], answer.get("spec") or {}
    return Record(object=step.object, arn=metadata["arn"], version=metadata["version"], spec=spec, revision=revision)


def revision_in(answer: Mapping[str, Any]) -> int | None:
    """Where our own API says that the object's last write is in the order of all writes; None from any other API."""
    said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(REVISION_HEADER, "")
    return int(said) if said.isdecimal() else None


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
