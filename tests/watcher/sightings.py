"""Sightings for tests: manifests as the API server hands them out, in the states that matter to the watcher."""

import itertools
from typing import Any

from resources.conditions import active_condition
from resources.kinds import Kind
from tests.builders import Manifest, stored
from watcher.index import Index
from workflows.messages import Snapshot

_versions = itertools.count(1000)


def resource(
    manifest: Manifest,
    *,
    uid: str = "uid-1",
    generation: int = 1,
    status: dict[str, Any] | None = None,
    deleting: bool = False,
    finalizers: tuple[str, ...] = (),
    version: str | None = None,
) -> dict[str, Any]:
    """The API server's JSON; each has a resourceVersion of its own unless one is given."""
    metadata: dict[str, Any] = {"resourceVersion": version or str(next(_versions)), "finalizers": list(finalizers)}
    if deleting:
        metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    return stored(manifest, uid, generation, **metadata) | {"status": status or {}}


def sighting(manifest: Manifest, **state: Any) -> Snapshot:
    """What the watcher makes of it."""
    return Snapshot.of(Kind(manifest["kind"]), resource(manifest, **state))


def settled(manifest: Manifest, *, generation: int = 1, status: dict[str, Any] | None = None, **state: Any) -> Snapshot:
    """A resource whose workflow has brought it to what its spec asks for."""
    return sighting(
        manifest,
        generation=generation,
        status=active(manifest, generation) | (status or {}),
        finalizers=(Kind(manifest["kind"]).finalizer,),
        **state,
    )


def active(manifest: Manifest, generation: int = 1) -> dict[str, Any]:
    """The status of a resource that is what its spec asks for."""
    condition = {"type": active_condition(Kind(manifest["kind"])).value, "status": "True"}
    return {"conditions": [condition], "observedGeneration": generation}


def index_of(*snapshots: Snapshot) -> Index:
    """An index that knows these."""
    index = Index()
    for snapshot in snapshots:
        index.put(snapshot)
    return index
