"""The demo's page, and the progress on it."""

import pytest
from rich.text import Text

from examples.demo.cluster import GONE, Key, State
from examples.demo.errors import Untrue
from examples.demo.progress import PlainLines, states_table
from resources.kinds import Kind
from tests.examples.drawing import drawn, screen_and_text

NODE = Key(Kind.VIRTUAL_NODE, "shop", "cart")
SERVICE = Key(Kind.VIRTUAL_SERVICE, "shop", "cart.shop")
WAITS = State(reason="WaitingForMesh", message="Mesh m does not exist", current=True)
ACTIVE = State(active=True, reason="Active", current=True)


def test_chapters_are_numbered_and_their_text_is_indented() -> None:
    """Titles stand at the margin; what belongs to them does not."""
    screen, text = screen_and_text()
    screen.title("First")
    screen.show("something")
    screen.title("Second")
    assert text.getvalue() == "\n1  First\n   something\n\n2  Second\n"


def test_a_true_statement_is_printed_with_a_tick() -> None:
    """The reader sees what was checked."""
    screen, text = screen_and_text()
    screen.state("the sky is blue", holds=True, otherwise="it is grey")
    assert text.getvalue() == "   ✓ the sky is blue\n"


@pytest.mark.parametrize(
    "otherwise", [pytest.param("it is grey", id="words"), pytest.param(lambda: "it is grey", id="worked-out-late")]
)
def test_a_statement_that_does_not_hold_ends_the_demo(otherwise: str) -> None:
    """The error says what was stated and what is so instead, and nothing is printed as true."""
    screen, text = screen_and_text()
    with pytest.raises(Untrue, match="not true: the sky is blue\nit is grey"):
        screen.state("the sky is blue", holds=False, otherwise=otherwise)
    assert text.getvalue() == ""


def test_a_failure_is_shown_with_its_lines_and_hints() -> None:
    """The first line is the headline; the rest and the place of the logs follow."""
    screen, text = screen_and_text()
    screen.failure("not true: all Active\nMesh m: Pending", ["logs: /tmp/x"])
    assert text.getvalue() == "\n✗  not true: all Active\n   Mesh m: Pending\n   logs: /tmp/x\n"


def test_a_command_to_copy_is_never_wrapped() -> None:
    """However long an address is, it stays on one line."""
    long = "http://127.0.0.1/" + "x" * 300
    assert drawn(long) == f"   {long}\n"


def test_lines_carry_no_blanks_at_their_end() -> None:
    """A table pads its cells; a file that keeps the output need not."""
    assert all(line == line.rstrip() for line in drawn(states_table({NODE: ACTIVE, SERVICE: WAITS})).splitlines())


@pytest.mark.parametrize("terminal", [pytest.param(True, id="terminal"), pytest.param(False, id="pipe")])
def test_colours_appear_on_a_terminal_only(terminal: bool) -> None:
    """A pipe gets plain words."""
    screen, text = screen_and_text(terminal)
    screen.title("First")
    screen.state("true", holds=True)
    assert ("\x1b[" in text.getvalue()) is terminal


def test_in_a_pipe_each_milestone_is_one_line() -> None:
    """A resource is told of when it gets there, once, with the time; not before, and not again."""
    lines: list[str] = []
    clock = iter([0.0, 1.25, 2.0])

    def write(line: Text) -> None:
        lines.append(line.plain)

    with PlainLines(write, [NODE, SERVICE], lambda state: state.active, lambda: next(clock)) as progress:
        progress.show({NODE: WAITS, SERVICE: WAITS})
        progress.show({NODE: ACTIVE, SERVICE: WAITS})
        progress.show({NODE: ACTIVE, SERVICE: ACTIVE})
        progress.show({NODE: ACTIVE, SERVICE: ACTIVE})
    assert lines == [
        "  1.2 s  VirtualNode     cart       Active",
        "  2.0 s  VirtualService  cart.shop  Active",
    ]


def test_on_a_terminal_one_table_shows_how_everything_stands() -> None:
    """The table stays as it was at the end."""
    screen, text = screen_and_text(terminal=True)
    with screen.progress([NODE, SERVICE], lambda state: state.active) as progress:
        progress.show({NODE: WAITS})
        progress.show({NODE: ACTIVE, SERVICE: GONE})
    last = text.getvalue().rsplit("VirtualNode", 1)[1]
    assert "Active" in last
    assert "gone" in last
    assert "WaitingForMesh" not in last
