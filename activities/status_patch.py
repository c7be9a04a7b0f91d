"""The JSON patch that makes a status what it shall be, as long as it still is what the writer takes it for. Pure.

An attempt that timed out, or whose worker was killed, may reach the API server after a newer one wrote. It carries the
status that it was made to replace as `test` operations, so it is refused then, and a write that nothing came before
costs one request as ever. What is refused is looked at by a writer that is alive: see `KubernetesActivities`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from activities.messages import ResourceKey, Status

Operation = dict[str, Any]

_SPELT_DIFFERENTLY = re.compile(r"\\[ubf]|[<>&]")
"""In JSON text: what Go and Python write in two ways. The API server compares strings as they are spelt."""


def patch_of(wanted: Status) -> list[Operation]:
    """The patch for a status that was last seen as `wanted.before`; unguarded where that is not told."""
    tests = () if wanted.before is None else unchanged("/status", wanted.before or None)
    return [_same_life(wanted.key), *tests, _whole(wanted)]


def patch_upon(found: Mapping[str, Any], wanted: Status) -> list[Operation]:
    """The patch for a resource that was just read."""
    version = found["metadata"]["resourceVersion"]
    return [_same_life(wanted.key), _test("/metadata/resourceVersion", version), _whole(wanted)]


def is_settled(found: Mapping[str, Any], wanted: Status) -> bool:
    """Whether nothing is to be written any more: the status is there already, or a newer one is.

    A newer one is about a later generation that the resource has come to; within one generation the last writer has
    it. What claims a generation that never was is nobody's word.
    """
    stored = found.get("status") or {}
    ours, theirs = wanted.status.get("observedGeneration"), stored.get("observedGeneration")
    newer = isinstance(ours, int) and isinstance(theirs, int) and ours < theirs <= found["metadata"]["generation"]
    return newer or stored == wanted.status


def unchanged(path: str, value: Any) -> Iterator[Operation]:
    """Tests that what is stored at a path is this; texts that the API server would spell differently are left out."""
    if _SPELT_DIFFERENTLY.search(json.dumps(value)) is None:
        yield _test(path, value)
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from unchanged(f"{path}/{_escaped(name)}", member)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unchanged(f"{path}/{index}", item)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _test(path: str, value: Any) -> Operation:
    return {"op": "test", "path": path, "value": value}


def _same_life(key: ResourceKey) -> Operation:
    """A test and not a member, as in a merge patch of a status the API server ignores the uid."""
    return _test("/metadata/uid", key.uid)


def _whole(wanted: Status) -> Operation:
    return {"op": "add", "path": "/status", "value": wanted.status}
