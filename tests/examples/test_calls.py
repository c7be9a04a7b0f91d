"""Counting App Mesh calls by the control plane's counter."""

from pathlib import Path

from control_plane.api.metrics import ApiMetrics
from examples.demo.calls import Calls, table
from tests.examples.drawing import drawn
from tests.golden import Golden

GOLDEN = Path(__file__).parent / "golden"

MADE = Calls(
    {
        ("CreateMesh", "200"): 1,
        ("CreateVirtualNode", "200"): 6,
        ("DeleteVirtualNode", "200"): 2,
        ("DeleteVirtualNode", "ResourceInUseException"): 3,
        ("DescribeRoute", "200"): 1,
    }
)


def test_the_counter_is_read_as_the_control_plane_writes_it() -> None:
    """The text comes from the control plane's own metrics, so a renamed metric or label is noticed here."""
    metrics = ApiMetrics()
    for _ in range(3):
        metrics.count("CreateRoute", "200", 0.01)
    metrics.count("CreateRoute", "ConflictException", 0.01)
    found = Calls.parse(metrics.exposition().decode())
    assert found == Calls({("CreateRoute", "200"): 3, ("CreateRoute", "ConflictException"): 1})


def test_a_process_that_was_never_called_has_counted_nothing() -> None:
    """No sample is no call."""
    assert Calls.parse(ApiMetrics().exposition().decode()) == Calls()


def test_since_keeps_only_what_grew() -> None:
    """Between two looks only new calls count, and operations that were not called are left out."""
    later = Calls({**MADE.counts, ("CreateMesh", "200"): 2, ("UpdateRoute", "200"): 1})
    assert later.since(MADE) == Calls({("CreateMesh", "200"): 1, ("UpdateRoute", "200"): 1})
    assert MADE.since(MADE) == Calls()


def test_describe_and_list_are_reads_and_all_else_writes() -> None:
    """A write that was refused is a write all the same."""
    assert (MADE.writes, MADE.reads, MADE.refused) == (12, 1, 3)
    assert Calls({("ListRoutes", "200"): 4}).reads == 4


def test_the_table_shows_counts_and_refusals(golden: Golden) -> None:
    """One line for each operation, with the codes of what was refused, and the sum."""
    golden.check(GOLDEN / "calls.txt", drawn(table(MADE)))


def test_the_sum_speaks_proper_english() -> None:
    """One write, no reads."""
    assert Calls({("UpdateRoute", "200"): 1}).total == "1 write, 0 reads"
