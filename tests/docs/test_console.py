"""Transcripts are read and run as they are meant; and of every page it is known whether they are run."""

from pathlib import Path

import pytest

from tests.docs.console import ROOT, Block, Command, Failed, Shell, blocks

PAGE = """Text.

```console
$ echo one \\
    two
one two
$ true
```

<!-- not run: needs a cluster -->
```console
$ kubectl drain
```

1. A list:

   ```console
   $ false
   ```
"""


def pages() -> list[Path]:
    """All pages with transcripts."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if "```console" in page.read_text()]


def test_a_transcript_is_commands_with_what_they_print():
    """With a reason where it is not run, and inside a list too."""
    assert list(blocks(PAGE)) == [
        Block((Command("echo one \\\n    two", "one two", 4), Command("true", "", 7)), None, 4),
        Block((Command("kubectl drain", "", 12),), "needs a cluster", 12),
        Block((Command("false", "", 18),), None, 18),
    ]


def test_commands_share_a_shell_and_fail_with_their_line(tmp_path: Path):
    """What is exported stays; what fails, or prints something else, is told."""
    with Shell(tmp_path, {"PATH": "/usr/bin:/bin"}) as shell:
        shell.run(Command("export A=1 && cd /", "", 1))
        assert shell.run(Command('echo "$A $PWD"', "1 /", 2)) == "1 /"
        with pytest.raises(Failed, match=r"line 3: `false` ended with 1"):
            shell.run(Command("false", "", 3))
        with pytest.raises(Failed, match="should print\ntwo\nand printed\none"):
            shell.run(Command("echo one", "two", 4))
        shell.run(Command("sleep 1000 > /dev/null &", "", 5))


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_transcript_is_run_or_says_why_not(page: Path):
    """A new page cannot go unnoticed."""
    from tests.docs.test_commands import RUN

    shown = str(page.relative_to(ROOT))
    if shown not in RUN:
        assert [f"{shown}:{each.line}" for each in blocks(page.read_text()) if each.not_run is None] == []
