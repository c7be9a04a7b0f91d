"""Story: apply manifests in any order and they become App Mesh objects; delete them so and nothing is left."""

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import yaml

from resources.kinds import Kind
from tests import builders
from tests.builders import Manifest, grpc_route, http2_route, http_route, listener, tcp_route
from tests.e2e.cluster import Cluster, mesh_of
from tests.e2e.workflows import id_of
from tests.waiting import until

EXAMPLES = Path(__file__).parents[2] / "examples"

Order = Callable[[list[Manifest]], list[Manifest]]


def own_manifests() -> list[Manifest]:
    """Each kind of route, two namespaces, names with and without dots, services with and without a router's name."""
    plain = {"meshName": "music", "listeners": [listener()]}
    rpc = {"meshName": "music", "listeners": [listener(protocol="grpc")]}
    web2 = {"meshName": "music", "listeners": [listener(protocol="http2")]}
    raw = {"meshName": "music", "listeners": [listener(protocol="tcp")]}
    return [
        builders.mesh("music"),
        builders.virtual_node("metal", "bands", **plain),
        builders.virtual_node("metal.v2", "bands", **plain),
        builders.virtual_node("jazz", "bands", **rpc),
        builders.virtual_node("jazz", "clubs", **web2),
        builders.virtual_node("door", "clubs", **raw),
        builders.virtual_service(
            "metal.bands.svc.cluster.local",
            "bands",
            meshName="music",
            virtualRouter={"name": "metal-router"},
            routes=[
                http_route("canary", {"metal.v2": 1}, headers=[{"name": "canary"}]),
                http_route("all", {"metal": 90, "metal.v2": 10}),
            ],
        ),
        builders.virtual_service(
            "jazz", "bands", meshName="music", virtualRouter=None, routes=[grpc_route("rpc", {"jazz-bands": 1})]
        ),
        builders.virtual_service(
            "jazz.clubs.svc.cluster.local",
            "clubs",
            meshName="music",
            virtualRouter={"name": "jazz.router", "listeners": [listener(protocol="http2")]},
            routes=[http2_route("web", {"jazz": 1})],
        ),
        builders.virtual_service(
            "door.clubs.svc.cluster.local",
            "clubs",
            meshName="music",
            virtualRouter={"name": "door"},
            routes=[tcp_route("in", {"door": 1})],
        ),
    ]


OWN_NAMES = {
    "music",
    "music/virtualNode/metal-bands",
    "music/virtualNode/metal-v2",
    "music/virtualNode/jazz-bands",
    "music/virtualNode/jazz-clubs",
    "music/virtualNode/door-clubs",
    "music/virtualService/metal.bands.svc.cluster.local",
    "music/virtualRouter/metal-router-bands",
    "music/virtualRouter/metal-router-bands/route/canary",
    "music/virtualRouter/metal-router-bands/route/all",
    "music/virtualService/jazz",
    "music/virtualRouter/jazz-bands",
    "music/virtualRouter/jazz-bands/route/rpc",
    "music/virtualService/jazz.clubs.svc.cluster.local",
    "music/virtualRouter/jazz-router",
    "music/virtualRouter/jazz-router/route/web",
    "music/virtualService/door.clubs.svc.cluster.local",
    "music/virtualRouter/door-clubs",
    "music/virtualRouter/door-clubs/route/in",
}


def folders() -> list[Path]:
    """The folders of examples that hold manifests."""
    return sorted({file.parent for file in EXAMPLES.rglob("*.yaml")})


def example_manifests(folder: Path) -> list[Manifest]:
    """Our kinds in the folder, in the order of its files; of an object that comes twice, the first."""
    found: dict[tuple[str, str, str], Manifest] = {}
    for file in sorted(folder.glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text()):
            if manifest and manifest["kind"] in set(Kind):
                metadata = manifest["metadata"]
                found.setdefault((manifest["kind"], metadata.get("namespace", ""), metadata["name"]), manifest)
    return list(found.values())


def forward(manifests: list[Manifest]) -> list[Manifest]:
    """As written: the mesh first, the services last."""
    return manifests


def backward(manifests: list[Manifest]) -> list[Manifest]:
    """The services first, the mesh last."""
    return manifests[::-1]


def by_namespace(manifests: list[Manifest]) -> list[Manifest]:
    """One namespace after the other, and the mesh between them: cluster-scoped objects have no namespace."""
    return sorted(manifests, key=lambda manifest: manifest["metadata"].get("namespace") or "c")


def shuffled(seed: int) -> Order:
    """A random order, always the same for a seed."""

    def order(manifests: list[Manifest]) -> list[Manifest]:
        return random.Random(seed).sample(manifests, len(manifests))

    return order


ORDERS = [
    pytest.param(forward, forward, id="mesh-first-and-deleted-first"),
    pytest.param(backward, backward, id="mesh-last-and-deleted-last"),
    pytest.param(shuffled(1), by_namespace, id="random-1-deleted-by-namespace"),
    pytest.param(shuffled(2), shuffled(3), id="random-2-deleted-random-3"),
    pytest.param(shuffled(4), shuffled(5), id="random-4-deleted-random-5"),
]


@pytest.mark.parametrize(("apply", "delete"), ORDERS)
def test_own_manifests_come_and_go_in_any_order(cluster: Cluster, apply: Order, delete: Order) -> None:
    """Whatever the order: all Active, under exactly the names that they must have, and then nothing left."""
    check(cluster, own_manifests(), OWN_NAMES, apply, delete)


@pytest.mark.parametrize(("apply", "delete"), ORDERS)
@pytest.mark.parametrize("folder", folders(), ids=lambda folder: str(folder.relative_to(EXAMPLES)))
def test_examples_come_and_go_in_any_order(cluster: Cluster, folder: Path, apply: Order, delete: Order) -> None:
    """The same for each folder of examples."""
    manifests = example_manifests(folder)
    check(cluster, manifests, {name for manifest in manifests for name in api_names(manifest)}, apply, delete)


def check(cluster: Cluster, manifests: list[Manifest], names: set[str], apply: Order, delete: Order) -> None:
    """Apply, compare, delete, and see that nothing is left."""
    meshes = {mesh_of(manifest) for manifest in manifests}
    cluster.converge(*apply(manifests))
    specs = {name: spec for mesh in meshes for name, spec in cluster.app_mesh.specs(mesh).items()}
    assert set(specs) == names
    assert targets(specs.values()) <= {name.rpartition("/")[2] for name in names if "/virtualNode/" in name}
    own = {id_of(manifest) for manifest in manifests}  # and not those of like names that another test leaves running
    until(cluster.workflows.running, own.issubset, "the list of running workflows to have all of them")
    cluster.remove(*delete(manifests))
    assert not meshes & set(cluster.app_mesh.meshes())
    until(
        cluster.workflows.running,
        lambda ids: own.isdisjoint(ids),
        "the list of running workflows to have none of them",
    )


def api_names(manifest: Manifest) -> list[str]:
    """What a resource is called in App Mesh, by the rules of the reference controller, written down a second time."""
    name, namespace = manifest["metadata"]["name"], manifest["metadata"].get("namespace", "")
    if manifest["kind"] == Kind.MESH:
        return [name]
    spec = manifest["spec"]
    if manifest["kind"] == Kind.VIRTUAL_NODE:
        return [f"{spec['meshName']}/virtualNode/{dotted(name, namespace)}"]
    given = (spec.get("virtualRouter") or {}).get("name", "").strip()
    router = f"{spec['meshName']}/virtualRouter/{dotted(given or name, namespace)}"
    routes = [f"{router}/route/{route['name']}" for route in spec.get("routes", ())]
    return [f"{spec['meshName']}/virtualService/{name}", router, *routes]


def dotted(name: str, namespace: str) -> str:
    """A name with dots is taken as it is, with dashes; another gets its namespace."""
    return name.replace(".", "-") if "." in name else f"{name}-{namespace}"


def targets(specs: Iterable[dict[str, object]]) -> set[str]:
    """Names of all nodes that routes send traffic to."""
    found: set[str] = set()
    for spec in specs:
        for type in ("httpRoute", "http2Route", "grpcRoute", "tcpRoute"):
            action = (spec.get(type) or {}).get("action", {})  # type: ignore[attr-defined]
            found |= {target["virtualNode"] for target in action.get("weightedTargets", ())}
    return found
