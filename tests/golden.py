"""Golden files: what the code makes of an input, kept as text beside the test and reviewed like code.

A test compares through the `golden` fixture; `pytest --update-golden` writes the files anew, and the diff is the
review.
"""

from pathlib import Path

import pytest


class Golden:
    """Compares text with a file, or writes the file when asked to."""

    def __init__(self, update: bool) -> None:
        self._update = update

    def check(self, path: Path, text: str) -> None:
        """Fail unless the file holds exactly this text."""
        if self._update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if not path.exists():
            pytest.fail(f"{path} is missing; make it with: pytest --update-golden")
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs; if rightly so: pytest --update-golden"
