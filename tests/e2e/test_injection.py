"""Story: somebody labels a namespace, and the pods in it get their sidecars, by the real API server and webhook."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from tests.builders import Manifest
from tests.e2e.cluster import Cluster
from tests.e2e.kubernetes_api import namespace_manifest
from tests.e2e.pods import INIT_IMAGE, Answer, Pods
from tests.injector.cases import CASES, CONFIGURATION, NAMESPACE, NODES, XDS_HOST, XDS_PORT, node, pod
from tests.injector.strategies import pods as any_pod
from tests.waiting import until

GOLDEN = Path(__file__).parents[1] / "injector" / "golden"
WEBHOOK: Manifest = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "meshwright-injector"},
}
LABEL = {"appmesh.k8s.aws/sidecarInjectorWebhook": "enabled"}
UNLABELLED = "no-sidecars"
TOLD_APART_BY_AGE = ("two-nodes-of-one-name",)
"""Which of two nodes is the older, a file cannot say."""


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> Iterator[Pods]:
    """A labelled namespace with the golden files' VirtualNodes, which the injector has heard of."""
    for name in {UNLABELLED, *(made["metadata"]["namespace"] for made in NODES)}:
        cluster.kubernetes.apply(namespace_manifest(name))
    cluster.kubernetes.patch(namespace_manifest(NAMESPACE), {"metadata": {"labels": LABEL}})
    for made in NODES:
        cluster.kubernetes.create(made)
    with Pods(cluster) as found:
        probe = pod("probe", "fence")
        cluster.kubernetes.create(fence := node("fence"))
        until(
            lambda: found.dry_run(probe).warnings, lambda warnings: not warnings, "the injector to know the last node"
        )
        yield found
    cluster.kubernetes.delete(*NODES, fence)
    cluster.kubernetes.wait_gone(*NODES, fence)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case.settings and case.name not in TOLD_APART_BY_AGE],
    ids=lambda case: case.name,
)
def test_a_pod_comes_out_as_its_file_says(pods: Pods, case: Any):
    """Stored, or refused, with the same words as the pure function's golden file."""
    expected = golden(case.name, pods.xds_address, INIT_IMAGE)
    answer = pods.create(case.pod)
    if "refusal" in expected:
        assert answer.status == 422
        assert expected["refusal"] in answer.message
        return
    assert answer.status == 201, answer.message
    assert answer.warnings == [warning[:256] for warning in expected.get("warnings", ())]
    assert missing(expected.get("pod", case.pod), answer.content) == []
    names = [each["name"] for each in containers(answer.content)]
    assert names == [each["name"] for each in containers(expected.get("pod", case.pod))]


def test_of_two_nodes_of_one_name_the_older_is_taken_and_both_are_named(pods: Pods):
    """In the warning, and in an Event about the pod's owner."""
    answer = pods.create(pod("two-nodes", "twin"))
    (warning,) = answer.warnings
    assert "may be any of" in warning
    events = until(lambda: pods.events("twin-5d8c9f7b6d"), what="an Event about the ReplicaSet")
    assert events[0]["reason"] == "VirtualNodeInDoubt"
    assert f"{NAMESPACE}/twin" in events[0]["message"]
    assert pods.create(pod("two-nodes-again", "twin")).status == 201
    assert len(pods.events("twin-5d8c9f7b6d")) == 1


def test_a_dry_run_says_what_would_be_and_leaves_no_event(pods: Pods):
    """`kubectl apply --dry-run=server` shows the sidecar."""
    answer = pods.dry_run(pod("dry", "nobody-knows"))
    assert "no VirtualNode is called nobody-knows-sidecars" in answer.warnings[0]
    pods.create(pod("wet", "somebody-else-knows"))
    until(lambda: pods.events("somebody-else-knows-5d8c9f7b6d"), what="the Event of the pod after it")
    assert pods.events("nobody-knows-5d8c9f7b6d") == []


def test_a_node_is_known_a_moment_after_it_was_made(pods: Pods, cluster: Cluster):
    """And forgotten when it goes."""
    made = node("latecomer")
    asked = pod("late", "latecomer")
    assert pods.dry_run(asked).warnings
    cluster.kubernetes.create(made)
    until(lambda: pods.dry_run(asked), lambda answer: "envoy" in injected(answer), "a sidecar")
    cluster.kubernetes.delete(made)
    until(lambda: pods.dry_run(asked), lambda answer: "envoy" not in injected(answer), "no sidecar")


def test_other_namespaces_are_left_alone(pods: Pods, cluster: Cluster):
    """Those without the label, and the system's even with it."""
    assert injected(pods.dry_run(pod("any"), UNLABELLED)) == ["app"]
    system = {"metadata": {"labels": LABEL}}
    cluster.kubernetes.patch(namespace_manifest("kube-system"), system)
    try:
        assert injected(pods.dry_run(pod("any"), "kube-system")) == ["app"]
    finally:
        cluster.kubernetes.patch(namespace_manifest("kube-system"), {"metadata": {"labels": dict.fromkeys(LABEL)}})


def test_an_ephemeral_container_joins_an_injected_pod(pods: Pods):
    """`kubectl debug` goes on working, and does not bring a second sidecar."""
    pods.create(pod("debugged"))
    added = {"name": "debug", "image": "registry.example/debug:1", "targetContainerName": "app"}
    patched = pods.patch("debugged", {"spec": {"ephemeralContainers": [added]}}, "/ephemeralcontainers")
    assert [each["name"] for each in containers(patched)] == ["app", "proxyinit", "envoy", "debug"]


def test_what_the_injector_stores_it_leaves_alone_when_it_meets_it_again(pods: Pods):
    """A pod that is exported and created anew comes out the same."""
    first = pods.create(pod("exported")).content
    again = stored_again(first)
    again["metadata"]["name"] = "imported"
    second = pods.create(again)
    assert second.warnings == []
    assert second.content["spec"] == first["spec"]


@settings(max_examples=150)
@given(made=any_pod())
def test_what_the_api_server_accepts_it_accepts_with_a_sidecar(pods: Pods, made: Manifest):
    """Whatever the pod: where it is refused with the webhook and not without it, an annotation is named."""
    plain = pods.dry_run(made, UNLABELLED)
    answer = pods.dry_run(made)
    if plain.status != 201:
        assert answer.status != 201
    elif answer.status != 201:
        assert answer.message.startswith('admission webhook "injector.meshwright.dev" denied the request: no sidecar: ')
        assert "annotation appmesh.k8s.aws/" in answer.message
    else:
        again = pods.dry_run(stored_again(answer.content))
        assert (again.status, again.content["spec"]) == (201, answer.content["spec"])


def stored_again(found: Manifest) -> Manifest:
    """As if it were created once more."""
    of_the_owner = ("name", "namespace", "labels", "annotations", "ownerReferences")
    kept = {name: value for name, value in found["metadata"].items() if name in of_the_owner}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": found["spec"]}


@pytest.fixture(params=["slow", "unreachable"])
def unanswered(cluster: Cluster, pods: Pods, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The webhook, while the injector stands still or is not where it should be."""
    before = cluster.kubernetes.read(WEBHOOK)["webhooks"][0]
    with ExitStack() as stack:
        if request.param == "slow":
            stack.enter_context(cluster.frozen("injector"))
            yield before | {"timeoutSeconds": 1}
        else:
            nowhere = before["clientConfig"] | {"url": "https://127.0.0.1:1/inject"}
            yield before | {"clientConfig": nowhere}
    cluster.kubernetes.patch(WEBHOOK, {"webhooks": [before]})
    until(lambda: pods.dry_run(pod("any")), lambda answer: "envoy" in injected(answer), "the webhook as it was")


@pytest.mark.parametrize("policy", ["Ignore", "Fail"])
def test_an_injector_that_does_not_answer_is_treated_as_the_policy_says(
    cluster: Cluster, pods: Pods, unanswered: dict[str, Any], policy: str
):
    """Ignore: the pod comes up without a sidecar. Fail: it does not come up."""
    cluster.kubernetes.patch(WEBHOOK, {"webhooks": [unanswered | {"failurePolicy": policy}]})
    if policy == "Ignore":
        until(lambda: pods.dry_run(pod("slow")), lambda answer: injected(answer) == ["app"], "a pod without sidecar")
    else:
        answer = until(lambda: pods.dry_run(pod("slow")), lambda answer: answer.status == 500, "a refusal")
        assert "injector.meshwright.dev" in answer.message


def golden(name: str, xds_address: str, init_image: str) -> dict[str, Any]:
    """The golden file, for the control plane and the image of this stack."""
    host, _, port = xds_address.rpartition(":")
    text = (GOLDEN / f"{name}.yaml").read_text()
    text = text.replace(f'"address":"{XDS_HOST}","port_value":{XDS_PORT}', f'"address":"{host}","port_value":{port}')
    return dict(yaml.safe_load(text.replace(CONFIGURATION.init_image, init_image)))


def missing(expected: Any, found: Any, path: str = "") -> list[str]:
    """What is expected and not there; what the API server filled in is no difference."""
    if isinstance(expected, dict):
        places = (
            (name, value, found.get(name) if isinstance(found, dict) else None) for name, value in expected.items()
        )
        return [each for name, value, other in places for each in missing(value, other, f"{path}.{name}")]
    if isinstance(expected, list):
        if not isinstance(found, list) or len(expected) != len(found):
            return [f"{path}: {expected!r} is not {found!r}"]
        pairs = enumerate(zip(expected, found, strict=True))
        return [each for number, (one, other) in pairs for each in missing(one, other, f"{path}[{number}]")]
    return [] if expected == found or (not expected and found is None) else [f"{path}: {expected!r} is not {found!r}"]


def containers(found: Manifest) -> list[dict[str, Any]]:
    """All of them."""
    spec = found["spec"]
    return [each for kind in ("containers", "initContainers", "ephemeralContainers") for each in spec.get(kind) or ()]


def injected(answer: Answer) -> list[str]:
    """The names of the containers that the pod would have."""
    return [each["name"] for each in containers(answer.content)] if answer.status == 201 else []
