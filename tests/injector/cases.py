"""Pods as people write them, for the golden files: judged by the pure function, and on a real API server.

They live in the namespace `sidecars`, whose mesh is of the same name, with the VirtualNodes of `NODES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from injector.configuration import Configuration, Tracer, Tracing
from tests.builders import Manifest, listener, virtual_node

NAMESPACE = "sidecars"
MESH = "sidecars"
OTHER_MESH = "sidecars-b"

XDS_HOST, XDS_PORT = "xds.example", 18000
CONFIGURATION = Configuration(xds_address=f"{XDS_HOST}:{XDS_PORT}", init_image="meshwright:test")


def node(name: str, mesh: str = MESH, namespace: str = NAMESPACE, **spec: Any) -> Manifest:
    """A VirtualNode of a mesh of ours."""
    return virtual_node(name, namespace, **{"meshName": mesh} | spec)


NODES = (
    node("cart", listeners=[listener(8080)]),
    node("reports"),
    node("caller", listeners=None, serviceDiscovery=None),
    node("twin"),
    node(f"twin.{NAMESPACE}", OTHER_MESH, f"{NAMESPACE}-b"),
)


@dataclass(frozen=True)
class Case:
    """A pod, and what the injector that meets it is set to."""

    name: str
    pod: Manifest
    settings: Mapping[str, Any] = field(default_factory=dict)


def container(name: str = "app", port: int | None = 8080, **more: Any) -> dict[str, Any]:
    """A container of an application."""
    ports = {"ports": [{"containerPort": port}]} if port is not None else {}
    return {"name": name, "image": "registry.example/app:1", **ports, **more}


def pod(name: str, owner: str | None = "cart", *containers: dict[str, Any], **more: Any) -> Manifest:
    """A pod as a Deployment makes it; without an owner it is one that somebody made by hand.

    `annotations` and `labels` go into its metadata, `metadata` replaces parts of that, all else is part of its spec.
    """
    metadata: dict[str, Any] = {"name": name, "namespace": NAMESPACE, "labels": dict(more.pop("labels", {}))}
    if owner is not None:
        hash = "5d8c9f7b6d"
        metadata["labels"] |= {"app": owner, "pod-template-hash": hash}
        metadata["ownerReferences"] = [owned_by("ReplicaSet", f"{owner}-{hash}", "apps/v1")]
    if annotations := more.pop("annotations", None):
        metadata["annotations"] = {f"appmesh.k8s.aws/{key}": value for key, value in annotations.items()}
    metadata |= more.pop("metadata", {})
    spec = {"containers": list(containers or (container(),)), **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def owned_by(kind: str, name: str, version: str) -> dict[str, Any]:
    """The reference to a pod's controller."""
    uid = "0b7c2d1e-0000-4000-8000-000000000001"
    return {"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": True}


_IRSA: dict[str, Any] = {
    "serviceAccountName": "cart",
    "containers": [
        container(
            env=[
                {"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::000000000000:role/cart"},
                {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/aws/token"},
            ],
            volumeMounts=[{"name": "aws-token", "mountPath": "/var/run/secrets/aws", "readOnly": True}],
        )
    ],
    "volumes": [
        {
            "name": "aws-token",
            "projected": {
                "sources": [{"serviceAccountToken": {"audience": "sts.amazonaws.com", "path": "token"}}],
            },
        }
    ],
}
_POD_RESOURCES = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}}

CASES = (
    Case("plain", pod("plain")),
    Case(
        "several-containers",
        pod(
            "several-containers",
            "cart",
            container("web", 8080),
            container("metrics", 9090),
            container("dns", ports=[{"containerPort": 53, "protocol": "UDP"}]),
        ),
    ),
    Case("no-ports-takes-those-of-the-node", pod("no-ports", "cart", container(port=None))),
    Case("no-ports-only-calls", pod("only-calls", "caller", container(port=None))),
    Case("no-ports-no-node", pod("no-ports-no-node", "stranger", container(port=None))),
    Case("by-hand", pod("by-hand", None)),
    Case("disabled", pod("disabled", annotations={"sidecarInjectorWebhook": "disabled", "cpuRequest": "lots"})),
    Case("already-injected", pod("already", "cart", container(), container("envoy", 9901))),
    Case(
        "old-init-container",
        pod("old-init", initContainers=[{"name": "proxyinit", "image": "registry.example/proxyinit:v2"}]),
    ),
    Case(
        "job",
        pod(
            "job",
            None,
            restartPolicy="Never",
            metadata={"ownerReferences": [owned_by("Job", "reports-29401230", "batch/v1")]},
        ),
    ),
    Case(
        "stateful-set",
        pod("cart-0", None, metadata={"ownerReferences": [owned_by("StatefulSet", "cart", "apps/v1")]}),
    ),
    Case("host-network", pod("host-network", hostNetwork=True)),
    Case("windows", pod("windows", os={"name": "windows"})),
    Case("identity-of-a-role", pod("irsa", **_IRSA)),
    Case("group-of-files-set", pod("group-set", securityContext={"fsGroup": 2000, "runAsNonRoot": True})),
    Case("user-of-the-proxy", pod("user-of-the-proxy", securityContext={"runAsUser": 1337})),
    Case(
        "init-containers-and-volumes",
        pod(
            "init-and-volumes",
            initContainers=[
                {"name": "migrate", "image": "registry.example/migrate:1"},
                {"name": "logs", "image": "registry.example/logs:1", "restartPolicy": "Always"},
            ],
            volumes=[{"name": "scratch", "emptyDir": {}}],
        ),
    ),
    Case(
        "resources-of-the-pod",  # which its own containers use up
        pod(
            "pod-resources",
            "cart",
            container(resources={"requests": _POD_RESOURCES["requests"]}),
            resources=_POD_RESOURCES,
        ),
    ),
    Case(
        "resources-by-annotation",
        pod(
            "resources",
            annotations={"cpuRequest": "100m", "memoryRequest": "64Mi", "cpuLimit": "1", "memoryLimit": "128Mi"},
        ),
    ),
    Case(
        "node-by-annotation",
        pod("by-annotation", None, annotations={"mesh": MESH, "virtualNode": f"cart-{NAMESPACE}"}),
    ),
    Case(
        "node-that-is-to-come",
        pod("to-come", None, annotations={"mesh": MESH, "virtualNode": "tomorrow"}),
    ),
    Case(
        "capture-by-annotation",
        pod(
            "capture",
            annotations={"ports": "8080,8081", "egressIgnoredPorts": "22,5432", "egressIgnoredIPs": "10.0.0.0/8"},
        ),
    ),
    Case(
        "secrets-volumes-and-environment",
        pod(
            "mounts",
            annotations={
                "secretMounts": "cart-certificate:/certificates/cart, shared.ca:/certificates/ca",
                "volumeMounts": "scratch:/scratch",
                "sidecarEnv": "ZONE=a,LEVEL=3",
                "sidecarEnvJson": '[{"LIST": "a,b", "PRICE": "$5"}]',
            },
            volumes=[{"name": "scratch", "emptyDir": {}}],
        ),
    ),
    Case("cni", pod("cni", annotations={"appmeshCNI": "enabled"})),
    Case("fargate", pod("fargate", labels={"eks.amazonaws.com/fargate-profile": "shop"})),
    Case("two-nodes-of-one-name", pod("two-nodes", "twin")),
    Case("two-nodes-told-apart", pod("told-apart", "twin", annotations={"mesh": OTHER_MESH})),
    Case("no-node-of-that-name", pod("stranger", "stranger")),
    Case("port-of-the-proxy", pod("port-of-the-proxy", "cart", container(port=9901))),
    Case("unreadable-quantity", pod("unreadable", annotations={"cpuRequest": "lots"})),
    Case("request-above-its-limit", pod("above", annotations={"cpuRequest": "2", "cpuLimit": "1"})),
    Case("unknown-volume", pod("unknown-volume", annotations={"volumeMounts": "nowhere:/scratch"})),
    Case("unknown-mesh", pod("unknown-mesh", annotations={"mesh": "moon"})),
    Case("name-of-the-resource", pod("resource-name", None, annotations={"mesh": MESH, "virtualNode": "cart"})),
    # From here on the injector is set to something else.
    Case("classic", pod("classic"), {"native": False}),
    Case("classic-job", pod("classic-job", restartPolicy="OnFailure"), {"native": False}),
    Case("agent", pod("agent", annotations={"preview": "enabled"}), {"flavour": "agent", "image": "agent:1"}),
    Case(
        "certificate-and-token",
        pod("secured"),
        {"xds_ca": "PEM", "certificate_secret": "{node}-tls", "token_secret": "mesh-token"},
    ),
    Case("ipv6", pod("ipv6"), {"ipv6": True}),
    Case("statistics", pod("statistics"), {"statsd_address": "127.0.0.1:8125", "stats_tags": True}),
    Case("traces", pod("traces"), {"tracing": Tracing(Tracer.ZIPKIN, "jaeger.tracing", 9411)}),
    Case("not-by-default", pod("not-by-default"), {"by_default": False}),
    Case("refused-in-doubt", pod("refused", "stranger"), {"unmatched": "refuse"}),
    Case("passed-in-doubt", pod("passed", "twin"), {"unmatched": "pass"}),
    Case("default-mesh", pod("default-mesh", "stranger"), {"mesh": MESH}),
)
