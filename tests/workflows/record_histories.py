"""Records the histories that `test_replay.py` replays: `python -m tests.workflows.record_histories [STORY...]`.

Run it when the workflows have changed on purpose, and only then; or for a new story, which is then named. It writes
`next/`: every story, as the code that will be released lives it. At the release the folder gets the release's name. The
folders of releases stay as they are: what ran on the old code must go on on the new.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.failures import Failure
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from deploy.local.stack import LocalStack, StackSettings
from resources.conditions import Reason
from resources.kinds import Kind
from tests.builders import MESH, NAMESPACE, Manifest, http_route, listener, mesh, virtual_node, virtual_service
from tests.workflows.conftest import Harness, until
from tests.workflows.test_cloud_map import Story
from tests.workflows.test_entity import IN_MESH, NODE, ROUTER, ROUTES, SERVICE, ready, settled
from watcher.index import Index, Name
from workflows.messages import Change, DataPlaneReport

FOLDER = Path(__file__).parent / "histories" / "next"

Recorded = Awaitable[WorkflowHandle[Any, Any]]


async def service_created_edited_swapped_deleted(harness: Harness) -> WorkflowHandle[Any, Any]:
    """The life of a service: five writes, one edit in place, one swap, and the way out."""
    ready(harness, mesh(), virtual_node())
    await harness.apply(virtual_service(routes=ROUTES))
    await settled(harness)
    await harness.apply(virtual_service(routes=[http_route("a", {"cart": 7}, prefix="/a"), *ROUTES[1:]]))
    await settled(harness, generation=2)
    await harness.apply(
        virtual_service(routes=[http_route(name, {"cart": 9}, prefix=f"/{name}") for name in ("a", "b", "d")])
    )
    await settled(harness, generation=3)
    await harness.tell(harness.kubernetes.delete(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE))
    handle = harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)
    await handle.result()
    return handle


async def service_waits_is_refused_and_fixed(harness: Harness) -> WorkflowHandle[Any, Any]:
    """Waiting for a node, a poke, a refusal, a fix."""
    ready(harness, mesh())
    await harness.apply(virtual_service(routes=ROUTES[:1]))
    await settled(harness, reason="WaitingForVirtualNodes")
    ready(harness, virtual_node())
    harness.app_mesh.faults["CreateRoute"] = [Failure.BAD_REQUEST]
    await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE), poke=True)
    await settled(harness, reason="BadRequest")
    await harness.apply(virtual_service(routes=ROUTES[1:2]))
    await settled(harness, generation=2)
    return harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)


async def service_adopted(harness: Harness) -> WorkflowHandle[Any, Any]:
    """Objects are there already: a Conflict, a look, no write."""
    ready(harness, mesh(), virtual_node())
    await harness.apply(virtual_service(routes=ROUTES))
    await settled(harness)
    await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).terminate("its history is lost")
    harness.kubernetes.resources[Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE]["status"] = {}
    await harness.apply(virtual_service(routes=ROUTES))
    await settled(harness)
    return harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)


async def service_through_faults(harness: Harness) -> WorkflowHandle[Any, Any]:
    """Throttled and unavailable for a while."""
    ready(harness, mesh(), virtual_node())
    harness.app_mesh.faults["CreateVirtualRouter"] = [Failure.THROTTLED, Failure.UNAVAILABLE]
    await harness.apply(virtual_service(routes=ROUTES))
    await settled(harness)
    return harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)


async def service_repaired_after_drift(harness: Harness) -> WorkflowHandle[Any, Any]:
    """A route that was edited by hand, one that was deleted, one that was added; then everything in doubt."""
    ready(harness, mesh(), virtual_node())
    await harness.apply(virtual_service(routes=ROUTES))
    await settled(harness)
    app_mesh, before = harness.app_mesh, dict(harness.app_mesh.objects)
    edited, deleted, added = (
        ApiObject(kind=ApiKind.ROUTE, mesh=MESH, name=name, router=ROUTER.name) for name in ("a", "b", "d")
    )
    at = (Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)

    def repaired() -> bool:
        now = app_mesh.objects
        return now.keys() == before.keys() and all(now[each].spec == before[each].spec for each in before)

    for verb, object, everything in (
        (Verb.UPDATE, edited, False),
        (Verb.DELETE, deleted, False),
        (Verb.CREATE, added, False),
        (Verb.UPDATE, edited, True),
    ):
        app_mesh.call(verb, object, None if verb is Verb.DELETE else {})
        seen, doubt = harness.kubernetes.see(*at), () if everything else (object,)
        await harness.workflows.tell(Change(snapshot=seen, because="by hand", doubt=doubt, doubt_all=everything))
        await until(repaired, f"the repair of {object}")
    await harness.tell(harness.kubernetes.delete(*at))
    await harness.handle(*at).result()
    return harness.handle(*at)


async def service_goes_to_a_node_and_back(harness: Harness) -> WorkflowHandle[Any, Any]:
    """Straight to a node, without a router, and back."""
    ready(harness, mesh(), virtual_node())
    await harness.apply(virtual_service(routes=ROUTES[:1]))
    await settled(harness)
    straight: dict[str, Any] = {
        "provider": {"virtualNode": {"virtualNodeName": "cart"}},
        "routes": [],
        "virtualRouter": None,
    }
    await harness.apply(virtual_service(**straight))
    await settled(harness, generation=2)
    await harness.apply(virtual_service(routes=ROUTES[:1]))
    await settled(harness, generation=3)
    return harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)


async def service_leads_a_shared_router(harness: Harness) -> WorkflowHandle[Any, Any]:
    """The older of two that share: it makes the routes of both, swaps them, and goes on alone."""
    await _share(harness)
    return harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, "a.prod")


async def service_joins_a_shared_router(harness: Harness) -> WorkflowHandle[Any, Any]:
    """The younger of the two, from joining to leaving."""
    await _share(harness)
    return harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, "b.prod")


async def mesh_edited(harness: Harness) -> WorkflowHandle[Any, Any]:
    """Made, edited, refused, mended, deleted."""
    at = (Kind.MESH, None, MESH)
    await harness.apply(mesh())
    await until(lambda: IN_MESH in harness.app_mesh.objects, "the mesh")
    harness.app_mesh.faults["UpdateMesh"] = [Failure.FORBIDDEN]
    await harness.apply(mesh(egressFilter={"type": "ALLOW_ALL"}))
    await until(lambda: harness.kubernetes.condition(*at, "MeshActive").get("reason") == "Forbidden", "the refusal")
    await harness.apply(mesh(egressFilter={"type": "DROP_ALL"}))
    await until(lambda: harness.kubernetes.condition(*at, "MeshActive").get("observedGeneration") == 3, "the edit")
    await harness.tell(harness.kubernetes.delete(*at))
    await harness.handle(*at).result()
    return harness.handle(*at)


async def node_waits_is_edited_and_deleted(harness: Harness) -> WorkflowHandle[Any, Any]:
    """Before its mesh, then an edit, then the end."""
    at = (Kind.VIRTUAL_NODE, NAMESPACE, "cart")

    async def stands(reason: str, generation: int) -> None:
        def does() -> bool:
            condition = harness.kubernetes.condition(*at, "VirtualNodeActive")
            return (condition.get("reason"), condition.get("observedGeneration")) == (reason, generation)

        await until(does, f"{reason} at generation {generation}")

    await harness.apply(virtual_node())
    await stands("WaitingForMesh", 1)
    ready(harness, mesh())
    await harness.tell(harness.kubernetes.see(*at), poke=True)
    await stands("Active", 1)
    await harness.apply(virtual_node(listeners=[listener(9090)]))
    await stands("Active", 2)
    await harness.tell(harness.kubernetes.delete(*at))
    await harness.handle(*at).result()
    return harness.handle(*at)


async def mesh_deleted_with_a_member(harness: Harness) -> WorkflowHandle[Any, Any]:
    """A mesh that waits for its node to go."""
    await _mesh_and_node(harness)
    await _delete_both(harness)
    return harness.handle(Kind.MESH, None, MESH)


async def node_deleted_with_its_mesh(harness: Harness) -> WorkflowHandle[Any, Any]:
    """The node of the same story."""
    await _mesh_and_node(harness)
    await _delete_both(harness)
    return harness.handle(Kind.VIRTUAL_NODE, NAMESPACE, "cart")


async def node_followed_by_proxies(harness: Harness) -> WorkflowHandle[Any, Any]:
    """A write that proxies follow, a refusal, an edit that repairs it."""
    harness.app_mesh.revision = 0
    ready(harness, mesh())
    at = (Kind.VIRTUAL_NODE, NAMESPACE, "cart")

    async def synced(reason: str) -> None:
        await until(lambda: harness.kubernetes.condition(*at, "DataPlaneSynced").get("reason") == reason, reason)

    await harness.apply(virtual_node(), data_plane=DataPlaneReport(proxies=2))
    await synced("Pushing")
    await harness.apply(virtual_node(), data_plane=DataPlaneReport(proxies=2, revision=1))
    await synced("Synced")
    refusal = DataPlaneReport(proxies=2, revision=1, reason=Reason.REFUSED_BY_PROXY, message="no such file")
    await harness.apply(virtual_node(), data_plane=refusal)
    await synced("RefusedByProxy")
    await harness.apply(virtual_node(listeners=[listener(9090)]))
    await synced("Pushing")
    await harness.apply(virtual_node(listeners=[listener(9090)]), data_plane=DataPlaneReport(proxies=2, revision=2))
    await synced("Synced")
    return harness.handle(*at)


async def cloud_map_service_from_first_pod_to_removal(harness: Harness) -> WorkflowHandle[Any, Any]:
    """No namespace, faults, instances that come, change and go, a sweep, a refusal; then nobody uses the service."""
    story = Story(harness)
    story.cloud_map.faults["RegisterInstances"] = [Failure.UNAVAILABLE]
    await story.tell("10.0.0.1")
    await until(lambda: story.cloud_map.counts["ListNamespaces"] == 2, "the look for the namespace")
    story.cloud_map.make_namespace("shop.local")
    story.cloud_map.refuses.add("10.0.0.3")
    await story.tell("10.0.0.2", "10.0.0.3")
    await story.registered("10.0.0.1", "10.0.0.2")
    story.cloud_map.refuses.clear()
    await story.tell(gone=("10.0.0.1",), sweep=True)
    await story.registered("10.0.0.2", "10.0.0.3")
    await story.tell(nodes=())
    await story.handle.result()
    return story.handle


async def _share(harness: Harness) -> None:
    """Two services on one router: the younger joins, both are edited at once, the younger leaves, the older too."""
    ready(harness, mesh(), virtual_node())
    index = Index()
    shared = {"name": "shared", "listeners": [listener()]}
    names = ("a.prod", "b.prod")

    def service(name: str, weight: int) -> Manifest:
        return virtual_service(
            name, virtualRouter=shared, routes=[http_route(name[0], {"cart": weight}, prefix=f"/{name[0]}")]
        )

    async def tell_all() -> None:
        for name in names:
            if index.get(place := Name(Kind.VIRTUAL_SERVICE, NAMESPACE, name)) is not None:
                index.put(seen := harness.kubernetes.see(place.kind, place.namespace, place.name))
                await harness.workflows.tell(index.with_relatives(Change(snapshot=seen, because="test", poke=True)))

    async def stand(generation: int, *standing: str) -> None:
        def do() -> bool:
            found = [
                harness.kubernetes.condition(Kind.VIRTUAL_SERVICE, NAMESPACE, name, "VirtualServiceActive")
                for name in standing
            ]
            return all((each.get("status"), each.get("observedGeneration")) == ("True", generation) for each in found)

        async with asyncio.timeout(60):
            while not do():
                await tell_all()  # as the watcher does when the status of one of them turns
                await asyncio.sleep(0.3)

    for name in names:
        index.put(harness.kubernetes.apply(service(name, 1)))
        await stand(1, *names[: names.index(name) + 1])
    for name in names:
        index.put(harness.kubernetes.apply(service(name, 2)))
    await stand(2, *names)
    for name in reversed(names):
        place = Name(Kind.VIRTUAL_SERVICE, NAMESPACE, name)
        index.put(seen := harness.kubernetes.delete(*_parts(place)))
        await harness.workflows.tell(index.with_relatives(Change(snapshot=seen, because="test")))
        await harness.handle(*_parts(place)).result()
        index.remove(place)


def _parts(name: Name) -> tuple[Kind, str | None, str]:
    return name.kind, name.namespace, name.name


async def _mesh_and_node(harness: Harness) -> None:
    await harness.apply(mesh(egressFilter={"type": "ALLOW_ALL"}))
    await until(lambda: IN_MESH in harness.app_mesh.objects, "the mesh")
    await harness.apply(virtual_node())
    await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_NODE, NAMESPACE, "cart"), poke=True)
    await until(lambda: NODE in harness.app_mesh.objects, "the node")


async def _delete_both(harness: Harness) -> None:
    await harness.tell(harness.kubernetes.delete(Kind.MESH, None, MESH))
    waits = (Kind.MESH, None, MESH, "MeshActive")
    await until(lambda: harness.kubernetes.condition(*waits).get("reason") == "WaitingForMembers", "the wait")
    await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_NODE, NAMESPACE, "cart"), poke=True)
    node = harness.kubernetes.resources[Kind.VIRTUAL_NODE, NAMESPACE, "cart"]
    await until(lambda: "deletionTimestamp" in node["metadata"], "the member's own deletion")
    await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_NODE, NAMESPACE, "cart"))
    await harness.handle(Kind.VIRTUAL_NODE, NAMESPACE, "cart").result()
    await harness.tell(harness.kubernetes.see(Kind.MESH, None, MESH), poke=True)
    await harness.handle(Kind.MESH, None, MESH).result()


STORIES: tuple[Callable[[Harness], Recorded], ...] = (
    service_created_edited_swapped_deleted,
    service_waits_is_refused_and_fixed,
    service_adopted,
    service_through_faults,
    service_repaired_after_drift,
    service_goes_to_a_node_and_back,
    service_leads_a_shared_router,
    service_joins_a_shared_router,
    mesh_edited,
    node_waits_is_edited_and_deleted,
    mesh_deleted_with_a_member,
    node_deleted_with_its_mesh,
    node_followed_by_proxies,
    cloud_map_service_from_first_pod_to_removal,
)


async def record(address: str, *named: str) -> None:
    """Live through every story, or those that are named, and keep its history."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for story in STORIES:
        if named and story.__name__ not in named:
            continue
        harness = Harness(await Client.connect(address, data_converter=pydantic_data_converter))
        async with harness.worker():
            handle = await story(harness)
            history = await handle.fetch_history()
        path = FOLDER / f"{stem(story)}.json"
        path.write_text(portable(history.to_json()) + "\n")
        print(f"{path.name}: {len(history.events)} events")  # noqa: T201 - it is a script


def stem(story: Callable[[Harness], Recorded]) -> str:
    """What the files of a story are called."""
    return story.__name__.replace("_", "-")


def portable(history: str) -> str:
    """A history without the stack traces of failures: they name paths of this machine, and no replay reads them."""
    return re.sub(r'("stackTrace": )"(?:[^"\\]|\\.)*"', r'\1""', history)


def main() -> None:
    """Record on a server of our own."""
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalStack(directory, StackSettings(parts=("temporal",), fast=True)) as stack,
    ):
        asyncio.run(record(stack.environment["TEMPORAL_ADDRESS"], *sys.argv[1:]))


if __name__ == "__main__":
    main()
