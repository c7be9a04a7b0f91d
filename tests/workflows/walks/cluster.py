"""Kubernetes of a walk: the model of the other tests, with finalizers that matter and a log for the watcher."""

from collections import deque
from copy import deepcopy
from typing import Any

from activities import names
from activities.errors import failed
from activities.failures import Failure
from resources.base import Model
from resources.kinds import Kind
from resources.mesh import MeshStatus
from resources.virtual_node import VirtualNodeStatus
from resources.virtual_service import VirtualServiceStatus
from tests.workflows.cluster_activities import ClusterModel, Resource
from tests.workflows.walks.driving import Activities
from watcher.stream import Listing, Sighting

Place = tuple[Kind, str | None, str]

_STATUSES: dict[Kind, type[Model]] = {
    Kind.MESH: MeshStatus,
    Kind.VIRTUAL_NODE: VirtualNodeStatus,
    Kind.VIRTUAL_SERVICE: VirtualServiceStatus,
}
_ON_ONE = frozenset({names.ADD_FINALIZER, names.REMOVE_FINALIZER, names.WRITE_STATUS, names.DELETE_RESOURCE})


class Cluster:
    """Resources, what a watch would tell of them and nobody has heard yet, and the activities that work on them."""

    def __init__(self) -> None:
        self.model = ClusterModel()
        self.unseen: dict[Kind, deque[Sighting]] = {kind: deque() for kind in Kind}
        self.activities = Activities(self.model.definitions())
        self._lives = 0

    @property
    def resources(self) -> dict[Place, Resource]:
        """All of them."""
        return self.model.resources

    def apply(self, manifest: Resource) -> bool:
        """Create or edit; False when nothing came of it. What is being deleted is left as it is."""
        place = Kind(manifest["kind"]), manifest["metadata"].get("namespace"), manifest["metadata"]["name"]
        old = self.resources.get(place)
        if old is None:
            self._lives += 1
            self.model.apply(deepcopy(manifest), uid=f"uid-{self._lives:03}")
            self._tell(place, "ADDED")
            return True
        if "deletionTimestamp" in old["metadata"]:
            return False
        before = deepcopy(old)
        self.model.apply(deepcopy(manifest))
        old["metadata"]["annotations"] = dict(manifest["metadata"].get("annotations", {}))
        return self._tell_if_changed(place, before)

    def delete(self, place: Place) -> None:
        """Ask for a deletion: what nobody holds by a finalizer is gone at once."""
        found = self.resources.get(place)
        if found is None or "deletionTimestamp" in found["metadata"]:
            return
        if not found["metadata"].get("finalizers"):
            self.force(place)
            return
        self.model.delete(*place)
        found["metadata"]["generation"] += 1  # as the API server does
        self._tell(place, "MODIFIED")

    def force(self, place: Place) -> None:
        """Take a resource away, whoever holds it."""
        if place in self.resources:
            self._tell(place, "DELETED")
            del self.resources[place]

    def run(self, name: str, argument: Any) -> Any:
        """The result of an activity, or its failure. What it changes is told."""
        if name not in _ON_ONE:
            return self.activities.run(name, argument)
        key = argument if name == names.DELETE_RESOURCE else argument.key
        place = key.kind, key.namespace, key.name
        found = self.resources.get(place)
        lives = found is not None and found["metadata"]["uid"] == key.uid
        if name == names.DELETE_RESOURCE and lives:
            self.delete(place)
            return None
        before = deepcopy(found)
        if name == names.REMOVE_FINALIZER and found and lives and "deletionTimestamp" not in found["metadata"]:
            return failed(Failure.UNAVAILABLE, f"{place} was to be let go, and is not being deleted")
        result = self.activities.run(name, argument)
        if before is not None and place not in self.resources:
            self.resources[place] = before
            self.force(place)
        elif before is not None:
            if name == names.WRITE_STATUS:
                self._prune(place)
            self._tell_if_changed(place, before)
        return result

    def listings(self) -> list[Listing]:
        """All that there is; what was not seen yet is seen by this."""
        for unseen in self.unseen.values():
            unseen.clear()
        self.model._version += 1
        version = str(self.model._version)
        found: dict[Kind, list[Resource]] = {kind: [] for kind in Kind}
        for place, resource in self.resources.items():
            found[place[0]].append(deepcopy(resource))
        return [Listing(kind, tuple(items), version) for kind, items in found.items()]

    def _prune(self, place: Place) -> None:
        """Keep what the schema knows, as the API server does."""
        resource = self.resources[place]
        status = _STATUSES[place[0]].model_validate(resource["status"])
        resource["status"] = status.model_dump(by_alias=True, exclude_unset=True, mode="json")

    def _tell_if_changed(self, place: Place, before: Resource) -> bool:
        changed = self.resources[place] != before
        if changed:
            self._tell(place, "MODIFIED")
        return changed

    def _tell(self, place: Place, type: Any) -> None:
        self.model.see(*place)  # every change has a resourceVersion, the last one too
        self.unseen[place[0]].append(Sighting(place[0], type, deepcopy(self.resources[place])))
