"""The VirtualNodes that there are, by the name that they have in App Mesh: who a pod can be. Pure, kept by a watch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from resources.names import namespaced_name


@dataclass(frozen=True)
class KnownNode:
    """What a pod needs to know of a VirtualNode."""

    mesh: str
    api_name: str
    namespace: str
    name: str
    created: str
    uid: str
    ports: tuple[int, ...]
    """Those of its listeners."""

    @classmethod
    def of(cls, resource: Mapping[str, Any]) -> "KnownNode":
        """From the API server's JSON, which may be older than the schema."""
        metadata, spec = resource["metadata"], resource.get("spec") or {}
        mappings = ((listener or {}).get("portMapping") or {} for listener in spec.get("listeners") or ())
        return cls(
            mesh=str(spec.get("meshName") or ""),
            api_name=namespaced_name(metadata["name"], metadata["namespace"]),
            namespace=metadata["namespace"],
            name=metadata["name"],
            created=metadata.get("creationTimestamp") or "",
            uid=metadata.get("uid") or "",
            ports=tuple(dict.fromkeys(mapping["port"] for mapping in mappings if "port" in mapping)),
        )

    def __str__(self) -> str:
        """For people."""
        return f"VirtualNode {self.namespace}/{self.name} of mesh {self.mesh}"


class Directory:
    """Every VirtualNode of the cluster."""

    def __init__(self, resources: Iterable[Mapping[str, Any]] = ()) -> None:
        self._nodes: dict[tuple[str, str], KnownNode] = {}
        self._by_api_name: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self.replace(resources)

    def replace(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Know these, and no others."""
        self._nodes.clear()
        self._by_api_name.clear()
        for resource in resources:
            self.add(resource)

    def add(self, resource: Mapping[str, Any]) -> None:
        """Know this one, as it is now."""
        node = KnownNode.of(resource)
        key = (node.namespace, node.name)
        self._nodes[key] = node
        self._by_api_name[node.api_name].add(key)

    def remove(self, resource: Mapping[str, Any]) -> None:
        """Forget this one."""
        key = (resource["metadata"]["namespace"], resource["metadata"]["name"])
        node = self._nodes.pop(key, None)
        if node is not None:
            self._by_api_name[node.api_name].discard(key)
            if not self._by_api_name[node.api_name]:
                del self._by_api_name[node.api_name]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._nodes)

    def named(self, api_name: str) -> tuple[KnownNode, ...]:
        """Those that have this name in App Mesh, the oldest first: of two that want one object, it is the older's."""
        found = (self._nodes[key] for key in self._by_api_name.get(api_name, ()))
        return tuple(sorted(found, key=lambda node: (node.created, node.uid, node.namespace, node.name)))

    def resource(self, namespace: str, name: str) -> KnownNode | None:
        """The VirtualNode of this name in a namespace."""
        return self._nodes.get((namespace, name))

    def has_mesh(self, mesh: str) -> bool:
        """Whether any VirtualNode is in this mesh."""
        return any(node.mesh == mesh for node in self._nodes.values())
