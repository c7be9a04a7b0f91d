"""The change feed: `GET /v1/changes`, an extension beside App Mesh's operations.

It answers what was written after a revision, and waits for it when there is nothing yet (long poll). So whoever has to
know of every change asks nothing while nothing happens. Signed as the operations are. Parameters, all optional:

| parameter | meaning |
|---|---|
| `after` | the revision up to which the reader knows everything; without it the answer is where to begin |
| `wait` | seconds to wait for a change, up to 60; 0 by default |
| `notBy` | leave out what this caller wrote, and do not wake for it |
| `reader` | a name under which `after` is remembered; without `after` the answer is where that reader left off |

Names are shared by the keys that may do everything, so that such a key can be renewed; any other has names of its own.

A reader asks again with the answer's `revision` when it has dealt with the answer, not before: then it may die anywhere
and, under its name, begins again where it left off. Nothing is told too few times, something perhaps twice.
"""

import asyncio
import math
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from control_plane.api.access import AccessKey, Right
from control_plane.api.bell import Bell
from control_plane.api.errors import ApiError, BadRequest
from control_plane.api.metrics import ApiMetrics
from control_plane.api.semantics import KINDS
from control_plane.api.signature import SignedRequest
from control_plane.api.validation import is_text
from control_plane.store import changes, readers
from control_plane.store.database import Database
from control_plane.store.errors import ChangesForgotten
from control_plane.store.records import Change

PATH = "/v1/changes"
LONGEST_WAIT = 60.0
PAGE = 1000
POLL_SECONDS = 0.5
"""How often a waiting reader looks where other processes write to the same database, whose writes do not ring here."""


class Forgotten(ApiError):
    """The log does not reach back to that revision, or never got there: the reader must look at everything."""

    code = "ChangesForgottenException"
    status = 410


@dataclass(frozen=True)
class Question:
    """A request's parameters."""

    after: int | None = None
    wait: float = 0.0
    not_by: str | None = None
    reader: str | None = None


class ChangeFeed:
    """Answers `GET /v1/changes` (an `Extension`)."""

    def __init__(self, database: Database, metrics: ApiMetrics, threads: Executor, bell: Bell) -> None:
        self._database = database
        self._metrics = metrics
        self._threads = threads
        self._bell = bell

    async def answer(self, request: SignedRequest, key: AccessKey) -> dict[str, Any]:
        """Answer one request, which this key has signed (an `Extension`)."""
        question = question_of(request.raw_query)
        loop = asyncio.get_running_loop()
        reader = _place(question.reader, key) if question.reader is not None else None
        if question.after is None:
            return await loop.run_in_executor(self._threads, self._beginning, reader)
        if reader is not None:
            await loop.run_in_executor(self._threads, self._remember, reader, question.after)
        return await self._changes(question, question.after, key)

    async def _changes(self, question: Question, after: int, key: AccessKey) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + question.wait
        with self._bell.listener(question.not_by) as heard, self._metrics.feed_waiting.track_inprogress():
            while True:
                heard.clear()
                found = await loop.run_in_executor(self._threads, self._look, after, question.not_by, key)
                left = deadline - loop.time()
                if found["changes"] or left <= 0 or self._bell.closed:
                    return found
                try:
                    async with asyncio.timeout(min(left, POLL_SECONDS) if self._database.shared else left):
                        await heard.wait()
                except TimeoutError:
                    continue  # and look once more: what was left out moves the revision too

    def _beginning(self, reader: readers.Reader | None) -> dict[str, Any]:
        with self._database.read() as connection:
            known = readers.position(connection, reader) if reader is not None else None
        return {
            "revision": known if known is not None else self._database.revision(),
            "known": known is not None,
            "changes": [],
        }

    def _remember(self, reader: readers.Reader, after: int) -> None:
        if after <= self._database.revision() and not readers.remember(self._database, reader, after):
            raise BadRequest(f"reader: {readers.MOST} names of this key are remembered already")

    def _look(self, after: int, not_by: str | None, key: AccessKey) -> dict[str, Any]:
        # Before the changes: one that is committed in between is in the answer, and its revision counts.
        revision = self._database.revision()
        if after > revision:
            raise Forgotten(f"revision {after} lies ahead of this database, which is at {revision}")
        try:
            with self._database.read() as connection:
                found = changes.since(connection, after, at_most=PAGE, not_by=not_by)
        except ChangesForgotten as error:
            raise Forgotten(str(error)) from error
        if len(found) == PAGE:
            revision = found[-1].revision
        elif found:
            revision = max(revision, found[-1].revision)
        told = [_shown(change) for change in found if key.may(Right.READ, change.key.mesh_name)]
        return {"revision": revision, "changes": told}


def question_of(raw_query: str) -> Question:
    """The parameters of a query.

    Raises:
        BadRequest: one is unknown, comes twice or has a value that it cannot have; names it.
    """
    pairs = parse_qsl(raw_query, keep_blank_values=True)
    given = dict(pairs)
    unknown = sorted(given.keys() - {"after", "wait", "notBy", "reader"})
    if unknown:
        raise BadRequest(f"The change feed has no parameter {unknown[0]!r}")
    if len(given) < len(pairs):
        raise BadRequest("A parameter is given twice")
    for name in ("reader", "notBy"):
        if not is_text(given.get(name, "")):
            raise BadRequest(f"{name}: has a character that cannot be stored")
    reader = given.get("reader")
    if reader is not None and not 1 <= len(reader) <= 255:
        raise BadRequest("reader: must have 1 to 255 characters")
    return Question(
        after=_after(given["after"]) if "after" in given else None,
        wait=seconds_of(given["wait"]) if "wait" in given else 0.0,
        not_by=given.get("notBy"),
        reader=reader,
    )


def _place(name: str, key: AccessKey) -> readers.Reader:
    """Where a reader's position is kept: a key that may not do everything cannot move that of another one."""
    return readers.Reader("" if key.may_everything else f"{key.id}:", name)


def _after(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadRequest(f"after: {text[:40]!r} is not a revision")
    return int(text)


def seconds_of(text: str) -> float:
    """A number of seconds that a reader may wait.

    Raises:
        BadRequest: it is none.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_WAIT:
        raise BadRequest(f"wait: {text[:40]!r} is not a number of seconds from 0 to {LONGEST_WAIT:.0f}")
    return seconds


def _shown(change: Change) -> dict[str, Any]:
    key = change.key
    shown: dict[str, Any] = {
        "revision": change.revision,
        "operation": change.operation,
        "kind": key.kind,
        "meshName": key.mesh_name,
        "name": key.name,
        "version": change.version,
        "deleted": change.operation == "delete",
        "by": change.caller,
    }
    parent = KINDS[key.kind].parent
    if key.parent and parent is not None:
        shown[KINDS[parent].name_member] = key.parent
    return shown
