"""Any order of snapshots, refusals, lost connections and waits: the protocol is kept, and nothing named is missing."""

import os

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from control_plane.xds.ads.staging import Timing
from control_plane.xds.snapshot import Kind
from tests.control_plane.xds.ads.proxy import DeltaProxy, Proxy, SotwProxy
from tests.control_plane.xds.ads.resources import cluster, endpoints, http_listener, route, snapshot, tcp_listener

EXPLORE = bool(os.environ.get("MESHWRIGHT_TEST_EXPLORE"))
"""Look for new failures instead of repeating known lives: `MESHWRIGHT_TEST_EXPLORE=1`."""
EXAMPLES = 2000 if EXPLORE else 100

NAMES = [f"c{n}" for n in range(5)]
TYPES = [Cluster.EDS, Cluster.STATIC, Cluster.STRICT_DNS]


@st.composite
def snapshots(draw):
    """Consistent snapshots with up to five clusters and three listeners."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    resources = []
    for name in names:
        kind = draw(st.sampled_from(TYPES))
        resources.append(cluster(name, draw(st.integers(1, 3)), kind))
        if kind is Cluster.EDS:
            resources.append(endpoints(name, draw(st.integers(80, 82))))
    some = st.lists(st.sampled_from(names), unique=True) if names else st.just([])
    for each in draw(st.sets(st.sampled_from(["r0", "r1"]))):
        resources.append(http_listener(f"l-{each}", each, draw(st.integers(1, 2))))
        resources.append(route(each, *draw(some), edition=draw(st.integers(1, 2))))
    if names and draw(st.booleans()):
        resources.append(tcp_listener("l-tcp", draw(st.sampled_from(names))))
    return snapshot(*resources)


class Life(RuleBasedStateMachine):
    """The life of one proxy."""

    form: type[Proxy] = SotwProxy

    @initialize(first=st.none() | snapshots())
    def connect(self, first):
        """The first stream; the state may not be known yet."""
        self.proxy = self.form(Timing(drain=15, warming=1, endpoints=15))
        self.newest = first
        self.proxy.connect(first)
        self.checked_unprimed()

    def checked_unprimed(self):
        """Nothing is said before there is a snapshot."""
        if self.newest is None:
            assert not self.proxy.waiting

    @rule(newest=snapshots())
    def update(self, newest):
        """Something has changed."""
        self.newest = newest
        self.proxy.update(newest)

    @precondition(lambda self: self.proxy.waiting)
    @rule(refuse=st.sampled_from([False, False, False, True]))
    def take(self, refuse):
        """The proxy answers."""
        self.proxy.take(refuse)

    @rule()
    def take_all(self):
        """The proxy answers whatever there is."""
        while self.proxy.waiting:
            self.proxy.take()

    @rule(keep=st.booleans())
    def reconnect(self, keep):
        """The connection is lost; the next server knows the state, or not yet."""
        self.newest = self.newest if keep else None
        self.proxy.connect(self.newest)
        self.checked_unprimed()

    @rule(seconds=st.sampled_from([0.5, 1, 14, 16]))
    def wait(self, seconds):
        """Time passes."""
        self.proxy.now += seconds
        self.proxy.pump()

    @rule(kind=st.sampled_from(list(Kind)))
    def repeat(self, kind):
        """A request that says nothing new, with a nonce of whatever age."""
        if kind in self.proxy.asked:
            self.proxy.ask(kind)
            self.proxy.pump()

    @invariant()
    def at_peace(self):
        """Whenever the server takes it for synchronised, it is."""
        if hasattr(self, "proxy") and self.newest is not None and not self.proxy.waiting and self.proxy.stream.settled:
            self.proxy.at_peace(self.newest)
            for kind in Kind:
                asked = self.newest.named(kind).items()
                assert all(self.proxy.held[kind].get(name) == each for name, each in asked), kind.name

    def teardown(self):
        """Left alone, the proxy gets all of the newest snapshot, and nothing else."""
        if not hasattr(self, "proxy") or self.newest is None:
            return
        final = snapshot(
            cluster("new", 9), endpoints("new", 9), http_listener("l-r0", "r0", 9), route("r0", "new", edition=9)
        )
        self.proxy.update(final)
        for _ in range(1000):
            if self.proxy.waiting:
                self.proxy.take()
            elif self.proxy.stream.wakes_at is not None:
                self.proxy.now = max(self.proxy.now, self.proxy.stream.wakes_at)
                self.proxy.pump()
            else:
                break
        for kind in Kind:
            assert self.proxy.held[kind] == final.named(kind), kind.name
        assert self.proxy.stream.settled


@pytest.mark.parametrize("form", [SotwProxy, DeltaProxy])
def test_no_life_of_a_proxy_breaks_the_protocol(form):
    """Nonces are fresh, nothing refused comes again, nothing named is missing, and the newest snapshot is reached."""
    machine = type(f"Life{form.__name__}", (Life,), {"form": form})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            derandomize=not EXPLORE,
            suppress_health_check=list(HealthCheck),
        ),
    )
