"""What a run of the benchmarks says: a table with targets and verdicts, plots, and a page for the documentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path("docs/explanation/performance.md")
INTRODUCTION = """# How fast it is, and how far it goes

Written by `make bench`, on {date}, at {commit}. Everything ran on one machine ({machine}): etcd, kube-apiserver,
Temporal's development server on SQLite, the control plane on SQLite, watcher, worker and the benchmark itself. Counts
are exact; times are that machine's. A fixed piece of Python took {pace:.0f} ms of CPU before the run and
{pace_after:.0f} ms after it: compare runs by that.
"""

BY_HAND = "## Where the time goes"
"""The heading of what a person wrote about a run; it says of which."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    scenario: str
    measured: str
    target: str = ""
    met: bool | None = None
    """None: there is no target."""

    @property
    def verdict(self) -> str:
        """In a word."""
        return {True: "met", False: "MISSED", None: ""}[self.met]


@dataclass(frozen=True)
class Plot:
    """Lines over one quantity."""

    name: str
    title: str
    across: str
    up: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


@dataclass
class Report:
    """What scenarios found so far."""

    rows: list[Row] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Take a line, and print it."""
        self.rows.append(row)
        print(f"  {row.scenario:<72} {row.measured:<44} {row.target:<28} {row.verdict}", flush=True)

    def at_most(self, scenario: str, measured: float, target: float, unit: str = "s", note: str = "") -> None:
        """A quantity that must not be more than the target."""
        text = f"{_number(measured)} {unit}" + (f"; {note}" if note else "")
        self.add(Row(scenario, text, f"at most {_number(target)} {unit}", measured <= target))

    def at_least(self, scenario: str, measured: float, target: float, unit: str, note: str = "") -> None:
        """A quantity that must not be less than the target."""
        text = f"{_number(measured)} {unit}" + (f"; {note}" if note else "")
        self.add(Row(scenario, text, f"at least {_number(target)} {unit}", measured >= target))

    def exactly(self, scenario: str, measured: object, target: object) -> None:
        """A count."""
        self.add(Row(scenario, str(measured), str(target), measured == target))

    def markdown(self, **facts: object) -> str:
        """The page."""
        lines = [INTRODUCTION.format(**facts), "| what | measured | target | |", "|---|---|---|---|"]
        lines += [f"| {row.scenario} | {row.measured} | {row.target} | {row.verdict} |" for row in self.rows]
        missed = [row.scenario for row in self.rows if row.met is False]
        lines += ["", f"Missed: {'; '.join(missed)}." if missed else "Every target is met."]
        lines += [f"\n![{plot.title}](pictures/{plot.name}.svg)" for plot in self.plots]
        lines += [
            "",
            "`python -m benchmarks NAME` runs one part; `python -m benchmarks.soak --minutes N` looks for growth.",
        ]
        return "\n".join(lines) + "\n"

    def write(self, page: Path, **facts: object) -> None:
        """Write the page, and its pictures beside it. What people wrote below `BY_HAND` stays."""
        page.parent.mkdir(parents=True, exist_ok=True)
        _, heading, written = page.read_text().partition(BY_HAND) if page.exists() else ("", "", "")
        page.write_text(self.markdown(**facts) + (f"\n{heading}{written}" if heading else ""))
        for plot in self.plots:
            draw(plot, page.parent / "pictures" / f"{plot.name}.svg")


def draw(plot: Plot, path: Path) -> None:
    """An SVG of a plot; the same numbers give the same file."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "meshwright"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for label, points in plot.lines.items():
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", label=label)
    axes.set(title=plot.title, xlabel=plot.across, ylabel=plot.up)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if len(plot.lines) > 1:
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
