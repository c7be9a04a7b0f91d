"""App Mesh in memory as activities under their real names: every call on record, and faults where tests want them."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from temporalio import activity

from activities import names
from activities.errors import failed
from activities.failures import Failure
from activities.messages import Call, ListRoutes, ListTags, Record, RoutesPage, Tags
from activities.names import Verb, operation
from activities.objects import ApiKind, ApiObject
from tests.workflows.app_mesh_model import AppMeshModel, Refused


class AppMeshActivities(AppMeshModel):
    """The model, every call in order, and faults to raise instead of answers."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.tags: dict[ApiObject, dict[str, str]] = {}
        """Tags of the objects that have any."""
        self.faults: dict[str, list[Failure]] = {}
        """Operation → failures of its next calls."""
        self.before: Callable[[str], None] = lambda call: None
        """Called with `CreateRoute blue` before each call takes effect."""
        self.held: dict[str, asyncio.Event] = {}
        """Calls by such names that are under way until the event is set."""
        self.under_way: set[str] = set()
        self.revision: int | None = None
        """That of the last write; None: it is not told, as by any API but ours."""

    @property
    def writes(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls if not call.startswith(("Describe", "List"))]

    @property
    def counts(self) -> Counter[str]:
        """Calls by operation."""
        return Counter(call.split()[0] for call in self.calls)

    def definitions(self) -> list[Callable[..., Any]]:
        """The activities."""
        return [*(self._activity(verb, kind) for verb in Verb for kind in ApiKind), self.list_routes, self.list_tags]

    @activity.defn(name=names.LIST_ROUTES)
    async def list_routes(self, page: ListRoutes) -> RoutesPage:
        """All names on one page."""
        await self._called("ListRoutes", page.router.name)
        try:
            return RoutesPage(names=self.routes_of(page.router))
        except Refused as refused:
            raise failed(refused.failure, refused.message) from refused

    @activity.defn(name=names.LIST_TAGS)
    async def list_tags(self, of: ListTags) -> Tags:
        """What a create or a test has put on."""
        await self._called("ListTagsForResource", of.object.name)
        if of.object not in self.objects:
            raise failed(Failure.NOT_FOUND, f"{of.object} does not exist")
        return Tags(tags=self.tags.get(of.object, {}))

    def _activity(self, verb: Verb, kind: ApiKind) -> Callable[..., Any]:
        name = operation(verb, kind)

        @activity.defn(name=name)
        async def call(step: Call) -> Record:
            await self._called(name, step.object.name)
            try:
                record = self.call(verb, step.object, step.spec)
            except Refused as refused:
                raise failed(refused.failure, refused.message) from refused
            if verb is Verb.CREATE:
                self.tags[step.object] = step.tags or {}
            if self.revision is not None:
                self.revision += verb is not Verb.DESCRIBE
                return record.model_copy(update={"revision": self.revision})
            return record

        return call

    async def _called(self, operation: str, name: str) -> None:
        self.before(f"{operation} {name}")
        if (held := self.held.get(f"{operation} {name}")) is not None:
            self.under_way.add(f"{operation} {name}")
            await held.wait()
        if pending := self.faults.get(operation):
            raise failed(pending.pop(0), f"{operation} {name}: injected")
        self.calls.append(f"{operation} {name}")
