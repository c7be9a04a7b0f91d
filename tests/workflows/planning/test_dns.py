"""What the resolution of a host name means for a node."""

from typing import Any

import pytest

from activities.messages import References, Resolution, Verdict
from resources.conditions import Condition, Reason
from tests.builders import virtual_node
from tests.workflows.snapshots import READY_MESH, desired, snapshot
from workflows.planning import dns
from workflows.planning.outcome import ACHIEVED, Again, Outcome
from workflows.planning.plan import Observed
from workflows.planning.report import status_of

HOST = "cart.prod.svc.cluster.local"
CLOUD_MAP = {"cloudMap": {"serviceName": "cart", "namespaceName": "prod"}}
NOW = "2026-01-01T00:00:00Z"


def answer(verdict: Verdict) -> Resolution:
    """An answer about the node's host."""
    return Resolution(host=HOST, verdict=verdict, message="no such host" if verdict is Verdict.FAILS else "")


@pytest.mark.parametrize(
    ("resolution", "told"),
    [
        pytest.param(None, [], id="not-asked"),
        pytest.param(answer(Verdict.PENDING), [], id="no-answer-yet"),
        pytest.param(answer(Verdict.RESOLVES), [("True", Reason.RESOLVED, "")], id="resolves"),
        pytest.param(
            answer(Verdict.FAILS),
            [("False", Reason.NOT_RESOLVED, f"{HOST} does not resolve where Meshwright runs: no such host")],
            id="does-not",
        ),
    ],
)
def test_an_answer_is_a_condition_and_none_is_none(
    resolution: Resolution | None, told: list[tuple[str, str, str]]
) -> None:
    """The message names host and reason, and no address, which would be news each time."""
    found = dns.conditions(resolution, 3)
    assert [(condition.status, condition.reason, condition.message) for condition in found] == told
    assert all((condition.type, condition.observed_generation) == ("DNSResolvable", 3) for condition in found)


@pytest.mark.parametrize(
    ("resolution", "again"),
    [
        pytest.param(None, Again.NEVER, id="not-asked"),
        pytest.param(answer(Verdict.RESOLVES), Again.NEVER, id="resolves"),
        pytest.param(answer(Verdict.FAILS), Again.SLOWLY, id="does-not"),
        pytest.param(answer(Verdict.PENDING), Again.SOON, id="no-answer-yet"),
    ],
)
def test_only_a_name_that_does_not_resolve_is_looked_up_again(resolution: Resolution | None, again: Again) -> None:
    """So settled nodes hold no timer."""
    assert dns.asked_again(ACHIEVED, resolution).again is again
    assert dns.asked_again(ACHIEVED, resolution).achieved


def test_what_brings_the_node_back_anyway_stays() -> None:
    """A fault is retried at its own pace."""
    soon = Outcome(reason=Reason.THROTTLED, again=Again.SOON)
    assert dns.asked_again(soon, answer(Verdict.FAILS)) == soon


@pytest.mark.parametrize(
    ("discovery", "host"),
    [
        pytest.param({"dns": {"hostName": HOST}}, HOST, id="dns"),
        pytest.param({"dns": {"hostName": HOST}, **CLOUD_MAP}, HOST, id="both"),
        pytest.param(CLOUD_MAP, None, id="cloud-map"),
    ],
)
def test_only_nodes_that_are_found_by_dns_have_a_host_name(discovery: dict, host: str | None) -> None:
    """Where both are given, App Mesh is told of DNS."""
    assert desired(virtual_node(serviceDiscovery=discovery)).host_name() == host


class TestStatus:
    """The condition in the status."""

    old = Condition(
        type="DNSResolvable", status="False", reason="NotResolved", message="x", last_transition_time=NOW
    ).model_dump(by_alias=True, exclude_none=True)

    def types(self, checks: bool, resolution: Resolution | None = None, **spec: Any) -> dict[str, str]:
        """Conditions after a reconcile of a node that had the old one."""
        manifest = virtual_node(**spec)
        references = References(mesh=READY_MESH, checks_dns=checks)
        status = status_of(
            snapshot(manifest), desired(manifest), Observed(), references, ACHIEVED, {"conditions": [self.old]}, NOW,
            resolution,
        )  # fmt: skip
        return {condition["type"]: condition["status"] for condition in status["conditions"]}

    def test_an_answer_replaces_the_one_before(self) -> None:
        """It turns."""
        assert self.types(True, answer(Verdict.RESOLVES)) == {"DNSResolvable": "True", "VirtualNodeActive": "True"}

    def test_without_an_answer_the_one_before_stands(self) -> None:
        """A slow name server is no news."""
        assert self.types(True, answer(Verdict.PENDING))["DNSResolvable"] == "False"

    def test_a_question_that_is_no_longer_asked_leaves_no_answer(self) -> None:
        """The check was turned off, or the node is found in Cloud Map now."""
        assert self.types(False) == {"VirtualNodeActive": "True"}
        assert self.types(True, serviceDiscovery=CLOUD_MAP) == {"VirtualNodeActive": "True"}
