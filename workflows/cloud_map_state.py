"""What the workflow of a Cloud Map service remembers, and carries over when it continues as new. Pure."""

from pydantic import BaseModel, Field

from resources.cloud_map import CloudMapService, Instance
from resources.pods import NodeIdentity
from workflows.cloud_map_messages import CloudMapReport, NodeInService, PodNews, Tidings
from workflows.planning.cloud_map import wanted_instances
from workflows.planning.outcome import Again


class ServiceInUse(BaseModel):
    """The service as Cloud Map knows it. `ours`: a workflow of this id made it, so it is ours to remove."""

    id: str
    namespace_id: str
    ours: bool


class CloudMapState(BaseModel):
    """All state of the workflow."""

    cluster: str = ""
    service: CloudMapService | None = None
    nodes: tuple[NodeInService, ...] = ()
    nodes_version: int = 0
    pods: dict[str, PodNews] = Field(default_factory=dict)
    """Pods that should be registered, by uid."""
    served: tuple[NodeIdentity, ...] = ()
    """Every node that ever used the service: instances of these are ours."""

    complete: bool = True
    """Whether every pod that should be an instance has been told of since this workflow's life began. Until then an
    instance of ours may be a pod that is still to be told of. Workflows of earlier releases began without asking."""

    found: ServiceInUse | None = None
    """None while it has not been looked for."""
    held: dict[str, str] | None = None
    """Id → digest of our instances in Cloud Map; None while they have not been listed."""
    refused: dict[str, tuple[str, str]] = Field(default_factory=dict)
    """Id → digest and Cloud Map's words for instances that it would not take as they are."""
    reported: dict[str, CloudMapReport] = Field(default_factory=dict)
    """What each node, by uid, was last told."""

    dirty: bool = False
    """There is news that no plan has taken in."""
    sweep: bool = False
    """Ask Cloud Map what it really holds."""
    searchable: bool = False
    """Whether the Temporal server knows our search attributes."""
    changes: int = 0
    """How many batches have been begun; part of every creator request id."""
    again: Again = Again.NEVER
    faults: int = 0
    """Turns in a row that ended with a passing fault; sets the delay before the next."""

    def take(self, tidings: Tidings) -> None:
        """Keep what is newer in the news; what is known already changes nothing."""
        self.cluster, self.service = tidings.cluster, tidings.service
        if tidings.nodes_version >= self.nodes_version:
            self._take_nodes(tidings)
        for news in tidings.pods:
            self._take_pod(news)
        if tidings.roster is not None:
            self._take_roster(frozenset(tidings.roster), tidings.as_of)
        if not self.complete and tidings.roster is not None and self.pods.keys() >= set(tidings.roster):
            self.complete = self.dirty = True
        self.sweep = self.sweep or tidings.sweep
        if tidings.searchable is not None:
            self.searchable = tidings.searchable

    def has_work(self) -> bool:
        """Whether there is anything that the last turn did not know of."""
        return self.dirty or self.sweep

    def wanted(self) -> dict[str, Instance]:
        """The instances that should be registered, by id."""
        return wanted_instances(self.pods.values(), self.nodes)

    def _take_nodes(self, tidings: Tidings) -> None:
        if tidings.nodes != self.nodes:
            self.dirty = True
        self.nodes, self.nodes_version = tidings.nodes, tidings.nodes_version
        self.served = tuple(dict.fromkeys((*self.served, *(node.identity for node in tidings.nodes))))
        uids = {node.key.uid for node in tidings.nodes}
        self.reported = {uid: report for uid, report in self.reported.items() if uid in uids}
        self.pods = {uid: news for uid, news in self.pods.items() if news.node in uids}

    def _take_pod(self, news: PodNews) -> None:
        known = self.pods.get(news.uid)
        if known is not None and news.version <= known.version:
            return
        if news.instance is None:
            self.dirty = self.pods.pop(news.uid, None) is not None or self.dirty
            return
        self.pods[news.uid] = news
        self.dirty = self.dirty or known is None or known.instance != news.instance or known.node != news.node

    def _take_roster(self, roster: frozenset[str], as_of: int) -> None:
        for uid in [uid for uid, news in self.pods.items() if uid not in roster and news.version[0] <= as_of]:
            del self.pods[uid]
            self.dirty = True
