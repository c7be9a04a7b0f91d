"""What is wrong with manifests, told without any cluster. Pure.

Errors are what the API server, Meshwright or App Mesh would refuse, or would silently not do as asked. Warnings are
references that lead out of the files: what they name may be in the cluster already.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cli.app_mesh_rules import refusals
from cli.envelope import mistakes
from cli.manifests import Manifest
from cli.shape import unknown
from resources import names
from resources.errors import InvalidResource
from resources.kinds import API_VERSION, GROUP, Kind
from resources.parsing import parse_virtual_node, parse_virtual_service, problems
from resources.references import targets
from workflows.messages import Snapshot
from workflows.planning.kinds import desired_of


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing to look at."""

    file: str
    line: int
    severity: Severity
    resource: str
    """`VirtualNode shop/cart`."""
    field: str
    message: str

    def __str__(self) -> str:
        """As compilers write it, so that editors find the place."""
        where = f" {self.field}:" if self.field else ""
        return f"{self.file}:{self.line}: {self.severity}: {self.resource}:{where} {self.message}"


def is_ours(manifest: Manifest) -> bool:
    """Whether a manifest is of our group, whatever the version."""
    version = manifest.object.get("apiVersion")
    return isinstance(version, str) and version.startswith(f"{GROUP}/")


def is_sound(manifest: Manifest) -> bool:
    """Whether what it says can be looked at: `as_stored` and all that comes after it believe the envelope."""
    return next(mistakes(manifest.object), None) is None


def findings(manifests: Sequence[Manifest]) -> list[Finding]:
    """Everything that can be said about the manifests of our group, in the order of files and lines."""
    ours = [manifest for manifest in manifests if is_ours(manifest)]
    known = [each for each in ours if each.object["apiVersion"] == API_VERSION and each.kind in set(Kind)]
    sound = [each for each in known if is_sound(each)]
    found = [*_strangers(ours), *_envelopes(known), *_each(sound), *_twice(sound), *_dangling(sound)]
    return sorted(found, key=lambda each: (each.file, each.line, each.field))


def label(manifest: Manifest) -> str:
    """`VirtualNode shop/cart`, `Mesh shop`."""
    kind, name = manifest.kind or "?", manifest.name or "?"
    return f"{kind} {name}" if kind == Kind.MESH else f"{kind} {manifest.namespace}/{name}"


def _strangers(manifests: Iterable[Manifest]) -> Iterator[Finding]:
    for manifest in manifests:
        if manifest.object["apiVersion"] != API_VERSION:
            yield _error(manifest, "apiVersion", f"{API_VERSION} is served, not {manifest.object['apiVersion']}")
        elif manifest.kind not in set(Kind):
            yield _error(manifest, "kind", f"unknown; there are {', '.join(Kind)}")


def _envelopes(manifests: Iterable[Manifest]) -> Iterator[Finding]:
    for manifest in manifests:
        for field, message in mistakes(manifest.object):
            yield _error(manifest, field, message)


def _each(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    nodes = [(each.namespace, each.name) for each in manifests if each.kind == Kind.VIRTUAL_NODE]
    for manifest in manifests:
        kind = Kind(manifest.kind)
        for field in unknown(kind, manifest.object.get("spec")):
            yield _error(manifest, field, "unknown field; the API server would drop it")
        stored = as_stored(manifest)
        known = problems(kind, stored)
        for problem in known:
            yield _error(manifest, problem.field, problem.message)
        try:
            snapshot = Snapshot.of(kind, stored)
            desired = desired_of(snapshot)
        except InvalidResource as error:
            if error.field not in {problem.field for problem in known}:
                yield _error(manifest, error.field, error.message)
            continue
        siblings = [name for namespace, name in nodes if namespace == manifest.namespace]
        for field, message in refusals(desired, snapshot, siblings):
            yield _error(manifest, field, message)


def as_stored(manifest: Manifest) -> dict[str, Any]:
    """As the API server would keep it."""
    metadata = {"uid": "-", "generation": 1, "resourceVersion": "1", "creationTimestamp": "1970-01-01T00:00:00Z"}
    given = manifest.object.get("metadata") or {}
    where = {"namespace": manifest.namespace} if manifest.kind != Kind.MESH else {}
    return {**manifest.object, "metadata": {**given, **where, **metadata}, "status": {}}


def _twice(manifests: Iterable[Manifest]) -> Iterator[Finding]:
    """Resources that are there twice, and different ones that come to one name in App Mesh."""
    seen: dict[tuple[str, ...], Manifest] = {}
    in_app_mesh: dict[tuple[str, ...], Manifest] = {}
    for manifest in manifests:
        namespace = "" if manifest.kind == Kind.MESH else manifest.namespace
        first = seen.setdefault((manifest.kind, namespace, manifest.name), manifest)
        if first is not manifest:
            told = f"is in {first.file}:{first.line()} already; whichever is applied last holds"
            yield _warning(manifest, "metadata.name", told)
            continue
        mesh = str((manifest.object.get("spec") or {}).get("meshName", ""))
        if manifest.kind == Kind.VIRTUAL_NODE:
            name = names.namespaced_name(manifest.name, manifest.namespace)
        elif manifest.kind == Kind.VIRTUAL_SERVICE:
            name = manifest.name
        else:
            continue
        other = in_app_mesh.setdefault((manifest.kind, mesh, name), manifest)
        if other is not manifest:
            told = f"is {name} in mesh {mesh}, and so is {label(other)} ({other.file}:{other.line()})"
            yield _error(manifest, "metadata.name", told)


def _dangling(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """References to what is not in the files."""
    meshes = {each.name for each in manifests if each.kind == Kind.MESH}
    nodes = {(each.namespace, each.name) for each in manifests if each.kind == Kind.VIRTUAL_NODE}
    services = {each.name for each in manifests if each.kind == Kind.VIRTUAL_SERVICE}
    for manifest in manifests:
        if manifest.kind in (Kind.VIRTUAL_NODE, Kind.VIRTUAL_SERVICE):
            mesh = (manifest.object.get("spec") or {}).get("meshName")
            if isinstance(mesh, str) and mesh and mesh not in meshes:
                yield _warning(manifest, "spec.meshName", f"Mesh {mesh} is not in these files")
            yield from _dangling_names(manifest, nodes, services)


def _dangling_names(manifest: Manifest, nodes: set[tuple[str, str]], services: set[str]) -> Iterator[Finding]:
    try:
        if manifest.kind == Kind.VIRTUAL_NODE:
            node = parse_virtual_node(as_stored(manifest))
            for number, backend in enumerate(node.spec.backends):
                name = backend.virtual_service.virtual_service_name
                if name not in services:
                    field = f"spec.backends[{number}].virtualService.virtualServiceName"
                    yield _warning(manifest, field, f"VirtualService {name} is not in these files")
            return
        service = parse_virtual_service(as_stored(manifest))
    except InvalidResource:
        return  # said already
    for target in targets(service):
        if not target.verbatim_allowed and (manifest.namespace, target.name) not in nodes:
            told = f"VirtualNode {manifest.namespace}/{target.name} is not in these files"
            yield _warning(manifest, _mention(service.spec.model_dump(by_alias=True), target.name), told)


def _mention(spec: Mapping[str, Any], node: str) -> str:
    """The first field that names a node."""
    for number, route in enumerate(spec.get("routes") or ()):
        for kind in ("http", "tcp", "http2", "grpc"):
            weighted = (((route.get(kind) or {}).get("action")) or {}).get("weightedTargets") or ()
            for place, target in enumerate(weighted):
                if target.get("virtualNodeName") == node:
                    return f"spec.routes[{number}].{kind}.action.weightedTargets[{place}].virtualNodeName"
    return "spec.provider.virtualNode.virtualNodeName"


def _error(manifest: Manifest, field: str, message: str) -> Finding:
    return _finding(manifest, Severity.ERROR, field, message)


def _warning(manifest: Manifest, field: str, message: str) -> Finding:
    return _finding(manifest, Severity.WARNING, field, message)


def _finding(manifest: Manifest, severity: Severity, field: str, message: str) -> Finding:
    return Finding(manifest.file, manifest.line(field), severity, label(manifest), field, message)
