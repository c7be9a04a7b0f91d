"""What goes into activities and what comes out: one model each. Pure, so that workflows may import it."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from activities.objects import ApiObject
from resources.kinds import Kind
from resources.ownership import Origin, Owner


class Message(BaseModel):
    """Base: frozen, and tolerant of members that a later release adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ResourceKey(Message):
    """One life of one custom resource: the uid makes a re-created one a different one."""

    kind: Kind
    namespace: str | None
    name: str
    uid: str


class ResourceName(Message):
    """A custom resource by name, whichever life of it."""

    kind: Kind
    namespace: str | None
    name: str


class ReadRelatives(Message):
    """Which resources to read whole: by name, and VirtualServices of a namespace by App Mesh router (mesh, name)."""

    names: tuple[ResourceName, ...] = ()
    namespace: str | None = None
    routers: tuple[tuple[str, str], ...] = ()


class Relatives(Message):
    """Those of them that exist, in the API server's JSON: `metadata` without what nobody needs, `spec`, `status`."""

    resources: tuple[dict[str, Any], ...] = ()


class Record(Message):
    """An App Mesh object as the API last answered it, and how it came to be this resource's."""

    object: ApiObject
    arn: str
    version: int
    spec: dict[str, Any] = Field(default_factory=dict)
    revision: int | None = None
    """Where its last write is in the order of all writes; None where the API does not say."""
    origin: Origin = Origin.MADE
    owner: Owner | None = None
    """The resource of another cluster that a lent object was made for."""


class Call(Message):
    """One App Mesh call about one object. `spec`, `client_token` and `tags` only for writes that take them."""

    object: ApiObject
    spec: dict[str, Any] | None = None
    client_token: str | None = None
    tags: dict[str, str] | None = None


class ListTags(Message):
    """Whose tags: an object that exists, by its ARN."""

    object: ApiObject
    arn: str


class Tags(Message):
    """All tags of an object (App Mesh lets one have as many as a page holds)."""

    tags: dict[str, str]


class RoutesPage(Message):
    """One page of `ListRoutes`."""

    names: tuple[str, ...]
    next_token: str | None = None


class ListRoutes(Message):
    """Which page of which router's routes."""

    router: ApiObject
    next_token: str | None = None


class Queues(Message):
    """Task queues of rate-limited calls; None where no limit is set and the workflow's own queue serves."""

    writes: str | None = None
    reads: str | None = None
    cloud_map_writes: str | None = None
    cloud_map_reads: str | None = None


class MeshReference(Message):
    """What a member needs to know of its mesh. `deleting`: it is being deleted, and its members with it."""

    found: bool = False
    ready: bool = False
    deleting: bool = False


class NodeReference(Message):
    """What a service needs to know of a node that it targets. `listener` is its first port mapping."""

    found: bool = False
    ready: bool = False
    mesh: str | None = None
    listener: dict[str, Any] | None = None


class Verdict(StrEnum):
    """What came of looking a host name up."""

    RESOLVES = "resolves"
    FAILS = "fails"
    PENDING = "pending"
    """No answer yet."""


class Resolution(Message):
    """Whether a host name resolves; the message is the resolver's when not."""

    host: str
    verdict: Verdict
    message: str = ""


class References(Message):
    """What a resource refers to, as Kubernetes has it now, which queues this worker serves, and what it checks."""

    mesh: MeshReference = MeshReference()
    nodes: dict[str, NodeReference] = Field(default_factory=dict)
    queues: Queues = Queues()
    checks_dns: bool = False


class ReadReferences(Message):
    """Which resources to look at: a mesh (None: none needed) and nodes of one namespace."""

    mesh: str | None = None
    namespace: str | None = None
    nodes: tuple[str, ...] = ()


class Members(Message):
    """Resources that name a mesh as theirs, as `kind/namespace/name`."""

    names: tuple[str, ...] = ()


class NodeUsers(Message):
    """Which services to look for: those of a mesh and a namespace that may send traffic to a node."""

    mesh: str
    namespace: str
    node: str


class Finalizer(Message):
    """Put our finalizer on, or take it off. What the watcher last saw saves a read when it is still true."""

    key: ResourceKey
    seen_finalizers: tuple[str, ...] = ()
    seen_version: str | None = None


class Status(Message):
    """The whole status that a resource shall have."""

    key: ResourceKey
    status: dict[str, Any]
    before: dict[str, Any] | None = None
    """What it was when it was last read or written; None: that is not told."""


class Event(Message):
    """A Kubernetes Event about a resource. `serial` tells two like events apart; `at` is RFC 3339."""

    key: ResourceKey
    warning: bool
    reason: str
    message: str
    serial: str
    at: str
