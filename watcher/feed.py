"""The control plane's change feed, as its reader sees it: where to begin, and what came after. HTTP and nothing else.

An extension of our own control plane (docs/reference/change-feed.md): another App Mesh API answers that it has no such
URL, and then there is no feed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from activities.objects import ApiKind, ApiObject

PATH = "/v1/changes"
WAIT_SECONDS = 50
"""How long the API keeps a request open when nothing happens."""

Sign = Callable[[str, str], Mapping[str, str]]
"""From method and URL to the headers that sign the request."""

INTERRUPTIONS = (TimeoutError, aiohttp.ClientError, OSError, ValueError)
"""What only means to try again; a ValueError is an answer that somebody in between has cut off."""

_KINDS = {kind[0].lower() + kind[1:]: kind for kind in ApiKind}

DENIALS = 12
"""How often in a row an endpoint that had an extension may say that it has none before it is believed, within a minute:
an ingress whose backends are being replaced says so too."""


class NotOffered(Exception):
    """This endpoint has no change feed, or not for us."""


class Forgotten(Exception):
    """The feed does not reach back to where we were: anything may have been written since."""


class Unavailable(OSError):
    """The endpoint has a fault that passes."""


def is_denied(error: Exception, was_offered: bool, failures: int) -> bool:
    """Whether to believe that an extension is not there, and not to ask again soon.

    Args:
        error: how the request failed.
        was_offered: whether the endpoint has had it since it was last believed to have none.
        failures: how many requests failed before this one, in a row.
    """
    return isinstance(error, NotOffered) and (not was_offered or failures >= DENIALS)


@dataclass(frozen=True)
class Written:
    """One write: what was done to which object (None: of a kind that we never write), and by whom."""

    operation: str
    object: ApiObject | None
    by: str | None


@dataclass(frozen=True)
class Page:
    """An answer. `known`: the feed knew where we had left off."""

    revision: int
    written: tuple[Written, ...] = ()
    known: bool = False


class ChangeFeed:
    """The feed of one endpoint, without the writes of `caller`, our own."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, caller: str, sign: Sign) -> None:
        self._session = session
        self._url = endpoint.rstrip("/") + PATH
        self._caller = caller
        self._sign = sign

    async def where_we_were(self) -> Page:
        """Where we left off; where the feed is now when we were never here."""
        return await self._get({"reader": self._caller})

    async def now(self) -> Page:
        """Where the feed is now."""
        return await self._get({})

    async def after(self, revision: int) -> Page:
        """What others wrote after a revision; waits for it. Says, too, that we have dealt with all up to there.

        Raises:
            Forgotten: only a look at everything tells.
            NotOffered: there is no feed.
        """
        return await self._get(
            {
                "after": str(revision),
                "wait": str(WAIT_SECONDS),
                "notBy": self._caller,
                "reader": self._caller,
            }
        )

    async def _get(self, parameters: Mapping[str, str]) -> Page:
        return page_of(await ask(self._session, self._url, parameters, self._sign))


async def ask(session: aiohttp.ClientSession, url: str, parameters: Mapping[str, str], sign: Sign) -> Any:
    """The JSON that an extension of our API answers; it may wait for as long as `WAIT_SECONDS`.

    Raises:
        Forgotten: it no longer knows what is asked for.
        NotOffered: the endpoint has no such extension, or not for us.
        Unavailable: or another of `INTERRUPTIONS`.
    """
    if parameters:
        url = f"{url}?{urlencode(parameters, quote_via=quote, safe='')}"
    limits = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=WAIT_SECONDS + 10)
    # Encoded already: what is sent has to be what was signed.
    async with session.get(
        URL(url, encoded=True), headers=sign("GET", url), timeout=limits, allow_redirects=False
    ) as response:
        if response.status == 410:
            raise Forgotten((await response.text())[:200])
        if response.status >= 500 or response.status == 429:
            raise Unavailable(f"{response.status} {response.reason}")
        if response.status != 200:
            raise NotOffered(f"{response.status} {(await response.text())[:200]}")
        return await response.json(content_type=None)


def page_of(answer: Any) -> Page:
    """What an answer says.

    Raises:
        NotOffered: it is not the answer of a change feed.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("revision"), int):
        raise NotOffered("the answer has no revision")
    written = tuple(_written(change) for change in answer.get("changes") or ())
    return Page(answer["revision"], written, bool(answer.get("known")))


def _written(change: Mapping[str, Any]) -> Written:
    return Written(str(change.get("operation")), object_of(change), change.get("by"))


def object_of(about: Mapping[str, Any]) -> ApiObject | None:
    """The object that an extension tells of; None if it is of a kind that we never write."""
    kind = _KINDS.get(about.get("kind", ""))
    if kind is None:
        return None
    router = about.get("virtualRouterName") if kind is ApiKind.ROUTE else None
    return ApiObject(kind=kind, mesh=about["meshName"], name=about["name"], router=router)
