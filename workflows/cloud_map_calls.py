"""How the workflow of a Cloud Map service calls Cloud Map: queues, limits, pages and batches, in one place."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio import workflow

from activities import names
from activities.cloud_map_messages import (
    BatchDone,
    CreateService,
    FindNamespace,
    FindService,
    InstanceBatch,
    InstanceChange,
    InstancesPage,
    ListInstances,
    NamespaceFound,
    ServiceRecord,
    ServicesFound,
)
from activities.messages import Queues
from resources.cloud_map import Instance
from workflows.calls import remote

ONE_BATCH = timedelta(minutes=15)
"""Limit on one attempt at a batch; a dead worker is noticed by the heartbeat, long before."""
HEARTBEAT = timedelta(seconds=20)
"""A call takes 13 seconds at most."""

BATCH = 50
"""Instances in one batch where nothing is limited."""
LIMITED_BATCH = 10
"""Instances in one batch where writes are limited: the queue then starts a tenth as many batches a second."""
SIDE_BY_SIDE = 4
"""Batches at a time where nothing is limited; where writes are limited they follow one another."""


class CloudMap:
    """The calls, on the queues that the worker serves."""

    def __init__(self, queues: Queues) -> None:
        self._reads, self._writes = queues.cloud_map_reads, queues.cloud_map_writes

    @property
    def batch_size(self) -> int:
        """Instances in one batch."""
        return BATCH if self._writes is None else LIMITED_BATCH

    @property
    def side_by_side(self) -> int:
        """Batches at a time."""
        return SIDE_BY_SIDE if self._writes is None else 1

    async def namespace(self, name: str) -> NamespaceFound | None:
        """The namespace of that name, looked for page by page."""
        token: str | None = None
        while True:
            request = FindNamespace(name=name, next_token=token)
            page: NamespaceFound = await self._read(names.LIST_NAMESPACES, request, f"Look for {name}", NamespaceFound)
            if page.id is not None:
                return page
            if (token := page.next_token) is None:
                return None

    async def service(self, namespace_id: str, name: str) -> ServiceRecord | None:
        """The service of that name, looked for page by page. Only its record tells for sure where it is."""
        token: str | None = None
        while True:
            request = FindService(namespace_id=namespace_id, name=name, next_token=token)
            page: ServicesFound = await self._read(names.LIST_SERVICES, request, f"Look for {name}", ServicesFound)
            for id in page.ids:
                record: ServiceRecord = await self._read(names.GET_SERVICE, id, f"Look at {name}", ServiceRecord)
                if record.namespace_id in (None, namespace_id):
                    return record
            if (token := page.next_token) is None:
                return None

    async def create(self, wanted: CreateService) -> ServiceRecord:
        """Make the service."""
        summary = f"Create Cloud Map service {wanted.service}"
        record: ServiceRecord = await remote(names.CREATE_SERVICE, wanted, summary, self._writes, ServiceRecord)
        return record

    async def delete(self, id: str, name: str) -> None:
        """Delete the service."""
        await remote(names.DELETE_SERVICE, id, f"Delete Cloud Map service {name}", self._writes, None)

    async def instances(self, service_id: str) -> list[Instance]:
        """Every instance of the service, page by page."""
        found: list[Instance] = []
        token: str | None = None
        while True:
            request = ListInstances(service_id=service_id, next_token=token)
            page: InstancesPage = await self._read(names.LIST_INSTANCES, request, "List instances", InstancesPage)
            found += page.instances
            if (token := page.next_token) is None:
                return found

    async def change(self, service_id: str, changes: Sequence[InstanceChange], register: bool) -> BatchDone:
        """Carry out one batch."""
        name = names.REGISTER_INSTANCES if register else names.DEREGISTER_INSTANCES
        some = ", ".join(change.id for change in changes[:3]) + (" ..." if len(changes) > 3 else "")
        summary = f"{'Register' if register else 'Deregister'} {len(changes)}: {some}"
        batch = InstanceBatch(service_id=service_id, changes=tuple(changes))
        done: BatchDone = await remote(name, batch, summary, self._writes, BatchDone, ONE_BATCH, HEARTBEAT)
        return done

    async def _read(self, name: str, argument: BaseModel | str, summary: str, result: type[Any]) -> Any:
        return await remote(name, argument, summary, self._reads, result)


def request_id(*parts: object) -> str:
    """A creator request id: the same for every attempt at one thing, never the same for two things."""
    text = "\0".join(str(part) for part in (workflow.info().run_id, *parts))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
