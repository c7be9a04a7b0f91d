"""The CustomResourceDefinitions, derived from the models.

Data in, data out: `deploy/generate.py` writes the result to `deploy/crds/`, and a test fails when those files are
stale. Two decisions stand behind the shape. Nothing is defaulted in stored objects: what users wrote is theirs, and
defaults would show up as drift in GitOps tools. Unknown fields are pruned, not refused, for manifests in the wild carry
some.
"""

from typing import Any

from resources.base import Model
from resources.conditions import active_condition
from resources.kinds import GROUP, VERSION, Kind
from resources.mesh import Mesh
from resources.schema import Schema, structural_schema
from resources.virtual_node import VirtualNode
from resources.virtual_service import VirtualService

MODELS: dict[Kind, type[Model]] = {model.kind: model for model in (Mesh, VirtualNode, VirtualService)}

# `vs` is taken by others (Istio's virtual services, volume snapshots); a mesh needs no shorter name than its own.
SHORT_NAMES: dict[Kind, list[str]] = {Kind.VIRTUAL_NODE: ["vn"], Kind.VIRTUAL_SERVICE: ["vsvc"]}

CATEGORIES = ["all", "appmesh"]


def custom_resource_definition(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition (apiextensions.k8s.io/v1) of a kind, as plain JSON data."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": _names(kind),
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _columns(kind),
                    "schema": {"openAPIV3Schema": _object_schema(kind)},
                }
            ],
        },
    }


def _names(kind: Kind) -> dict[str, Any]:
    names: dict[str, Any] = {
        "kind": kind.value,
        "listKind": f"{kind.value}List",
        "plural": kind.plural,
        "singular": kind.slug,
        "categories": CATEGORIES,
    }
    return names | ({"shortNames": SHORT_NAMES[kind]} if kind in SHORT_NAMES else {})


def _columns(kind: Kind) -> list[dict[str, Any]]:
    """What `kubectl get` shows: the mesh (where there is one), whether it is active, why not, and the age."""
    conditions = "meshCondition" if kind is Kind.MESH else "conditions"
    active = f'.status.{conditions}[?(@.type=="{active_condition(kind)}")]'
    mesh = [] if kind is Kind.MESH else [{"name": "Mesh", "type": "string", "jsonPath": ".spec.meshName"}]
    return [
        *mesh,
        {"name": "Active", "type": "string", "jsonPath": f"{active}.status"},
        {"name": "Reason", "type": "string", "jsonPath": f"{active}.reason"},
        {"name": "Message", "type": "string", "jsonPath": f"{active}.message", "priority": 1},  # with -o wide
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]


def _object_schema(kind: Kind) -> Schema:
    """The schema of the whole object. Metadata is the API server's own, and only mentioned."""
    schema = structural_schema(MODELS[kind])
    required = [field for field in schema["required"] if field != "metadata"]
    own = {"spec": schema["properties"]["spec"], "status": schema["properties"]["status"]}
    return {
        "description": schema["description"],
        "type": "object",
        **({"required": required} if required else {}),
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            **own,
        },
    }
