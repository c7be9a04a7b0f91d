"""Backends of a node."""

from collections.abc import Iterator

from control_plane.api.validation import Violation, shown
from control_plane.store.records import Spec


def names(spec: Spec) -> Iterator[str]:
    """The virtual services that a node calls."""
    return (backend["virtualService"]["virtualServiceName"] for backend in spec.get("backends", ()))


def backends_differ(spec: Spec) -> Iterator[Violation]:
    """Each backend is named once: of two policies for one service, which would count?"""
    seen: set[str] = set()
    for index, name in enumerate(names(spec)):
        if name in seen:
            path = f"spec.backends[{index}].virtualService.virtualServiceName"
            yield Violation(path, f"another backend is {shown(name)} already")
        seen.add(name)
