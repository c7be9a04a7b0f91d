"""Shared reads: few requests, and never an answer that is older than the question."""

import asyncio

import pytest

from activities.shared_reads import SharedReads


class Shelf:
    """Something that is read slowly: each read takes what is there when it begins, and is answered when let go."""

    def __init__(self) -> None:
        self.content = 0
        self.reads = 0
        self.let_go = asyncio.Semaphore(0)
        self.fails = False

    async def read(self, _key: str) -> int:
        """One read."""
        self.reads += 1
        found = self.content
        await self.let_go.acquire()
        if self.fails:
            raise OSError("no answer")
        return found


async def turns() -> None:
    """Let everything that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_asks_during_a_read_gets_the_next_one_and_shares_it() -> None:
    """The change that made them ask may have come after the first read began."""
    shelf = Shelf()
    reads = SharedReads(shelf.read)
    first = asyncio.create_task(reads.get("mesh"))
    await turns()
    shelf.content = 1
    later = [asyncio.create_task(reads.get("mesh")) for _ in range(50)]
    await turns()
    assert shelf.reads == 1
    shelf.let_go.release()
    await turns()
    shelf.let_go.release()
    assert (await first, {await each for each in later}, shelf.reads) == (0, {1}, 2)


async def test_nothing_is_remembered() -> None:
    """A read that has been answered serves nobody who asks afterwards; other keys are other reads."""
    shelf = Shelf()
    reads = SharedReads(shelf.read)
    for _ in range(3):
        shelf.let_go.release()
    answers = [await reads.get("mesh")]
    shelf.content = 1
    answers += [await reads.get("mesh"), await reads.get("node")]
    assert (answers, shelf.reads) == ([0, 1, 1], 3)


async def test_a_failure_is_everybodys_and_ends_with_its_read() -> None:
    """All who share it try again, by themselves."""
    shelf = Shelf()
    shelf.fails = True
    reads = SharedReads(shelf.read)
    asking = [asyncio.create_task(reads.get("mesh")) for _ in range(3)]
    await turns()
    shelf.let_go.release()
    await turns()
    shelf.let_go.release()
    assert all(isinstance(each, OSError) for each in await asyncio.gather(*asking, return_exceptions=True))
    shelf.fails = False
    shelf.let_go.release()
    assert await reads.get("mesh") == 0


async def test_one_who_gives_up_takes_nothing_from_the_others() -> None:
    """A time limit of one is no reason for the others to go without."""
    shelf = Shelf()
    reads = SharedReads(shelf.read)
    impatient, patient = (asyncio.create_task(reads.get("mesh")) for _ in range(2))
    await turns()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    shelf.let_go.release()
    await turns()
    shelf.let_go.release()
    assert await patient == 0
