"""Which pods belong in which Cloud Map service, as far as the watcher has seen. Pure: sightings in, what is new out.

Nodes are those VirtualNodes that use Cloud Map; pods are those that name a virtual node. They meet by the node's App
Mesh name, and by the namespace: a pod of another one than the node's is none of its instances unless the node lets that
namespace in. Each change answers with the services that have to hear of it, and of which pods; what to tell them is
made from the newest state when it is told, so that changes that pile up become one message.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from activities.messages import ResourceKey
from resources.cloud_map import (
    ANNOTATION,
    ANYWHERE,
    CloudMapService,
    Instance,
    InstanceRule,
    instance_of,
    pod_namespaces,
    service_of,
    should_be_registered,
)
from resources.conditions import ConditionType
from resources.errors import InvalidResource
from resources.metadata import as_number
from resources.names import namespaced_name
from resources.pods import NodeIdentity, Pod
from watcher.index import Name, discard
from workflows.cloud_map_messages import NodeInService, PodNews
from workflows.messages import Snapshot

MOST_KEPT_OUT = 10
"""Namespaces that are named to a node."""

News = dict[CloudMapService, set[str]]
"""Services that have to hear of something, and the uids of pods that it is about."""


@dataclass(frozen=True)
class Node:
    """A VirtualNode that uses Cloud Map. The version says when, and is no part of what it is."""

    in_service: NodeInService
    service: CloudMapService
    attributes: Mapping[str, str]
    running_is_enough: bool
    namespaces: frozenset[str]
    """Whose pods may be its instances."""
    created: str
    version: int = field(compare=False)
    ready: bool = field(compare=False)
    """Whether its status says that its pods are registered in the service that its spec names."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Node | None":
        """From a sighting; None when it does not use Cloud Map, or no longer, because it is being deleted."""
        service = service_of(snapshot.spec)
        if service is None or snapshot.deleting:
            return None
        key = snapshot.key
        name = namespaced_name(key.name, key.namespace or "")
        identity = NodeIdentity(mesh=snapshot.spec.get("meshName") or "", name=name)
        return cls(
            in_service=NodeInService(key=key, identity=identity),
            service=service,
            attributes=snapshot.spec["serviceDiscovery"]["cloudMap"].get("attributes") or {},
            running_is_enough=snapshot.annotations.get(ANNOTATION) == InstanceRule.RUNNING,
            namespaces=_namespaces(snapshot),
            created=snapshot.created,
            version=as_number(snapshot.resource_version),
            ready=_is_ready(snapshot),
        )

    @property
    def identity(self) -> NodeIdentity:
        """What pods name it by."""
        return self.in_service.identity

    def lets_in(self, namespace: str) -> bool:
        """Whether pods of a namespace may be instances."""
        return namespace in self.namespaces or ANYWHERE in self.namespaces


class CloudMapIndex:
    """Nodes and pods, and who owns whom."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self._nodes: dict[Name, Node] = {}
        self._former: dict[ResourceKey, tuple[Node, ...]] = {}
        """Nodes as they were in services that they are leaving: their pods stay there until the new one has them."""
        self._using: defaultdict[CloudMapService, set[Name]] = defaultdict(set)
        """Nodes that use a service or are leaving it: each message asks for those of one, of which there are many."""
        self._claims: defaultdict[NodeIdentity, set[Name]] = defaultdict(set)
        self._pods: dict[str, Pod] = {}
        self._of_node: defaultdict[NodeIdentity, set[str]] = defaultdict(set)
        self._homes: defaultdict[NodeIdentity, set[str]] = defaultdict(set)
        """Namespaces of the pods of a node, also of those that went since `forget_homes`: strangers who come and go
        shall make no news each time."""

    def put_node(self, name: Name, node: Node | None) -> News:
        """A sighting of a VirtualNode; None when it is gone or does not use Cloud Map."""
        old = self._nodes.get(name)
        identities = {each.identity for each in (old, node) if each is not None}
        before = {identity: self._owners(identity) for identity in identities}
        if old is not None:
            for service in self._services_of(old):
                discard(self._using, service, name)
            discard(self._claims, old.identity, name)
            del self._nodes[name]
        self._move(old, node)
        if node is not None:
            self._nodes[name] = node
            self._claims[node.identity].add(name)
            for service in self._services_of(node):
                self._using[service].add(name)
        news: News = {}
        for identity in sorted(identities, key=str):
            then, now = before[identity], self._owners(identity)
            for service in {*then, *now}:
                if then.get(service) != now.get(service):
                    news.setdefault(service, set()).update(self._of_node.get(identity, ()))
        return news

    def _move(self, old: Node | None, node: Node | None) -> None:
        """Remember the service that a node leaves for another, until its status says that the other is ready."""
        former: tuple[Node, ...] = ()
        if old is not None:
            former = self._former.pop(old.in_service.key, ())
        if old is None or node is None or node.ready or old.in_service != node.in_service:
            return
        if former := tuple(each for each in (*former, old) if each.service != node.service):
            self._former[node.in_service.key] = former

    def _services_of(self, node: Node) -> set[CloudMapService]:
        """The service that a node uses, and those that it is leaving."""
        return {node.service, *(each.service for each in self._former.get(node.in_service.key, ()))}

    def _owners(self, identity: NodeIdentity) -> dict[CloudMapService, Node]:
        """By service, the node as which it has the pods of this name; whose these may be, it says as it is now."""
        owner = self.owner(identity)
        if owner is None:
            return {}
        former = (replace(each, namespaces=owner.namespaces) for each in self._former.get(owner.in_service.key, ()))
        return {each.service: each for each in (*former, owner)}

    def put_pod(self, pod: Pod) -> News:
        """A sighting of a pod; no news unless it changes what should be registered."""
        old = self._pods.get(pod.uid)
        before = self._belonging(old) if old is not None else {}
        if old is not None:
            self._forget(old)
        strange = pod.node is not None and self._is_new_stranger(pod.node, pod.namespace)
        if pod.node is not None:
            self._pods[pod.uid] = pod
            self._of_node[pod.node].add(pod.uid)
            self._homes[pod.node].add(pod.namespace)
        after = self._belonging(pod)
        services = {service for service in (*before, *after) if before.get(service) != after.get(service)}
        news: News = {service: {pod.uid} for service in services}
        if pod.node is not None and strange:
            for service in self._owners(pod.node):
                news.setdefault(service, set())
        return news

    def _is_new_stranger(self, identity: NodeIdentity, namespace: str) -> bool:
        """Whether a node has to hear of a namespace that it does not let in."""
        owner = self.owner(identity)
        return owner is not None and not owner.lets_in(namespace) and namespace not in self._homes.get(identity, ())

    def forget_homes(self) -> None:
        """Know of no namespaces any more but of those that have pods now."""
        self._homes.clear()
        for pod in self._pods.values():
            if pod.node is not None:
                self._homes[pod.node].add(pod.namespace)

    def remove_pod(self, uid: str) -> News:
        """A pod that is gone."""
        old = self._pods.get(uid)
        if old is None:
            return {}
        before = self._belonging(old)
        self._forget(old)
        return {service: {uid} for service in before}

    def owner(self, identity: NodeIdentity) -> Node | None:
        """The node that pods of this name belong to: of several the oldest, as it owns the App Mesh object."""
        claims = [self._nodes[name] for name in self._claims.get(identity, ())]
        return min(claims, key=lambda node: (node.created, str(node.in_service.key)), default=None)

    def services(self) -> set[CloudMapService]:
        """Every service that a node uses, or is leaving."""
        return set(self._using)

    def nodes_in(self, service: CloudMapService) -> tuple[NodeInService, ...]:
        """The nodes that use a service, in a fixed order."""
        using = (self._nodes[name] for name in sorted(self._using.get(service, ())))
        nodes = (node for node in using if self.owner(node.identity) is node)
        return tuple(self._in_service(node) for node in nodes if service in self._owners(node.identity))

    def _in_service(self, node: Node) -> NodeInService:
        """With who is kept out of it."""
        kept_out = sorted(home for home in self._homes.get(node.identity, ()) if not node.lets_in(home))
        return node.in_service.model_copy(update={"kept_out": tuple(kept_out[:MOST_KEPT_OUT])})

    def uids(self) -> frozenset[str]:
        """Every pod that is known."""
        return frozenset(self._pods)

    def roster(self, service: CloudMapService) -> dict[str, int]:
        """The pods that should be instances of a service: uid → the sighting's version."""
        identities = (node.identity for node in self.nodes_in(service))
        uids = sorted(uid for identity in identities for uid in self._of_node.get(identity, ()))
        return {uid: self._pods[uid].version for uid in uids if service in self._belonging(self._pods[uid])}

    def news_of(self, service: CloudMapService, uids: Iterable[str], gone: Mapping[str, int]) -> tuple[PodNews, ...]:
        """What a service has to hear of these pods now.

        Args:
            service: the service.
            uids: the pods.
            gone: for pods that may be gone, the version as of which.
        """
        return tuple(self._news(service, uid, gone.get(uid, 0)) for uid in sorted(uids))

    def _news(self, service: CloudMapService, uid: str, gone: int) -> PodNews:
        pod = self._pods.get(uid)
        if pod is None or pod.node is None:
            return PodNews(uid=uid, version=(gone, 0))
        owner = self.owner(pod.node)
        version = (pod.version, owner.version if owner is not None else 0)
        instance = self._belonging(pod).get(service)
        if owner is None or instance is None:
            return PodNews(uid=uid, version=version)
        return PodNews(uid=uid, version=version, node=owner.in_service.key.uid, since=pod.created, instance=instance)

    def _belonging(self, pod: Pod) -> dict[CloudMapService, Instance]:
        """The instances that a pod should be, by service; empty when none."""
        owners = self._owners(pod.node) if pod.node is not None else {}
        return {
            service: instance_of(pod, owner.identity, owner.attributes, self.cluster)
            for service, owner in owners.items()
            if owner.lets_in(pod.namespace) and should_be_registered(pod, owner.running_is_enough)
        }

    def _forget(self, pod: Pod) -> None:
        del self._pods[pod.uid]
        if pod.node is not None:
            discard(self._of_node, pod.node, pod.uid)


def _namespaces(snapshot: Snapshot) -> frozenset[str]:
    """Those whose pods may be instances; the node's own alone while nobody can mean what the annotation says."""
    own = frozenset({snapshot.key.namespace or ""})
    try:
        return own | pod_namespaces(snapshot.annotations)
    except InvalidResource:
        return own


def _is_ready(snapshot: Snapshot) -> bool:
    """Whether the condition, of this generation of the spec, says so."""
    return any(
        condition.get("type") == ConditionType.CLOUD_MAP_SERVICE_READY
        and condition.get("status") == "True"
        and condition.get("observedGeneration") == snapshot.generation
        for condition in snapshot.status.get("conditions") or ()
    )
