"""Search attributes: what Temporal can find the workflow of a resource by, and how a workflow keeps them true.

A server knows only attributes that were registered with it, and fails every task of a workflow that sets another. So
nobody sets any before a watcher has asked the server, and has told the workflow (`Change.searchable`).
What does not change is given at the start of a workflow, which costs no event; an upsert costs one, and is made only
when the phase or the reason turns.
"""

from collections.abc import Mapping

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from resources.cloud_map import CloudMapService
from resources.kinds import Kind
from resources.phases import Phase
from workflows import names

Values = Mapping[SearchAttributeKey[str], str | None]

KIND = SearchAttributeKey.for_keyword(names.SEARCH_KIND)
NAMESPACE = SearchAttributeKey.for_keyword(names.SEARCH_NAMESPACE)
NAME = SearchAttributeKey.for_keyword(names.SEARCH_NAME)
MESH = SearchAttributeKey.for_keyword(names.SEARCH_MESH)
PHASE = SearchAttributeKey.for_keyword(names.SEARCH_PHASE)
REASON = SearchAttributeKey.for_keyword(names.SEARCH_REASON)

LONGEST = 255
"""Characters that an SQL database of Temporal keeps of a keyword."""


def of_resource(kind: Kind, namespace: str | None, name: str, spec: Mapping[str, object]) -> Values:
    """Which resource it is. A mesh is its own mesh."""
    mesh = name if kind is Kind.MESH else spec.get("meshName")
    return {KIND: str(kind), NAMESPACE: namespace, NAME: name, MESH: str(mesh) if mesh else None}


def of_service(service: CloudMapService) -> Values:
    """Which Cloud Map service it is; its namespace is Cloud Map's."""
    return {KIND: names.CLOUD_MAP_SERVICE, NAMESPACE: service.namespace, NAME: service.name}


def standing(phase: Phase, reason: str | None) -> Values:
    """How it stands."""
    return {PHASE: str(phase), REASON: reason}


def at_start(values: Values) -> TypedSearchAttributes:
    """What a workflow is started with: it has not begun."""
    known = {**values, PHASE: str(Phase.PENDING)}
    return TypedSearchAttributes(
        [SearchAttributePair(key, value[:LONGEST]) for key, value in known.items() if value is not None]
    )


def publish(values: Values) -> None:
    """Have the workflow that calls this found by these; an upsert of what differs, and none when nothing does."""
    known = workflow.info().typed_search_attributes
    updates = [
        key.value_set(value[:LONGEST]) if value is not None else key.value_unset()
        for key, value in values.items()
        if known.get(key) != (value[:LONGEST] if value is not None else None)
    ]
    if updates:
        workflow.upsert_search_attributes(updates)
