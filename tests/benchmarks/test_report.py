"""The page that the benchmarks write: honest about what is missed, and the same for the same numbers."""

from pathlib import Path

from benchmarks.report import BY_HAND, Plot, Report, Row

FACTS = {"date": "2026-01-01", "commit": "`abc`", "machine": "2 cores", "pace": 100.0, "pace_after": 101.0}


def report() -> Report:
    """One of each kind of line."""
    made = Report()
    made.at_most("slow", 3.14159, 3)
    made.at_least("fast", 1500, 1500, "a second")
    made.exactly("counted", "7+0", "7+0")
    made.add(Row("told", "as it is"))
    made.plots.append(Plot("growth", "Growth", "services", "seconds", {"a": [(1, 1)], "b": [(1, 2), (2, 3)]}))
    return made


def test_what_is_missed_is_said() -> None:
    """In its line, and in a sentence below the table."""
    page = report().markdown(**FACTS)
    assert "| slow | 3.14 s | at most 3 s | MISSED |" in page
    assert "| fast | 1500 a second | at least 1500 a second | met |" in page
    assert "Missed: slow." in page


def test_when_all_is_met_that_is_said() -> None:
    """Nobody has to search the table for it."""
    made = Report()
    made.exactly("counted", 1, 1)
    assert "Every target is met." in made.markdown(**FACTS)


def test_pictures_are_written_beside_the_page(tmp_path: Path) -> None:
    """The same numbers give the same file, so that a new run shows in version control only what it changed."""
    for directory in ("one", "two"):
        report().write(tmp_path / directory / "performance.md", **FACTS)
    pictures = [(tmp_path / directory / "pictures" / "growth.svg").read_bytes() for directory in ("one", "two")]
    assert pictures[0] == pictures[1]
    assert b"Growth" in pictures[0] or b"<svg" in pictures[0]


def test_what_people_wrote_below_stays(tmp_path: Path) -> None:
    """A new run replaces the numbers, and nothing else."""
    page = tmp_path / "performance.md"
    report().write(page, **FACTS)
    page.write_text(f"{page.read_text()}\n{BY_HAND}\n\nIn Temporal, mostly.\n")
    report().write(page, **FACTS | {"date": "2026-02-02"})
    assert "2026-02-02" in page.read_text()
    assert page.read_text().endswith(f"\n\n{BY_HAND}\n\nIn Temporal, mostly.\n")
    assert page.read_text().count(BY_HAND) == 1
