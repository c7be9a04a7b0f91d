"""Which objects that exist already are ours, which are adopted, and which belong to others."""

from typing import Any

import pytest

from activities.messages import Record
from activities.names import Verb
from activities.objects import ApiObject
from resources.conditions import Reason
from resources.kinds import Kind
from resources.ownership import Origin, Owner, tags_of
from tests.builders import MESH, mesh, virtual_node, virtual_service
from tests.workflows.app_mesh_model import arn_of
from tests.workflows.snapshots import node, route, router, service, snapshot
from workflows.planning import adoption
from workflows.planning.outcome import Again
from workflows.planning.plan import Observed, Step, Wanted

IN_MESH = ApiObject.mesh_object(MESH)
ADOPTED = {
    "conditions": [{"type": "Adopted", "status": "True", "reason": "Adopted"}],
    "virtualNodeArn": arn_of(node()),
}
WEST = Owner(cluster="west", namespace="prod", name="cart", uid="1")
ALLOW = {"egressFilter": {"type": "ALLOW_ALL"}}


def record(object: ApiObject, origin: Origin = Origin.MADE, **more: Any) -> Record:
    """What App Mesh holds of an object; a lent one belongs to the other cluster."""
    owner = WEST if origin is Origin.LENT else None
    return Record(object=object, arn=arn_of(object), version=1, origin=origin, owner=owner, **more)


def condition(type: str, status: str = "True", reason: str = "Active") -> dict[str, Any]:
    """A status with one condition."""
    return {"conditions": [{"type": type, "status": status, "reason": reason}]}


class TestRecognising:
    """What needs no look at the tags."""

    @pytest.mark.parametrize("origin", Origin)
    def test_what_is_remembered_stays_whose_it_was(self, origin: Origin) -> None:
        """However often it is looked at."""
        found = adoption.recognised(
            record(node()), Observed(records=(record(node(), origin),)), snapshot(virtual_node())
        )
        assert found == record(node(), origin)

    @pytest.mark.parametrize(
        ("object", "status"),
        [
            pytest.param(node(), {"virtualNodeArn": arn_of(node())}, id="its-arn"),
            pytest.param(router(), {"virtualRouterArn": arn_of(router())}, id="its-arn-among-others"),
            pytest.param(route("all"), {"virtualRouterArn": arn_of(router())}, id="the-arn-of-its-router"),
        ],
    )
    def test_what_the_status_records_is_taken_at_its_word(self, object: ApiObject, status: dict[str, Any]) -> None:
        """The history is lost, or another controller ran here before: no read is spent on it."""
        seen = snapshot(virtual_node() if object == node() else virtual_service(), status=status)
        assert adoption.recognised(record(object), None, seen) == record(object, Origin.CLAIMED)

    def test_where_all_was_well_everything_is_taken_at_the_status_s_word(self) -> None:
        """The reference controller wrote no ARN for services."""
        seen = snapshot(virtual_service(), status=condition("VirtualServiceActive"))
        assert adoption.recognised(record(service()), None, seen) == record(service(), Origin.CLAIMED)

    @pytest.mark.parametrize(
        ("known", "status", "metadata"),
        [
            pytest.param(None, {}, {}, id="new"),
            pytest.param(None, condition("VirtualNodeActive", "False"), {}, id="never-active"),
            pytest.param(None, {"virtualNodeArn": arn_of(node("other"))}, {}, id="another-object"),
            pytest.param(Observed(), condition("VirtualNodeActive"), {}, id="active-under-another-name"),
            pytest.param(None, ADOPTED, {}, id="once-adopted"),
            pytest.param(
                None,
                {"virtualNodeArn": arn_of(node())},
                {"deletionTimestamp": "2026-01-02T00:00:00Z"},
                id="about-to-be-deleted",
            ),
        ],
    )
    def test_of_anything_else_only_the_tags_can_tell(
        self, known: Observed | None, status: dict[str, Any], metadata: dict[str, Any]
    ) -> None:
        """And of everything before it is destroyed."""
        seen = snapshot(virtual_node(), status=status, **metadata)
        assert adoption.recognised(record(node()), known, seen) is None


class TestIdentifying:
    """What the tags say."""

    @pytest.mark.parametrize(
        ("tags", "status", "expected"),
        [
            pytest.param(tags_of(WEST), {}, record(node(), Origin.LENT), id="another-cluster"),
            pytest.param(tags_of(WEST.model_copy(update={"cluster": "east"})), {}, record(node()), id="this-cluster"),
            pytest.param({}, {}, record(node(), Origin.FOUND), id="by-hand"),
            pytest.param({"team": "a"}, {}, record(node(), Origin.FOUND), id="tags-of-somebody"),
            pytest.param({}, condition("VirtualNodeActive"), record(node()), id="by-the-controller-before-us"),
            pytest.param(
                {},
                ADOPTED,
                record(node(), Origin.FOUND),
                id="adopted",
            ),
            pytest.param(
                tags_of(WEST), condition("VirtualNodeActive"), record(node(), Origin.LENT), id="tags-over-status"
            ),
        ],
    )
    def test_tags_tell_and_where_there_are_none_the_status(
        self, tags: dict[str, str], status: dict[str, Any], expected: Record
    ) -> None:
        """No tag of ours: adopted, unless the status has evidence that a controller of this cluster made it."""
        assert adoption.identified(record(node()), tags, "east", snapshot(virtual_node(), status=status)) == expected


class TestRivalry:
    """Names that another cluster has taken."""

    @pytest.mark.parametrize("object", [node(), router(), route("all"), service()], ids=str)
    def test_another_cluster_s_object_is_a_conflict_that_names_its_resource(self, object: ApiObject) -> None:
        """Tried again slowly: only people can change it."""
        outcome = adoption.rivalry([record(IN_MESH), record(object, Origin.LENT)])
        assert outcome is not None
        assert (outcome.reason, outcome.again) == (Reason.NAME_CONFLICT, Again.SLOWLY)
        assert outcome.message == f"{object} belongs to prod/cart of cluster west"
        assert outcome.failed_kind is object.kind

    def test_what_is_made_here_adopted_or_a_shared_mesh_is_none(self) -> None:
        """A mesh can be used by many."""
        records = [record(node(), Origin.MADE), record(service(), Origin.FOUND), record(IN_MESH, Origin.LENT)]
        assert adoption.rivalry(records) is None
        assert adoption.usable(records) == Observed(records=tuple(records))

    def test_a_taken_object_is_not_worked_with(self) -> None:
        """So no plan can touch it."""
        assert adoption.usable([record(node(), Origin.LENT), record(router())]) == Observed(records=(record(router()),))


class TestSharedMesh:
    """A mesh of another cluster is used as it is."""

    def test_an_equal_one_is_used(self) -> None:
        """Nothing would be written."""
        lent = Observed(records=(record(IN_MESH, Origin.LENT, spec=ALLOW),))
        assert adoption.refused([Wanted(object=IN_MESH, spec=ALLOW)], lent) is None

    def test_one_that_differs_is_a_conflict_that_names_the_fields(self) -> None:
        """So its user can make both the same."""
        lent = Observed(records=(record(IN_MESH, Origin.LENT),))
        outcome = adoption.refused([Wanted(object=IN_MESH, spec=ALLOW)], lent)
        assert outcome is not None
        assert (outcome.reason, outcome.again) == (Reason.NAME_CONFLICT, Again.SLOWLY)
        assert outcome.message == (
            'mesh shop belongs to prod/cart of cluster west, and differs: egressFilter: none -> {"type": "ALLOW_ALL"}'
        )

    @pytest.mark.parametrize("origin", [Origin.MADE, Origin.CLAIMED, Origin.FOUND])
    def test_our_own_and_an_adopted_one_are_brought_in_line(self, origin: Origin) -> None:
        """By the plan, with one update."""
        assert (
            adoption.refused([Wanted(object=IN_MESH, spec=ALLOW)], Observed(records=(record(IN_MESH, origin),))) is None
        )

    def test_giving_it_up_keeps_all_else(self) -> None:
        """What is remembered of our own."""
        ours = record(node())
        assert adoption.without_lent(Observed(records=(record(IN_MESH, Origin.LENT), ours))) == Observed(
            records=(ours,)
        )


class TestRemembering:
    """After a write."""

    @pytest.mark.parametrize("origin", Origin)
    def test_an_update_changes_the_spec_and_not_whose_it_is(self, origin: Origin) -> None:
        """An adopted object stays adopted."""
        step = Step(verb=Verb.UPDATE, object=node(), spec={"listeners": []})
        known = Observed(records=(record(node(), origin),))
        after = adoption.remembered(step, record(node()), known)
        assert (after.origin, after.owner) == (origin, WEST if origin is Origin.LENT else None)
        assert after.spec == {"listeners": []}

    def test_what_is_created_is_ours(self) -> None:
        """Also where an adopted object of that name was deleted by somebody."""
        step = Step(verb=Verb.CREATE, object=node(), spec={})
        assert adoption.remembered(step, record(node()), Observed()).origin is Origin.MADE


class TestTelling:
    """The Adopted condition."""

    def test_there_is_none_where_nothing_was_adopted(self) -> None:
        """It is the exception."""
        assert adoption.conditions(Observed(records=(record(node()), record(router(), Origin.CLAIMED))), {}, 1) == []

    def test_it_names_what_existed_already_and_what_is_another_s(self) -> None:
        """In a stable order, so that it is no news the next time."""
        observed = Observed(records=(record(service(), Origin.FOUND), record(IN_MESH, Origin.LENT), record(router())))
        (told,) = adoption.conditions(observed, {}, 3)
        assert (told.type, told.status, told.reason, told.observed_generation) == ("Adopted", "True", "Adopted", 3)
        assert told.message == (
            "mesh shop belongs to prod/cart of cluster west and is used as it is; "
            "virtual service cart.prod.svc.cluster.local existed already"
        )

    def test_it_turns_when_everything_has_been_replaced(self) -> None:
        """By objects that we created."""
        (told,) = adoption.conditions(Observed(records=(record(node()),)), condition("Adopted"), 1)
        assert (told.status, told.reason) == ("False", "MadeHere")


@pytest.mark.parametrize(
    ("status", "refused"),
    [
        pytest.param({}, False, id="new"),
        pytest.param(condition("MeshActive"), False, id="active"),
        pytest.param(condition("MeshActive", "False", "BadRequest"), False, id="refused-otherwise"),
        pytest.param(condition("MeshActive", "False", "NameConflict"), True, id="taken"),
    ],
)
def test_after_a_conflict_of_names_a_look_comes_before_the_next_write(status: dict[str, Any], refused: bool) -> None:
    """Creating it again would only be refused again."""
    assert adoption.was_refused(Kind.MESH, status) is refused
    assert snapshot(mesh()).key.kind is Kind.MESH
