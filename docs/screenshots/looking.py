"""Has a real browser look at pages: whether they show what they should, and for pictures of them.

The stack lives in `.venv`, the browser's driver in `.venv-tools`: `browser.py` is run there, and given looks as JSON.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

PYTHON = Path(__file__).parents[2] / ".venv-tools" / "bin" / "python"


class NotSeen(AssertionError):
    """A page did not show what it should, or showed what it should not."""


@dataclass(frozen=True)
class Look:
    """At one page, until it shows this text; then nothing that is hidden may be there."""

    url: str
    shows: str
    hides: tuple[str, ...] = ()
    storage: Mapping[str, object] = field(default_factory=dict)
    """What the browser has in its local storage for the page, as JSON: what a person set there with the mouse, once."""
    picture: Path | None = None
    width: int = 1280
    height: int = 900


def lacking() -> str | None:
    """What is missing for a browser to look; None: nothing."""
    if not PYTHON.exists():
        return "there is no .venv-tools (`make docs` makes it)"
    if shutil.which("chromium") is None:
        return "there is no chromium (apt-get install chromium)"
    return None


def look(*looks: Look) -> None:
    """Look at all of them, in this order.

    Raises:
        NotSeen: a page is not as it should be.
    """
    order = json.dumps([asdict(each) for each in looks], default=str)
    script = Path(__file__).with_name("browser.py")
    done = subprocess.run(
        [str(PYTHON), str(script)], input=order, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        raise NotSeen(done.stderr[-2000:])
