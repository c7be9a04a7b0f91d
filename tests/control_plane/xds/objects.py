"""Objects of a mesh for the data plane's tests."""

from typing import Any

from control_plane.store.records import ObjectKey, ObjectRecord


def record(kind: str, name: str, spec: dict[str, Any] | None = None, **more: Any) -> ObjectRecord:
    """An object of the mesh `m`, or of `mesh=`; of a parent with `parent=`, at `version=`."""
    key = ObjectKey(kind, "" if kind == "mesh" else more.get("mesh", "m"), more.get("parent", ""), name)
    version = more.get("version", 1)
    return ObjectRecord(key, "/".join(key), spec or {}, version, 0.0, 0.0, more.get("revision", version))
