"""Which instance a pod makes, and whose instances are whose."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.cloud_map import (
    MOST_ATTRIBUTES,
    MOST_CHARACTERS,
    CloudMapService,
    Instance,
    instance_of,
    node_of_instance,
    pod_namespaces,
    service_of,
    should_be_registered,
)
from resources.pods import NodeIdentity, Pod

NODE = NodeIdentity(mesh="shop", name="cart-prod")
POD = Pod(
    namespace="prod",
    name="cart-1",
    uid="p1",
    version=7,
    created="2026-01-01T00:00:00Z",
    ip="10.0.0.1",
    running=True,
    ready=True,
    terminating=False,
    labels={"app": "cart"},
    node=NODE,
)


@pytest.mark.parametrize(
    ("discovery", "service"),
    [
        pytest.param(None, None, id="none"),
        pytest.param({"dns": {"hostName": "x"}}, None, id="dns"),
        pytest.param(
            {"cloudMap": {"namespaceName": "n", "serviceName": "s"}}, CloudMapService(namespace="n", name="s"), id="map"
        ),
        pytest.param(
            {"dns": {"hostName": "x"}, "cloudMap": {"namespaceName": "n", "serviceName": "s"}}, None, id="dns-wins"
        ),
        pytest.param({"cloudMap": {"serviceName": "s"}}, None, id="half"),
    ],
)
def test_the_service_is_read_from_the_spec(discovery: Any, service: CloudMapService | None) -> None:
    """From the raw spec, whatever the API server let through."""
    assert service_of({"serviceDiscovery": discovery}) == service


@pytest.mark.parametrize(
    ("annotations", "namespaces"),
    [
        pytest.param({}, set(), id="none"),
        pytest.param({"meshwright.dev/pod-namespaces": "shop"}, {"shop"}, id="one"),
        pytest.param({"meshwright.dev/pod-namespaces": "shop, shop-2 ,shop"}, {"shop", "shop-2"}, id="several"),
        pytest.param({"meshwright.dev/pod-namespaces": " * "}, {"*"}, id="all"),
    ],
)
def test_namespaces_whose_pods_a_node_lets_in_are_read(annotations: dict[str, str], namespaces: set[str]) -> None:
    """Beside the node's own."""
    assert pod_namespaces(annotations) == namespaces


def test_later_attributes_override_earlier_ones() -> None:
    """Labels, then the pod's own, then the node's, then its identity."""
    pod = replace(POD, labels={"app": "cart", "k8s.io/pod": "lie", "stage": "lie", "appmesh.k8s.aws/mesh": "lie"})
    instance = instance_of(pod, NODE, {"stage": "canary", "k8s.io/namespace": "given"}, "default")
    assert instance.id == "10.0.0.1"
    assert instance.attributes == {
        "app": "cart",
        "stage": "canary",
        "AWS_INSTANCE_IPV4": "10.0.0.1",
        "k8s.io/pod": "cart-1",
        "k8s.io/namespace": "given",
        "appmesh.k8s.aws/mesh": "shop",
        "appmesh.k8s.aws/virtualNode": "cart-prod",
    }


def test_a_cluster_with_a_name_marks_its_instances() -> None:
    """So that two clusters that share a service leave each other's alone."""
    theirs = instance_of(POD, NODE, {}, "west")
    assert theirs.attributes["meshwright.dev/cluster"] == "west"
    assert (node_of_instance(theirs, "west"), node_of_instance(theirs, "east")) == (NODE, None)
    unmarked = instance_of(POD, NODE, {}, "default")
    assert [node_of_instance(unmarked, name) for name in ("default", "west")] == [NODE, NODE]


def test_an_ipv6_address_has_its_own_attribute() -> None:
    """Cloud Map tells the two apart."""
    assert "AWS_INSTANCE_IPV6" in instance_of(replace(POD, ip="fd00::1"), NODE, {}, "default").attributes


@pytest.mark.parametrize("missing", ["k8s.io/pod", "k8s.io/namespace", "appmesh.k8s.aws/mesh"])
def test_an_instance_without_our_attributes_is_not_ours(missing: str) -> None:
    """Somebody registered it by hand, or for another purpose."""
    attributes = dict(instance_of(POD, NODE, {}, "default").attributes)
    del attributes[missing]
    assert node_of_instance(Instance(id="10.0.0.1", attributes=attributes), "default") is None


@pytest.mark.parametrize(
    ("change", "ready_rule", "running_rule"),
    [
        pytest.param({}, True, True, id="ready"),
        pytest.param({"ready": False}, False, True, id="running"),
        pytest.param({"running": False}, False, False, id="not-running"),
        pytest.param({"ip": None}, False, False, id="no-address"),
        pytest.param({"terminating": True}, False, False, id="terminating"),
    ],
)
def test_traffic_goes_to_ready_pods(change: dict[str, Any], ready_rule: bool, running_rule: bool) -> None:
    """By default; with the annotation, to running ones. Never to one that is on its way out."""
    pod = replace(POD, **change)
    assert (should_be_registered(pod, False), should_be_registered(pod, True)) == (ready_rule, running_rule)


words = st.text("abc", min_size=1, max_size=80)


@given(labels=st.dictionaries(words, words, max_size=60), attributes=st.dictionaries(words, words, max_size=20))
def test_an_instance_keeps_to_cloud_maps_bounds(labels: dict[str, str], attributes: dict[str, str]) -> None:
    """However many labels a pod has; what identifies it and what the node asks for is never left out."""
    found = instance_of(replace(POD, labels=labels), NODE, attributes, "west").attributes
    assert len(found) <= MOST_ATTRIBUTES
    assert sum(len(key) + len(value) for key, value in found.items()) <= MOST_CHARACTERS
    assert found.items() >= attributes.items()
    assert node_of_instance(Instance(id="x", attributes=found), "west") == NODE
    assert all(labels[key] == value for key, value in found.items() if key in labels and key not in attributes)
