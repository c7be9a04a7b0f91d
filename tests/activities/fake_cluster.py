"""A Kubernetes API in memory, behind the same seam as the real one: `ResourceApi`.

It keeps the rules that our activities lean on: resourceVersions and uids as preconditions, generations, finalizers that
hold a deleted resource, the status as a part of its own. `test_kubernetes.py` runs the same cases on a real API server.
"""

import copy
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

from kubernetes.aio.client.exceptions import ApiException

from activities.resource_api import JSON_PATCH, Body, collection_path, resource_path
from resources.kinds import Kind

Json = dict[str, Any]
Told = Callable[[str, Json], None]


class FakeCluster:
    """Resources by path; `told` hears of every change, as a watch would."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.namespaces = {"default": "Active", "prod": "Active"}
        self.requests: list[tuple[str, str]] = []
        self.told: Told = lambda type, resource: None
        self.fault: Callable[[str, str], ApiException | None] = lambda method, path: None
        self._versions = itertools.count(100)
        self._uids = itertools.count(1)

    async def request(
        self, method: str, path: str, body: Body | None = None, content_type: str = "application/json"
    ) -> Json:
        """See `ResourceApi`."""
        self.requests.append((method, path))
        if (fault := self.fault(method, path)) is not None:
            raise fault
        return copy.deepcopy(self._answer(method, path, body, content_type))

    def put(self, manifest: Mapping[str, Any]) -> Json:
        """What `kubectl apply` does: create, or replace the spec, which counts the generation up if it differs."""
        kind, metadata = Kind(manifest["kind"]), manifest["metadata"]
        path = resource_path(kind, metadata.get("namespace"), metadata["name"])
        found = self.objects.get(path)
        if found is None:
            server = {"uid": f"uid-{next(self._uids)}", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
            self.objects[path] = found = copy.deepcopy({**manifest, "metadata": {**metadata, **server}})
            return self._stored("ADDED", found)
        if found["spec"] != manifest["spec"]:
            found["spec"] = copy.deepcopy(manifest["spec"])
            found["metadata"]["generation"] += 1
            self._stored("MODIFIED", found)
        return found

    def vanish(self, path: str) -> None:
        """Take a resource away by force, finalizers or not."""
        self.told("DELETED", self.objects.pop(path))

    def _answer(self, method: str, path: str, body: Any, content_type: str) -> Json:
        if path.startswith("/api/v1/namespaces"):
            return self._core(method, path, body)
        collection = next((kind for kind in Kind if path.endswith(f"/{kind.plural}")), None)
        if method == "GET" and collection is not None:
            return {"items": [found for found in self.objects.values() if _is_in(path, found)]}
        if method == "POST":
            return self.put(body)
        found = self.objects.get(path.removesuffix("/status"))
        if found is None:
            raise absent(path.removesuffix("/status").rsplit("/", 1)[-1])
        if method == "DELETE":
            return self._delete(path, found, (body or {}).get("preconditions", {}).get("uid"))
        if method == "PATCH" and content_type == JSON_PATCH:
            return self._patch_status(found, body)
        return self._patch_finalizers(path, found, body["metadata"]) if method == "PATCH" else found

    def _core(self, method: str, path: str, body: Any) -> Json:
        if method == "GET":
            return self.objects[path]
        name = [*path.split("/"), ""][4] or body["metadata"]["name"]
        if method == "DELETE":
            self.namespaces[name] = "Terminating"
        elif not path.endswith("/events"):
            self.namespaces[name] = "Active"
        elif name not in self.namespaces:
            raise absent(name)
        elif self.namespaces[name] == "Terminating":
            raise _refusal(403, f"unable to create new content in namespace {name} because it is being terminated")
        elif (place := f"{path}/{body['metadata']['name']}") in self.objects:
            raise _refusal(409, "already exists")
        else:
            self.objects[place] = body
        return body or {}

    def _delete(self, path: str, found: Json, uid: str | None) -> Json:
        metadata = found["metadata"]
        if uid not in (None, metadata["uid"]):
            message = f"the UID in the precondition ({uid}) does not match the UID in record ({metadata['uid']})"
            raise _refusal(409, message)
        if not metadata.get("finalizers"):
            self.vanish(path)
        elif "deletionTimestamp" not in metadata:
            metadata |= {"deletionTimestamp": "2026-01-02T00:00:00Z", "generation": metadata["generation"] + 1}
            self._stored("MODIFIED", found)
        return found

    def _patch_finalizers(self, path: str, found: Json, patch: Json) -> Json:
        metadata = found["metadata"]
        if patch["resourceVersion"] != metadata["resourceVersion"]:
            raise _refusal(409, "the object has been modified")
        if patch["uid"] != metadata["uid"]:
            raise _refusal(422, "metadata.uid: field is immutable")
        if "deletionTimestamp" in metadata and not set(patch["finalizers"]) <= set(metadata.get("finalizers", ())):
            raise _refusal(422, "no new finalizers can be added if the object is being deleted")
        metadata["finalizers"] = list(patch["finalizers"])
        if "deletionTimestamp" in metadata and not metadata["finalizers"]:
            self.vanish(path)
            return found
        return self._stored("MODIFIED", found)

    def _patch_status(self, found: Json, patch: list[Json]) -> Json:
        *tests, add = patch
        if any(_at(test["path"], found) != test["value"] for test in tests):
            raise _refusal(422, "the server rejected our request due to an error in our request")
        found["status"] = copy.deepcopy(add["value"])
        return self._stored("MODIFIED", found)

    def _stored(self, type: str, found: Json) -> Json:
        found["metadata"]["resourceVersion"] = str(next(self._versions))
        self.told(type, copy.deepcopy(found))
        return found


def _is_in(path: str, found: Json) -> bool:
    """Whether a resource is in the collection at a path: all of its kind, or those of its namespace."""
    if "involvedObject" in found:
        return False
    kind = Kind(found["kind"])
    return path in (collection_path(kind), collection_path(kind, found["metadata"].get("namespace")))


def _at(pointer: str, found: Any) -> Any:
    """What a JSON pointer points at; None when nothing is there."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(name) if isinstance(found, list) else name]
        except (LookupError, TypeError):
            return None
    return found


def absent(name: str) -> ApiException:
    """The API server's own word that it has no object of this name."""
    status = {"kind": "Status", "status": "Failure", "reason": "NotFound", "details": {"name": name}, "code": 404}
    return ApiException(status=404, reason="Not Found", body=json.dumps(status))


def _refusal(status: int, message: str) -> ApiException:
    return ApiException(status=status, reason="refused", body=message)
