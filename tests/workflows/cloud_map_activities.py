"""Cloud Map in memory, as activities under their real names: every call on record, and faults where tests want them."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

from temporalio import activity

from activities import names
from activities.cloud_map_messages import (
    BatchDone,
    CreateService,
    FindNamespace,
    FindService,
    InstanceBatch,
    InstanceRefused,
    InstancesPage,
    ListInstances,
    NamespaceFound,
    ServiceRecord,
    ServicesFound,
)
from activities.errors import failed
from activities.failures import Failure
from resources.cloud_map import Instance

PAGE = 2


class CloudMapModel:
    """Namespaces and services by name, instances by service id; lists in pages of two."""

    def __init__(self) -> None:
        self.namespaces: dict[str, NamespaceFound] = {}
        self.services: dict[str, ServiceRecord] = {}
        self.instances: dict[str, dict[str, Instance]] = {}
        self.calls: list[str] = []
        self.batches: list[int] = []
        """Sizes of the batches that were carried out."""
        self.faults: dict[str, list[Failure]] = {}
        """Operation → failures of its next calls."""
        self.refuses: set[str] = set()
        """Instances that will not be taken."""
        self.open = asyncio.Event()
        """Batches wait until it is set."""
        self.open.set()
        self.held: set[str] = set()
        """First ids of batches that wait."""
        self._numbers = itertools.count(1)

    def make_namespace(self, name: str, type: str = "HTTP") -> None:
        """A namespace."""
        self.namespaces[name] = NamespaceFound(id=f"ns-{name}", type=type)

    def make_service(self, name: str, namespace: str, *instances: Instance, maker: str = "somebody") -> None:
        """A service that somebody made, with their instances."""
        id = f"srv-{next(self._numbers)}"
        self.services[name] = ServiceRecord(id=id, namespace_id=f"ns-{namespace}", creator_request_id=maker)
        self.instances[id] = {instance.id: instance for instance in instances}

    def of(self, name: str) -> dict[str, Instance]:
        """Instances of a service; empty when there is none."""
        service = self.services.get(name)
        return dict(self.instances[service.id]) if service is not None else {}

    @property
    def counts(self) -> Counter[str]:
        """Calls by operation; each instance of a batch is one."""
        return Counter(self.calls)

    def definitions(self) -> list[Callable[..., Any]]:
        """The activities."""
        return [self.find_namespace, self.find_service, self.get_service, self.create_service, self.delete_service,
                self.list_instances, self.register_instances, self.deregister_instances]  # fmt: skip

    @activity.defn(name=names.LIST_NAMESPACES)
    async def find_namespace(self, page: FindNamespace) -> NamespaceFound:
        """The first page never has it."""
        self._called(names.LIST_NAMESPACES)
        if page.next_token is None:
            return NamespaceFound(next_token="2")
        return self.namespaces.get(page.name, NamespaceFound())

    @activity.defn(name=names.LIST_SERVICES)
    async def find_service(self, page: FindService) -> ServicesFound:
        """The first page never has it; namespaces are not told apart."""
        self._called(names.LIST_SERVICES)
        if page.next_token is None:
            return ServicesFound(next_token="2")
        found = self.services.get(page.name)
        return ServicesFound(ids=(found.id,) if found is not None else ())

    @activity.defn(name=names.GET_SERVICE)
    async def get_service(self, id: str) -> ServiceRecord:
        """By id."""
        self._called(names.GET_SERVICE)
        return next(service for service in self.services.values() if service.id == id)

    @activity.defn(name=names.CREATE_SERVICE)
    async def create_service(self, wanted: CreateService) -> ServiceRecord:
        """A new one."""
        self._called(names.CREATE_SERVICE)
        self.make_service(wanted.service.name, wanted.service.namespace, maker=wanted.creator_request_id)
        return self.services[wanted.service.name]

    @activity.defn(name=names.DELETE_SERVICE)
    async def delete_service(self, id: str) -> None:
        """Only an empty one goes."""
        self._called(names.DELETE_SERVICE)
        if self.instances[id]:
            raise failed(Failure.IN_USE, "it has instances")
        self.services = {name: service for name, service in self.services.items() if service.id != id}

    @activity.defn(name=names.LIST_INSTANCES)
    async def list_instances(self, page: ListInstances) -> InstancesPage:
        """A page."""
        self._called(names.LIST_INSTANCES)
        start = int(page.next_token or 0)
        found = list(self._instances(page.service_id).values())
        more = start + PAGE < len(found)
        return InstancesPage(
            instances=tuple(found[start : start + PAGE]), next_token=str(start + PAGE) if more else None
        )

    @activity.defn(name=names.REGISTER_INSTANCES)
    async def register_instances(self, batch: InstanceBatch) -> BatchDone:
        """All but those that are refused."""
        await self._batch(names.REGISTER_INSTANCES, batch)
        taken = [change for change in batch.changes if change.id not in self.refuses]
        for change in taken:
            self.calls.append("RegisterInstance")
            instance = Instance(id=change.id, attributes=change.attributes or {})
            self._instances(batch.service_id)[change.id] = instance
        refused = (change.id for change in batch.changes if change.id in self.refuses)
        return BatchDone(refused=tuple(InstanceRefused(id=id, message=f"no {id}") for id in refused))

    @activity.defn(name=names.DEREGISTER_INSTANCES)
    async def deregister_instances(self, batch: InstanceBatch) -> BatchDone:
        """All that are there."""
        await self._batch(names.DEREGISTER_INSTANCES, batch)
        for change in batch.changes:
            self.calls.append("DeregisterInstance")
            self._instances(batch.service_id).pop(change.id, None)
        return BatchDone()

    async def _batch(self, name: str, batch: InstanceBatch) -> None:
        self.batches.append(len(batch.changes))
        self.held.add(batch.changes[0].id)
        await self.open.wait()
        self._called(name)

    def _instances(self, service_id: str) -> dict[str, Instance]:
        if not any(service.id == service_id for service in self.services.values()):
            raise failed(Failure.NOT_FOUND, "no such service")
        return self.instances[service_id]

    def _called(self, operation: str) -> None:
        if pending := self.faults.get(operation):
            raise failed(pending.pop(0), f"{operation}: injected")
        self.calls.append(operation)
