"""What the workflow of a Cloud Map service is told, and what it tells the nodes that use it. Pure."""

from activities.messages import Message, ResourceKey
from resources.cloud_map import CloudMapService, Instance
from resources.conditions import Reason
from resources.pods import NodeIdentity

Version = tuple[int, int]
"""resourceVersions of a pod and of its node: what orders two pieces of news about one pod."""


class NodeInService(Message):
    """A VirtualNode whose pods belong in the service."""

    key: ResourceKey
    identity: NodeIdentity
    kept_out: tuple[str, ...] = ()
    """Namespaces, the first few, that have pods which name the node and that it does not let in."""


class PodNews(Message):
    """A pod, by uid: the instance that it should be, or None when it should not be registered.

    `node` is the uid of its VirtualNode; `since` its creation time.
    """

    uid: str
    version: Version
    node: str = ""
    since: str = ""
    instance: Instance | None = None


class Tidings(Message):
    """Signal: which nodes use the service, whole; and of which pods there is news.

    `nodes_version` orders two lists of nodes. A `roster` holds the uids of all pods that should be registered, as of
    the pods' resourceVersion `as_of`: what is not in it and not newer is dropped. `sweep` asks to compare with what
    Cloud Map really holds.
    """

    because: str
    cluster: str
    service: CloudMapService
    nodes: tuple[NodeInService, ...]
    nodes_version: int
    pods: tuple[PodNews, ...] = ()
    roster: tuple[str, ...] | None = None
    as_of: int = 0
    sweep: bool = False
    searchable: bool | None = None
    """As in `Change`."""


class CloudMapReport(Message):
    """Signal to a VirtualNode's workflow: where its Cloud Map service stands. `node` is the uid that it is for."""

    node: str = ""
    service: CloudMapService
    ready: bool
    reason: Reason
    message: str = ""
    service_id: str | None = None
    namespace_id: str | None = None
