"""Which App Mesh objects that exist already a resource may take for its own, and which belong to others. Pure.

An object is ours without a question when we remember it, or when the resource's status speaks of it: then a controller
of this cluster made it. Of any other, its tags tell: this cluster's are ours; another cluster's are not, save that a
mesh may be used as it is; and what carries none, made by hand or by another controller, is adopted.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from activities.messages import Record
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from resources.conditions import Condition, ConditionType, Reason, active_condition, condition_is_true
from resources.kinds import Kind
from resources.normal import differences
from resources.ownership import Origin, origin_of, owner_in
from workflows.messages import Snapshot
from workflows.planning.outcome import Again, Outcome
from workflows.planning.plan import Observed, Step, Wanted

FOREIGN = frozenset({Origin.FOUND, Origin.LENT})
_ARN_MEMBERS = ("meshArn", "virtualNodeArn", "virtualServiceArn", "virtualRouterArn")


def recognised(record: Record, known: Observed | None, snapshot: Snapshot) -> Record | None:
    """The record of an object that was looked at, with its origin; None when only its tags can tell.

    Args:
        record: what App Mesh answered.
        known: what we remembered before we looked; None when nothing.
        snapshot: the resource.
    """
    before = known.find(record.object) if known is not None else None
    if before is not None:
        return record.model_copy(update={"origin": before.origin, "owner": before.owner})
    if snapshot.deleting or not _is_claimed(record.object, known, snapshot):
        return None
    return record.model_copy(update={"origin": Origin.CLAIMED})


def identified(record: Record, tags: Mapping[str, str], cluster: str, snapshot: Snapshot) -> Record:
    """The record with the origin that the object's tags tell.

    One without tags of ours is taken at the status's word: controllers that do not tag made many.
    """
    owner = owner_in(tags)
    origin = origin_of(owner, cluster)
    if origin is Origin.FOUND and _is_claimed(record.object, None, snapshot):
        origin = Origin.MADE
    return record.model_copy(update={"origin": origin, "owner": owner if origin is Origin.LENT else None})


def remembered(step: Step, answer: Record, known: Observed) -> Record:
    """What to remember of a create or an update: what was sent, so that the next comparison is with what will be sent.

    What we create is ours; what we update stays whose it was.
    """
    before = known.find(step.object) if step.verb is Verb.UPDATE else None
    origin = {"origin": before.origin, "owner": before.owner} if before is not None else {"origin": Origin.MADE}
    return answer.model_copy(update={"spec": step.spec or {}, **origin})


def usable(records: Iterable[Record]) -> Observed:
    """What we may work with: everything but other clusters' objects; their meshes may be used, as they are."""
    return Observed(records=tuple(record for record in records if not _is_taken(record)))


def rivalry(records: Iterable[Record]) -> Outcome | None:
    """That another cluster has an object of the name already; None when no name is taken."""
    taken = next((record for record in records if _is_taken(record)), None)
    if taken is None:
        return None
    message = f"{taken.object} belongs to {taken.owner}"
    return Outcome(reason=Reason.NAME_CONFLICT, message=message, again=Again.SLOWLY, failed_kind=taken.object.kind)


def refused(wanted: Sequence[Wanted], observed: Observed) -> Outcome | None:
    """That another cluster's mesh is not as this resource wants it; None when nothing lent would have to change."""
    for item in wanted:
        record = observed.find(item.object)
        if record is None or record.origin is not Origin.LENT:
            continue
        if differing := differences(item.spec, record.spec):
            message = f"{item.object} belongs to {record.owner}, and differs: {'; '.join(differing)}"
            return Outcome(reason=Reason.NAME_CONFLICT, message=message, again=Again.SLOWLY, failed_kind=ApiKind.MESH)
    return None


def without_lent(observed: Observed) -> Observed:
    """What is left when the lent mesh is given up."""
    return Observed(records=tuple(record for record in observed.records if record.origin is not Origin.LENT))


def was_refused(kind: Kind, status: Mapping[str, Any]) -> bool:
    """Whether the name was taken when last tried: then a look comes before the next write."""
    return any(
        condition.get("type") == active_condition(kind) and condition.get("reason") == Reason.NAME_CONFLICT
        for condition in status.get("conditions") or ()
    )


def conditions(observed: Observed, status: Mapping[str, Any], generation: int) -> list[Condition]:
    """The Adopted condition: there once anything was adopted; not before, since it is the exception."""
    adopted = [_told(record) for record in observed.records if record.origin in FOREIGN]
    was = any(condition.get("type") == ConditionType.ADOPTED for condition in status.get("conditions") or ())
    if not adopted and not was:
        return []
    return [
        Condition(
            type=ConditionType.ADOPTED,
            status="True" if adopted else "False",
            reason=Reason.ADOPTED if adopted else Reason.MADE_HERE,
            message="; ".join(sorted(adopted))[:1024],
            observed_generation=generation,
        )
    ]


def _told(record: Record) -> str:
    if record.origin is Origin.LENT:
        return f"{record.object} belongs to {record.owner} and is used as it is"
    return f"{record.object} existed already"


def _is_taken(record: Record) -> bool:
    return record.origin is Origin.LENT and record.object.kind is not ApiKind.MESH


def _is_claimed(object: ApiObject, known: Observed | None, snapshot: Snapshot) -> bool:
    """Whether the resource's status says that a controller of this cluster made the object.

    By its ARN, or that of a route's router; or, as long as we remember nothing better, because all was well.
    """
    resource = snapshot.as_resource()
    if condition_is_true(resource, ConditionType.ADOPTED):
        return False
    if known is None and condition_is_true(resource, active_condition(snapshot.key.kind)):
        return True
    arns = [snapshot.status.get(member) for member in _ARN_MEMBERS]
    recorded = [ApiObject.from_arn(str(arn)) for arn in arns if arn]
    router = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=object.mesh, name=object.router or "")
    return object in recorded or (object.kind is ApiKind.ROUTE and router in recorded)
