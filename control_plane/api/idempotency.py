"""Client tokens: a repeated request is answered as it was the first time, and done once.

A token stands for one request: operation, names, spec and tags. The same again gets the recorded answer and writes
nothing, even if the object was changed meanwhile; another request under the same token is a Conflict. If the object of
the recorded answer is gone (its uid no longer exists), the answer would be a lie: the request is carried out anew.
Failed requests are not recorded; they may be repeated as they are.
"""

import json
from collections.abc import Callable
from hashlib import sha256

from control_plane.api.answers import Answer
from control_plane.api.decoding import Parameters
from control_plane.api.errors import Conflict
from control_plane.api.session import Session
from control_plane.store import objects, tokens
from control_plane.store.records import TokenRecord


def once(
    session: Session, operation: str, parameters: Parameters, carry_out: Callable[[], tuple[str, Answer]]
) -> Answer:
    """The answer of `carry_out` (which returns the object's uid too), or of the first time with this token.

    Raises:
        Conflict: the token was used for another request.
    """
    token = parameters.get("clientToken")
    if token is None:
        return carry_out()[1]
    fingerprint = _fingerprint(operation, parameters)
    recorded = tokens.get(session.connection, token)
    if recorded is not None and recorded.expires_at > session.now:
        if recorded.fingerprint != fingerprint:
            raise Conflict(f"The client token {token} was used for a request that differs from this {operation}")
        if objects.exists(session.connection, recorded.uid):
            answer: Answer = recorded.answer
            return answer
    uid, answer = carry_out()
    expires_at = session.now + tokens.LIFETIME_SECONDS
    record = TokenRecord(token, fingerprint, uid, answer, expires_at)
    tokens.put(session.write, record, replaces=recorded is not None)
    return answer


def _fingerprint(operation: str, parameters: Parameters) -> str:
    request = {name: value for name, value in parameters.items() if name != "clientToken"}
    return sha256(json.dumps([operation, request], sort_keys=True).encode()).hexdigest()
