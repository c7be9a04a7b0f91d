"""A line of the log names workflow, resource, generation and trace, from the signal to the call."""

import pytest
from structlog.testing import capture_logs

from resources.kinds import Kind
from tests import builders
from tests.workflows.conftest import Harness, until
from workflows.log_context import LogContext, about, trace_id_in


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        pytest.param(f"00-{'a' * 32}-{'b' * 16}-01", "a" * 32, id="w3c"),
        pytest.param("", None, id="nothing"),
        pytest.param(f"00-{'A' * 32}-{'b' * 16}-01", None, id="upper-case-is-none"),
    ],
)
def test_the_trace_is_read_from_the_w3c_header(header: str, trace: str | None) -> None:
    """Version, trace, span, flags."""
    assert trace_id_in(header) == trace


def test_a_workflow_is_about_the_resource_in_its_id() -> None:
    """The cluster is not part of the resource's name."""
    facts = about("default/virtualnode/prod/cart")
    assert facts == {"workflow_id": "default/virtualnode/prod/cart", "resource": "virtualnode/prod/cart"}


@pytest.mark.e2e
async def test_each_reconcile_is_one_line_with_the_generation_that_it_was_for(harness: Harness) -> None:
    """Also when every task replays from the start, as no workflow is cached."""
    with capture_logs() as lines:
        async with harness.worker(interceptors=[LogContext()], max_cached_workflows=0):
            await harness.apply(builders.mesh())
            handle = harness.handle(Kind.MESH, None, "shop")
            await until(lambda: _reconciled(lines), "a reconcile")
            await handle.describe()
    (line,) = _reconciled(lines)
    assert line["workflow_id"] == f"{harness.cluster}/mesh/-/shop"
    assert (line["resource"], line["generation"], line["outcome"]) == ("mesh/-/shop", 1, "achieved")


def _reconciled(lines: list) -> list:
    return [line for line in lines if line["event"] == "reconciled"]
