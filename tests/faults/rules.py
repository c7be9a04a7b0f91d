"""Rules for the proxies: which calls a fault strikes. Pure, but for the gates; the same seed gives the same faults."""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable

import botocore.session

from tests.faults.proxy import Call, Fault, Gate, Rule

Choice = Callable[[Call], bool]
"""Which calls."""

REFUSALS = {
    429: "TooManyRequestsException",
    500: "InternalServerErrorException",
    503: "ServiceUnavailableException",
}
"""What an API under strain answers."""


@functools.cache
def _operations() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    model = botocore.session.get_session().get_service_model("appmesh")
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\{[^}]*\}", "[^/]+", http["requestUri"].partition("?")[0])
        found.append((http["method"], re.compile(pattern), name))
    return tuple(found)


@functools.cache
def _operation(method: str, path: str) -> str:
    return next((name for verb, uri, name in _operations() if verb == method and uri.fullmatch(path)), "")


def operation(call: Call) -> str:
    """The App Mesh operation, such as `CreateRoute`; empty for what is none."""
    return _operation(call.method, call.plain_path)


def is_write(call: Call) -> bool:
    """Whether an App Mesh call changes something."""
    return operation(call).startswith(("Create", "Update", "Delete"))


def is_kubernetes_write(call: Call) -> bool:
    """Whether a Kubernetes call changes something; those of our processes, as tests do not use the proxy."""
    return call.method in ("POST", "PUT", "PATCH", "DELETE")


def is_watch(call: Call) -> bool:
    """Whether a Kubernetes call is a watch."""
    return "watch=1" in call.path


def is_list(call: Call) -> bool:
    """Whether a Kubernetes call is one of the watcher's lists of a kind."""
    return call.method == "GET" and not is_watch(call) and "limit=500" in call.path


def mentioning(*texts: str, among: Choice = is_write) -> Choice:
    """Calls of a sort that name one of these."""
    return lambda call: among(call) and any(call.mentions(text) for text in texts)


def both(*rules: Rule) -> Rule:
    """The first rule that has something to say."""
    return lambda call: next((fault for rule in rules if (fault := rule(call)) is not None), None)


def nth(choice: Choice, number: int, fault: Fault) -> Rule:
    """The fault strikes the call of a sort that has this number, counted from 0, and no other."""
    seen = iter(range(1_000_000))

    def rule(call: Call) -> Fault | None:
        return fault if choice(call) and next(seen) == number else None

    return rule


def held(choice: Choice, number: int, gate: Gate, after: bool) -> Rule:
    """The call with this number waits at a gate, before or after it took effect."""
    return nth(choice, number, Fault(hold_after=gate) if after else Fault(hold_before=gate))


def refused(code: int) -> Fault:
    """An answer that says: not now."""
    headers = {"x-amzn-errortype": REFUSALS[code], "Content-Type": "application/json"}
    return Fault(answer=(code, headers, json.dumps({"message": "strained, by order of a test"}).encode()))


def strained(seed: int, share: float, choice: Choice, faults: Iterable[Fault]) -> Rule:
    """A share of the calls of a sort meets one of these faults; which is decided by the call and its attempt alone.

    So the same work meets the same faults however its calls interleave, and no call meets faults for ever.
    """
    several = tuple(faults)

    def rule(call: Call) -> Fault | None:
        if not choice(call):
            return None
        text = f"{seed} {call.attempt} {call.method} {call.path}".encode() + call.body
        dice = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
        return several[dice % len(several)] if (dice >> 16) % 1000 < share * 1000 else None

    return rule


def expired_watches() -> Rule:
    """Every watch is told that its place in history is gone."""
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    line = json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
    gone = Fault(answer=(200, {"Content-Type": "application/json"}, line))
    return lambda call: gone if is_watch(call) else None
