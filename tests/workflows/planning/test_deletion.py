"""What goes and what stays in App Mesh when a resource is deleted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.messages import Record
from activities.objects import ApiKind, ApiObject
from resources.annotations import DELETION_POLICY, DeletionPolicy
from resources.conditions import Reason
from resources.errors import InvalidResource
from resources.ownership import Origin
from tests.builders import MESH, virtual_node
from tests.workflows.app_mesh_model import AppMeshModel, arn_of
from tests.workflows.snapshots import route, router, service, snapshot
from workflows.planning import deletion
from workflows.planning.outcome import Again, Outcome
from workflows.planning.plan import Observed, plan

OTHER = router("cart-router-prod-0a1b2c3d")
PROVIDER = {"provider": {"virtualRouter": {"virtualRouterName": router().name}}}
OBJECTS = (service(), router(), route("a"), route("b"), OTHER, route("a", OTHER.name))
KEEPS_FOREIGN = (None, DeletionPolicy.DELETE, DeletionPolicy.RETAIN)

origins = st.fixed_dictionaries({object: st.sampled_from([Origin.MADE, Origin.FOUND]) for object in OBJECTS})


def observed(origins: dict[ApiObject, Origin]) -> Observed:
    """Objects of these origins; the service points at its router."""
    return Observed(
        records=tuple(
            Record(
                object=object,
                arn=arn_of(object),
                version=1,
                spec=PROVIDER if object.kind is ApiKind.VIRTUAL_SERVICE else {},
                origin=origin,
            )
            for object, origin in origins.items()
        )
    )


def test_what_was_made_goes_and_what_was_found_stays() -> None:
    """The default."""
    mixed = observed({service(): Origin.MADE, router(): Origin.FOUND, route("a"): Origin.FOUND, OTHER: Origin.MADE})
    assert deletion.kept(mixed, None) == {router(), route("a")}
    assert {record.object for record in deletion.leaving(mixed, None).records} == {service(), OTHER}


def test_a_service_that_stays_keeps_its_whole_routing() -> None:
    """Adopted, it must not be left pointing at nothing."""
    mixed = observed({service(): Origin.FOUND, router(): Origin.MADE, route("a"): Origin.MADE, OTHER: Origin.MADE})
    assert deletion.kept(mixed, None) == {service(), router(), route("a")}


def test_a_route_that_stays_keeps_its_router() -> None:
    """App Mesh would not let the router go, and nobody the resource."""
    mixed = observed({service(): Origin.MADE, router(): Origin.MADE, route("a"): Origin.FOUND, route("b"): Origin.MADE})
    assert deletion.kept(mixed, None) == {router(), route("a")}


@given(origins, st.sampled_from(KEEPS_FOREIGN))
def test_no_planned_delete_is_refused(origins: dict[ApiObject, Origin], policy: DeletionPolicy | None) -> None:
    """Whatever stays: what goes is not in use, so no finalizer is stuck over it."""
    there = observed(origins)
    app_mesh = AppMeshModel(ApiObject.mesh_object(MESH))
    for record in there.records:
        app_mesh.put(record.object, record.spec)
    for step in plan((), deletion.leaving(there, policy)).steps:
        app_mesh.run(step)
    assert set(app_mesh.objects) - {ApiObject.mesh_object(MESH)} == deletion.kept(there, policy)


@given(origins)
def test_retain_keeps_and_delete_takes_all_of_ours(origins: dict[ApiObject, Origin]) -> None:
    """The annotation decides over adopted objects too."""
    there = observed(origins)
    assert deletion.leaving(there, DeletionPolicy.RETAIN) == Observed()
    assert deletion.kept(there, DeletionPolicy.DELETE) == frozenset()


@pytest.mark.parametrize("policy", KEEPS_FOREIGN)
def test_another_cluster_s_mesh_is_never_deleted(policy: DeletionPolicy | None) -> None:
    """Not even where the annotation says so."""
    mesh = ApiObject.mesh_object(MESH)
    assert deletion.kept(observed({mesh: Origin.LENT}), policy) == {mesh}


def test_only_what_rests_on_the_status_alone_is_doubted() -> None:
    """What we saw made costs no read on its way out."""
    mixed = observed({service(): Origin.MADE, router(): Origin.CLAIMED, route("a"): Origin.FOUND})
    assert [record.object for record in deletion.doubtful(mixed)] == [router()]


@pytest.mark.parametrize(
    ("services", "message"),
    [
        pytest.param((), None, id="none"),
        pytest.param(("a",), "1 virtual services still target it: a", id="one"),
        pytest.param(tuple("abcdefghij"), "10 virtual services still target it: a, b, c, d, e, f, g, h ...", id="many"),
    ],
)
def test_a_node_waits_for_the_services_that_target_it(services: tuple[str, ...], message: str | None) -> None:
    """Each pokes it as it goes; the slow look is for the case that one is to stay after all."""
    waiting = deletion.waiting_for(services)
    assert (waiting.message if waiting else None) == message
    assert waiting is None or waiting.again is Again.SLOWLY


class TestPolicy:
    """The annotation of a resource that is deleted."""

    @pytest.mark.parametrize("gone", [False, True])
    @pytest.mark.parametrize(
        ("annotations", "policy"),
        [
            pytest.param({}, None, id="none"),
            pytest.param({DELETION_POLICY: "Retain"}, DeletionPolicy.RETAIN, id="retain"),
            pytest.param({DELETION_POLICY: "Delete"}, DeletionPolicy.DELETE, id="delete"),
        ],
    )
    def test_it_is_taken_as_written(
        self, annotations: dict[str, str], policy: DeletionPolicy | None, gone: bool
    ) -> None:
        """From the newest sighting."""
        assert deletion.policy_of(snapshot(virtual_node(), annotations=annotations), gone) is policy

    def test_a_misspelt_one_stops_the_deletion_while_somebody_can_correct_it(self) -> None:
        """Nothing is destroyed on a guess."""
        misspelt = snapshot(virtual_node(), annotations={DELETION_POLICY: "Retian"})
        with pytest.raises(InvalidResource, match=DELETION_POLICY):
            deletion.policy_of(misspelt, gone=False)
        assert deletion.policy_of(misspelt, gone=True) is DeletionPolicy.RETAIN


class TestTelling:
    """What is said of what stays."""

    def test_nothing_is_said_where_nothing_stays(self) -> None:
        """A plain deletion has its own Event."""
        assert deletion.retained((), DeletionPolicy.RETAIN) is None

    @pytest.mark.parametrize(
        ("policy", "why"),
        [
            pytest.param(DeletionPolicy.RETAIN, "the deletion policy is Retain", id="retain"),
            pytest.param(None, "this cluster did not create it", id="adopted"),
        ],
    )
    def test_what_stays_is_named_with_the_reason(self, policy: DeletionPolicy | None, why: str) -> None:
        """In the words of the other messages."""
        told = deletion.retained((router(), route("a")), policy)
        assert told is not None
        assert told.reason is Reason.RETAINED
        assert told.message == (f"Left in App Mesh: route a of router cart-router-prod, router cart-router-prod; {why}")

    def test_many_are_counted(self) -> None:
        """An Event has limits."""
        told = deletion.retained([route(f"r{number:02}") for number in range(20)], DeletionPolicy.RETAIN)
        assert told is not None
        assert " and 12 more; " in told.message

    @pytest.mark.parametrize(
        ("outcome", "hinted"),
        [
            pytest.param({"reason": Reason.FORBIDDEN, "message": "no"}, True, id="forbidden"),
            pytest.param({"reason": Reason.APP_MESH_UNAVAILABLE, "message": "no"}, True, id="unavailable"),
            pytest.param({"reason": Reason.WAITING_FOR_DELETION, "message": "no"}, False, id="in-use"),
        ],
    )
    def test_who_is_locked_out_is_told_the_way_out(self, outcome: dict[str, Any], hinted: bool) -> None:
        """Credentials that no longer work must not keep a resource for ever."""
        message = deletion.with_way_out(Outcome(**outcome)).message
        assert (f"{DELETION_POLICY}: Retain" in message) is hinted
