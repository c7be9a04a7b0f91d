"""A conversation with a process that takes and gives lines of JSON."""

import json
import subprocess
from typing import Any


class Dialogue:
    """What is said to a process with pipes for text, and what it says."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout

    def ask(self, what: Any) -> Any:
        """Say something, and hear the answer."""
        self._to.write(f"{json.dumps(what)}\n")
        self._to.flush()
        return self.hear()

    def hear(self) -> Any:
        """The next thing that it says; fails when it has ended."""
        return json.loads(self._from.readline())

    def end(self) -> Any:
        """Say that this was all, and hear its last word."""
        self._to.close()
        return self.hear()
