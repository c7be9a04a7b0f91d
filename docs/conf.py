"""How Sphinx makes the site of these pages; `make docs` calls it. The pages stay readable where they lie."""

import tomllib
from pathlib import Path

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
# What lies outside of docs/ is a file to look at, not a page.
myst_enable_extensions = ["attrs_inline"]
nitpicky = True
