"""Who has to hear of proxies: what the control plane says, against what each status says."""

from typing import Any

import pytest

from activities.objects import ApiKind, ApiObject
from resources.conditions import Reason
from tests import builders
from tests.watcher.sightings import active, index_of, settled, sighting
from watcher.data_plane import standing_of
from watcher.feed import NotOffered
from watcher.index import Index
from watcher.owners import owns
from watcher.proxies import GRACE_SECONDS, Complaint, MeshStanding, Proxies, Standing
from workflows.messages import DataPlaneReport, Snapshot

NODE = ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh="shop", name="cart-prod")
BROKEN = Complaint(NODE, "refused", "", "in: no such file", "mesh/shop/virtualNode/cart-prod")
REFUSES = "mesh/shop/virtualNode/cart-prod refuses in: no such file"


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def proxies(clock) -> Proxies:
    """Nothing is known yet."""
    return Proxies(clock)


def standing(revision: int | None, *complaints: Complaint, proxies: int = 3) -> Standing:
    """Of the mesh `shop`; None: it has no proxies."""
    shown = f"{revision} {complaints} {proxies}"
    return Standing(shown, {} if revision is None else {"shop": MeshStanding(proxies, revision, complaints)})


def node(revision: int | None = 7, accepted: Any = None, synced: Any = None, **state: Any) -> Snapshot:
    """The node `cart`, as its status says: `("True", "Synced")`, say."""
    manifest = builders.virtual_node()
    conditions = [*active(manifest)["conditions"]]
    for type, said in (("DataPlaneAccepted", accepted), ("DataPlaneSynced", synced)):
        if said is not None:
            status, reason, *message = said
            conditions.append({"type": type, "status": status, "reason": reason, "message": "".join(message)})
    revisions = {} if revision is None else {"dataPlaneRevision": revision}
    return settled(manifest, status={"conditions": conditions, **revisions}, **state)


def told(proxies: Proxies, standing: Standing, *resources: Snapshot) -> list[DataPlaneReport]:
    """What resources are told when this becomes known."""
    reports = (change.data_plane for change in proxies.take(standing, index_of(*resources)))
    return [report for report in reports if report is not None]


GOOD: dict[str, Any] = {"accepted": ("True", "Accepted"), "synced": ("True", "Synced")}
BAD: dict[str, Any] = {"accepted": ("False", "RefusedByProxy", REFUSES), "synced": ("False", "RefusedByProxy", REFUSES)}
PUSHING: dict[str, Any] = {"accepted": ("True", "Accepted"), "synced": ("False", "Pushing")}


def test_a_resource_is_told_when_all_proxies_have_its_last_write(proxies):
    """Not before; and not again."""
    assert told(proxies, standing(6), node()) == []
    assert told(proxies, standing(7), node()) == [DataPlaneReport(proxies=3, revision=7)]
    assert told(proxies, standing(8), node(**GOOD)) == []


def test_it_is_told_at_its_sighting_if_the_proxies_were_faster(proxies):
    """The status is written after App Mesh, and proxies need milliseconds."""
    told(proxies, standing(7))
    assert proxies.sighted(node(**GOOD)) is None
    change = proxies.sighted(node(**PUSHING))
    assert change is not None
    assert change.data_plane == DataPlaneReport(proxies=3, revision=7)


def test_who_has_not_been_dealt_with_waits_for_its_workflow(proxies):
    """And so does one whose status knows of no revision: its API does not tell."""
    told(proxies, standing(7))
    assert proxies.sighted(sighting(builders.virtual_node(), status={"dataPlaneRevision": 1})) is None
    assert proxies.sighted(node(revision=None)) is None


def test_what_is_synced_stays_so_when_others_connect(proxies):
    """A new proxy begins with nothing, and the mesh with it."""
    assert told(proxies, standing(9), node(**GOOD)) == []
    assert told(proxies, standing(0, proxies=4), node(**GOOD)) == []
    assert told(proxies, standing(9, proxies=5), node(**GOOD)) == []


def test_a_mesh_without_proxies_costs_nothing(proxies, clock):
    """Whatever else is known."""
    assert told(proxies, standing(None), node(), node(**GOOD)) == []
    clock.now += 2 * GRACE_SECONDS
    assert proxies.sighted(node(**GOOD)) is None
    assert proxies.report(node()) == DataPlaneReport()


def test_nothing_is_known_before_anything_was_told_and_for_a_while_after_the_last_proxy(proxies, clock):
    """A control plane that starts again has no proxies for a moment."""
    assert proxies.report(node()) is None
    told(proxies, standing(7))
    told(proxies, standing(None))
    assert proxies.report(node()) is None
    clock.now += GRACE_SECONDS
    assert proxies.report(node()) == DataPlaneReport()


def test_what_waits_for_proxies_that_have_gone_is_told_in_the_end(proxies, clock):
    """There is nothing to wait for any more; what is synced is left alone."""
    told(proxies, standing(6), node(**PUSHING))
    assert told(proxies, standing(None), node(**PUSHING)) == []
    clock.now += GRACE_SECONDS
    assert told(proxies, standing(None), node(**PUSHING)) == [DataPlaneReport()]


def test_a_refusal_is_told_to_whom_it_is_about(proxies):
    """Once, in Envoy's words."""
    others = settled(builders.virtual_node("other"), status={"dataPlaneRevision": 1})
    expected = DataPlaneReport(proxies=3, revision=7, reason=Reason.REFUSED_BY_PROXY, message=REFUSES)
    told(proxies, standing(6), node(**GOOD), others)
    reports = told(proxies, standing(7, BROKEN), node(**GOOD), others)
    assert reports == [expected]
    assert told(proxies, standing(8, BROKEN), node(**BAD), others) == []


def test_a_repair_is_told_at_once(proxies):
    """Something was written since, and is everywhere."""
    told(proxies, standing(7, BROKEN), node(**BAD))
    assert told(proxies, standing(8), node(revision=8, **BAD)) == [DataPlaneReport(proxies=3, revision=8)]


def test_a_refusal_that_is_gone_though_nothing_was_written_is_believed_after_a_while(proxies, clock):
    """Its proxy may only have lost its connection."""
    told(proxies, standing(7, BROKEN), node(**BAD))
    assert told(proxies, standing(7, proxies=2), node(**BAD)) == []
    assert told(proxies, standing(7, BROKEN), node(**BAD)) == []
    assert told(proxies, standing(7, proxies=2), node(**BAD)) == []
    clock.now += GRACE_SECONDS
    assert told(proxies, standing(7, proxies=2), node(**BAD)) == [DataPlaneReport(proxies=2, revision=7)]


def test_a_watcher_that_starts_tells_what_is_missing(proxies):
    """Of every resource, whatever was told before it."""
    assert len(told(proxies, standing(7), node(**PUSHING))) == 1
    again = Proxies()
    assert len(told(again, standing(7), node(**PUSHING))) == 1


def test_the_worst_is_told_first(proxies):
    """And that there is more."""
    left_out = Complaint(NODE, "leftOut", "spec.listeners[0].tls", "ACM", "mesh/shop/virtualNode/a")
    held = Complaint(NODE, "held", "", "out needs more", "mesh/shop/virtualNode/a")
    [report] = told(proxies, standing(7, left_out, BROKEN, held), node())
    assert (report.reason, report.message) == (Reason.REFUSED_BY_PROXY, f"{REFUSES} (and 2 more)")
    [report] = told(Proxies(), standing(7, left_out), node())
    assert report.reason is Reason.NOT_FOR_PROXIES
    assert report.message == "virtual node cart-prod: spec.listeners[0].tls: ACM"


def test_a_route_is_that_of_the_service_whose_spec_has_it():
    """Services may share its router."""
    shared: dict[str, Any] = {"virtualRouter": {"name": "shared"}}
    one = settled(builders.virtual_service("a", routes=[builders.http_route("x", {"cart": 1})], **shared))
    other = settled(builders.virtual_service("b", routes=[builders.http_route("y", {"cart": 1})], **shared))
    router = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh="shop", name="shared-prod")
    beside = ApiObject(kind=ApiKind.ROUTE, mesh="shop", router="shared-prod-0a1b2c3d", name="x")
    assert owns(one, beside)
    assert not owns(other, beside)
    assert owns(one, router)
    assert owns(other, router)


def test_an_answer_is_read_as_far_as_it_concerns_us():
    """What is about gateways is nobody's here; what is no such answer is refused."""
    about = {"kind": "virtualNode", "meshName": "shop", "name": "cart-prod"}
    complaint = {"what": "refused", "field": "", "message": "in: no such file", "proxy": BROKEN.proxy}
    complaints = [complaint | {"object": about}, complaint | {"object": about | {"kind": "virtualGateway"}}]
    mesh = {"meshName": "shop", "proxies": 3, "revision": 7, "complaints": complaints}
    read = standing_of({"version": "v", "meshes": [mesh]})
    assert read == Standing("v", {"shop": MeshStanding(3, 7, (BROKEN,))})
    with pytest.raises(NotOffered):
        standing_of({"revision": 3})


def test_only_those_are_looked_at_again_who_wait_or_are_concerned(proxies, monkeypatch):
    """However many resources there are."""
    index: Index = index_of(
        node(),
        *(
            settled(builders.virtual_node(f"n{number}"), status={"dataPlaneRevision": 1} | _good())
            for number in range(9)
        ),
    )
    proxies.take(standing(6), index)
    looked: list[str] = []
    monkeypatch.setattr(proxies, "sighted", lambda snapshot: looked.append(snapshot.key.name))
    proxies.take(standing(7), index)
    proxies.take(standing(7, BROKEN), index)
    assert looked == ["cart", "cart"]


def _good() -> dict[str, Any]:
    return {"conditions": node(**GOOD).status["conditions"]}
