"""From operation name to function, inside the right transaction. The whole API without HTTP."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from botocore.model import OperationModel

from control_plane.api import operations, tagging
from control_plane.api.answers import Answer
from control_plane.api.decoding import Parameters
from control_plane.api.errors import ServiceUnavailable
from control_plane.api.semantics import KINDS, Kind
from control_plane.api.session import Installation, Session
from control_plane.api.validation import refuse
from control_plane.store import changes, tokens
from control_plane.store.database import Database, Write
from control_plane.store.errors import DatabaseUnavailable

HOUSEKEEPING_SECONDS = 60.0


@dataclass(frozen=True)
class _Handler:
    preflight: Callable[[Installation, OperationModel, Parameters], Parameters]
    carry_out: Callable[[Session, Parameters], Answer]
    writes: bool


@dataclass
class Dispatcher:
    """Carries out operations against one database."""

    database: Database
    installation: Installation
    clock: Callable[[], float] = time.time
    _swept_at: float = field(default=0.0, init=False)

    def __call__(self, operation: OperationModel, parameters: Parameters, caller: str | None = None) -> Answer:
        """The answer by member name; `caller` is whom the change log names.

        Raises:
            ApiError: what the caller did wrong or cannot have.
        """
        handler = HANDLERS[operation.name]
        parameters = handler.preflight(self.installation, operation, parameters)
        try:
            if not handler.writes:
                with self.database.read() as connection:
                    return handler.carry_out(Session(self.installation, connection, self.clock()), parameters)
            with self.database.write() as write:
                session = Session(self.installation, write.connection, self.clock(), write, caller)
                answer = handler.carry_out(session, parameters)
                self._sweep(write, session.now)
                return answer
        except DatabaseUnavailable as error:
            raise ServiceUnavailable("The database does not answer; try again") from error

    def _sweep(self, write: Write, now: float) -> None:
        """Forget old tokens and changes, now and then, in passing: no job of its own to run and to watch."""
        if now - self._swept_at >= HOUSEKEEPING_SECONDS:
            self._swept_at = now
            tokens.purge(write, now)
            changes.purge(write)


def _kind_handlers(kind: Kind) -> dict[str, _Handler]:
    def handler(verb: Callable[[Session, Kind, Parameters], Answer], *, writes: bool) -> _Handler:
        def preflight(installation: Installation, operation: OperationModel, parameters: Parameters) -> Parameters:
            return operations.preflight(installation, kind, operation, parameters)

        def carry_out(session: Session, parameters: Parameters) -> Answer:
            return verb(session, kind, parameters)

        return _Handler(preflight, carry_out, writes)

    return {
        f"Create{kind.noun}": handler(operations.create, writes=True),
        f"Describe{kind.noun}": handler(operations.describe, writes=False),
        f"Update{kind.noun}": handler(operations.update, writes=True),
        f"Delete{kind.noun}": handler(operations.delete, writes=True),
        f"List{kind.plural}": handler(operations.list_page, writes=False),
    }


def _tag_preflight(_installation: Installation, _operation: OperationModel, parameters: Parameters) -> Parameters:
    refuse(tagging.tag_violations(parameters.get("tags", [])))
    return parameters


_tag_handler = partial(_Handler, _tag_preflight)

HANDLERS: dict[str, _Handler] = {
    **{name: handler for kind in KINDS.values() for name, handler in _kind_handlers(kind).items()},
    "TagResource": _tag_handler(tagging.tag_resource, writes=True),
    "UntagResource": _tag_handler(tagging.untag_resource, writes=True),
    "ListTagsForResource": _tag_handler(tagging.list_tags_for_resource, writes=False),
}
