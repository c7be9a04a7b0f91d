"""Laws of the compiler, for any mesh that the API accepts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.xds.compile import Compiler, compile_proxy
from control_plane.xds.proxies import ProxyId
from control_plane.xds.state import MeshState
from tests.control_plane.shapes import valid_specs
from tests.control_plane.xds.compile.invariants import check
from tests.control_plane.xds.compile.meshes import MESH, record
from tests.control_plane.xds.compile.strategies import meshes, options

PROXIES = [ProxyId(MESH, "virtualNode", "front"), ProxyId(MESH, "virtualGateway", "gateway")]


@given(state=meshes(), options=options)
@settings(max_examples=20)
def test_every_mesh_compiles_to_consistent_snapshots(state, options):
    """Each name that one resource uses is there, and nothing is there twice."""
    for proxy in PROXIES:
        snapshot = compile_proxy(state, proxy, options)
        assert snapshot is not None
        check(snapshot)


@given(state=meshes(), options=options, change=st.data())
@settings(max_examples=10)
def test_what_is_remembered_changes_nothing(state, options, change):
    """After any change, a compiler that has seen the mesh before says what a new one says."""
    compiler = Compiler()
    before = {proxy: compiler.compile_proxy(state, proxy, options) for proxy in PROXIES}
    changed = _with_a_change(state, change.draw)
    for proxy in PROXIES:
        after = compiler.compile_proxy(changed, proxy, options)
        assert after == compile_proxy(changed, proxy, options)
        if not _changed_keys(state, changed) & _read(before[proxy]):
            assert after is before[proxy]


def _with_a_change(state, draw) -> MeshState:
    """The state with one object away or with another spec."""
    key = draw(st.sampled_from(sorted(key for key in state.objects if key.kind not in ("mesh", "virtualGateway"))))
    objects = dict(state.objects)
    if key.name != "front" and draw(st.booleans()):
        del objects[key]
    elif key.kind in ("virtualNode", "route", "gatewayRoute"):
        noun = key.kind[0].upper() + key.kind[1:]
        objects[key] = record(key.kind, key.name, draw(valid_specs(noun)), parent=key.parent, revision=2)
    return MeshState(objects, state.instances)


def _changed_keys(before, after):
    keys = {key for key in before.objects if after.objects.get(key) is not before.objects[key]}
    return keys | {parent for key in keys for parent in before.objects if key.parent and parent.name == key.parent}


def _read(snapshot):
    return snapshot.reads
