"""What shells and terminals have of the command line: completion, and colours only where somebody sees them."""

import os
import re
import subprocess
import sys
import termios

import pytest

MESHWRIGHT = [sys.executable, "-m", "cli.main"]
ESCAPE = "\x1b["
COLOUR = re.compile(re.escape(ESCAPE) + r"[0-9;]*m")
COLOURS = [f"{ESCAPE}{bold}{code}m" for bold in ("", "1;") for code in range(30, 38)]


def environment(**more):
    """That of a user whose shell says nothing of colours."""
    telling = ("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "TERM", "COLUMNS")
    return {key: value for key, value in os.environ.items() if key not in telling} | more


def completed(words, number):
    """What bash is offered for the word of that number."""
    asked = environment(_MESHWRIGHT_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(number))
    code = "from cli.main import app; app(prog_name='meshwright')"  # as the installed script, whose name it is
    done = subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def on_a_terminal(command, columns=80, **more):
    """What a command writes to a terminal that is so wide."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    child = subprocess.Popen(command, env=environment(TERM="xterm-256color", **more), stdin=theirs, stdout=theirs)
    os.close(theirs)
    written = b""
    try:
        while read := os.read(ours, 65536):
            written += read
    except OSError:  # how Linux tells that the other side is closed
        pass
    finally:
        os.close(ours)
    assert child.wait(timeout=60) == 0
    return written.decode()


@pytest.mark.parametrize(
    ("words", "number", "offered"),
    [
        pytest.param("meshwright gra", 1, ["graph"], id="a command"),
        pytest.param("meshwright history --li", 2, ["--limit"], id="an option"),
        pytest.param("meshwright graph -o ", 3, ["mermaid", "dot", "svg"], id="a value"),
    ],
)
def test_the_shell_completes(words, number, offered):
    """Commands, options and the values that an option can have."""
    assert completed(words, number) == offered


def test_a_terminal_has_colours_and_a_file_has_none():
    """So that what is piped on is what it says."""
    piped = subprocess.run(
        [*MESHWRIGHT, "status", "--help"], env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    assert ESCAPE not in piped.stdout
    shown = on_a_terminal([*MESHWRIGHT, "status", "--help"])
    assert any(each in shown for each in COLOURS)


def test_a_user_who_wants_no_colours_has_none():
    """`NO_COLOR`, whatever it is set to, as https://no-color.org says; bold is no colour."""
    shown = on_a_terminal([*MESHWRIGHT, "status", "--help"], NO_COLOR="1")
    assert ESCAPE in shown
    assert not any(each in shown for each in COLOURS)


TABLE = """
from cli.tables import Cell, Rows
Rows(("NAME", "MESSAGE"), [("a", Cell("not there yet, " * 10, "red")), ("b", "")], folds=frozenset({"MESSAGE"})).print()
"""


def test_a_table_is_as_wide_as_the_terminal_and_whole_in_a_pipe():
    """Also in a pipe that was made in a terminal, where somebody could still ask how wide that is."""
    shown = on_a_terminal([sys.executable, "-c", TABLE], columns=60)
    lines = [COLOUR.sub("", line) for line in shown.splitlines()]
    assert [line.split(maxsplit=1)[0] for line in lines if line[:1].strip()] == ["NAME", "a", "b"]
    assert (max(map(len, lines)), len(lines) > 3) == (60, True)
    assert any(each in shown for each in COLOURS)

    piped = on_a_terminal(["bash", "-c", '"$0" -c "$1" | cat', sys.executable, TABLE], columns=60)
    assert [line.rstrip() for line in piped.splitlines()] == [
        "NAME  MESSAGE",
        f"a     {('not there yet, ' * 10).strip()}",
        "b",
    ]
