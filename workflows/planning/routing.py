"""Which router shall carry a service's routing: the one that is live, or a new one beside it. Pure.

Traffic must never see a half-made change. One API call is atomic, so a change that is one call is made on the live
router. A change that takes more is made on a complete new router beside it, the service is turned to that by one
update, and the old router goes after it. Wherever that is interrupted, the service is on the old routing or on the new
one, and the same choice made again from there goes on, or back if the spec went back.

A new router's name is made from its content (`<name>-<8 hex digits>`), so that a repeated choice is the same choice.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from activities.objects import ApiKind, ApiObject
from resources.annotations import chosen
from workflows.planning.plan import Observed, Wanted, plan

ANNOTATION = "meshwright.dev/routing-update"
LONGEST_NAME = 255
_DIGEST = 8


class RoutingUpdate(StrEnum):
    """How a live routing is changed; what the annotation says."""

    AUTO = "auto"
    """In place when it is one call, else by a swap."""
    IN_PLACE = "in-place"
    """Always on the live router, call by call."""
    SWAP = "swap"
    """Always by a new router."""


def routing_update(annotations: Mapping[str, str]) -> RoutingUpdate:
    """What the annotation asks for; `auto` without one.

    Raises:
        InvalidResource: it says something else.
    """
    return chosen(annotations, ANNOTATION, RoutingUpdate) or RoutingUpdate.AUTO


def choose_router(
    base: ApiObject, live: ApiObject | None, routing: Sequence[Wanted], observed: Observed, mode: RoutingUpdate
) -> ApiObject:
    """The router that shall hold the routing.

    Args:
        base: the router by the name that the spec gives it.
        live: the router that carries the traffic now; None when none does.
        routing: router and routes as wanted, under the base name.
        observed: what App Mesh holds for this resource.
        mode: what the user asks for.
    """
    if live is None or not is_made_from(live, base) or observed.find(live) is None:
        return base
    changes = _changes(moved(routing, live), live, observed)
    if changes == 0 or mode is RoutingUpdate.IN_PLACE or (changes == 1 and mode is RoutingUpdate.AUTO):
        return live
    return _beside(base, routing)


def live_router(service: ApiObject, observed: Observed) -> ApiObject | None:
    """The router that the service points at; None when there is no service or it points elsewhere."""
    record = observed.find(service)
    if record is None:
        return None
    provider = (record.spec.get("provider") or {}).get("virtualRouter") or {}
    name = provider.get("virtualRouterName")
    return ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=service.mesh, name=name) if name else None


def is_made_from(router: ApiObject, base: ApiObject) -> bool:
    """Whether a router is the base itself or was made beside it."""
    made = re.compile(rf"{re.escape(_shortened(base.name))}-[0-9a-f]{{{_DIGEST}}}")
    return router.mesh == base.mesh and (router.name == base.name or made.fullmatch(router.name) is not None)


def moved(routing: Sequence[Wanted], router: ApiObject) -> tuple[Wanted, ...]:
    """The same routing, on another router."""
    return tuple(
        Wanted(object=router, spec=item.spec)
        if item.object.kind is ApiKind.VIRTUAL_ROUTER
        else Wanted(object=item.object.model_copy(update={"router": router.name}), spec=item.spec)
        for item in routing
    )


def on_router(observed: Observed, router: ApiObject) -> dict[str, dict[str, Any]]:
    """The routes that a router has, by name."""
    return {
        record.object.name: record.spec
        for record in observed.of_kind(ApiKind.ROUTE)
        if record.object.on_router == router
    }


def with_routes(observed: Observed, router: ApiObject) -> tuple[ApiObject, ...]:
    """A router and its routes, as far as they are there."""
    return tuple(record.object for record in observed.records if router in (record.object, record.object.on_router))


def as_they_are(observed: Observed, objects: Iterable[ApiObject]) -> tuple[Wanted, ...]:
    """Objects that shall stay as they are."""
    records = (observed.find(object) for object in objects)
    return tuple(Wanted(object=record.object, spec=record.spec) for record in records if record is not None)


def _changes(routing: Sequence[Wanted], router: ApiObject, observed: Observed) -> int:
    """How many calls it takes to have this routing on this router."""
    there = tuple(record for record in observed.records if router in (record.object, record.object.on_router))
    return len(plan(routing, Observed(records=there)).steps)


def _beside(base: ApiObject, routing: Sequence[Wanted]) -> ApiObject:
    content = {item.object.name if item.object.kind is ApiKind.ROUTE else "": item.spec for item in routing}
    text = json.dumps(content, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return base.model_copy(update={"name": f"{_shortened(base.name)}-{digest}"})


def _shortened(name: str) -> str:
    return name[: LONGEST_NAME - _DIGEST - 1]
