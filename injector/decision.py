"""What becomes of one pod: the heart of the injector. Pure: pod, namespace, settings and virtual nodes in, verdict out.

Either the whole sidecar or none of it: a verdict with a patch has all of it in, and one without says why.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from injector import annotations, capture
from injector.annotations import Asked, BadAnnotation
from injector.configuration import Configuration, Unmatched
from injector.directory import Directory
from injector.identity import Identity, identify
from injector.patch import Operation, additions
from injector.proxy_bootstrap import PROXY_PORTS
from injector.sidecar import BOOTSTRAP_VOLUME, CERTIFICATE_VOLUME, NAME, SECRET_VOLUME, STATUS_PORT_NAME, USER, sidecar

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_MIRROR = "kubernetes.io/config.mirror"
_VOLUMES = (CERTIFICATE_VOLUME, BOOTSTRAP_VOLUME, SECRET_VOLUME)


class Outcome(StrEnum):
    """What became of a pod; each is a value of the metrics' label, and has a sentence in the reference."""

    explanation: str

    INJECTED = "injected", "It got a sidecar."
    DISABLED = "disabled", "Its annotation, or without one the setting `inject_by_default`, says no."
    ALREADY = "already", "It has a sidecar, or something of its own that has a sidecar's name."
    OUTSIDE = "outside", "Its network is the machine's own, it is a static pod's image, or it is made for Windows."
    NAMELESS = "nameless", "It has neither an owner nor an annotation that says which virtual node it is."
    PORTLESS = "portless", "It has no ports, and there is nothing that says that it is part of a mesh."
    ENDLESS = "endless", "It is to end by itself, and in this cluster its sidecar would keep it from that."
    UNMATCHED = "unmatched", "Its virtual node is in doubt, and so it gets no sidecar."
    REFUSED_UNMATCHED = "refused_unmatched", "Its virtual node is in doubt, and so it is refused."
    REFUSED_ANNOTATION = "refused_annotation", "An annotation says what nobody can mean, and so it is refused."

    def __new__(cls, value: str, explanation: str) -> "Outcome":
        """A value with its explanation."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = explanation
        return member


@dataclass(frozen=True)
class Verdict:
    """What is to be answered about a pod.

    Attributes:
        outcome: What became of it.
        patch: What makes it part of the mesh; empty for every outcome but `injected`.
        warnings: What its owner should hear now.
        refusal: Why it is refused; None when it is let through.
        doubt: What should also be told where the owner looks later, as an Event.
    """

    outcome: Outcome
    patch: tuple[Operation, ...] = ()
    warnings: tuple[str, ...] = ()
    refusal: str | None = None
    doubt: str | None = None


def decide(pod: Mapping[str, Any], namespace: str, configuration: Configuration, directory: Directory) -> Verdict:
    """The verdict on a pod that is about to be created in a namespace whose pods get sidecars."""
    try:
        return _decide(pod, namespace, configuration, directory)
    except BadAnnotation as bad:
        return Verdict(Outcome.REFUSED_ANNOTATION, refusal=str(bad))


def _decide(pod: Mapping[str, Any], namespace: str, configuration: Configuration, directory: Directory) -> Verdict:
    metadata, spec = pod.get("metadata") or {}, pod["spec"]
    notes = metadata.get("annotations") or {}
    wanted = annotations.switch(notes)
    if not (configuration.by_default if wanted is None else wanted):
        return Verdict(Outcome.DISABLED)
    if (taken := _taken(spec)) is not None:
        return Verdict(Outcome.ALREADY, warnings=() if _is_injected(spec) else (f"no sidecar: {taken} is there",))
    if (obstacle := _obstacle(notes, spec)) is not None:
        return Verdict(Outcome.OUTSIDE, warnings=(f"no sidecar: {obstacle}",))
    asked = annotations.read(notes)
    identity = identify(pod, namespace, asked, directory, configuration.mesh)
    if identity is None:
        return Verdict(Outcome.NAMELESS)
    ports = _ports(spec, asked, identity)
    if not ports and asked.ports is None and asked.node is None and identity.doubt is not None:
        return Verdict(Outcome.PORTLESS)
    if not configuration.native and spec.get("restartPolicy", "Always") != "Always":
        return Verdict(Outcome.ENDLESS, warnings=("no sidecar: it would keep this pod from ending",))
    if identity.doubt is not None and (verdict := _doubtful(identity, configuration)) is not None:
        return verdict
    return _injected(pod, asked, identity, ports, configuration)


def _doubtful(identity: Identity, configuration: Configuration) -> Verdict | None:
    """The verdict, unless the pod gets the sidecar of its likeliest node."""
    if configuration.unmatched is Unmatched.REFUSE:
        return Verdict(Outcome.REFUSED_UNMATCHED, refusal=identity.doubt, doubt=identity.doubt)
    if configuration.unmatched is Unmatched.PASS or identity.node is None:
        return Verdict(Outcome.UNMATCHED, warnings=(f"no sidecar: {identity.doubt}",), doubt=identity.doubt)
    return None


def _injected(
    pod: Mapping[str, Any], asked: Asked, identity: Identity, ports: tuple[int, ...], configuration: Configuration
) -> Verdict:
    metadata, spec = pod.get("metadata") or {}, pod["spec"]
    assert identity.node is not None
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    for mount in asked.volume_mounts:
        if mount.source not in volumes:
            value = (metadata.get("annotations") or {})[annotations.VOLUME_MOUNTS]
            raise BadAnnotation(annotations.VOLUME_MOUNTS, value, f"names {mount.source!r}, no volume of this pod")
    own_resources = not spec.get("resources")
    names_port = not any(port.get("name") == STATUS_PORT_NAME for port in _ports_of_all(spec))
    made = sidecar(identity.node, asked, configuration, own_resources, names_port=names_port)
    notes = dict(made.annotations)
    first: list[dict[str, Any]] = []
    if capture.by_plugin(asked, metadata.get("labels") or {}):
        notes |= capture.plugin_annotations(ports, asked, configuration)
    else:
        first.append(capture.init_container(ports, asked, configuration, own_resources))
    if not configuration.native and DEFAULT_CONTAINER not in (metadata.get("annotations") or {}):
        notes[DEFAULT_CONTAINER] = spec["containers"][0]["name"]  # the sidecar stands before it
    patch = additions(
        pod,
        annotations=notes,
        volumes=made.volumes,
        init_containers=(*first, made.container) if configuration.native else first,
        containers=() if configuration.native else (made.container,),
        # The proxy's user must be able to read what is mounted for it. Without that, kubelet would change group and
        # mode of all files on the pod's volumes for nothing.
        fs_group=USER if made.reads_files else None,
    )
    warnings = [f"sidecar of {identity.node}: {identity.doubt}"] if identity.doubt else []
    warnings += _cautions(spec)
    return Verdict(Outcome.INJECTED, tuple(patch), tuple(warnings), doubt=identity.doubt)


def _is_injected(spec: Mapping[str, Any]) -> bool:
    return any(each.get("name") == NAME for each in _all_containers(spec))


def _taken(spec: Mapping[str, Any]) -> str | None:
    """What is in the pod already under a name that the sidecar needs."""
    for container in _all_containers(spec):
        if container.get("name") in (NAME, capture.NAME):
            return f"a container {container['name']}"
    for volume in spec.get("volumes") or ():
        if str(volume.get("name")).startswith(_VOLUMES):
            return f"a volume {volume['name']}"
    return None


def _obstacle(notes: Mapping[str, str], spec: Mapping[str, Any]) -> str | None:
    """Why the pod's traffic cannot be led through a proxy."""
    if spec.get("hostNetwork"):
        return "the pod uses the network of its machine (hostNetwork)"
    if _MIRROR in notes:
        return "the pod is the image of a static pod"
    selected = (spec.get("nodeSelector") or {}).get("kubernetes.io/os")
    if "windows" in ((spec.get("os") or {}).get("name"), selected):
        return "the pod is made for Windows"
    return None


def _ports(spec: Mapping[str, Any], asked: Asked, identity: Identity) -> tuple[int, ...]:
    if asked.ports is not None:
        return asked.ports
    declared = dict.fromkeys(
        port["containerPort"]
        for container in _running_containers(spec)
        for port in container.get("ports") or ()
        if port.get("protocol", "TCP") == "TCP"
    )
    return tuple(declared) or identity.ports


def _cautions(spec: Mapping[str, Any]) -> Iterator[str]:
    """What will not work as its owner may think."""
    pod_user = (spec.get("securityContext") or {}).get("runAsUser")
    for container in _running_containers(spec):
        for port in container.get("ports") or ():
            if port["containerPort"] in PROXY_PORTS:
                yield f"container {container['name']}: the sidecar needs port {port['containerPort']} for itself"
        if (container.get("securityContext") or {}).get("runAsUser", pod_user) == USER:
            yield f"container {container['name']}: runs as user {USER}, as the sidecar does: its traffic passes it by"


def _running_containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those that run as long as the pod does."""
    yield from spec["containers"]
    yield from (each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always")


def _ports_of_all(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (port for container in _all_containers(spec) for port in container.get("ports") or ())


def _all_containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        yield from spec.get(kind) or ()
