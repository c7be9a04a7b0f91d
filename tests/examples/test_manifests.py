"""Reading an example folder, and what it promises."""

from pathlib import Path

import pytest
import yaml

from examples.demo.manifests import Example, read, splits
from examples.demo.tree import Target
from resources.kinds import Kind
from resources.parsing import parse_virtual_service


@pytest.fixture(scope="module")
def colors() -> Example:
    """The example that the demo tells."""
    return read("colors")


def test_resources_come_in_the_order_in_which_every_reference_is_late(colors: Example) -> None:
    """Services before the nodes they target, nodes before their mesh."""
    kinds = [resource["kind"] for resource in colors.resources]
    assert kinds == sorted(kinds, key=[Kind.VIRTUAL_SERVICE, Kind.VIRTUAL_NODE, Kind.MESH].index)
    assert set(kinds) == set(Kind)


def test_the_number_of_objects_counts_router_and_routes(colors: Example) -> None:
    """One for the mesh and each node; a service with R routes is R + 2."""
    services = colors.of_kind(Kind.VIRTUAL_SERVICE)
    routes = sum(len(service["spec"]["routes"]) for service in services)
    assert colors.objects == 1 + len(colors.of_kind(Kind.VIRTUAL_NODE)) + 2 * len(services) + routes


def test_the_canary_changes_the_weights_of_one_route_and_nothing_else(colors: Example) -> None:
    """So that it takes one call."""
    canary = parse_virtual_service(colors.canary)
    before, after = colors.splits(), colors.splits(canary)
    service = canary.metadata.name
    assert {name for name in before if before[name] != after[name]} == {service}
    turned = [route for route in before[service] if before[service][route] != after[service][route]]
    assert len(turned) == 1
    assert [target.node for target in before[service][turned[0]]] == [
        target.node for target in after[service][turned[0]]
    ]


def test_targets_are_told_by_their_names_in_app_mesh() -> None:
    """The promise is compared with what the API answers, so it speaks of the API's names."""
    route = {
        "name": "all",
        "http": {
            "match": {"prefix": "/"},
            "action": {"weightedTargets": [{"virtualNodeName": "blue", "weight": 2}]},
        },
    }
    service = parse_virtual_service(
        {
            "apiVersion": "appmesh.k8s.aws/v1beta1",
            "kind": "VirtualService",
            "metadata": {"name": "color", "namespace": "prod"},
            "spec": {"meshName": "m", "routes": [route]},
        }
    )
    assert splits(service, ["blue"]) == {"all": (Target("blue-prod", 2),)}


@pytest.mark.parametrize(
    ("kinds", "canary", "complaint"),
    [
        pytest.param([], ["VirtualService"], "must hold one Mesh", id="no-mesh"),
        pytest.param(["Mesh", "Mesh"], ["VirtualService"], "must hold one Mesh", id="two-meshes"),
        pytest.param(["Mesh"], ["VirtualNode"], "must hold one VirtualService", id="other-canary"),
        pytest.param(["Mesh"], [], "must hold one VirtualService", id="no-canary"),
    ],
)
def test_a_folder_that_is_no_example_is_refused(
    tmp_path: Path, kinds: list[str], canary: list[str], complaint: str
) -> None:
    """Each complaint names the file or folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    _write(folder / "manifest.yaml", kinds)
    _write(folder / "canary.yaml", canary)
    with pytest.raises(ValueError, match=complaint):
        read("mine", tmp_path)


def _write(file: Path, kinds: list[str]) -> None:
    file.write_text(yaml.safe_dump_all({"kind": kind, "metadata": {"name": "n"}} for kind in kinds))
