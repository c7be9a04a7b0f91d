"""Where a service stands among those who name or have its routers: which are its to see to, and for whom. Pure."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from activities.objects import ApiKind, ApiObject
from resources.relations import Claim, names_of_router
from workflows.messages import Snapshot
from workflows.planning.plan import Observed, Wanted
from workflows.planning.refusal import Refusal
from workflows.planning.routing import as_they_are, is_made_from, with_routes
from workflows.planning.sharer import Sharer
from workflows.planning.sharing import Group, older_rival


class Membership:
    """One service, and the groups that it is in."""

    def __init__(
        self,
        snapshot: Snapshot,
        relatives: Sequence[Snapshot],
        refusals: Sequence[Refusal],
        object: ApiObject,
        router: ApiObject | None,
    ) -> None:
        """What everything below is about.

        Args:
            snapshot: the service, with its newest status.
            relatives: others that lay claim to an App Mesh object that it claims.
            refusals: what App Mesh would not have, of this one or of those.
            object: the virtual service.
            router: the router that the spec names; None where it names a node.
        """
        self.me = Sharer(snapshot)
        self.router = router
        self._relatives = relatives
        self._refusals = refusals
        self._object = object
        self.group = self._group_of(router.name, router.mesh) if router is not None else None
        """Those who share the router that the spec names; None when nobody does."""

    def rivals(self) -> Iterator[tuple[ApiObject, Snapshot]]:
        """Older resources that claim what this one does, so that it has to leave it to them."""
        claimed: list[tuple[Claim | None, ApiObject]] = [(None, self._object)]
        if self.router is not None:
            claimed.append((_claim(self.router), self.router))
        for claim, object in claimed:
            if rival := older_rival(self.me.snapshot, claim, self._relatives):
                yield object, rival

    @property
    def leads(self) -> bool:
        """Whether it is up to this service to see to the router that it names, without question."""
        return self.group is None or (self.group.i_lead and self.group.waits_for is None)

    @cached_property
    def led(self) -> tuple[Sharer, ...]:
        """The others whose routes this service sees to, as far as their specs can be read."""
        if self.group is None or not self.leads:
            return ()
        return tuple(each for each in self.group.others if each.names(self.group.router))

    @property
    def set_aside(self) -> tuple[Refusal, ...]:
        """Of those who share the router that this service sees to: whom App Mesh has refused as they are now."""
        if self.group is None or not self.leads:
            return ()
        sharers = [each.snapshot for each in self.group.all]
        return tuple(refusal for refusal in self._refusals if any(refusal.is_about(each) for each in sharers))

    @property
    def is_accepted(self) -> bool:
        """Whether the leader has said that this service's routes are on the router."""
        verdict = self.group.verdict_on_me() if self.group is not None else None
        return verdict is not None and verdict.refusal is None

    def holders(self, router: ApiObject) -> Group | None:
        """Those who share a router that this service has made or taken over; None when nobody does."""
        groups = (self._group_of(name, router.mesh) for name in reversed(names_of_router(router.name)))
        return next((group for group in groups if group is not None), None)

    def sees_to(self, router: ApiObject) -> bool:
        """Whether a router is this service's, because nobody shares it or because this one leads."""
        group = self.holders(router)
        return group is None or group.is_mine(router)

    def is_left_with(self, router: ApiObject) -> bool:
        """Whether nobody else is there to see to a router."""
        group = self.holders(router)
        return group is None or group.i_lead

    def held(self, observed: Observed, current: ApiObject | None) -> tuple[Wanted, ...]:
        """Routers that stay for the sake of others: old ones of ours until all have turned, and those we have left.

        Args:
            observed: what App Mesh holds.
            current: the router that shall hold the routing; None when this service sees to none.
        """
        held: list[ApiObject] = []
        for record in observed.of_kind(ApiKind.VIRTUAL_ROUTER):
            router = record.object
            group = self.holders(router) if router != current else None
            if group is None:
                continue
            if current is not None and self.router is not None and is_made_from(router, self.router):
                stays = not group.released(current)
            else:
                stays = group.needs(router)
            if stays:
                held += with_routes(observed, router)
        return as_they_are(observed, held)

    def _group_of(self, router: str, mesh: str) -> Group | None:
        group = Group.of(Claim("virtualRouter", mesh, router), self.me.snapshot, self._relatives)
        return group if group.others else None


def alone(membership: Membership, router: ApiObject) -> Group:
    """The group of a router that nobody else shares."""
    return Group(_claim(router), membership.me, ())


def _claim(router: ApiObject) -> Claim:
    return Claim("virtualRouter", router.mesh, router.name)
