"""A JSON patch (RFC 6902) that adds to a pod and changes nothing that is there. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Operation = dict[str, Any]


def additions(
    pod: Mapping[str, Any],
    *,
    annotations: Mapping[str, str],
    volumes: Sequence[dict[str, Any]],
    init_containers: Sequence[dict[str, Any]],
    containers: Sequence[dict[str, Any]],
    fs_group: int | None,
) -> Iterator[Operation]:
    """The operations, in the order in which they have to be applied.

    Annotations replace those of the same names; volumes and init containers come after the pod's own, containers
    before them; the group of files, if one is given, is set where the pod has none.
    """
    spec = pod["spec"]
    if annotations:
        if (pod.get("metadata") or {}).get("annotations") is None:
            yield _add("/metadata/annotations", {})
        for name, value in annotations.items():
            yield _add(f"/metadata/annotations/{pointer(name)}", value)
    yield from _appended("/spec/volumes", spec.get("volumes"), volumes)
    yield from _appended("/spec/initContainers", spec.get("initContainers"), init_containers)
    for container in reversed(containers):
        yield _add("/spec/containers/0", container)
    if fs_group is None:
        return
    context = spec.get("securityContext")
    if context is None:
        yield _add("/spec/securityContext", {"fsGroup": fs_group})
    elif context.get("fsGroup") is None:
        yield _add("/spec/securityContext/fsGroup", fs_group)


def pointer(name: str) -> str:
    """A member's name as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _appended(path: str, present: Sequence[Any] | None, added: Sequence[dict[str, Any]]) -> Iterator[Operation]:
    if added and not present:
        yield _add(path, list(added))
        return
    for item in added:
        yield _add(f"{path}/-", item)


def _add(path: str, value: Any) -> Operation:
    return {"op": "add", "path": path, "value": value}
