"""Pods that an API server accepts, for the laws: of the pure function, and of the whole in the end-to-end tests."""

from typing import Any

from hypothesis import strategies as st

from injector.annotations import (
    CNI,
    CPU_LIMIT,
    CPU_REQUEST,
    IGNORED_IPS,
    IGNORED_PORTS,
    MEMORY_LIMIT,
    MEMORY_REQUEST,
    PORTS,
    PREVIEW,
    SECRET_MOUNTS,
    SIDECAR_ENV,
    SIDECAR_ENV_JSON,
    SWITCH,
    VOLUME_MOUNTS,
)
from resources.pods import MESH_ANNOTATION, NODE_ANNOTATION
from tests.builders import Manifest
from tests.injector.cases import MESH, NAMESPACE, owned_by

_VALUES = {
    SWITCH: ["enabled", "disabled", "yes"],
    MESH_ANNOTATION: [MESH, "moon", "", "a/b", "x" * 300],
    NODE_ANNOTATION: [f"cart-{NAMESPACE}", "tomorrow", "with$dollar", "a b", "${node}"],
    PORTS: ["8080", "8080,8080,9090", "", "0", "http"],
    IGNORED_PORTS: ["22", "", "70000"],
    IGNORED_IPS: ["10.0.0.0/8,::1", "", "example.com"],
    CPU_REQUEST: ["10m", "1", "1e3", ".5", "0", "-1", "lots", "9999999999E", "1.5Ki"],
    CPU_LIMIT: ["5m", "2", "0", ""],
    MEMORY_REQUEST: ["32Mi", "1G", "100m"],
    MEMORY_LIMIT: ["16Mi", "1Gi", "0"],
    PREVIEW: ["enabled", "1"],
    CNI: ["enabled", "disabled"],
    SECRET_MOUNTS: ["a:/a,b:/b", "a.b:/a", "a:/a,b:/a", "a", "a:b", "a:/etc/meshwright/certificate"],
    VOLUME_MOUNTS: ["scratch:/scratch", "nowhere:/x", "scratch:/a,scratch:/a"],
    SIDECAR_ENV: ["A=1,B=2", "A", "A=$(B)", "1A=2", "ENVOY_LOG_LEVEL=debug"],
    SIDECAR_ENV_JSON: ['{"A": "1,2"}', '[{"A": "1"}, {"A": "2"}]', "{", "1", '{"A": 1}'],
}


def _subset(options: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=options)


# Of several annotations, one is soon unreadable, and then little else is tried: so most pods have none, or one or two.
_annotations = st.one_of(
    st.just({}),
    st.dictionaries(st.sampled_from(sorted(_VALUES)), st.none(), max_size=2).flatmap(
        lambda chosen: st.fixed_dictionaries({name: st.sampled_from(_VALUES[name]) for name in chosen})
    ),
    _subset({name: st.sampled_from(values) for name, values in _VALUES.items()}),
)
_ports = st.lists(st.sampled_from([80, 8080, 9901, 15000]), unique=True, max_size=2).map(
    lambda numbers: [{"containerPort": number} for number in numbers]
)
_container_fields = {
    "ports": _ports,
    "resources": st.sampled_from(
        [{"requests": {"cpu": "100m"}}, {"requests": {"memory": "64Mi"}, "limits": {"memory": "64Mi"}}]
    ),
    "securityContext": st.sampled_from([{"runAsUser": 1337}, {"privileged": True}, {"runAsNonRoot": True}]),
    "env": st.just([{"name": "A", "value": "$(B)"}]),
    "lifecycle": st.just({"preStop": {"exec": {"command": ["true"]}}}),
}
_names = st.lists(st.sampled_from(["app", "web", "log", "stats", "envoy"]), min_size=1, max_size=3, unique=True)


@st.composite
def _containers(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Containers and init containers, whose names are their own."""
    names = draw(_names)
    made = [{"name": name, "image": "i", **draw(_subset(_container_fields))} for name in names]
    found = {"containers": made}
    if draw(st.booleans()):
        first = {"name": draw(st.sampled_from(["first", "second", "proxyinit"])), "image": "i"}
        found["initContainers"] = [first | draw(_subset({"restartPolicy": st.just("Always"), "ports": _ports}))]
    return found


_spec_fields: dict[str, st.SearchStrategy[Any]] = {
    "restartPolicy": st.sampled_from(["Always", "OnFailure", "Never"]),
    "hostNetwork": st.sampled_from([False, False, True]),
    "hostUsers": st.booleans(),
    "shareProcessNamespace": st.booleans(),
    "os": st.sampled_from([{"name": "linux"}, {"name": "linux"}, {"name": "windows"}]),
    "securityContext": st.sampled_from(
        [{}, {"fsGroup": 0}, {"runAsNonRoot": True}, {"runAsUser": 1337, "runAsGroup": 5}, {"supplementalGroups": [1]}]
    ),
    "volumes": st.sampled_from([[{"name": "scratch", "emptyDir": {}}], [{"name": "envoy", "emptyDir": {}}]]),
    "resources": st.sampled_from([{"limits": {"cpu": "100m", "memory": "64Mi"}}, {"requests": {"cpu": "100m"}}]),
    "activeDeadlineSeconds": st.just(30),
    "terminationGracePeriodSeconds": st.sampled_from([0, 5]),
    "dnsPolicy": st.just("Default"),
    "enableServiceLinks": st.booleans(),
    "automountServiceAccountToken": st.booleans(),
}
_owners = st.sampled_from(
    [
        owned_by("ReplicaSet", "cart-5d8c9f7b6d", "apps/v1"),
        owned_by("StatefulSet", "cart", "apps/v1"),
        None,
        owned_by("StatefulSet", "stranger", "apps/v1"),
        owned_by("Job", "reports-29401230", "batch/v1"),
    ]
)


@st.composite
def pods(draw: st.DrawFn) -> Manifest:
    """A pod; most of these an API server accepts, and it says so of the others."""
    metadata: dict[str, Any] = {"name": "any", "namespace": NAMESPACE, "labels": {"pod-template-hash": "5d8c9f7b6d"}}
    if annotations := draw(_annotations):
        metadata["annotations"] = annotations
    if owner := draw(_owners):
        metadata["ownerReferences"] = [owner]
    spec = draw(_subset(_spec_fields)) | draw(_containers())
    if spec.get("os") == {"name": "windows"}:  # which forbids much of the rest
        spec = {name: spec[name] for name in ("os", "containers")}
        spec["containers"] = [{"name": each["name"], "image": "i"} for each in spec["containers"]]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
