"""What help teaches."""

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from cli.examples import EXAMPLES
from cli.main import app
from resources.names import namespaced_name

ROOT = Path(__file__).parents[2]
SIDECARS = (ROOT / "docs" / "how-to" / "sidecars.md").read_text()
LINES = [*(each for examples in EXAMPLES.values() for each in examples), *SIDECARS.splitlines()]

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


def documents(folder):
    """What the YAML files in there hold."""
    return [each for file in sorted((ROOT / folder).glob("*.yaml")) for each in yaml.safe_load_all(file.read_text())]


def test_nodes_of_examples_are_called_as_app_mesh_calls_them():
    """Those of `examples/shop`, as their VirtualNodes come to be named; the page on sidecars has its own in `prod`."""
    shop = [each["metadata"] for each in documents("examples/shop") if each["kind"] == "VirtualNode"]
    known = {namespaced_name(each["name"], each["namespace"]) for each in shop}
    known |= {namespaced_name(name, "prod") for name in ("cart", "front")}
    named = {found for line in LINES for found in re.findall(r"(?:--node |/virtualNode/)([^\s`*]+)", line)}
    assert named
    assert named <= known


def test_proxies_of_examples_ask_where_the_control_plane_is():
    """A Service and a port of the manifests, or this machine."""
    services = [each for each in documents("deploy/kubernetes") if each and each["kind"] == "Service"]
    known = {
        f"{each['metadata']['name']}.{each['metadata']['namespace']}:{port['port']}"
        for each in services
        for port in each["spec"]["ports"]
        if port["name"] == "xds"
    }
    named = {found for line in LINES for found in re.findall(r"--xds(?:-address)? (\S+)", line)}
    assert known & named
    assert named <= known | {"localhost:18000", "127.0.0.1:18000"}
