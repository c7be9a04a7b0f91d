"""Whether workflows can be found by our search attributes: only where these are registered with the Temporal server.

A server refuses a start with an attribute that it does not know, and fails the tasks of a workflow that sets one. So it
is asked first; where it does not know them everything else works all the same, and that is said once.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

import structlog
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workflows import names

log = structlog.get_logger(__name__)

ASK_AGAIN_SECONDS = 60.0
"""How soon after a No the server is asked again: somebody may have registered them."""

NO_ANSWER = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
    }
)
"""Nothing is known after these, and what was to be told would not get through either: the caller tries again."""

Choice = Literal["auto", "on", "off"]


class Searchability:
    """What is known of one namespace of a Temporal server."""

    def __init__(self, client: Client, choice: Choice = "auto", now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._choice = choice
        self._now = now
        self._asking = asyncio.Lock()
        self._known = choice == "on"
        self._ask_again = 0.0
        self._said = False

    async def given(self) -> bool:
        """Whether search attributes may be set; asks the server only while the answer is no.

        Raises:
            RPCError: the server does not answer.
        """
        if self._known or self._choice != "auto":
            return self._known
        async with self._asking:
            if self._now() >= self._ask_again:
                missing = await self._missing()
                self._known = not missing
                self._ask_again = self._now() + ASK_AGAIN_SECONDS  # also after a Yes: others may wait for the lock
                self._say(missing)
        return self._known

    def refused(self) -> bool:
        """The server did not know them after all; whether going on without them is allowed."""
        if self._choice != "auto" or not self._known:
            return False
        self._known, self._ask_again = False, self._now() + ASK_AGAIN_SECONDS
        return True

    async def _missing(self) -> list[str]:
        try:
            request = ListSearchAttributesRequest(namespace=self._client.namespace)
            answer = await self._client.operator_service.list_search_attributes(request)
        except RPCError as error:
            if error.status in NO_ANSWER:
                raise
            log.info("Temporal does not say which search attributes it knows", error=str(error)[:200])
            return list(names.SEARCH_ATTRIBUTES)
        return [name for name in names.SEARCH_ATTRIBUTES if name not in answer.custom_attributes]

    def _say(self, missing: list[str]) -> None:
        if missing and not self._said:
            self._said = True
            log.warning(
                "workflows cannot be searched by kind, phase and reason: Temporal lacks search attributes; "
                "`meshwright search-attributes` registers them",
                missing=",".join(missing),
            )
        elif not missing and self._said:
            log.info("workflows can be searched by kind, phase and reason from here on")
