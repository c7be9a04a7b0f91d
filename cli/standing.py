"""How each resource stands, from its conditions: one line for people, all of it for programs. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from resources.conditions import ConditionType, active_condition
from resources.kinds import Kind
from resources.phases import Phase, phase_of


@dataclass(frozen=True)
class Standing:
    """One resource."""

    kind: str
    namespace: str
    name: str
    mesh: str
    phase: Phase
    reason: str
    message: str
    generation: int
    observed_generation: int | None
    since: str
    """When the main condition last turned (RFC 3339); empty if it never did."""
    warnings: tuple[str, ...] = ()
    """Other conditions that are False, `DNSResolvable (HostNotFound): ...`; and whose pods a node keeps out."""

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen by itself: it is active, and nothing else is said."""
        return self.phase is Phase.ACTIVE


def standing(resource: Mapping[str, Any]) -> Standing:
    """How a resource stands, as Kubernetes has it."""
    kind, metadata = Kind(resource["kind"]), resource["metadata"]
    status = resource.get("status") or {}
    conditions = list(status.get("conditions") or status.get("meshCondition") or ())
    wanted = active_condition(kind)
    main: Mapping[str, Any] = next((each for each in conditions if each.get("type") == wanted), {})
    observed, generation = status.get("observedGeneration"), int(metadata.get("generation", 0))
    return Standing(
        kind=kind.value,
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        mesh=metadata["name"] if kind is Kind.MESH else str((resource.get("spec") or {}).get("meshName", "")),
        phase=_phase(main, bool(metadata.get("deletionTimestamp")), observed == generation),
        reason=str(main.get("reason") or ""),
        message=str(main.get("message") or ""),
        generation=generation,
        observed_generation=observed,
        since=str(main.get("lastTransitionTime") or ""),
        warnings=tuple(_warnings(kind, conditions)),
    )


def sorted_standings(resources: Iterable[Mapping[str, Any]]) -> list[Standing]:
    """Of all these: meshes first, then nodes, then services, each by namespace and name."""
    order = {kind.value: number for number, kind in enumerate(Kind)}
    found = map(standing, resources)
    return sorted(found, key=lambda each: (order[each.kind], each.namespace, each.name))


def _phase(main: Mapping[str, Any], deleting: bool, is_newest: bool) -> Phase:
    if deleting:
        return Phase.DELETING
    if not main or not is_newest:
        return Phase.PENDING
    if main.get("status") == "True":
        return Phase.ACTIVE
    return phase_of(str(main.get("reason")))


def _warnings(kind: Kind, conditions: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    parts = {ConditionType.VIRTUAL_ROUTER_ACTIVE, ConditionType.ROUTES_ACTIVE, active_condition(kind)}
    for each in conditions:
        keeps_out = each.get("type") == ConditionType.CLOUD_MAP_SERVICE_READY and each.get("message")
        if each.get("type") not in parts and (each.get("status") == "False" or keeps_out):
            yield f"{each['type']} ({each.get('reason', '')}): {each.get('message', '')}"
