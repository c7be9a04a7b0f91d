"""Activities that call AWS Cloud Map: one API call each, but for the batches of instances.

A batch registers or deregisters one instance after the other. It tells Temporal how far it is after each call, so an
attempt that is cut off is taken up where it stopped. All calls are safe to repeat: registering what is registered
replaces it, and deregistering what is gone is done.
"""

from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import ClientError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import names
from activities.cloud_map_messages import (
    BatchDone,
    CreateService,
    FindNamespace,
    FindService,
    InstanceBatch,
    InstanceChange,
    InstanceRefused,
    InstancesPage,
    ListInstances,
    NamespaceFound,
    ServiceRecord,
    ServicesFound,
)
from activities.errors import cloud_map_errors, failed
from activities.failures import Failure
from resources.cloud_map import Instance

PAGE = 100
DNS_TTL_SECONDS = 300

_REFUSALS = frozenset({Failure.BAD_REQUEST, Failure.LIMIT_EXCEEDED})
"""Said about one instance, and no reason not to go on with the next."""


class CloudMapClient(Protocol):
    """As much of boto3's `servicediscovery` client as we use: one method per operation, found by name."""

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """The method of an operation, in snake case."""


class CloudMapActivities:
    """The Cloud Map calls. `client` is thread-safe and shared by all."""

    def __init__(self, client: CloudMapClient) -> None:
        self._client = client

    def definitions(self) -> list[Callable[..., Any]]:
        """All of them, for a worker."""
        return [
            self.find_namespace,
            self.find_service,
            self.get_service,
            self.create_service,
            self.delete_service,
            self.list_instances,
            self.register_instances,
            self.deregister_instances,
        ]

    @activity.defn(name=names.LIST_NAMESPACES)
    def find_namespace(self, page: FindNamespace) -> NamespaceFound:
        """Look for a namespace by name on one page."""
        filters = [{"Name": "NAME", "Values": [page.name], "Condition": "EQ"}]
        with cloud_map_errors(f"ListNamespaces for {page.name}"):
            answer = self._client.list_namespaces(Filters=filters, **_page(page.next_token))
            found = next((each for each in answer["Namespaces"] if each["Name"] == page.name), None)
        if found is None:
            return NamespaceFound(next_token=answer.get("NextToken"))
        return NamespaceFound(id=found["Id"], type=found["Type"])

    @activity.defn(name=names.LIST_SERVICES)
    def find_service(self, page: FindService) -> ServicesFound:
        """Look for a service by name on one page of a namespace's."""
        filters = [{"Name": "NAMESPACE_ID", "Values": [page.namespace_id], "Condition": "EQ"}]
        with cloud_map_errors(f"ListServices for {page.name}"):
            answer = self._client.list_services(Filters=filters, **_page(page.next_token))
            ids = tuple(each["Id"] for each in answer["Services"] if each["Name"] == page.name)
        return ServicesFound(ids=ids, next_token=answer.get("NextToken"))

    @activity.defn(name=names.GET_SERVICE)
    def get_service(self, id: str) -> ServiceRecord:
        """A service, with the creator request id that tells who made it."""
        with cloud_map_errors(f"GetService {id}"):
            return _record(self._client.get_service(Id=id)["Service"])

    @activity.defn(name=names.CREATE_SERVICE)
    def create_service(self, wanted: CreateService) -> ServiceRecord:
        """Make a service."""
        request: dict[str, Any] = {
            "Name": wanted.service.name,
            "NamespaceId": wanted.namespace_id,
            "CreatorRequestId": wanted.creator_request_id,
        }
        if wanted.dns:
            record = {"Type": "A", "TTL": DNS_TTL_SECONDS}
            request["DnsConfig"] = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [record]}
        with cloud_map_errors(f"CreateService {wanted.service}"):
            return _record(self._client.create_service(**request)["Service"])

    @activity.defn(name=names.DELETE_SERVICE)
    def delete_service(self, id: str) -> None:
        """Delete a service; Cloud Map refuses while it has instances."""
        with cloud_map_errors(f"DeleteService {id}"):
            self._client.delete_service(Id=id)

    @activity.defn(name=names.LIST_INSTANCES)
    def list_instances(self, page: ListInstances) -> InstancesPage:
        """One page of a service's instances."""
        with cloud_map_errors(f"ListInstances of {page.service_id}"):
            answer = self._client.list_instances(ServiceId=page.service_id, **_page(page.next_token))
            instances = tuple(
                Instance(id=each["Id"], attributes=each.get("Attributes") or {}) for each in answer["Instances"]
            )
        return InstancesPage(instances=instances, next_token=answer.get("NextToken"))

    @activity.defn(name=names.REGISTER_INSTANCES)
    def register_instances(self, batch: InstanceBatch) -> BatchDone:
        """Register instances, or replace their attributes."""
        return self._one_by_one(batch, self._register)

    @activity.defn(name=names.DEREGISTER_INSTANCES)
    def deregister_instances(self, batch: InstanceBatch) -> BatchDone:
        """Deregister instances; one that is gone is fine."""
        return self._one_by_one(batch, self._deregister)

    def _one_by_one(self, batch: InstanceBatch, change: Callable[[str, InstanceChange], None]) -> BatchDone:
        done, refused = _progress()
        for number, each in enumerate(batch.changes[done:], start=done + 1):
            try:
                change(batch.service_id, each)
            except ApplicationError as error:
                if error.type not in _REFUSALS:
                    raise
                refused.append(InstanceRefused(id=each.id, message=error.message))
            activity.heartbeat(number, [refusal.model_dump() for refusal in refused])
        return BatchDone(refused=tuple(refused))

    def _register(self, service_id: str, change: InstanceChange) -> None:
        request: dict[str, Any] = {
            "ServiceId": service_id,
            "InstanceId": change.id,
            "Attributes": change.attributes or {},
        }
        if change.creator_request_id is not None:
            request["CreatorRequestId"] = change.creator_request_id
        self._call("RegisterInstance", change.id, self._client.register_instance, request)

    def _deregister(self, service_id: str, change: InstanceChange) -> None:
        request = {"ServiceId": service_id, "InstanceId": change.id}
        self._call("DeregisterInstance", change.id, self._client.deregister_instance, request)

    def _call(self, name: str, id: str, method: Callable[..., object], request: dict[str, Any]) -> None:
        with cloud_map_errors(f"{name} {id}"):
            try:
                method(**request)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code in ("DuplicateRequest", "InstanceNotFound"):  # it is under way already, or done
                    return
                if code == "ResourceInUse":  # another operation on the instance is under way
                    raise failed(Failure.UNAVAILABLE, f"{name} {id}: {error}") from error
                raise


def _page(token: str | None) -> dict[str, Any]:
    return {"MaxResults": PAGE} | ({"NextToken": token} if token is not None else {})


def _record(service: dict[str, Any]) -> ServiceRecord:
    return ServiceRecord(
        id=service["Id"],
        namespace_id=service.get("NamespaceId"),
        creator_request_id=service.get("CreatorRequestId"),
    )


def _progress() -> tuple[int, list[InstanceRefused]]:
    """How far an earlier attempt at this batch came."""
    details = activity.info().heartbeat_details
    if len(details) != 2:
        return 0, []
    return int(details[0]), [InstanceRefused.model_validate(each) for each in details[1]]
