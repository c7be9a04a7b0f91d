"""The manifests that the demo applies, and what they promise about App Mesh. Pure, but for reading the files."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from examples.demo.tree import Target
from resources.kinds import Kind
from resources.names import target_api_name
from resources.parsing import parse_virtual_node, parse_virtual_service
from resources.virtual_node import VirtualNode
from resources.virtual_service import VirtualService

EXAMPLES = Path(__file__).parents[1]

CANARY = "canary.yaml"
"""The change of an example; everything else in its folder is where it begins."""

_LATE_FIRST = (Kind.VIRTUAL_SERVICE, Kind.VIRTUAL_NODE, Kind.MESH)
"""The order in which every reference comes late: what is referred to is applied after what refers to it."""

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Example:
    """One example folder: namespaces, and custom resources in the order in which every reference comes late."""

    name: str
    namespaces: tuple[Manifest, ...]
    resources: tuple[Manifest, ...]
    canary: Manifest
    """The VirtualService with other weights."""

    def of_kind(self, *kinds: Kind) -> list[Manifest]:
        """The custom resources of these kinds."""
        return [resource for resource in self.resources if resource["kind"] in kinds]

    @property
    def mesh(self) -> str:
        """The mesh's name."""
        return str(self.of_kind(Kind.MESH)[0]["metadata"]["name"])

    @property
    def nodes(self) -> list[VirtualNode]:
        """The VirtualNodes."""
        return [parse_virtual_node(resource) for resource in self.of_kind(Kind.VIRTUAL_NODE)]

    @property
    def services(self) -> list[VirtualService]:
        """The VirtualServices."""
        return [parse_virtual_service(resource) for resource in self.of_kind(Kind.VIRTUAL_SERVICE)]

    @property
    def objects(self) -> int:
        """How many App Mesh objects it asks for: a service has a router and routes besides itself."""
        return 1 + len(self.nodes) + sum(2 + len(service.spec.routes) for service in self.services)

    def splits(self, changed: VirtualService | None = None) -> dict[str, dict[str, tuple[Target, ...]]]:
        """Service to route to where that shall go; with one service as `changed` has it."""
        beside = [node.metadata.name for node in self.nodes]
        services = {service.metadata.name: service for service in (*self.services, changed) if service is not None}
        return {name: splits(service, beside) for name, service in services.items()}


def read(name: str, folder: Path = EXAMPLES) -> Example:
    """Read an example folder.

    Raises:
        ValueError: it does not hold exactly one Mesh, or its canary is not exactly one VirtualService.
    """
    documents = [
        document
        for file in sorted((folder / name).glob("*.yaml"))
        if file.name != CANARY
        for document in _documents(file)
    ]
    canary = _documents(folder / name / CANARY)
    if [document["kind"] for document in canary] != [Kind.VIRTUAL_SERVICE]:
        raise ValueError(f"{folder / name / CANARY} must hold one VirtualService")
    example = Example(
        name=name,
        namespaces=tuple(document for document in documents if document["kind"] == "Namespace"),
        resources=tuple(document for kind in _LATE_FIRST for document in documents if document["kind"] == kind),
        canary=canary[0],
    )
    if len(example.of_kind(Kind.MESH)) != 1:
        raise ValueError(f"{folder / name} must hold one Mesh")
    return example


def splits(service: VirtualService, nodes: Collection[str]) -> dict[str, tuple[Target, ...]]:
    """Where each route of a service shall go, in App Mesh's names; `nodes` are the VirtualNodes beside it."""
    namespace = service.metadata.namespace or ""
    return {
        route.name: tuple(
            Target(target_api_name(route, target.virtual_node_name, namespace, nodes), target.weight)
            for target in route.targets
        )
        for route in service.spec.routes
    }


def _documents(file: Path) -> list[Manifest]:
    found: Iterable[Manifest | None] = yaml.safe_load_all(file.read_text())
    return [document for document in found if document]
