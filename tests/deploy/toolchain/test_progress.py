import io

import pytest

from deploy.local.toolchain.progress import Progress, duration


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (42, "42 s"),
        (89, "89 s"),
        (90, "1 min 30 s"),
        (240, "4 min"),
        (330, "5 min 30 s"),
        (1000, "16 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, text: str):
    """Seconds while they are few, then minutes."""
    assert duration(seconds) == text


def test_a_file_gets_plain_lines():
    """What, about how long, and how long it took; no control characters."""
    said = io.StringIO()
    with Progress(said).step("building x", estimate=240) as step:
        step.tick("now")
    assert said.getvalue() == "building x (about 4 min) ...\nbuilding x: done in 0 s\n"


def test_a_terminal_gets_one_live_line():
    """Elapsed and estimated time, refreshed in place and wiped at the end."""
    said = Terminal()
    with Progress(said).step("building x", estimate=240) as step:
        step.shown = -1.0  # the last refresh is a second ago
        step.tick("7 MB")
    assert "\r\x1b[K  building x: 0 s of about 4 min, 7 MB" in said.getvalue()
    assert said.getvalue().endswith("\r\x1b[Kbuilding x: done in 0 s\n")


def test_a_failed_step_does_not_claim_to_be_done():
    """The error tells the rest."""
    said = io.StringIO()
    progress = Progress(said)

    def fail() -> None:
        with progress.step("building x"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "done" not in said.getvalue()
