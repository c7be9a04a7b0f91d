"""What an entity workflow remembers between reconciles, and carries over when it continues as new. Pure."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from activities.messages import ResourceName
from activities.objects import ApiObject
from workflows.cloud_map_messages import CloudMapReport
from workflows.messages import DataPlaneReport, Snapshot
from workflows.planning.outcome import Again
from workflows.planning.plan import Observed
from workflows.planning.refusal import Refusal

MOST_REPORTS = 3


class EntityState(BaseModel):
    """All state of an entity workflow; everything else is derived."""

    desired: Snapshot | None = None
    """The newest sighting of the resource."""
    handled: Snapshot | None = None
    """The sighting that the last finished reconcile worked on."""
    relatives: tuple[ResourceName, ...] = ()
    """Who else lays claim to an App Mesh object that the resource claims, by the newest knowledge of a watcher."""
    relatives_as_of: int = 0
    poked: bool = False
    """Something that the resource depends on turned since then."""
    gone: bool = False
    """Kubernetes no longer has the resource, though nobody took our finalizer off in the usual way."""
    gone_handled: bool = False
    """The last finished reconcile knew that; if it had to leave something, a delay or a poke brings it back."""
    observed: Observed | None = None
    """What App Mesh holds for it; None while this has never been established."""
    doubts: tuple[ApiObject, ...] = ()
    """Objects that somebody else wrote since we last looked."""
    doubt_all: bool = False
    """The same for all of them."""
    unsure: tuple[ApiObject, ...] = ()
    """Objects that may have been made for it without our knowing, as the answer to their create was lost."""
    finalizer_added: bool = False
    status: dict[str, Any] = Field(default_factory=dict)
    """The status as last read or written."""
    refusals: tuple[Refusal, ...] = ()
    """Services whose routes App Mesh would not have on the router that this one leads; forgotten to try them again."""
    cloud_map_reports: tuple[CloudMapReport, ...] = ()
    """What Cloud Map services of a VirtualNode last reported: the one it uses, and those that it used lately."""
    data_plane: DataPlaneReport | None = None
    """What a watcher last said of the proxies in the mesh."""
    data_plane_news: bool = False
    """The status does not reckon with it yet."""
    revision: int | None = None
    """Where our last write is in the order of all of App Mesh's; None where the API does not say."""
    searchable: bool = False
    """Whether the Temporal server knows our search attributes, by what a watcher last said."""
    reconciles: int = 0
    """How many have been begun; part of every client token."""
    again: Again = Again.NEVER
    """What, besides a change or a poke, brings the resource back."""
    faults: int = 0
    """Reconciles in a row that ended with a passing fault; sets the delay before the next."""

    def take(self, snapshot: Snapshot) -> None:
        """Keep the newer of two sightings.

        A new uid under the name is a new life. Of the old one only that is kept which is true of App Mesh and not of
        the resource: what was made under the name is still there when nobody had the time to remove it, under names
        perhaps that the new life knows nothing of.
        """
        if self.desired is None:
            self.desired, self.status = snapshot, dict(snapshot.status)
        elif snapshot.supersedes(self.desired):
            if snapshot.key.uid != self.desired.key.uid:
                self._forget()
                self.status = dict(snapshot.status)
            self.desired = snapshot

    def doubt(self, objects: Sequence[ApiObject], everything: bool = False) -> None:
        """Keep what somebody else is said to have written, until it has been looked at again."""
        self.doubts = tuple(dict.fromkeys((*self.doubts, *objects)))
        self.doubt_all = self.doubt_all or everything

    def take_doubts(self) -> tuple[tuple[ApiObject, ...], bool]:
        """The doubted objects and whether everything is in doubt; they count as looked at from here on."""
        taken = self.doubts, self.doubt_all
        self.doubts, self.doubt_all = (), False
        return taken

    def take_report(self, report: CloudMapReport) -> None:
        """Keep where a Cloud Map service stands; news has to be written into the status."""
        if report not in self.cloud_map_reports:
            others = [known for known in self.cloud_map_reports if known.service != report.service]
            self.cloud_map_reports = (*others[-MOST_REPORTS:], report)
            self.poked = True

    def set_aside(self, refusal: Refusal) -> None:
        """Go on without a service's routes."""
        others = (known for known in self.refusals if known.uid != refusal.uid)
        self.refusals = (*others, refusal)

    def take_data_plane(self, report: DataPlaneReport | None) -> None:
        """Keep what is known of proxies; news has to be written into the status."""
        if report is not None and report != self.data_plane:
            self.data_plane, self.data_plane_news = report, True

    def know_relatives(self, names: tuple[ResourceName, ...], as_of: int) -> None:
        """Keep the newer knowledge; of two watchers one may lag behind."""
        if as_of >= self.relatives_as_of:
            self.relatives, self.relatives_as_of = names, as_of

    def try_again(self) -> None:
        """The delay that was waited for has passed; after a long one, also what App Mesh refused is tried again."""
        self.poked = True
        if self.again is Again.SLOWLY:
            self.refusals = ()

    def has_work(self) -> bool:
        """Whether there is anything that the last reconcile did not know of."""
        desired, handled = self.desired, self.handled
        if desired is None:
            return False
        if self.poked or handled is None or self.gone != self.gone_handled:
            return True
        return desired.identity != handled.identity

    def _forget(self) -> None:
        self.handled = None
        self.refusals = ()
        self.gone = self.gone_handled = self.finalizer_added = False
        self.again = Again.NEVER
        self.faults = 0
        self.data_plane, self.data_plane_news = None, False
