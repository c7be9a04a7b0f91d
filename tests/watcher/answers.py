"""What a fake feed has to say."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Answers(Generic[Q, A]):
    """Answers, or faults, in the order in which they were put in; then it waits for ever. Notes what was asked."""

    def __init__(self, *answers: A | Exception) -> None:
        self.answers: deque[A | Exception] = deque(answers)
        self.asked: list[Q] = []

    async def answer(self, question: Q) -> A:
        """The next one."""
        self.asked.append(question)
        await asyncio.sleep(0)
        if not self.answers:
            await asyncio.Event().wait()
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer
