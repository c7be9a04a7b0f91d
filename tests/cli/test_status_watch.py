"""What `meshwright status --watch` shows of many resources, and of few."""

import asyncio
import io

import pytest
from rich.console import Console

from cli.standing import sorted_standings
from cli.status_watch import fitted, news_of, watch
from tests.builders import virtual_node
from tests.cli.test_status import seen

LONG = "a message that does not fit beside the name, and takes a line of its own " * 2


def shown(found, height: int, width: int = 100) -> list[str]:
    """The lines that a terminal of this size is given."""
    file = io.StringIO()
    console = Console(file=file, width=width, height=height, force_terminal=False)
    console.print(fitted(found, console))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def nodes(*names, reason="Active", status="True"):
    """Resources as the cluster has them."""
    return [seen(virtual_node(name), reason, status) for name in names]


def test_all_rows_are_shown_where_they_fit():
    """In their order, and nothing is said of more."""
    lines = shown(sorted_standings(nodes("a", "b", "c")), height=20)
    assert [line.split()[0] for line in lines if line.startswith("virtualnode")] == [
        "virtualnode/prod/a",
        "virtualnode/prod/b",
        "virtualnode/prod/c",
    ]
    assert "more" not in lines[-1]


@pytest.mark.parametrize("height", [4, 5, 8, 13])
def test_a_low_terminal_shows_first_who_is_not_active(height):
    """However far down it stands, and says how many are not shown."""
    many = nodes(*(f"n{number:02}" for number in range(40))) + nodes("zzz", reason="BadRequest", status="False")
    lines = shown(sorted_standings(many), height)
    rows = [line for line in lines if line.startswith("virtualnode")]
    assert len(lines) < height
    assert lines[-1] == f"and {41 - len(rows)} more, all of them active"
    assert "zzz" in rows[0]


def test_rows_of_several_lines_take_as_much_room_as_they_take():
    """So that the last line is not pushed off the screen."""
    failing = [seen(virtual_node(f"n{number}"), "BadRequest", "False") for number in range(20)]
    for each in failing:
        each["status"]["conditions"][0]["message"] = LONG
    lines = shown(sorted_standings(failing), height=20)
    rows = [line for line in lines if line.startswith("virtualnode")]
    assert 0 < len(rows) < 10
    assert len(lines) < 20
    assert lines[-1] == f"and {20 - len(rows)} more, {20 - len(rows)} of them not active"


def test_a_pipe_gets_what_has_changed():
    """And what has gone; nothing of the others."""
    before = sorted_standings(nodes("a", "b", "c"))
    now = sorted_standings([*nodes("a"), *nodes("b", reason="BadRequest", status="False"), *nodes("d")])
    places = {(each.kind, each.namespace, each.name): each for each in before}
    rows = [(row[0], getattr(row[2], "text", row[2])) for row in news_of(places, now).rows]
    assert rows == [
        ("virtualnode/prod/b", "Failing"),
        ("virtualnode/prod/d", "Active"),
        ("virtualnode/prod/c", "Gone"),
    ]


def test_a_pipe_is_written_to_with_every_change(capsys, monkeypatch):
    """The headings once; nothing where nothing has changed."""
    monkeypatch.delenv("COLUMNS", raising=False)

    async def changes():
        yield nodes("a", "b")
        yield nodes("a", "b")
        yield nodes("a")

    asyncio.run(watch(changes()))
    first, *rows = (line.split() for line in capsys.readouterr().out.splitlines())
    assert first[:3] == ["RESOURCE", "MESH", "PHASE"]
    assert [(row[0], row[2]) for row in rows] == [
        ("virtualnode/prod/a", "Active"),
        ("virtualnode/prod/b", "Active"),
        ("virtualnode/prod/b", "Gone"),
    ]


def test_a_pipe_is_told_that_there_is_nothing(capsys):
    """By the headings: whoever reads knows that the cluster was asked."""

    async def changes():
        yield []

    asyncio.run(watch(changes()))
    assert capsys.readouterr().out.split() == ["RESOURCE", "MESH", "PHASE", "REASON", "MESSAGE"]
