"""From method and path to operation, by the URIs of the service model.

A tree of path segments. Segments are compared and captured after percent-decoding each on its own, so a name may
contain an encoded slash. Fixed segments win over captured ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from botocore.model import OperationModel

from control_plane.api.errors import BadRequest, MethodNotAllowed, UnknownOperation


class Match(NamedTuple):
    """The operation a request is for, and what its path names."""

    operation: OperationModel
    uri_parameters: dict[str, str]  # by the URI's own names (`meshName`)


@dataclass
class _Segment:
    fixed: dict[str, "_Segment"] = field(default_factory=dict)
    captured: "_Segment | None" = None
    methods: dict[str, tuple[OperationModel, tuple[str, ...]]] = field(default_factory=dict)


class RoutingTable:
    """All operations by URL."""

    def __init__(self, operations: Iterable[OperationModel]) -> None:
        self._root = _Segment()
        for operation in operations:
            self._add(operation)

    def match(self, method: str, raw_path: str) -> Match:
        """The operation for this request; `raw_path` as it came, still percent-encoded.

        Raises:
            UnknownOperation: no operation has such a URL.
            MethodNotAllowed: operations have it, but none by this method.
        """
        segment, captured = self._root, list[str]()
        for part in raw_path.removeprefix("/").split("/"):
            if (following := segment.fixed.get(part)) is None:
                following = segment.captured
                captured.append(_decoded(part))
            if following is None or part == "":
                raise UnknownOperation(f"App Mesh has no operation at {raw_path[:200]}")
            segment = following
        if not segment.methods:
            raise UnknownOperation(f"App Mesh has no operation at {raw_path[:200]}")
        if method not in segment.methods:
            allowed = tuple(sorted(segment.methods))
            raise MethodNotAllowed(f"{method} is not possible here; there is {' and '.join(allowed)}", allowed)
        operation, names = segment.methods[method]
        return Match(operation, dict(zip(names, captured, strict=True)))

    def _add(self, operation: OperationModel) -> None:
        segment, names = self._root, list[str]()
        for part in operation.http["requestUri"].removeprefix("/").split("/"):
            if part.startswith("{"):
                names.append(part.strip("{}"))
                segment.captured = segment.captured or _Segment()
                segment = segment.captured
            else:
                segment = segment.fixed.setdefault(part, _Segment())
        segment.methods[operation.http["method"]] = (operation, tuple(names))


def _decoded(part: str) -> str:
    try:
        name = unquote(part, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("The path is not UTF-8 once percent-decoded") from error
    if "\0" in name:
        raise BadRequest("The path has a NUL character")
    return name
