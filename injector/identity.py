"""Which virtual node a pod is: what its annotations say, else its owner's name, held against the VirtualNodes. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.xds.proxies import ProxyId
from injector.annotations import Asked
from injector.directory import Directory, KnownNode
from resources.names import namespaced_name
from resources.pods import MESH_ANNOTATION, NODE_ANNOTATION

_TEMPLATE_HASHES = ("pod-template-hash", "rollouts-pod-template-hash")
_CRON_STAMP = re.compile(r"-(\d{8})$")
_CRON_MINUTES = range(27_000_000, 35_000_001)
"""What a CronJob puts after its own name: the minute, counted since 1970. Here of 2021 to 2036; 20260801 is not."""


@dataclass(frozen=True)
class Identity:
    """Who a pod is.

    Attributes:
        node: The node; None when nobody can tell.
        doubt: Why the answer is a guess, or why there is none, for the pod's owner; None when it is certain.
        ports: Those of the VirtualNode's listeners, if there is one.
    """

    node: ProxyId | None
    doubt: str | None = None
    ports: tuple[int, ...] = ()


def identify(
    pod: Mapping[str, Any], namespace: str, asked: Asked, directory: Directory, default_mesh: str | None
) -> Identity | None:
    """Who the pod is; None for a pod that nothing gives a name: it has neither owner nor annotation.

    A doubt does not keep a pod from having a node: what a mesh and a name say of it is the best guess there is.
    """
    name = asked.node
    if name is None:
        names = [namespaced_name(owner, namespace) for owner in owners_of(pod)]
        if not names:
            return None
        name = next(filter(directory.named, names), names[-1])
    candidates = directory.named(name)
    fitting = [node for node in candidates if asked.mesh in (None, node.mesh)]
    if asked.mesh is None and default_mesh is not None and len(_meshes(fitting)) > 1:
        fitting = [node for node in fitting if node.mesh == default_mesh] or fitting
    if fitting:
        first = fitting[0]
        doubt = None if len(_meshes(fitting)) == 1 else _ambiguous(name, fitting)
        return Identity(ProxyId(first.mesh, "virtualNode", name), doubt, first.ports)
    mesh = asked.mesh or default_mesh
    doubt = _unmatched(name, namespace, asked, candidates, directory)
    return Identity(ProxyId(mesh, "virtualNode", name) if mesh else None, doubt)


def owners_of(pod: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what the pod was made for: a Deployment's, not its ReplicaSet's; a Job's, then that of its CronJob.

    Read off the names that these controllers give, so that nothing has to be asked of the API server. That a Job has a
    CronJob can only be guessed so, and the guess comes last.
    """
    metadata = pod.get("metadata") or {}
    controllers = [each for each in metadata.get("ownerReferences") or () if each.get("controller")]
    if not controllers:
        return ()
    kind, name = controllers[0].get("kind"), str(controllers[0].get("name"))
    if kind == "ReplicaSet":
        labels = metadata.get("labels") or {}
        for suffix in (f"-{labels[label]}" for label in _TEMPLATE_HASHES if labels.get(label)):
            if name.endswith(suffix) and name != suffix:
                return (name.removesuffix(suffix),)
    if kind == "Job" and (stamp := _CRON_STAMP.search(name)) and int(stamp[1]) in _CRON_MINUTES:
        return tuple(filter(None, (name, name[: stamp.start()])))
    return (name,)


def _meshes(nodes: list[KnownNode]) -> set[str]:
    return {node.mesh for node in nodes}


def _ambiguous(name: str, nodes: list[KnownNode]) -> str:
    found = ", ".join(map(str, nodes[:3]))
    return f"{name} may be any of {found}; annotation {MESH_ANNOTATION} would tell"


def _unmatched(name: str, namespace: str, asked: Asked, candidates: tuple[KnownNode, ...], directory: Directory) -> str:
    if asked.mesh is not None and not directory.has_mesh(asked.mesh):
        return f"annotation {MESH_ANNOTATION}: no VirtualNode is in a mesh {asked.mesh!r}"
    if candidates:
        return f"annotation {MESH_ANNOTATION}: {name} is not of mesh {asked.mesh!r}, but {candidates[0]}"
    if asked.node is None:
        return f"no VirtualNode is called {name} in App Mesh, as this pod's owner would have it"
    said = f"annotation {NODE_ANNOTATION}: no VirtualNode is called {name} in App Mesh"
    meant = directory.resource(namespace, name)
    return f"{said}; {meant.namespace}/{meant.name} is called {meant.api_name}" if meant else said
