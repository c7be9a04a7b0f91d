"""Objects as answers show them: whole (`Data` in the service model) or as an item of a list (`Ref`)."""

from typing import Any

from control_plane.api.semantics import KINDS, Kind
from control_plane.api.session import Installation
from control_plane.store.records import ObjectRecord

Answer = dict[str, Any]

REVISION = "revision"
"""Beside the payload, and so not in the body: the revision of the write that left the object as the answer shows it."""


def data(installation: Installation, kind: Kind, record: ObjectRecord, *, deleted_at: int | None = None) -> Answer:
    """The answer of create, describe, update and delete (at that revision): the object as payload."""
    return {
        kind.name: {
            **_names(kind, record),
            "metadata": {**_metadata(installation, record), "uid": record.uid},
            "spec": record.spec,
            "status": {"status": "ACTIVE" if deleted_at is None else "DELETED"},
        },
        REVISION: record.revision if deleted_at is None else deleted_at,
    }


def ref(installation: Installation, kind: Kind, record: ObjectRecord) -> Answer:
    """An item of a list: enough to see by `version` that an object has changed, but no spec, status, uid or tags."""
    return {**_names(kind, record), **_metadata(installation, record)}


def _names(kind: Kind, record: ObjectRecord) -> Answer:
    names = {"meshName": record.key.mesh_name, kind.name_member: record.key.name}
    if record.key.parent and kind.parent:
        names[KINDS[kind.parent].name_member] = record.key.parent
    return names


def _metadata(installation: Installation, record: ObjectRecord) -> Answer:
    return {
        "arn": installation.arns.of(record.key),
        "createdAt": record.created_at,
        "lastUpdatedAt": record.updated_at,
        "meshOwner": installation.account_id,
        "resourceOwner": installation.account_id,
        "version": record.version,
    }
