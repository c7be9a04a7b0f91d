"""Generated pages are fresh, and what pages name exists."""

import re
from pathlib import Path

import pytest

from docs.generate import FOLDER, pages

ROOT = Path(__file__).parents[2]
MARKDOWN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_fresh(name):
    """What is committed is what the code says now; `make generate` writes it."""
    assert (FOLDER / name).read_text() == pages()[name]


def test_every_make_target_that_the_readme_names_exists():
    """A newcomer can copy each `make` line."""
    named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "README.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert named - targets == set()


def test_every_command_that_the_docs_name_exists():
    """`meshwright <command>` in any page is a command of the program."""
    from cli.main import app

    commands = {command.name for command in app.registered_commands}
    named = {
        found
        for page in MARKDOWN
        for found in re.findall(r"(?<!/)\bmeshwright ([a-z][a-z-]+)(?= |`|\n)", page.read_text())
    }
    assert named - commands - {"needs"} == set()
