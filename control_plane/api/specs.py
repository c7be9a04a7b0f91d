"""A spec on its way in: what the server leaves out and what it fills in before storing it."""

from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from control_plane.api.semantics import Kind
from control_plane.store.records import Spec


def normalised(kind: Kind, shape: Shape, spec: Spec) -> Spec:
    """The spec as it is stored and echoed: without empty members, with what the server writes into it."""
    pruned: Spec = _pruned(shape, spec)
    return kind.completed(pruned)


def _pruned(shape: Shape, value: Any) -> Any:
    """Without empty objects and lists, save required ones: what is echoed must be a valid request again."""
    if isinstance(shape, ListShape):
        return [_pruned(shape.member, item) for item in value]
    if not isinstance(shape, StructureShape):
        return value
    members = {name: _pruned(shape.members[name], given) for name, given in value.items()}
    return {name: given for name, given in members.items() if given not in ({}, []) or name in shape.required_members}
