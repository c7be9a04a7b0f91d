"""Whether a resource has come to rest, and how: what somebody who waits for it wants to know. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cli.standing import standing
from resources.conditions import ConditionType, Reason

REFUSED = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.BAD_REQUEST,
        Reason.FORBIDDEN,
        Reason.LIMIT_EXCEEDED,
        Reason.NAME_CONFLICT,
        Reason.ROUTE_CONFLICT,
        Reason.NO_LISTENER,
    }
)
"""Reasons that stand until somebody changes something: there is nothing to wait for."""


class Rest(StrEnum):
    """How a resource stands for those who wait."""

    REACHED = "reached"
    """App Mesh holds what the newest spec asks for, and so do the proxies; or the resource is gone."""
    REFUSED = "refused"
    """It does not, and will not without somebody's doing."""
    UNDER_WAY = "under way"
    """It may yet."""


@dataclass(frozen=True)
class Verdict:
    """How it stands, and in what words."""

    rest: Rest
    said: str


def verdict(resource: Mapping[str, Any] | None) -> Verdict:
    """Of a resource as Kubernetes has it; None when it has none any more."""
    if resource is None:
        return Verdict(Rest.REACHED, "gone")
    found = standing(resource)
    said = ": ".join(part for part in (found.reason or found.phase.value, found.message) if part)
    if found.observed_generation != found.generation:
        return Verdict(Rest.UNDER_WAY, f"generation {found.generation} has not been dealt with yet")
    if found.reason in REFUSED:
        return Verdict(Rest.REFUSED, said)
    if not found.settled:
        return Verdict(Rest.UNDER_WAY, said)
    return _of_proxies(resource, found.generation) or Verdict(Rest.REACHED, said)


def _of_proxies(resource: Mapping[str, Any], generation: int) -> Verdict | None:
    """What proxies make of it; None while none is connected."""
    accepted = _condition(resource, ConditionType.DATA_PLANE_ACCEPTED, generation)
    if accepted.get("status") == "False":
        return Verdict(Rest.REFUSED, _words(accepted))
    synced = _condition(resource, ConditionType.DATA_PLANE_SYNCED, generation)
    if not synced:
        return None
    if synced.get("status") == "True":
        return Verdict(Rest.REACHED, f"Active: {synced.get('message', '')}")
    return Verdict(Rest.UNDER_WAY, _words(synced))


def _condition(resource: Mapping[str, Any], type: ConditionType, generation: int) -> Mapping[str, Any]:
    conditions = resource["status"].get("conditions") or ()
    those = (each for each in conditions if each.get("type") == type and each.get("observedGeneration") == generation)
    return next(those, {})


def _words(condition: Mapping[str, Any]) -> str:
    return f"{condition.get('type')}: {condition.get('reason', '')}: {condition.get('message', '')}"
