"""A proxy that checks the protocol while it plays its part: what no server may ever do fails the test at once.

It works on a `Stream` without any network. Responses wait in a queue until `take` answers the oldest one, so that
requests may cross responses and nonces get stale, as they do in life.
"""

from abc import ABC, abstractmethod
from collections import deque
from typing import Any

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.service.discovery.v3.discovery_pb2 import (
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse,
    DiscoveryRequest,
    DiscoveryResponse,
)

from control_plane.xds.ads import delta, sotw
from control_plane.xds.ads.references import references
from control_plane.xds.ads.stream import Stream
from control_plane.xds.snapshot import Kind, Resource, digest

_MESSAGES = {
    Kind.CLUSTER: Cluster,
    Kind.ENDPOINT: ClusterLoadAssignment,
    Kind.LISTENER: Listener,
    Kind.ROUTE: RouteConfiguration,
}
WILDCARDS = (Kind.CLUSTER, Kind.LISTENER)


class Proxy(ABC):
    """What a proxy of either form has in common."""

    dialect: Any
    Response: Any

    @abstractmethod
    def ask(self, kind):
        """Say what is wanted, with the nonce of the last response."""

    @abstractmethod
    def answer(self, kind, refusal=None):
        """Answer the last response."""

    @abstractmethod
    def content(self, response):
        """What a response says."""

    @abstractmethod
    def accept(self, kind, response):
        """Take it over; returns the names it tells of."""

    def __init__(self, timing):
        self.timing = timing
        self.held: dict[Kind, dict[str, Resource]] = {kind: {} for kind in Kind}
        self.streams = 0
        self.excused = False
        self.stream: Any = None
        self.waiting: deque[tuple[Kind, Any]] = deque()
        self.nonces = set()
        self.now = 0.0
        self.awaited: dict[Kind, set[str]] = {Kind.ENDPOINT: set(), Kind.ROUTE: set()}

    def connect(self, snapshot):
        """Begin a stream, with what was held before."""
        self.streams += 1
        self.stream = Stream(self.dialect, f"s{self.streams}", self.timing)
        self.waiting.clear()
        self.nonce = dict.fromkeys(Kind, "")
        self.asked = {}
        self.refused: dict[Kind, Any] = dict.fromkeys(Kind)
        self.ever_asked: dict[Kind, set[str]] = {kind: set() for kind in Kind}
        self.spare = {kind: dict(self.held[kind]) for kind in (Kind.CLUSTER, Kind.ENDPOINT)}
        if snapshot is not None:
            self.receive(snapshot)
        for kind in (Kind.CLUSTER, Kind.ENDPOINT, Kind.LISTENER, Kind.ROUTE):
            if kind in WILDCARDS or self.wanted(kind):
                self.ask(kind)
                self.pump()

    def update(self, snapshot):
        """The server has a new snapshot for it."""
        self.receive(snapshot)
        self.pump()

    def receive(self, snapshot):
        """The first on a stream comes with what the proxy may be using: all that the mesh has, so also what it held."""
        self.stream.update(snapshot, self.spare)
        self.spare = {}

    def pump(self):
        """Let the server send what it has to send."""
        for outgoing in self.stream.advance(self.now):
            self.waiting.append((outgoing.kind, self.Response.FromString(outgoing.payload)))

    def take(self, refuse=False):
        """Read the oldest response and answer it."""
        kind, response = self.waiting.popleft()
        assert response.type_url == kind
        assert response.nonce not in self.nonces, "nonces are fresh"
        self.nonces.add(response.nonce)
        self.nonce[kind] = response.nonce
        content = self.content(response)
        assert content != self.refused[kind], "what was refused is not sent again"
        if refuse:
            self.refused[kind] = content
            self.excused = self.excused or self.stream.subscriptions[kind].unknown
            self.answer(kind, refusal=refuse if isinstance(refuse, str) else "not this one")
        else:
            self.refused[kind] = None
            before = dict(self.held[kind])
            told = self.accept(kind, response)
            self.warm(kind, before, told)
            self.check()
            self.answer(kind)
        self.pump()
        self.follow(kind)

    def warm(self, kind, before, told):
        """A new or changed cluster or listener waits for what it names, though it does not ask for it again."""
        if kind in self.awaited:
            self.awaited[kind] -= told
            return
        for name, each in self.held[kind].items():
            if name not in before or before[name] != each:
                named = references(each)
                self.awaited[Kind.ENDPOINT] |= {named.endpoints} if named.endpoints else set()
                self.awaited[Kind.ROUTE] |= named.routes

    def at_peace(self, snapshot):
        """It has all of this snapshot: nothing may wait for anything."""
        for kind, names in self.awaited.items():
            assert not names & self.wanted(kind) & snapshot.named(kind).keys(), f"{kind.name} {names}"

    def follow(self, kind):
        """Ask for what the accepted resources name."""
        for named, asked in ((Kind.CLUSTER, Kind.ENDPOINT), (Kind.LISTENER, Kind.ROUTE)):
            if kind is named and self.wanted(asked) != self.asked.get(asked, set()):
                for name in list(self.held[asked]):
                    if name not in self.wanted(asked):
                        del self.held[asked][name]
                self.ask(asked)
                self.pump()

    def wanted(self, kind):
        """The names that it needs to have of a kind that is asked for by name."""
        if kind is Kind.ENDPOINT:
            return {references(each).endpoints for each in self.held[Kind.CLUSTER].values()} - {None}
        if kind is Kind.ROUTE:
            return {name for each in self.held[Kind.LISTENER].values() for name in references(each).routes}
        return set()

    def check(self):
        """Nothing that it holds names a cluster that it does not hold.

        Who does not tell what it holds, and then refuses what it is offered without saying which of it, may lose some
        while the fault is looked for.
        """
        self.excused = self.excused and not self.stream.settled
        if self.excused:
            return
        for kind in (Kind.ROUTE, Kind.LISTENER):
            for each in self.held[kind].values():
                missing = references(each).clusters - self.held[Kind.CLUSTER].keys()
                assert not missing, f"{each.name} names {missing}"


class SotwProxy(Proxy):
    """State of the world."""

    dialect = sotw
    Response = DiscoveryResponse

    def __init__(self, timing):
        super().__init__(timing)
        self.version = dict.fromkeys(Kind, "")

    def ask(self, kind):
        """Say what is wanted, with the nonce of the last response."""
        self.asked[kind] = self.wanted(kind)
        self.ever_asked[kind] |= self.asked[kind]
        self.answer(kind)

    def answer(self, kind, refusal=None):
        """Answer the last response."""
        request = DiscoveryRequest(
            type_url=kind,
            resource_names=sorted(self.asked.get(kind, ())),
            version_info=self.version[kind],
            response_nonce=self.nonce[kind],
        )
        if refusal:
            request.error_detail.message = refusal
        self.stream.receive(request, self.now)

    def content(self, response):
        """What a response says."""
        return tuple(sorted(each.value for each in response.resources))

    def accept(self, kind, response):
        """Take it over."""
        assert response.version_info
        told = {each.name: each for each in (_resource(kind, any.value) for any in response.resources)}
        if kind in WILDCARDS:
            self.held[kind] = told
        else:
            assert told, "no empty answer for names"
            assert told.keys() <= self.ever_asked[kind], "only what was asked for"
            self.held[kind] |= {name: each for name, each in told.items() if name in self.asked[kind]}
        self.version[kind] = response.version_info
        return told.keys()


class DeltaProxy(Proxy):
    """Incremental."""

    dialect = delta
    Response = DeltaDiscoveryResponse

    def ask(self, kind):
        """Say what is wanted anew, and what no longer."""
        before, wanted = self.asked.get(kind), self.wanted(kind)
        self.asked[kind] = wanted
        request = DeltaDiscoveryRequest(
            type_url=kind,
            resource_names_subscribe=sorted(wanted - (before or set())),
            resource_names_unsubscribe=sorted((before or set()) - wanted),
        )
        if before is None:
            request.initial_resource_versions.update({name: each.version for name, each in self.held[kind].items()})
        self.stream.receive(request, self.now)

    def answer(self, kind, refusal=None):
        """Answer the last response."""
        request = DeltaDiscoveryRequest(type_url=kind, response_nonce=self.nonce[kind])
        if refusal:
            request.error_detail.message = refusal
        self.stream.receive(request, self.now)

    def content(self, response):
        """What a response says."""
        return (
            tuple(sorted(each.resource.value for each in response.resources)),
            tuple(sorted(response.removed_resources)),
        )

    def accept(self, kind, response):
        """Take it over."""
        for each in response.resources:
            assert _resource(kind, each.resource.value).name == each.name
            if kind in WILDCARDS or each.name in self.asked[kind]:
                self.held[kind][each.name] = _resource(kind, each.resource.value)
        for name in response.removed_resources:
            self.held[kind].pop(name, None)
        assert kind in WILDCARDS or response.resources or response.removed_resources, "no empty answer for names"
        return {each.name for each in response.resources}


def _resource(kind, body):
    return Resource(kind, _name(kind, body), body, digest(body))


def _name(kind, body):
    message = _MESSAGES[kind].FromString(body)
    return message.cluster_name if kind is Kind.ENDPOINT else message.name
