"""What a status says of proxies: two conditions that turn with writes and refusals, and with nothing else."""

from typing import Any

import pytest

from resources.conditions import Reason
from tests.builders import mesh, virtual_node
from tests.workflows.snapshots import snapshot
from workflows.messages import DataPlaneReport, Snapshot
from workflows.planning.data_plane import objection, with_data_plane

NOW, LATER = "2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z"
REFUSED: dict[str, Any] = {"reason": Reason.REFUSED_BY_PROXY, "message": "in: no such file"}


def active(node: Snapshot, generation: int | None = None) -> dict[str, Any]:
    """The status of a resource that App Mesh has as it is asked for."""
    main = {"type": f"{node.key.kind}Active", "status": "True", "observedGeneration": generation or node.generation}
    return {"conditions": [main]}


def at(generation: int = 1, **metadata: Any) -> Snapshot:
    """A node at a generation."""
    return snapshot(virtual_node(), generation=generation, **metadata)


def report(revision: int = 7, proxies: int = 3, **wrong: Any) -> DataPlaneReport:
    """What a watcher says."""
    return DataPlaneReport(proxies=proxies, revision=revision, **wrong)


def told(
    before: dict[str, Any],
    said: DataPlaneReport | None,
    revision: int | None = 7,
    node: Snapshot | None = None,
    now: str = NOW,
) -> dict[str, Any]:
    """The status after a reconcile that made the last write at this revision."""
    node = node or at()
    main = active(node)["conditions"]
    status = before | {
        "conditions": main + [each for each in before.get("conditions", ()) if "Active" not in each["type"]]
    }
    return with_data_plane(status, node, before, said, revision, now)


def shown(status: dict[str, Any]) -> list[str]:
    """Both conditions in short: `True Accepted`."""
    named = {
        each["type"]: f"{each['status']} {each['reason']}"
        for each in status["conditions"]
        if "Active" not in each["type"]
    }
    return [named.get("DataPlaneAccepted", ""), named.get("DataPlaneSynced", "")]


@pytest.mark.parametrize(
    ("said", "revision", "expected"),
    [
        pytest.param(None, 7, ["", ""], id="nobody-knows"),
        pytest.param(report(), None, ["", ""], id="no-revision"),
        pytest.param(DataPlaneReport(), 7, ["", ""], id="no-proxies"),
        pytest.param(report(6), 7, ["", "False Pushing"], id="not-there-yet"),
        pytest.param(report(7), 7, ["True Accepted", "True Synced"], id="there"),
        pytest.param(report(7, **REFUSED), 7, ["False RefusedByProxy", "False RefusedByProxy"], id="refused"),
        pytest.param(report(6, **REFUSED), 7, ["", "False Pushing"], id="what-was-refused-is-not-this"),
        pytest.param(report(7, reason=Reason.HELD_BACK), 7, ["True Accepted", "False HeldBack"], id="held-back"),
        pytest.param(
            report(7, reason=Reason.NOT_FOR_PROXIES), 7, ["False NotForProxies", "False NotForProxies"], id="left-out"
        ),
    ],
)
def test_what_a_new_resource_says(said, revision, expected):
    """The revision itself is there where it is known."""
    status = told({}, said, revision)
    assert shown(status) == expected
    assert status.get("dataPlaneRevision") == revision


def test_an_edit_is_not_synced_until_it_is_everywhere():
    """The condition turns at the new generation, and back."""
    first = told({}, report(7))
    second = told(first, report(7), 8, at(2), LATER)
    assert shown(second) == ["True Accepted", "False Pushing"]
    third = told(second, report(8), 8, at(2), LATER)
    assert shown(third) == ["True Accepted", "True Synced"]
    synced = third["conditions"][-1]
    assert (synced["observedGeneration"], synced["lastTransitionTime"]) == (2, LATER)
    assert synced["message"] == "3 connected proxies have it"


def test_an_edit_that_wrote_nothing_is_synced_at_once():
    """Even while a proxy that came later is not as far yet."""
    first = told({}, report(7))
    second = told(first, report(0, proxies=4), 7, at(2), LATER)
    assert shown(second) == ["True Accepted", "True Synced"]
    assert second["conditions"][-1]["observedGeneration"] == 2


def test_nothing_turns_when_proxies_come_and_go():
    """Not even the number in the message."""
    first = told({}, report(7))
    for said in (report(0, proxies=4), report(7, proxies=4), report(7, proxies=1), None):
        assert told(first, said, now=LATER) == first


def test_a_refusal_turns_both_and_a_repair_turns_them_back():
    """A refusal by a proxy that comes later counts as well."""
    refused = told(told({}, report(7)), report(7, **REFUSED))
    assert shown(refused) == ["False RefusedByProxy", "False RefusedByProxy"]
    repairing = told(refused, report(7, **REFUSED), 8, at(2))
    assert shown(repairing) == ["False RefusedByProxy", "False Pushing"]
    assert shown(told(repairing, report(8), 8, at(2))) == ["True Accepted", "True Synced"]


def test_without_proxies_nothing_is_said_any_more():
    """Nobody knows whether the next ones will accept it."""
    assert shown(told(told({}, report(7, **REFUSED)), DataPlaneReport())) == ["", ""]


def test_what_app_mesh_does_not_have_proxies_cannot_have():
    """The conditions stay as of the generation that they are about."""
    first = told({}, report(7))
    failed = first | {"conditions": [active(at(2))["conditions"][0] | {"status": "False"}, *first["conditions"][1:]]}
    assert with_data_plane(failed, at(2), first, report(7), 7, LATER)["conditions"] == failed["conditions"]


def test_a_mesh_says_it_in_both_of_its_lists():
    """Older tools look at one of them."""
    snapped = snapshot(mesh())
    status = active(snapped)
    after = with_data_plane(status, snapped, status, report(7), 7, NOW)
    assert after["meshCondition"] == after["conditions"]
    assert shown(after) == ["True Accepted", "True Synced"]


def test_a_refusal_is_an_event_once():
    """Until it is another one."""
    good, bad = told({}, report(7)), told({}, report(7, **REFUSED))
    assert objection(good, good) is None
    found = objection(good, bad)
    assert found is not None
    assert (found.reason, found.message) == (Reason.REFUSED_BY_PROXY, "in: no such file")
    assert objection(bad, bad) is None
    assert objection(bad, good) is None
    assert objection(bad, told({}, report(7, **REFUSED | {"message": "worse"}))) is not None
