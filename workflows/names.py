"""Names of workflows, signals and ids, and the policies that workflows are started with: the one place for them."""

from typing import Final
from urllib.parse import quote, unquote

from resources.cloud_map import CloudMapService
from resources.kinds import Kind

WORKFLOWS: Final = {kind: str(kind) for kind in Kind}
"""Workflow type of each kind: the kind's own name."""

CLOUD_MAP_SERVICE: Final = "CloudMapService"
"""Workflow type of a Cloud Map service."""
_CLOUD_MAP: Final = "cloudmap"

CHANGED: Final = "changed"
GONE: Final = "gone"
TOLD: Final = "told"
"""Signal to a Cloud Map service: news of nodes and pods."""
CLOUD_MAP: Final = "cloud-map"
"""Signal to a VirtualNode: where its Cloud Map service stands."""

SEARCH_KIND: Final = "MeshwrightKind"
SEARCH_NAMESPACE: Final = "MeshwrightNamespace"
SEARCH_NAME: Final = "MeshwrightName"
SEARCH_MESH: Final = "MeshwrightMesh"
SEARCH_PHASE: Final = "MeshwrightPhase"
SEARCH_REASON: Final = "MeshwrightReason"
SEARCH_ATTRIBUTES: Final = {
    SEARCH_KIND: "`Mesh`, `VirtualNode`, `VirtualService`, or `CloudMapService`.",
    SEARCH_NAMESPACE: "Kubernetes namespace; of a Cloud Map service its namespace in Cloud Map; a mesh has none.",
    SEARCH_NAME: "Name of the resource.",
    SEARCH_MESH: "The mesh that it belongs to, or is; a Cloud Map service has none.",
    SEARCH_PHASE: "How it stands, in one word (below).",
    SEARCH_REASON: "Why, as in its main condition.",
}
"""What workflows are found by, all of type Keyword. They have to be registered with the Temporal server."""

NO_STATE: Final[dict[str, object]] = {}
"""What a workflow is started with: it has no state yet, and the signal that comes with the start brings the rest."""

NOBODY_TOLD: Final[dict[str, object]] = {"complete": False}
"""What the workflow of a Cloud Map service is started with: see `CloudMapState.complete`."""


def workflow_id(cluster: str, kind: Kind, namespace: str | None, name: str) -> str:
    """`<cluster>/<kind>/<namespace>/<name>`; `-` stands for no namespace."""
    return f"{cluster}/{kind.slug}/{namespace or '-'}/{name}"


def parse_workflow_id(cluster: str, id: str) -> tuple[Kind, str | None, str] | None:
    """Kind, namespace and name from an id; None when it is not one of this cluster's."""
    parts = id.split("/")
    kind = next((kind for kind in Kind if len(parts) == 4 and kind.slug == parts[1]), None)
    if kind is None or parts[0] != cluster:
        return None
    return kind, None if parts[2] == "-" else parts[2], parts[3]


def cloud_map_id(cluster: str, service: CloudMapService) -> str:
    """`<cluster>/cloudmap/<namespace>/<service>`, the names percent-encoded, as Cloud Map allows slashes in them."""
    return f"{cluster}/{_CLOUD_MAP}/{quote(service.namespace, safe='')}/{quote(service.name, safe='')}"


def parse_cloud_map_id(cluster: str, id: str) -> CloudMapService | None:
    """The Cloud Map service from an id; None when it is not one of this cluster's."""
    parts = id.split("/")
    if len(parts) != 4 or parts[:2] != [cluster, _CLOUD_MAP]:
        return None
    return CloudMapService(namespace=unquote(parts[2]), name=unquote(parts[3]))


def cluster_prefix(cluster: str) -> str:
    """What every workflow id of a cluster begins with."""
    return f"{cluster}/"


def cluster_of(id: str) -> str:
    """The cluster that a workflow id belongs to: its first part."""
    return id.partition("/")[0]


def summary(kind: Kind, namespace: str | None, name: str) -> str:
    """One line for the Temporal UI's list."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def details(kind: Kind, namespace: str | None, name: str) -> str:
    """Where else the resource can be looked at, in Markdown, for the Temporal UI's page of the workflow."""
    where = f" --namespace {namespace}" if namespace else ""
    return "\n".join(
        [
            "The workflow of a custom resource: it lives as long as the resource does.\n",
            f"- `kubectl describe {kind.slug} {name}{where}`: its conditions and Events",
            f"- `meshwright history {kind.slug}/{name}{where}`: its reconciles, one a line",
        ]
    )


def memo(cluster: str, kind: Kind, namespace: str | None, name: str) -> dict[str, str | None]:
    """Which resource it is, for programs that list workflows."""
    return {"cluster": cluster, "kind": str(kind), "namespace": namespace, "name": name}
