"""The compiler: a mesh's state and a proxy in, the snapshot that the proxy is to have out.

Pure: equal state, proxy and options give equal snapshots, whatever was compiled before. What was compiled before only
makes it faster: results are taken up again as long as what they were made from is the same (see `reading`).
"""

from types import MappingProxyType

from control_plane.xds.compile import filters
from control_plane.xds.compile.access_logs import access_logs
from control_plane.xds.compile.backends import backends_of, gathered
from control_plane.xds.compile.egress import egress_of
from control_plane.xds.compile.gateways import gateway_resources
from control_plane.xds.compile.ingress import node_ingress
from control_plane.xds.compile.options import Options
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.reading import Memo, Reading
from control_plane.xds.compile.spare import Spare, spare_resources
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Resource, Snapshot
from control_plane.xds.state import MeshState


class Compiler:
    """Compiles, and remembers what may be of use for the next state. For one thread at a time."""

    def __init__(self) -> None:
        self._memo = Memo()

    def compile_proxy(self, state: MeshState, proxy: ProxyId, options: Options) -> Snapshot | None:
        """The snapshot for a proxy; None if the mesh has nothing of that name.

        While nothing changes that the snapshot was made from, the very same snapshot is returned.
        """
        _, snapshot = self._memo.result(("proxy", proxy, options), state, lambda part: _snapshot(part, proxy, options))
        return snapshot

    def spare(self, state: MeshState, proxy: ProxyId, options: Options) -> Spare:
        """What the proxy may be using that its snapshot does not have."""
        reading = Reading(state, self._memo)
        try:
            return spare_resources(reading, state, proxy, options)
        finally:
            reading.finish()


def compile_proxy(state: MeshState, proxy: ProxyId, options: Options) -> Snapshot | None:
    """As `Compiler.compile_proxy`, with nothing remembered."""
    return Compiler().compile_proxy(state, proxy, options)


def _snapshot(reading: Reading, proxy: ProxyId, options: Options) -> Snapshot | None:
    record = reading.get(proxy.kind, proxy.mesh, proxy.name)
    if record is None:
        return None
    recording = filters.Recording(access_logs(Place.spec_of(reading, record)), options.tracing)
    if proxy.kind == "virtualGateway":
        egress = gateway_resources(reading, record, options, recording)
    else:
        backends = gathered(reading, proxy.mesh, backends_of(Place.spec_of(reading, record)), options)
        egress = egress_of(reading, proxy.key, backends, options, recording)
        for resource in () if options.proxyless else node_ingress(reading, record, options, recording):
            egress.add(resource)
    by_kind: dict[Kind, dict[str, Resource]] = {kind: {} for kind in Kind}
    for resource in egress.resources:
        by_kind[resource.kind][resource.name] = resource
    return Snapshot(
        resources=MappingProxyType({kind: MappingProxyType(named) for kind, named in by_kind.items()}),
        problems=tuple(sorted(reading.problems, key=lambda problem: (problem.key, problem.field, problem.message))),
        reads=reading.objects,
        instances=reading.instances,
        sources=MappingProxyType(egress.sources),
        part_sources=MappingProxyType(egress.part_sources),
        written=reading.written,
    )
