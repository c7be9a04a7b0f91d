"""What describes answer, kept until something else is true.

Whoever describes an object mostly did so before, or has just written it. What is kept here is true as of one revision,
and is given only while that is the database's newest: so what another process has written counts at once, too. Each
write of ours makes it one more, and changes one object; whatever else happened makes us forget everything.

For databases that tell their revision without being waited for (`Database.glance`).
"""

from collections.abc import Callable

from control_plane.api.decoding import Parameters
from control_plane.api.http import Response
from control_plane.api.operations import key_of
from control_plane.api.semantics import KINDS

MOST_BYTES = 16 << 20
"""Of bodies: those of some ten thousand objects."""

_DESCRIBES = {f"Describe{kind.noun}": kind for kind in KINDS.values()}
_PUTS = {f"{verb}{kind.noun}": kind for verb in ("Create", "Update") for kind in KINDS.values()}
_DELETES = {f"Delete{kind.noun}": kind for kind in KINDS.values()}


class Shown:
    """Responses by object. `recall` may be called at any time; operations are carried out one after the other."""

    def __init__(self, glance: Callable[[], int | None], most_bytes: int = MOST_BYTES) -> None:
        """`glance` tells the database's newest revision, or None when it would have to wait."""
        self._glance = glance
        self._as_of = glance()
        self._most_bytes = most_bytes
        self._bytes = 0
        # Plain tuples of plain values: of ten thousand others the garbage collector would look at each, over and over.
        self._known: dict[tuple[str, ...], tuple[bytes, int | None]] = {}

    def recall(self, operation: str, parameters: Parameters) -> Response | None:
        """The answer to this request, if it is known."""
        kind = _DESCRIBES.get(operation)
        if kind is None or "meshOwner" in parameters or self._as_of is None or self._glance() != self._as_of:
            return None
        known = self._known.get(tuple(key_of(kind, parameters)))
        return None if known is None else Response(200, known[0], revision=known[1])

    def carry_out(
        self, operation: str, parameters: Parameters, *, writes: bool, respond: Callable[[], Response]
    ) -> Response:
        """The response of an operation, of which is kept what describes would answer."""
        before = self._glance()
        if before != self._as_of:
            self._forget_everything(before)
        response = respond()
        after = self._glance()
        if before is None or after != before + writes:
            self._forget_everything(after)
        elif (kind := _DESCRIBES.get(operation)) or ((kind := _PUTS.get(operation)) and response.revision == after):
            self._keep(tuple(key_of(kind, parameters)), response)
        elif kind := _DELETES.get(operation):
            self._forget(tuple(key_of(kind, parameters)))
        # Otherwise it changed tags, or a token brought an old answer back; neither changes what a describe says.
        self._as_of = after
        return response

    def _keep(self, key: tuple[str, ...], response: Response) -> None:
        self._forget(key)
        self._known[key] = (response.body, response.revision)
        self._bytes += len(response.body)
        while self._bytes > self._most_bytes:
            self._forget(next(iter(self._known)))

    def _forget(self, key: tuple[str, ...]) -> None:
        if (known := self._known.pop(key, None)) is not None:
            self._bytes -= len(known[0])

    def _forget_everything(self, as_of: int | None) -> None:
        self._known.clear()
        self._bytes, self._as_of = 0, as_of
