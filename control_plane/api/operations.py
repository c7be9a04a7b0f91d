"""The five verbs, the same for all kinds of objects; what differs is in the table of `semantics.py`.

Each takes a session whose transaction the caller owns, the kind and the checked parameters, and returns the answer by
member name. All that needs no state (`preflight`) is done before a transaction is opened.
"""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from botocore.model import OperationModel

from control_plane.api import answers, idempotency, paging, tagging
from control_plane.api.answers import Answer
from control_plane.api.decoding import Parameters
from control_plane.api.errors import Conflict, Forbidden, LimitExceeded, ResourceInUse
from control_plane.api.rules import names
from control_plane.api.semantics import KINDS, Kind, blocking, contained
from control_plane.api.session import Installation, Session
from control_plane.api.specs import normalised
from control_plane.api.surroundings import Neighbourhood, described, references_of
from control_plane.api.validation import Violation, refuse
from control_plane.store import changes, objects, references, tags
from control_plane.store.records import ObjectKey, ObjectRecord

DEFAULT_PAGE = 100
_NAMED_IN_MESSAGES = 5


def preflight(installation: Installation, kind: Kind, operation: OperationModel, parameters: Parameters) -> Parameters:
    """Check what needs no state, and return the parameters with the spec as it would be stored.

    Raises:
        Forbidden: the mesh is said to be somebody else's.
        BadRequest: a rule on names or on the spec alone is broken; names all of them.
        LimitExceeded: the spec holds too many of something.
    """
    owner = parameters.get("meshOwner", installation.account_id)
    if owner != installation.account_id:
        raise Forbidden(f"No mesh of account {owner} is shared with account {installation.account_id}")
    violations: list[Violation] = []
    if "clientToken" in parameters:
        violations += names.client_token(parameters["clientToken"])
    if operation.name.startswith("Create"):
        violations += kind.name_rule(parameters[kind.name_member], kind.name_member)
        violations += tagging.tag_violations(parameters.get("tags", []))
    members = operation.input_shape.members
    if "spec" in members:
        spec = normalised(kind, members["spec"], parameters.get("spec", {}))
        violations += (violation for rule in kind.rules for violation in rule(spec))
        parameters = {**parameters, "spec": spec}
    refuse(violations)
    for quota in kind.content_quotas:
        size, limit = len(parameters.get("spec", {}).get(quota.member, ())), quota.limit(installation.quotas)
        if size > limit:
            raise LimitExceeded(f"spec.{quota.member} has {size} items; the limit is {limit}")
    return parameters


def create(session: Session, kind: Kind, parameters: Parameters) -> Answer:
    """Make a new object, version 1."""
    return idempotency.once(session, f"Create{kind.noun}", parameters, lambda: _create(session, kind, parameters))


def update(session: Session, kind: Kind, parameters: Parameters) -> Answer:
    """Replace an object's whole spec, version +1; name, owner and tags stay."""
    return idempotency.once(session, f"Update{kind.noun}", parameters, lambda: _update(session, kind, parameters))


def describe(session: Session, kind: Kind, parameters: Parameters) -> Answer:
    """Show an object."""
    key = key_of(kind, parameters)
    record = objects.get(session.connection, key) or Neighbourhood.of(session, key).require(key)
    return answers.data(session.installation, kind, record)


def delete(session: Session, kind: Kind, parameters: Parameters) -> Answer:
    """Take an object away, and show it a last time."""
    key = key_of(kind, parameters)
    record = Neighbourhood.of(session, key).require(key)
    _refuse_if_it_contains(session, kind, key)
    _refuse_if_referred_to(session, key)
    objects.remove(session.write, record.uid)
    _note(session, "delete", record)
    return answers.data(session.installation, kind, record, deleted_at=session.write.revision)


def list_page(session: Session, kind: Kind, parameters: Parameters) -> Answer:
    """Show one page of a collection, by name."""
    mesh, parent = _place(kind, parameters)
    limit = parameters.get("limit", DEFAULT_PAGE)
    collection = (kind.name, mesh, parent)
    after = paging.position(collection, parameters.get("nextToken"))
    Neighbourhood.of(session, ObjectKey(kind.name, mesh, parent, ""))  # the mesh and the parent exist
    # One more than shown tells whether there is a next page.
    found = objects.page(session.connection, *collection, after=after, at_most=limit + 1)
    items = [answers.ref(session.installation, kind, record) for record in found[:limit]]
    more = paging.next_token(collection, found[limit - 1].key.name) if len(found) > limit else None
    return {kind.list_member: items, "nextToken": more}


def key_of(kind: Kind, parameters: Parameters) -> ObjectKey:
    """Where the object is that the parameters name."""
    mesh, parent = _place(kind, parameters)
    return ObjectKey(kind.name, mesh, parent, parameters[kind.name_member])


def _place(kind: Kind, parameters: Parameters) -> tuple[str, str]:
    """The mesh and, within it, the parent of the kind's objects."""
    match kind.parent:
        case None:
            return "", ""
        case "mesh":
            return parameters["meshName"], ""
        case parent:
            return parameters["meshName"], parameters[KINDS[parent].name_member]


def _create(session: Session, kind: Kind, parameters: Parameters) -> tuple[str, Answer]:
    key, spec = key_of(kind, parameters), parameters["spec"]
    around = Neighbourhood.of(session, key, spec)
    if around.itself is not None:
        raise Conflict(f"{described(key)} already exists")
    limit = kind.quota(session.installation.quotas)
    collection = (kind.name, key.mesh, key.parent)
    if not session.installation.room.is_there(session.write, collection, limit):
        raise LimitExceeded(f"There are {limit} {kind.plural} already, which is the limit")
    _refuse_if_it_does_not_fit(kind, spec, around)
    record = ObjectRecord(
        key=key,
        uid=str(uuid4()),
        spec=spec,
        version=1,
        created_at=session.now,
        updated_at=session.now,
        revision=session.write.revision,
    )
    objects.add(session.write, record)
    references.add(session.write, record.uid, key.mesh, references_of(kind, spec))
    if "tags" in parameters:
        tags.put(session.write, record.uid, {tag["key"]: tag["value"] for tag in parameters["tags"]})
    _note(session, "create", record)
    return record.uid, answers.data(session.installation, kind, record)


def _update(session: Session, kind: Kind, parameters: Parameters) -> tuple[str, Answer]:
    key, spec = key_of(kind, parameters), parameters["spec"]
    around = Neighbourhood.of(session, key, spec)
    before = around.require(key)
    _refuse_if_it_does_not_fit(kind, spec, around)
    record = replace(
        before, spec=spec, version=before.version + 1, updated_at=session.now, revision=session.write.revision
    )
    objects.replace(session.write, record)
    if (now_named := references_of(kind, spec)) != references_of(kind, before.spec):
        references.replace(session.write, record.uid, key.mesh, now_named)
    _note(session, "update", record)
    return record.uid, answers.data(session.installation, kind, record)


def _note(session: Session, operation: str, record: ObjectRecord) -> None:
    changes.note(session.write, operation, record.key, record.uid, record.version, session.caller)


def _refuse_if_it_does_not_fit(kind: Kind, spec: dict[str, Any], around: Neighbourhood) -> None:
    around.require_references(spec)
    refuse(violation for rule in kind.mesh_rules for violation in rule(spec, around))


def _refuse_if_it_contains(session: Session, kind: Kind, key: ObjectKey) -> None:
    if kind.name == "mesh":
        left = objects.members(session.connection, key.name)
        if left:
            inside = ", ".join(f"{number} {KINDS[each].plural} (like {name})" for each, number, name in left)
            raise ResourceInUse(f"{described(key)} cannot be deleted because it still has {inside}")
    for child in contained(kind.name):
        at_most = _NAMED_IN_MESSAGES
        inside_it = objects.page(session.connection, child.name, key.mesh, key.name, after="", at_most=at_most)
        if inside_it:
            listed = ", ".join(record.key.name for record in inside_it)
            raise ResourceInUse(f"{described(key)} cannot be deleted because it has {child.plural}: [{listed}]")


def _refuse_if_referred_to(session: Session, key: ObjectKey) -> None:
    reasons = blocking(key.kind)
    if not reasons:
        return
    for referrer in references.referrers(session.connection, key):
        if referrer.relation in reasons:
            raise ResourceInUse(
                f"{described(key)} cannot be deleted because {reasons[referrer.relation]}: {described(referrer.key)}"
            )
