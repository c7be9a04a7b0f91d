"""The activity that resolves a host name where the worker runs, which is meant to be where the node's callers run.

It never holds a reconcile up. A lookup that does not answer in time goes on by itself, the workflow is told so, and
asks again a little later for the answer.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from temporalio import activity

from activities import names
from activities.messages import Resolution, Verdict

IN_TIME = 0.1
"""Seconds that a reconcile waits for an answer; most name servers need a few thousandths."""
FRESH = 60.0
"""Seconds for which an answer that came late is kept for whoever asks again."""
AT_ONCE = 64
"""Lookups under way at a time; each holds a thread, and a dead name server holds it for long."""

Lookup = Callable[[str], object]


def look_up(host: str) -> object:
    """Ask the resolver of this machine.

    Raises:
        OSError: it does not know, or does not answer.
        UnicodeError: this is no host name.
    """
    return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)


class DnsActivities:
    """Lookups under way, by host; `look_up` is a test's to replace."""

    def __init__(self, look_up: Lookup = look_up) -> None:
        self._look_up = look_up
        self._lookups: dict[str, tuple[float, Future[Resolution]]] = {}

    def definitions(self) -> list[Callable[..., Any]]:
        """All of them, for a worker."""
        return [self.resolve_host]

    @activity.defn(name=names.RESOLVE_HOST)
    async def resolve_host(self, host: str) -> Resolution:
        """Whether the name resolves; never fails."""
        lookup = self._lookup(host)
        if lookup is None:
            return Resolution(host=host, verdict=Verdict.PENDING)
        await asyncio.wait([asyncio.wrap_future(lookup)], timeout=IN_TIME)
        if not lookup.done():
            return Resolution(host=host, verdict=Verdict.PENDING)
        self._lookups.pop(host, None)
        return lookup.result()

    def _lookup(self, host: str) -> "Future[Resolution] | None":
        """The lookup under way, or a new one; None while there are too many."""
        now = time.monotonic()
        stale = [name for name, (begun, lookup) in self._lookups.items() if lookup.done() and now - begun > FRESH]
        for name in stale:
            del self._lookups[name]
        if host in self._lookups:
            return self._lookups[host][1]
        if len(self._lookups) >= AT_ONCE:
            return None
        lookup: Future[Resolution] = Future()
        self._lookups[host] = now, lookup
        # A thread of its own, which ends with the process: one of a pool would keep a stopping worker waiting.
        threading.Thread(target=self._run, args=(host, lookup), name="dns", daemon=True).start()
        return lookup

    def _run(self, host: str, lookup: "Future[Resolution]") -> None:
        try:
            self._look_up(host)
        except socket.gaierror as error:
            answer = Resolution(host=host, verdict=Verdict.FAILS, message=error.strerror or str(error))
        except (OSError, UnicodeError) as error:
            answer = Resolution(host=host, verdict=Verdict.FAILS, message=str(error))
        else:
            answer = Resolution(host=host, verdict=Verdict.RESOLVES)
        lookup.set_result(answer)
