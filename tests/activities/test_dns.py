"""Looking host names up: the answers, and that nobody waits long for one."""

import asyncio
import socket
import threading
from collections import Counter

import pytest
from temporalio.testing import ActivityEnvironment

from activities import dns
from activities.dns import DnsActivities
from activities.messages import Resolution, Verdict
from tests.waiting import until


class SlowServer:
    """A name server that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answers = threading.Event()

    def look_up(self, host: str) -> object:
        """Hold the caller until then."""
        self.asked[host] += 1
        assert self.answers.wait(60)
        return []


async def resolve(activities: DnsActivities, host: str) -> Resolution:
    """Run the activity as a worker would."""
    answer: Resolution = await ActivityEnvironment().run(activities.resolve_host, host)
    return answer


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers may take their time, so that a busy machine does not fail a test."""
    monkeypatch.setattr(dns, "IN_TIME", 60.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
async def test_a_name_that_this_machine_knows_resolves(host: str) -> None:
    """By the real resolver; an address is as good as a name."""
    assert await resolve(DnsActivities(), host) == Resolution(host=host, verdict=Verdict.RESOLVES)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "host",
    [
        pytest.param("no-such-host.invalid", id="unknown"),
        pytest.param("a..b", id="empty-label"),
        pytest.param("x" * 64 + ".example", id="label-too-long"),
        pytest.param("", id="empty"),
        pytest.param("with blank", id="blank"),
    ],
)
async def test_what_does_not_resolve_says_why(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a manifest may hold, the activity answers; an empty name is asked for, and not this machine."""
    answer = await resolve(DnsActivities(), host)
    assert answer.verdict is Verdict.FAILS
    assert answer.message


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(socket.gaierror(-2, "Name or service not known"), "Name or service not known", id="unknown"),
        pytest.param(OSError("network is down"), "network is down", id="no-network"),
    ],
)
async def test_the_resolver_s_words_are_kept(error: OSError, message: str) -> None:
    """Its number means nothing to people."""

    def fail(host: str) -> object:
        raise error

    answer = await resolve(DnsActivities(fail), "cart")
    assert answer == Resolution(host="cart", verdict=Verdict.FAILS, message=message)


async def test_a_slow_name_server_holds_nobody_up_and_its_answer_is_not_lost() -> None:
    """The lookup goes on; whoever asks again gets its answer, and only then a new one is made."""
    server = SlowServer()
    activities = DnsActivities(server.look_up)
    pending = Resolution(host="cart", verdict=Verdict.PENDING)
    assert await resolve(activities, "cart") == pending
    assert await resolve(activities, "cart") == pending
    assert server.asked == {"cart": 1}
    server.answers.set()
    await asyncio.to_thread(until, lambda: activities._lookups["cart"][1].done(), what="the answer")
    assert (await resolve(activities, "cart")).verdict is Verdict.RESOLVES
    assert server.asked == {"cart": 1}
    assert (await resolve(activities, "cart")).verdict is Verdict.RESOLVES
    assert server.asked == {"cart": 2}


async def test_an_answer_that_nobody_fetched_grows_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node may have gone, and come back another day."""
    server = SlowServer()
    activities = DnsActivities(server.look_up)
    assert (await resolve(activities, "cart")).verdict is Verdict.PENDING
    server.answers.set()
    await asyncio.to_thread(until, lambda: activities._lookups["cart"][1].done(), what="the answer")
    monkeypatch.setattr(dns, "FRESH", -1.0)
    await resolve(activities, "cart")
    assert server.asked == {"cart": 2}


async def test_a_dead_name_server_takes_no_more_than_so_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond that the answer is to ask later."""
    monkeypatch.setattr(dns, "AT_ONCE", 3)
    monkeypatch.setattr(dns, "IN_TIME", 0.001)
    server = SlowServer()
    activities = DnsActivities(server.look_up)
    answers = [await resolve(activities, f"host-{number}") for number in range(10)]
    assert {answer.verdict for answer in answers} == {Verdict.PENDING}
    assert len(activities._lookups) == 3
    server.answers.set()
    for _, lookup in list(activities._lookups.values()):
        await asyncio.to_thread(lookup.result, 60)
