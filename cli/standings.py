"""How resources stand, printed: as a table for people, or with everything for programs."""

import dataclasses
from collections.abc import Sequence

from cli.standing import Standing
from cli.structured import structured
from cli.tables import Cell, Rows

_STYLES = {"Active": "green", "Failing": "red", "Waiting": "yellow", "Pending": "yellow", "Deleting": "magenta"}


def print_standings(found: Sequence[Standing], output: str) -> None:
    """Print them in one of the forms."""
    if output == "table":
        table(found).print()
        return
    plain = [{**dataclasses.asdict(each), "phase": each.phase.value, "warnings": list(each.warnings)} for each in found]
    print(structured(plain, output))


def table(found: Sequence[Standing]) -> Rows:
    """One line for each resource; what it waits for, or what is wrong, in the last column."""
    rows = []
    for each in found:
        path = "/".join(part for part in (each.kind.lower(), each.namespace, each.name) if part)
        reason = "" if each.reason == each.phase else each.reason
        message = each.message if not each.settled else "; ".join(each.warnings)
        rows.append((path, each.mesh, Cell(each.phase.value, _STYLES[each.phase]), reason, message))
    return Rows(("RESOURCE", "MESH", "PHASE", "REASON", "MESSAGE"), rows, folds=frozenset({"RESOURCE", "MESSAGE"}))
