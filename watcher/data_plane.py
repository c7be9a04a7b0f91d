"""Following how proxies stand, as our control plane tells it; another App Mesh API does not: then nothing is said.

Every answer is the whole state, so nothing has to be remembered: a watcher that dies or misses an answer has missed
nothing that the next one does not tell.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import aiohttp
import structlog

from watcher.feed import INTERRUPTIONS, WAIT_SECONDS, Forgotten, NotOffered, Sign, ask, is_denied, object_of
from watcher.index import Index
from watcher.patience import retry_delay
from watcher.proxies import Complaint, MeshStanding, Proxies, Standing
from workflows.messages import Change

PATH = "/v1/data-plane"
OFFERED_AGAIN_SECONDS = 600.0
"""How often an endpoint that does not tell of proxies is asked whether it does now."""

log = structlog.get_logger(__name__)


class Feed(Protocol):
    """See `StandingFeed`."""

    async def after(self, version: str | None) -> Standing:
        """Another standing than this one."""


class StandingFeed:
    """What one endpoint tells of proxies."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, sign: Sign) -> None:
        self._session = session
        self._url = endpoint.rstrip("/") + PATH
        self._sign = sign

    async def after(self, version: str | None) -> Standing:
        """How proxies stand; waits until that is another version than this, or for a while.

        Raises:
            NotOffered: it does not tell.
        """
        parameters = {} if version is None else {"after": version, "wait": str(WAIT_SECONDS)}
        return standing_of(await ask(self._session, self._url, parameters, self._sign))


class DataPlaneWatch:
    """One per process; any number may run at once, as what is told is compared with what the status says."""

    def __init__(
        self,
        feed: Feed,
        proxies: Proxies,
        index: Index,
        listed: asyncio.Event,
        tell: Callable[[Iterable[Change]], None],
    ) -> None:
        self._feed = feed
        self._proxies = proxies
        self._index = index
        self._listed = listed
        self._tell = tell

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._listed.wait()
        version: str | None = None
        failures = 0
        while True:
            try:
                standing = await self._feed.after(version)
            except (NotOffered, Forgotten, *INTERRUPTIONS) as error:
                if isinstance(error, Forgotten) or is_denied(error, version is not None, failures):
                    log.info("nobody tells of proxies", error=str(error))
                    self._proxies.forget()
                    version, failures = None, 0
                    await asyncio.sleep(OFFERED_AGAIN_SECONDS)
                    continue
                delay = retry_delay(failures)
                log.info("proxies cannot be followed", error=(str(error) or type(error).__name__)[:200], retry_in=delay)
                failures += 1
                await asyncio.sleep(delay)
            else:
                version, failures = standing.version, 0
                self._tell(self._proxies.take(standing, self._index))


def standing_of(answer: Any) -> Standing:
    """What an answer says.

    Raises:
        NotOffered: it is not the answer of our control plane.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("version"), str):
        raise NotOffered("the answer has no version")
    return Standing(answer["version"], {mesh["meshName"]: _mesh(mesh) for mesh in answer.get("meshes") or ()})


def _mesh(shown: Mapping[str, Any]) -> MeshStanding:
    complaints = (
        Complaint(object, each["what"], each.get("field", ""), each.get("message", ""), each.get("proxy", ""))
        for each in shown.get("complaints") or ()
        if (object := object_of(each["object"])) is not None
    )
    return MeshStanding(shown["proxies"], shown["revision"], tuple(complaints))
