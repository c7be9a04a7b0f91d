"""What a shared router shall hold: the union of what the services ask for, and who is refused. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resources.conditions import Reason
from resources.normal import same_spec
from workflows.planning.fit import fits
from workflows.planning.refusal import Refusal
from workflows.planning.sharer import Refused, Sharer
from workflows.planning.sharing import Group


@dataclass(frozen=True)
class Contribution:
    """What one service asks of the router: its routes, and its listeners if it insists on any."""

    sharer: Sharer
    routes: Mapping[str, dict[str, Any]]
    listeners: dict[str, Any] | None
    inferred: dict[str, Any] | None


@dataclass(frozen=True)
class Union:
    """What the router shall be.

    Its spec (None: nobody gives listeners); its routes, and who asks for each that does not just stay as it is; and
    what was refused, by uid.
    """

    router: dict[str, Any] | None
    routes: Mapping[str, dict[str, Any]]
    asked_by: Mapping[str, Sharer]
    refusals: Mapping[str, Refused]


def unite(
    group: Group,
    contributions: Mapping[str, Contribution],
    there: Mapping[str, dict[str, Any]],
    set_aside: Sequence[Refusal] = (),
) -> Union:
    """The union of all routes by name; where two want one name differently, the older has it.

    A service is taken up as a whole or not at all. Of one that is not (it waits for something, clashes, or is about to
    leave) the routes that are there stay as they are, so that nobody who is on the router meets half a change.

    Args:
        group: who shares the router.
        contributions: what each asks for, by uid; those that ask for nothing now are missing.
        there: the routes that the live router has, by name.
        set_aside: whose routes App Mesh would not have.
    """
    known = {each.uid: Refused(each.reason, each.message) for each in set_aside}
    routes: dict[str, dict[str, Any]] = {}
    owners: dict[str, Sharer] = {}
    asked_by: dict[str, Sharer] = {}
    refusals: dict[str, Refused] = {}
    insisted: tuple[Sharer, dict[str, Any]] | None = None
    inferred: dict[str, Any] | None = None
    for sharer in group.all:
        asked = contributions.get(sharer.uid)
        if asked is not None:
            why = known.get(sharer.uid) or _clash(asked, routes, owners, insisted)
            if why is not None:
                refusals[sharer.uid], asked = why, None
        taken = (
            asked.routes
            if asked is not None
            else {name: there[name] for name in sorted(group.routes_of(sharer)) if name in there}
        )
        for name, spec in taken.items():
            if name not in routes:
                routes[name], owners[name] = spec, sharer
                asked_by |= {name: sharer} if asked is not None else {}
        if asked is not None:
            insisted = insisted or ((sharer, asked.listeners) if asked.listeners is not None else None)
            inferred = inferred or asked.inferred
    router = insisted[1] if insisted is not None else inferred
    # What one who is leaving still has is kept for it on the router of before, where it cannot be on this one too.
    routes = {name: spec for name, spec in routes.items() if name in asked_by or router is None or fits(spec, router)}
    return Union(router, routes, asked_by, refusals)


def _clash(
    asked: Contribution,
    routes: Mapping[str, dict[str, Any]],
    owners: Mapping[str, Sharer],
    insisted: tuple[Sharer, dict[str, Any]] | None,
) -> Refused | None:
    if insisted is not None and asked.listeners is not None and not same_spec(asked.listeners, insisted[1]):
        told = f"spec.virtualRouter.listeners differ from those of {insisted[0].label}, which is older"
        return Refused(Reason.ROUTE_CONFLICT, told)
    for name, spec in asked.routes.items():
        if name in routes and not same_spec(spec, routes[name]):
            told = f"route {name} differs from that of {owners[name].label}, which is older and shares the router"
            return Refused(Reason.ROUTE_CONFLICT, told)
    return None
