"""Whether search attributes may be set: the server is asked, and a No is told once."""

from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.service import RPCError, RPCStatusCode

from watcher.searching import ASK_AGAIN_SECONDS, Searchability
from workflows import names


class FakeServer:
    """A client whose server knows these attributes, or does not say."""

    namespace = "default"

    def __init__(self, *known: str) -> None:
        self.known: tuple[str, ...] | None = known
        self.asked = 0
        self.refuses_by = RPCStatusCode.PERMISSION_DENIED
        self.now = 0.0
        self.operator_service = self

    async def list_search_attributes(self, request: Any) -> Any:
        """Answer the question."""
        self.asked += 1
        if self.known is None:
            raise RPCError("no", self.refuses_by, b"")
        return SimpleNamespace(custom_attributes=dict.fromkeys(self.known))

    def searchability(self, choice: Any = "auto") -> Searchability:
        """What a watcher would make of it."""
        client: Any = self
        return Searchability(client, choice, now=lambda: self.now)


async def test_a_server_that_knows_them_is_asked_once():
    """The answer is kept."""
    server = FakeServer(*names.SEARCH_ATTRIBUTES)
    searchability = server.searchability()
    assert [await searchability.given() for _ in range(3)] == [True] * 3
    assert server.asked == 1


async def test_a_lack_is_told_once_and_asked_about_again_after_a_while():
    """Somebody may register them meanwhile."""
    server = FakeServer(names.SEARCH_KIND)
    searchability = server.searchability()
    with capture_logs() as logs:
        for _ in range(3):
            assert not await searchability.given()
            assert not await searchability.given()
            server.now += ASK_AGAIN_SECONDS
        assert server.asked == 3
        [said] = logs
        assert said["log_level"] == "warning"
        assert names.SEARCH_PHASE in said["missing"]
        server.known = tuple(names.SEARCH_ATTRIBUTES)
        assert await searchability.given()


async def test_a_server_that_does_not_say_has_none():
    """Whoever may not ask can say so by the setting."""
    server = FakeServer()
    server.known = None
    assert not await server.searchability().given()
    assert await server.searchability("on").given()


async def test_a_server_that_does_not_answer_has_said_nothing():
    """It is asked again at once when the news is sent again, and not a minute later."""
    server = FakeServer()
    server.known, server.refuses_by = None, RPCStatusCode.UNAVAILABLE
    searchability = server.searchability()
    with pytest.raises(RPCError):
        await searchability.given()
    server.known = tuple(names.SEARCH_ATTRIBUTES)
    assert await searchability.given()


@pytest.mark.parametrize(("choice", "goes_on"), [("auto", True), ("on", False), ("off", False)])
async def test_a_refused_start_is_made_without_them_unless_they_are_insisted_on(choice, goes_on):
    """They were removed from the server after it had been asked."""
    searchability = FakeServer(*names.SEARCH_ATTRIBUTES).searchability(choice)
    await searchability.given()
    assert searchability.refused() is goes_on
    if choice == "auto":
        assert not await searchability.given()
