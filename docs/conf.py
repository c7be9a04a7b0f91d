"""How Sphinx makes the site of these pages; `make docs` calls it. The pages stay readable where they lie."""

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

_ROOT = Path(__file__).parent.parent

project = "Meshwright"
author = "the Meshwright authors"
copyright = author
version = release = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}

html_theme = "furo"
html_title = f"Meshwright {version}"
html_show_sphinx = False

myst_heading_anchors = 4
nitpicky = True

_PAGE_OUTSIDE = re.compile(r"\]\((?=(?:\.\./)+(?:README|CHANGELOG|CONTRIBUTING)\.md)")


def _read(_app: Sphinx, _page: str, source: list[str]) -> None:
    """What lies outside of docs/ is a file to look at, not a page of the site."""
    source[0] = _PAGE_OUTSIDE.sub("](path:", source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _read)
