"""Links between pages, and to headings of pages, lead somewhere; without building the site."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKDOWN = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]


def prose(text):
    """A page without its code, where brackets are no links and `#` is no heading."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(text):
    """The names that Git hosts and the site give to headings."""
    found = set()
    for heading in re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    ):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
        found.add(name if name not in found else f"{name}-1")
    return found


def dead_links(page):
    """Targets of a page that name no file, or no heading of one."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file.read_text())):
            yield target


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(page):
    """Every relative link names a file or folder that exists, and a heading that the file has."""
    assert list(dead_links(page)) == []


def test_a_dead_link_is_found_and_code_is_not_taken_for_one(tmp_path):
    """The check itself: missing files and missing headings, but nothing inside of code."""
    (tmp_path / "other.md").write_text("# What `x` is, [here](page.md)\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](#here) [b](other.md#what-x-is-here) [c](https://example.com/#x) `[0](x.md)`\n"
        "```\n[d](gone.md)\n# Nowhere\n```\n[e](gone.md) [f](other.md#gone) [g](#nowhere)\n"
    )
    assert list(dead_links(page)) == ["gone.md", "other.md#gone", "#nowhere"]
