"""The manifests under `examples/`: complete in themselves, and saying what they claim to show."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from resources.kinds import API_VERSION, Kind
from resources.names import node_candidates
from resources.normal import differences
from resources.parsing import parse_mesh, parse_virtual_node, parse_virtual_service
from resources.references import targets
from resources.translate.virtual_service import route_spec

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = [pytest.param(path.parent, id=path.parent.name) for path in sorted(EXAMPLES.glob("*/manifest.yaml"))]


def manifests(path: Path, kind: str | None = None) -> list[dict[str, Any]]:
    """The manifests in a file, all or those of one kind."""
    documents = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    return [document for document in documents if kind in (None, document["kind"])]


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_example_can_be_applied_in_one_go(folder):
    """Its namespace comes first, and every object is valid and in that namespace."""
    first, *rest = manifests(folder / "manifest.yaml")
    assert first["kind"] == "Namespace"
    parsers = {
        Kind.MESH: parse_mesh,
        Kind.VIRTUAL_NODE: parse_virtual_node,
        Kind.VIRTUAL_SERVICE: parse_virtual_service,
    }
    for manifest in rest:
        assert manifest["apiVersion"] == API_VERSION
        parsers[manifest["kind"]](manifest)
        assert manifest["metadata"].get("namespace", first["metadata"]["name"]) == first["metadata"]["name"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_example_refers_only_to_itself(folder):
    """Mesh, targets and backends are all there, so that it becomes active without help."""
    path = folder / "manifest.yaml"
    (mesh,) = (parse_mesh(manifest) for manifest in manifests(path, Kind.MESH))
    nodes = [parse_virtual_node(manifest) for manifest in manifests(path, Kind.VIRTUAL_NODE)]
    services = [parse_virtual_service(manifest) for manifest in manifests(path, Kind.VIRTUAL_SERVICE)]
    node_names = {node.metadata.name for node in nodes}
    service_names = {service.metadata.name for service in services}
    meshes = {node.spec.mesh_name for node in nodes} | {service.spec.mesh_name for service in services}
    assert meshes == {mesh.metadata.name}
    assert {backend.virtual_service.virtual_service_name for node in nodes for backend in node.spec.backends} <= (
        service_names
    )
    for service in services:
        for target in targets(service):
            candidates = node_candidates(target.name, service.metadata.namespace or "")
            assert node_names & set(candidates if target.verbatim_allowed else candidates[:1])


def test_the_canary_changes_the_weights_of_one_route():
    """One route differs, so it takes one App Mesh call."""
    (before,) = manifests(EXAMPLES / "colors" / "manifest.yaml", Kind.VIRTUAL_SERVICE)
    (after,) = manifests(EXAMPLES / "colors" / "canary.yaml")
    assert {**before, "spec": {**before["spec"], "routes": []}} == {**after, "spec": {**after["spec"], "routes": []}}
    told = [
        differences(route_spec(new, "colors", ()), route_spec(old, "colors", ()))
        for old, new in zip(
            parse_virtual_service(before).spec.routes, parse_virtual_service(after).spec.routes, strict=True
        )
    ]
    assert [changes for changes in told if changes] == [
        (
            "httpRoute.action.weightedTargets[green-colors].weight: 10 -> 50",
            "httpRoute.action.weightedTargets[white-colors].weight: 90 -> 50",
        )
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_example_says_in_two_lines_what_it_shows(folder):
    """What it is, and how to use it."""
    assert len((folder / "README.md").read_text(encoding="utf-8").splitlines()) == 2
