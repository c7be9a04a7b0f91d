"""A Mesh asks for one object, and waits for nobody."""

from activities.messages import ReadReferences, References
from tests.builders import mesh
from tests.watcher.sightings import sighting
from tests.workflows.planning import holdings
from workflows.planning.kinds import desired_of
from workflows.planning.plan import Observed, Wanted


def test_a_mesh_wants_itself_by_its_own_name():
    """Mesh names go out verbatim, and the egress filter with them."""
    desired = desired_of(sighting(mesh("shop", egressFilter={"type": "ALLOW_ALL"})))
    spec = {"egressFilter": {"type": "ALLOW_ALL"}}
    assert desired.wanted(References(), Observed()) == (Wanted(object=holdings.mesh("shop"), spec=spec),)
    assert desired.identities() == (holdings.mesh("shop"),)


def test_a_mesh_refers_to_nothing_and_is_never_blocked():
    """So it costs no read of Kubernetes."""
    desired = desired_of(sighting(mesh()))
    assert desired.references() == ReadReferences()
    assert desired.blocked(References()) is None


def test_a_mesh_reports_its_arn_while_it_exists():
    """None takes the member away."""
    desired = desired_of(sighting(mesh()))
    assert desired.status_members(holdings.holding([holdings.mesh()]), None) == {"meshArn": holdings.MESH_ARN}
    assert desired.status_members(Observed(), None) == {"meshArn": None}
