"""The Cloud Map activities: each call against moto's server, and what only a client that misbehaves can show."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.server import ThreadedMotoServer
from temporalio.activity import _Definition
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import cloud_map, names
from activities.cloud_map import CloudMapActivities
from activities.cloud_map_messages import (
    BatchDone,
    CreateService,
    FindNamespace,
    FindService,
    InstanceBatch,
    InstanceChange,
    InstanceRefused,
    ListInstances,
    ServiceRecord,
)
from activities.failures import Failure
from resources.cloud_map import CloudMapService, Instance


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Moto, in this process."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(endpoint: str) -> Iterator[Any]:
    """A boto3 client of an account that is empty when the test begins."""
    made = boto3.client(
        "servicediscovery",
        endpoint_url=endpoint,
        region_name="us-west-2",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    yield made
    for service in made.list_services()["Services"]:
        made.delete_service(Id=service["Id"])
    for namespace in made.list_namespaces()["Namespaces"]:
        made.delete_namespace(Id=namespace["Id"])
    made.close()


def run(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run an activity."""
    return ActivityEnvironment().run(function, *arguments)


def namespace(client: Any, name: str = "shop.local", dns: bool = False) -> str:
    """A namespace's id."""
    if dns:
        client.create_private_dns_namespace(Name=name, Vpc=f"vpc-{name}")
    else:
        client.create_http_namespace(Name=name)
    return next(str(each["Id"]) for each in client.list_namespaces()["Namespaces"] if each["Name"] == name)


def wanted(namespace_id: str, dns: bool = False, name: str = "cart") -> CreateService:
    """A service to make."""
    service = CloudMapService(namespace="shop.local", name=name)
    return CreateService(service=service, namespace_id=namespace_id, dns=dns, creator_request_id="meshwright/x/1")


def batch(service_id: str, *ids: str, attributes: dict[str, str] | None = None) -> InstanceBatch:
    """Changes about these."""
    changes = (InstanceChange(id=id, attributes=attributes, creator_request_id=f"r-{id}") for id in ids)
    return InstanceBatch(service_id=service_id, changes=tuple(changes))


def test_every_name_that_workflows_use_is_registered(client: Any) -> None:
    """Workflows know activities by name alone, so a name without an activity would hang."""
    registered = {_Definition.must_from_callable(each).name for each in CloudMapActivities(client).definitions()}
    assert registered == {
        names.LIST_NAMESPACES,
        names.LIST_SERVICES,
        names.GET_SERVICE,
        names.CREATE_SERVICE,
        names.DELETE_SERVICE,
        names.LIST_INSTANCES,
        names.REGISTER_INSTANCES,
        names.DEREGISTER_INSTANCES,
    }


@pytest.mark.parametrize("dns", [pytest.param(False, id="http"), pytest.param(True, id="dns-private")])
def test_a_service_is_made_found_and_removed(client: Any, dns: bool) -> None:
    """In both sorts of namespace; only one with DNS has records."""
    activities = CloudMapActivities(client)
    id = namespace(client, dns=dns)
    found = run(activities.find_namespace, FindNamespace(name="shop.local"))
    assert (found.id, found.type) == (id, "DNS_PRIVATE" if dns else "HTTP")

    made: ServiceRecord = run(activities.create_service, wanted(id, dns))
    assert made.creator_request_id == "meshwright/x/1"
    assert run(activities.find_service, FindService(namespace_id=id, name="cart")).ids == (made.id,)
    assert run(activities.get_service, made.id) == made
    config = client.get_service(Id=made.id)["Service"].get("DnsConfig")
    assert (config and config["DnsRecords"]) == ([{"Type": "A", "TTL": 300}] if dns else None)

    run(activities.delete_service, made.id)
    with pytest.raises(ApplicationError) as refused:
        run(activities.get_service, made.id)
    assert refused.value.type == Failure.NOT_FOUND


def test_what_is_not_there_is_not_found(client: Any) -> None:
    """No namespace of that name; no service of that name."""
    activities = CloudMapActivities(client)
    other = namespace(client, "other.local")
    assert run(activities.find_namespace, FindNamespace(name="shop.local")).id is None
    assert run(activities.find_service, FindService(namespace_id=other, name="cart")).ids == ()


def test_instances_are_listed_page_by_page(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One activity is one page."""
    monkeypatch.setattr(cloud_map, "PAGE", 2)
    activities = CloudMapActivities(client)
    service = run(activities.create_service, wanted(namespace(client))).id
    run(activities.register_instances, batch(service, "10.0.0.1", "10.0.0.2", "10.0.0.3", attributes={"a": "1"}))
    page = run(activities.list_instances, ListInstances(service_id=service))
    last = run(activities.list_instances, ListInstances(service_id=service, next_token=page.next_token))
    found = [*page.instances, *last.instances]
    assert found == [Instance(id=f"10.0.0.{number}", attributes={"a": "1"}) for number in (1, 2, 3)]
    assert (len(page.instances), last.next_token) == (2, None)


class Pages:
    """Two pages of everything, which moto has only for instances."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """An operation."""

        def call(**request: Any) -> dict[str, Any]:
            self.asked.append(request)
            last = "NextToken" in request
            what = [{"Name": "b" if last else "a", "Id": "2" if last else "1", "Type": "HTTP"}]
            answer: dict[str, Any] = {"Namespaces" if name == "list_namespaces" else "Services": what}
            return answer | ({} if last else {"NextToken": "more"})

        return call


def test_a_namespace_is_looked_for_page_by_page() -> None:
    """By a filter, and by name again, for endpoints that do not filter."""
    client = Pages()
    activities = CloudMapActivities(client)
    first = run(activities.find_namespace, FindNamespace(name="b"))
    second = run(activities.find_namespace, FindNamespace(name="b", next_token=first.next_token))
    assert (first.id, second.id, second.next_token) == (None, "2", None)
    assert client.asked[1]["Filters"] == [{"Name": "NAME", "Values": ["b"], "Condition": "EQ"}]


def test_a_service_is_looked_for_page_by_page() -> None:
    """Of the namespace."""
    client = Pages()
    activities = CloudMapActivities(client)
    first = run(activities.find_service, FindService(namespace_id="n", name="b"))
    second = run(activities.find_service, FindService(namespace_id="n", name="b", next_token=first.next_token))
    assert (first.ids, second.ids, second.next_token) == ((), ("2",), None)
    assert client.asked[0]["Filters"] == [{"Name": "NAMESPACE_ID", "Values": ["n"], "Condition": "EQ"}]


def test_instances_come_and_go_in_batches(client: Any) -> None:
    """And one that is gone already is no failure."""
    activities = CloudMapActivities(client)
    service = run(activities.create_service, wanted(namespace(client))).id
    assert (
        run(activities.register_instances, batch(service, "10.0.0.1", "10.0.0.2", attributes={"a": "1"})) == BatchDone()
    )
    assert run(activities.deregister_instances, batch(service, "10.0.0.2", "10.0.0.9")) == BatchDone()
    assert [each["Id"] for each in client.list_instances(ServiceId=service)["Instances"]] == ["10.0.0.1"]


@pytest.mark.parametrize("name", ["register_instances", "deregister_instances", "list_instances"])
def test_a_service_that_is_gone_is_told(client: Any, name: str) -> None:
    """It is not the same as an instance that is gone."""
    activities = CloudMapActivities(client)
    argument = ListInstances(service_id="srv-x") if name == "list_instances" else batch("srv-x", "10.0.0.1")
    with pytest.raises(ApplicationError) as refused:
        run(getattr(activities, name), argument)
    assert refused.value.type == Failure.NOT_FOUND


class FakeClient:
    """Instances in memory; answers of its own choice for some ids."""

    def __init__(self, **errors: str | Exception) -> None:
        self.errors = {id.replace("_", "."): error for id, error in errors.items()}
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """An operation."""

        def call(InstanceId: str, **request: Any) -> dict[str, Any]:
            self.calls.append(InstanceId)
            error = self.errors.pop(InstanceId, None)
            if isinstance(error, Exception):
                raise error
            if error is not None:
                raise ClientError({"Error": {"Code": error, "Message": "because"}}, name)
            return {"OperationId": "o"}

        return call


def test_an_instance_that_is_refused_does_not_hold_up_the_others() -> None:
    """It is named in the answer, in Cloud Map's words."""
    client = FakeClient(b="InvalidInput", c="ResourceLimitExceeded", d="DuplicateRequest")
    done = run(CloudMapActivities(client).register_instances, batch("s", "a", "b", "c", "d", "e"))
    assert client.calls == ["a", "b", "c", "d", "e"]
    assert done.refused == (
        InstanceRefused(id="b", message="RegisterInstance b: because"),
        InstanceRefused(id="c", message="RegisterInstance c: because"),
    )


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        pytest.param("RequestLimitExceeded", Failure.THROTTLED, id="throttled"),
        pytest.param("ThrottlingException", Failure.THROTTLED, id="throttled-too"),
        pytest.param("ResourceInUse", Failure.UNAVAILABLE, id="another-operation-under-way"),
        pytest.param("AccessDeniedException", Failure.FORBIDDEN, id="forbidden"),
        pytest.param(EndpointConnectionError(endpoint_url="http://x"), Failure.UNAVAILABLE, id="no-answer"),
    ],
)
def test_a_fault_ends_the_attempt_and_the_next_goes_on_there(error: str | Exception, failure: Failure) -> None:
    """What was done, and what was refused before, is not lost and not done again."""
    client = FakeClient(a="InvalidInput", c=error)
    activities = CloudMapActivities(client)
    first = ActivityEnvironment()
    beats: list[tuple[Any, ...]] = []
    first.on_heartbeat = lambda *details: beats.append(details)
    with pytest.raises(ApplicationError) as fault:
        first.run(activities.register_instances, batch("s", "a", "b", "c", "d"))
    assert (fault.value.type, client.calls) == (failure, ["a", "b", "c"])

    second = ActivityEnvironment()
    second.info = dataclasses.replace(second.info, heartbeat_details=beats[-1])
    done = second.run(activities.register_instances, batch("s", "a", "b", "c", "d"))
    assert client.calls == ["a", "b", "c", "c", "d"]
    assert [refusal.id for refusal in done.refused] == ["a"]
