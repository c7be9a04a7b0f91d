"""Telling people what takes so long: one live line on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_LIVE_EVERY = 0.5
_PLAIN_EVERY = 30.0


class Progress:
    """Where the toolchain speaks; nothing is said when everything is at hand."""

    def __init__(self, stream: TextIO | None = None, live: bool | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty() if live is None else live

    def say(self, text: str) -> None:
        """One line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    @contextmanager
    def step(self, text: str, estimate: float | None = None) -> Iterator["Step"]:
        """A step that takes its time; the block calls `tick` as often as it likes."""
        about = f" (about {duration(estimate)})" if estimate else ""
        self.say(f"{text}{about} ...")
        step = Step(self, text, estimate)
        try:
            yield step
        except BaseException:
            self.clear()
            raise
        self.clear()
        self.say(f"{text}: done in {duration(step.elapsed)}")

    def show(self, text: str, step: "Step") -> None:
        """Refresh the live line, or say a plain one when the last is long ago."""
        every = _LIVE_EVERY if self._live else _PLAIN_EVERY
        if step.elapsed - step.shown < every:
            return
        step.shown = step.elapsed
        if self._live:
            self._stream.write(f"\r\x1b[K  {text}")
            self._stream.flush()
        else:
            self.say(f"  {text}")

    def clear(self) -> None:
        """Take the live line away."""
        if self._live:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


class Step:
    """One running step."""

    def __init__(self, progress: Progress, text: str, estimate: float | None) -> None:
        self._progress = progress
        self._text = text
        self._estimate = estimate
        self._started = time.monotonic()
        self.shown = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._started

    def tick(self, detail: str = "") -> None:
        """Still at it; `detail` is what there is to say beyond the time."""
        of = f" of about {duration(self._estimate)}" if self._estimate else ""
        self._progress.show(f"{self._text}: {duration(self.elapsed)}{of}{detail and ', ' + detail}", self)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
