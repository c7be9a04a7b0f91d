"""The control plane behind our own activities, in this process: real checks, a real database, and no socket between."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from temporalio.activity import _Definition
from temporalio.exceptions import ApplicationError

from activities.appmesh import AppMeshActivities
from activities.failures import Failure
from activities.messages import Call, ListRoutes, Record
from activities.names import LIST_ROUTES, Verb, operation
from activities.objects import ApiKind, ApiObject
from control_plane.api.arns import ArnFormat
from control_plane.api.dispatch import Dispatcher
from control_plane.api.errors import ApiError
from control_plane.api.service_model import operations
from control_plane.api.session import Installation
from control_plane.api.validation import Violation, check, refuse
from control_plane.store.database import Database
from tests.control_plane.serving import ACCOUNT, NO_LIMITS, REGION
from tests.workflows.app_mesh_model import AppMeshModel, Refused

_OPERATIONS = {xform_name(model.name): model for model in operations()}


class Client:
    """As much of boto3's client as the activities use; counts what it is asked."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """An operation."""
        if name not in _OPERATIONS:
            raise AttributeError(name)
        model = _OPERATIONS[name]

        def call(**request: Any) -> dict[str, Any]:
            self.calls[model.name] += 1
            violations: list[Violation] = []
            try:
                parameters = check(model.input_shape, request, "", violations)
                refuse(violations)
                return self._dispatcher(model, parameters)
            except ApiError as error:
                answer = {"Code": error.code, "Message": error.message}
                status = {"HTTPStatusCode": error.status}
                raise ClientError({"Error": answer, "ResponseMetadata": status}, model.name) from error

        return call


@contextmanager
def control_plane(directory: Path) -> Iterator[Client]:
    """A control plane with a database of its own."""
    database = Database(f"sqlite:///{directory}/control-plane.db")
    try:
        yield Client(Dispatcher(database, Installation(ACCOUNT, ArnFormat(REGION, ACCOUNT), NO_LIMITS)))
    finally:
        database.close()


class ServedAppMesh(AppMeshModel):
    """One mesh of a control plane, by the activities that workers run; `objects` is what their answers told."""

    def __init__(self, client: Client, mesh: str) -> None:
        self.client = client
        activities = AppMeshActivities(client)
        self._activities = {
            _Definition.must_from_callable(function).name: function
            for function in (*activities.writes(), *activities.reads())
        }
        super().__init__()
        self.put(ApiObject.mesh_object(mesh), {})

    def put(self, object: ApiObject, spec: dict[str, Any]) -> None:
        """Create an object by hand."""
        self.call(Verb.CREATE, object, spec)

    def call(self, verb: Verb, object: ApiObject, spec: dict[str, Any] | None = None) -> Record:
        """One call of the API.

        Raises:
            Refused: with the failure that App Mesh's answer means.
        """
        record: Record = self._run(operation(verb, object.kind), Call(object=object, spec=spec))
        if verb is Verb.DELETE:
            self.objects.pop(object, None)
        else:
            self.objects[object] = record
        return record

    def look(self, places: tuple[ApiObject, ...], routers: tuple[ApiObject, ...]) -> Iterator[Record]:
        """What there is at these places and on these routers, as `workflows.calls.observe` finds it out."""
        on_them = (route for router in routers for route in self._listed(router))
        for object in (*places, *on_them):
            try:
                yield self.call(Verb.DESCRIBE, object)
            except Refused as refused:
                if refused.failure is not Failure.NOT_FOUND:
                    raise

    def everything(self, mesh: str) -> Iterator[Record]:
        """All that the API has in a mesh."""
        client, of = self.client, {"meshName": mesh}
        nodes = client.list_virtual_nodes(**of)["virtualNodes"]
        services = client.list_virtual_services(**of)["virtualServices"]
        routers = tuple(
            ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=mesh, name=router["virtualRouterName"])
            for router in client.list_virtual_routers(**of)["virtualRouters"]
        )
        objects = (ApiObject.from_arn(member["arn"]) for member in (*nodes, *services))
        return self.look((*filter(None, objects), *routers), routers)

    def _listed(self, router: ApiObject) -> list[ApiObject]:
        try:
            page = self._run(LIST_ROUTES, ListRoutes(router=router))
        except Refused:
            return []
        assert page.next_token is None, "fewer routes than a page holds"
        return [ApiObject(kind=ApiKind.ROUTE, mesh=router.mesh, name=name, router=router.name) for name in page.names]

    def _run(self, name: str, argument: Call | ListRoutes) -> Any:
        try:
            return self._activities[name](argument)
        except ApplicationError as error:
            raise Refused(Failure(str(error.type)), error.message) from error
