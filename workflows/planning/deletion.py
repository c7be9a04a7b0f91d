"""What goes and what stays in App Mesh when a resource is deleted. Pure.

By default what this cluster created goes, and what it adopted stays. The annotation `meshwright.dev/deletion-policy`
decides otherwise, but never over an object of another cluster.
"""

from collections.abc import Iterable, Sequence

from activities.messages import Record
from activities.objects import ApiKind, ApiObject
from resources.annotations import DELETION_POLICY, DeletionPolicy, deletion_policy
from resources.conditions import Reason
from resources.errors import InvalidResource
from resources.ownership import Origin
from workflows.messages import Snapshot
from workflows.planning.outcome import Again, Outcome
from workflows.planning.plan import Observed
from workflows.planning.routing import live_router

SHOWN = 8
"""Objects that a message names."""


def waiting_for(services: Sequence[str]) -> Outcome | None:
    """That services of the same deleted mesh still target the node; None when none does.

    Each pokes it when it goes. The slow look is for one that stays, when its mesh is no longer to take its members.
    """
    if not services:
        return None
    some = ", ".join(services[:SHOWN]) + (" ..." if len(services) > SHOWN else "")
    message = f"{len(services)} virtual services still target it: {some}"
    return Outcome(reason=Reason.WAITING_FOR_SERVICES, message=message, again=Again.SLOWLY)


def policy_of(snapshot: Snapshot, gone: bool) -> DeletionPolicy | None:
    """What the resource asks for; None when it leaves that to who made each object.

    Raises:
        InvalidResource: the annotation cannot be read. Of a resource that is gone already, which nobody can correct,
            it then counts as the choice that destroys nothing.
    """
    try:
        return deletion_policy(snapshot.annotations)
    except InvalidResource:
        if gone:
            return DeletionPolicy.RETAIN
        raise


def doubtful(observed: Observed) -> tuple[Record, ...]:
    """Those that we took at the status's word: before anything is destroyed, their tags are looked at."""
    return tuple(record for record in observed.records if record.origin is Origin.CLAIMED)


def kept(observed: Observed, policy: DeletionPolicy | None) -> frozenset[ApiObject]:
    """The objects that stay, and with each all that it cannot be without.

    A service that stays keeps the router that it points at, with all routes; a route that stays keeps its router.
    """
    if policy is DeletionPolicy.RETAIN:
        return frozenset(record.object for record in observed.records)
    origins = {Origin.LENT} if policy is DeletionPolicy.DELETE else {Origin.LENT, Origin.FOUND}
    staying = {record.object for record in observed.records if record.origin in origins}
    services = {object for object in staying if object.kind is ApiKind.VIRTUAL_SERVICE}
    live = {router.name for service in services if (router := live_router(service, observed)) is not None}
    routers = live | {object.router for object in staying if object.router is not None}
    for record in observed.records:
        object = record.object
        if (object.name in routers and object.kind is ApiKind.VIRTUAL_ROUTER) or object.router in live:
            staying.add(object)
    return frozenset(staying)


def leaving(observed: Observed, policy: DeletionPolicy | None) -> Observed:
    """What is to be deleted."""
    staying = kept(observed, policy)
    return Observed(records=tuple(record for record in observed.records if record.object not in staying))


def retained(objects: Iterable[ApiObject], policy: DeletionPolicy | None) -> Outcome | None:
    """What is told of those that stay; None when none does."""
    names = sorted(str(object) for object in objects)
    if not names:
        return None
    some = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    why = "the deletion policy is Retain" if policy is DeletionPolicy.RETAIN else "this cluster did not create it"
    return Outcome(reason=Reason.RETAINED, message=f"Left in App Mesh: {some}; {why}")


def with_way_out(outcome: Outcome) -> Outcome:
    """The same; when App Mesh does not let us in, with how to let the resource go all the same."""
    if outcome.reason not in (Reason.FORBIDDEN, Reason.APP_MESH_UNAVAILABLE):
        return outcome
    hint = f"{outcome.message} (the annotation {DELETION_POLICY}: {DeletionPolicy.RETAIN} lets the resource go)"
    return outcome.model_copy(update={"message": hint})
