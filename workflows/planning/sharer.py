"""One of the services that share a router, as its resource tells: what it asks for, where it is, whom it follows. Pure.

Nothing here knows of the reader's own memory: all that the services know of each other is in their specs and status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from activities.objects import ApiObject
from resources.conditions import ConditionType, Reason
from resources.errors import InvalidResource
from resources.parsing import parse_virtual_service
from resources.relations import Claim, held_routers, named_router
from workflows.messages import Snapshot
from workflows.planning.refusal import LASTING


@dataclass(frozen=True)
class Refused:
    """Why the routes of a service are not on a router."""

    reason: Reason
    message: str

    @property
    def by_app_mesh(self) -> bool:
        """Whether only trying again can tell when that ends."""
        return self.reason in LASTING


@dataclass(frozen=True)
class Verdict:
    """What a leader says of another service: which generation it looked at, and why its routes are not there, if so.

    `routes` are those that it was allowed, last or before it was refused: by them it may be on the router. None: never.
    """

    generation: int
    refusal: Refused | None = None
    routes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Sharer:
    """One service, as its resource tells."""

    snapshot: Snapshot

    @property
    def uid(self) -> str:
        """Which life of it."""
        return self.snapshot.key.uid

    @property
    def age(self) -> tuple[str, str]:
        """For sorting, oldest first; never the same for two."""
        return self.snapshot.created, self.uid

    @property
    def label(self) -> str:
        """As messages name it."""
        return label(self.snapshot)

    def names(self, router: Claim) -> bool:
        """Whether its spec asks for the router, it is to stay, and its workflow can do something about it."""
        return not self.snapshot.deleting and self.asks_for == router and self.is_readable

    def holds(self, router: Claim) -> bool:
        """Whether its status records the router, as the one it is on or as one it has left."""
        return router in held_routers(self.snapshot.status)

    def heirs(self, router: Claim) -> list[dict[str, Any]]:
        """To whom it has left the router, by its status; mostly nobody, and one at most unless a swap was cut short."""
        retired = self.snapshot.status.get("retiredRouters") or ()
        return [
            entry["heir"]
            for entry in retired
            if entry.get("heir") and router in held_routers({"retiredRouters": [entry]})
        ]

    def leaves_it_to(self, other: "Sharer", router: Claim) -> bool:
        """Whether it says that it follows this one, or has left the router to it."""
        return self.follows_life_of(other) or any(heir["uid"] == other.uid for heir in self.heirs(router))

    @property
    def is_refused(self) -> bool:
        """Whether its name in App Mesh is somebody else's, so that it does nothing for now."""
        return any(
            condition.get("type") == ConditionType.VIRTUAL_SERVICE_ACTIVE
            and condition.get("reason") == Reason.NAME_CONFLICT
            for condition in self.snapshot.status.get("conditions") or ()
        )

    @cached_property
    def is_readable(self) -> bool:
        """Whether its spec makes sense; the workflow of one that does not will never do anything."""
        try:
            parse_virtual_service(self.snapshot.as_resource())
        except InvalidResource:
            return False
        return True

    @cached_property
    def asks_for(self) -> Claim | None:
        """The router that its spec names."""
        key = self.snapshot.key
        return named_router(key.namespace or "", key.name, self.snapshot.spec)

    @property
    def live(self) -> ApiObject | None:
        """The router that it is on, by its status."""
        arn = self.snapshot.status.get("virtualRouterArn")
        return ApiObject.from_arn(arn) if arn else None

    def live_in(self, router: Claim) -> ApiObject | None:
        """The router itself or one made beside it, as far as it is on that or sees to it for others."""
        retired = self.snapshot.status.get("retiredRouters") or ()
        kept = (entry.get("arn") for entry in retired if not entry.get("heir"))
        for arn in (self.snapshot.status.get("virtualRouterArn"), *kept):
            if arn and router in held_routers({"virtualRouterArn": arn}):
                return ApiObject.from_arn(arn)
        return None

    def is_on(self, router: Claim) -> bool:
        """Whether it is on the router or on one made beside it, or sees to that for others."""
        return self.live_in(router) is not None

    def records(self, router: ApiObject) -> bool:
        """Whether its status tells of exactly this router."""
        return router in (self.live, *self.retired)

    @property
    def retired(self) -> tuple[ApiObject | None, ...]:
        """The routers that it has left and that are not gone yet, by its status."""
        entries = self.snapshot.status.get("retiredRouters") or ()
        return tuple(ApiObject.from_arn(entry.get("arn") or "") for entry in entries)

    @property
    def has_caught_up(self) -> bool:
        """Whether its workflow has dealt with its newest generation."""
        return bool(self.snapshot.status.get("observedGeneration") == self.snapshot.generation)

    @property
    def follows(self) -> bool:
        """Whether it says that another one leads."""
        return bool(self.snapshot.status.get("routerLeader"))

    def follows_life_of(self, other: "Sharer") -> bool:
        """Whether it says that it follows this one, whichever generation of it."""
        return (self.snapshot.status.get("routerLeader") or {}).get("uid") == other.uid

    def agrees_to(self, other: "Sharer", router: Claim) -> bool:
        """Whether it says that it leaves the router to this one as its spec is now.

        Having followed an earlier one is not enough: it may have gone its own way since.
        """
        if self.asks_for != router:
            heirs = self.heirs(router)
            if heirs or not self.is_on(router):
                return self.has_caught_up and all(heir == other.as_seen for heir in heirs)
        return bool(self.snapshot.status.get("routerLeader") == other.as_seen)

    @property
    def as_seen(self) -> dict[str, Any]:
        """As those who follow it name it in their status."""
        snapshot = self.snapshot
        return {"name": snapshot.key.name, "uid": self.uid, "generation": snapshot.generation}

    @property
    def routes(self) -> frozenset[str]:
        """Names of its routes on the router."""
        objects = (ApiObject.from_arn(arn) for arn in self.snapshot.status.get("routeArns") or ())
        return frozenset(object.name for object in objects if object is not None)

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """What it has published of others, by uid."""
        return {
            entry["uid"]: Verdict(
                entry["generation"],
                None if entry["accepted"] else _refused(entry),
                tuple(entry.get("routes") or ()) if entry["accepted"] or "routes" in entry else None,
            )
            for entry in self.snapshot.status.get("routerSharers") or ()
        }


def label(snapshot: Snapshot) -> str:
    """`VirtualService prod/shop`."""
    key = snapshot.key
    return f"{key.kind} {key.namespace}/{key.name}" if key.namespace else f"{key.kind} {key.name}"


def _refused(entry: Mapping[str, Any]) -> Refused:
    return Refused(Reason(entry.get("reason") or Reason.ROUTE_CONFLICT), entry.get("message") or "refused")
