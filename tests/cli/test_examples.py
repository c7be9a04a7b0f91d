"""What help teaches."""

import shlex

import pytest
import typer
from typer.testing import CliRunner

from cli.examples import EXAMPLES
from cli.main import app

GROUP = typer.main.get_group(app)
CONTEXT = GROUP.make_context("meshwright", [], resilient_parsing=True)


def arguments(example):
    """Those of the meshwright of a line that may have a pipe, a file that it writes, or an eval around it."""
    words = shlex.split(example)
    if words[0] == "eval":
        return arguments(words[1].removeprefix("$(").removesuffix(")"))
    words = words[words.index("meshwright") + 1 :]
    ends = [place for place, word in enumerate(words) if word in ("|", ">")]
    return words[: ends[0]] if ends else words


def test_every_command_has_an_example():
    """Of itself."""
    assert set(EXAMPLES) == set(GROUP.list_commands(CONTEXT))
    assert all(arguments(each)[0] == name for name, examples in EXAMPLES.items() for each in examples)


@pytest.mark.parametrize("example", [each for examples in EXAMPLES.values() for each in examples])
def test_an_example_is_read_as_it_is_written(example, monkeypatch):
    """Commands, options and values that there are; nothing is run."""
    monkeypatch.delenv("MESHWRIGHT_XDS_ADDRESS", raising=False)
    name, *rest = arguments(example)
    command = GROUP.get_command(CONTEXT, name)
    assert command is not None
    command.make_context(name, rest, parent=CONTEXT)


@pytest.mark.parametrize("name", EXAMPLES)
def test_help_ends_with_the_examples(name):
    """Whole, whatever marks of help's own they hold."""
    output = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "300", "TERMINAL_WIDTH": "300"}).output
    shown = [line.strip() for line in output.partition("Examples")[2].splitlines()]
    assert [line for line in shown if line] == list(EXAMPLES[name])
