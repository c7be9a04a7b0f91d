"""The live table that Temporal's UI shows of a workflow (its current details), in Markdown. Pure; times arrive as text.

It costs no event: the worker keeps it in memory and hands it out when somebody looks.
"""

from collections.abc import Iterable, Sequence

from resources.phases import Phase
from workflows.cloud_map_messages import CloudMapReport
from workflows.messages import Snapshot
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed, Plan, Step

MOST_ROWS = 40
"""Of one table; a service with more routes than that is read elsewhere."""


def after_reconcile(
    snapshot: Snapshot, phase: Phase, outcome: Outcome, observed: Observed, done: Sequence[Step], at: str
) -> str:
    """How the resource stands after a reconcile.

    Args:
        snapshot: the resource that was reconciled.
        phase: in which the reconcile left it.
        outcome: how it ended.
        observed: what App Mesh holds for it.
        done: what the reconcile changed in App Mesh.
        at: when it ended.
    """
    facts = [
        ("Phase", f"**{phase}**"),
        ("Reason", str(outcome.reason)),
        *([("Message", outcome.message)] if outcome.message else []),
        ("Generation", str(snapshot.generation)),
        ("Last reconcile", at),
        *([("It did", "; ".join(step.summary for step in done[:MOST_ROWS]))] if done else []),
    ]
    held = sorted((str(record.object), str(record.version)) for record in observed.records)
    tables = [_table(("", ""), facts), *([_table(("App Mesh object", "version"), held)] if held else [])]
    return "\n\n".join(tables)


def in_reconcile(snapshot: Snapshot, plan: Plan, done: Sequence[Step], began: str) -> str:
    """What a reconcile is about to do, and how far it is.

    Args:
        snapshot: the resource that is reconciled.
        plan: the steps.
        done: those of them that App Mesh has taken.
        began: since when.
    """
    facts = [("Phase", "**Reconciling**"), ("Generation", str(snapshot.generation)), ("Since", began)]
    taken = set(map(_identity, done))
    steps = [(step.summary, "done" if _identity(step) in taken else "to do") for step in plan.steps]
    return f"{_table(('', ''), facts)}\n\n{_table(('Step', ''), steps)}"


def of_service(phase: Phase, report: CloudMapReport, nodes: int, instances: int) -> str:
    """How a Cloud Map service stands; how many nodes use it, and how many instances of ours it is known to have."""
    facts = [
        ("Phase", f"**{phase}**"),
        ("Reason", str(report.reason)),
        *([("Message", report.message)] if report.message else []),
        ("Nodes", str(nodes)),
        ("Instances", str(instances)),
    ]
    return _table(("", ""), facts)


def _identity(step: Step) -> tuple[str, str]:
    return step.operation, str(step.object)


def _table(heading: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    shown = [*rows[:MOST_ROWS], *([(f"and {len(rows) - MOST_ROWS} more", "")] if len(rows) > MOST_ROWS else [])]
    return "\n".join([_row(heading), "|---|---|", *map(_row, shown)])


def _row(cells: Iterable[str]) -> str:
    return "|" + "|".join(f" {_escaped(cell)} " for cell in cells) + "|"


def _escaped(text: str) -> str:
    """In one cell: App Mesh's words may have bars and line breaks in them."""
    return " ".join(text.replace("|", "\\|").split())
