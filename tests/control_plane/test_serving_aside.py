"""What is served beside the API, such as metrics: it may fail, and is then told and begun again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from aiohttp import ClientSession
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from control_plane import server
from control_plane.server import listen, serving_aside


async def metrics(_request: Request) -> PlainTextResponse:
    """Something to ask for."""
    return PlainTextResponse("up 1\n")


@pytest.fixture
def address() -> str:
    """A free one."""
    with listen("127.0.0.1:0") as listener:
        return "{}:{}".format(*listener.getsockname())


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits here."""
    monkeypatch.setattr(server, "PAUSE_SECONDS", 0.01)


async def asked(address: str) -> str:
    """The answer, on a connection of its own."""
    async with ClientSession() as session, session.get(f"http://{address}/metrics") as answer:
        return await answer.text()


@pytest.fixture(params=["fails", "ends", "cannot begin"])
def break_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Has uvicorn fail once, from when it is called; tells when it has."""
    armed, broken = asyncio.Event(), asyncio.Event()
    name = "startup" if request.param == "cannot begin" else "on_tick"
    whole = getattr(uvicorn.Server, name)

    async def failing(self: uvicorn.Server, *args: Any, **named: Any) -> Any:
        if armed.is_set() and not broken.is_set():
            broken.set()
            if request.param == "ends":
                return True
            raise RuntimeError("boom")
        return await whole(self, *args, **named)

    def arm() -> asyncio.Event:
        armed.set()
        return broken

    if request.param == "cannot begin":
        armed.set()
    monkeypatch.setattr(uvicorn.Server, name, failing)
    return arm


async def test_what_fails_is_told_and_begun_again(address: str, break_once: Callable[[], asyncio.Event]) -> None:
    """At the same address; and it still ends with the block."""
    app = Starlette(routes=[Route("/metrics", metrics)])
    with capture_logs() as logs:
        async with asyncio.timeout(20), serving_aside(app, address):
            await break_once().wait()
            assert await asked(address) == "up 1\n"
            while not logs:  # noqa: ASYNC110 - a log sets no event
                await asyncio.sleep(0.01)
            assert await asked(address) == "up 1\n"
    [told] = logs
    assert told["log_level"] == "error"
    assert told["event"] == "serving metrics has ended, and is begun again"
    listen(address).close()


async def test_what_ends_with_the_block_is_no_news(address: str) -> None:
    """Nothing is told."""
    with capture_logs() as logs:
        async with serving_aside(Starlette(routes=[Route("/metrics", metrics)]), address):
            assert await asked(address) == "up 1\n"
    assert logs == []
    listen(address).close()
