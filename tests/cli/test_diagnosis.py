"""What `meshwright doctor` makes of what it was told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.diagnosis import (
    AppMesh,
    CloudMap,
    Facts,
    Kubernetes,
    Silence,
    Temporal,
    Verdict,
    Webhook,
    findings,
    missing_from,
    numbers,
)
from cli.doctor import print_findings
from cli.examination import skew
from cli.rights import PROCESSES, Right, rights
from resources.crd import custom_resource_definition
from resources.kinds import Kind

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes"


def installed(kind: Kind) -> dict[str, Any]:
    """Our definition as an API server gives it back: established, and with defaults of its own."""
    found = custom_resource_definition(kind)
    found["spec"]["conversion"] = {"strategy": "None"}
    return found | {"status": {"conditions": [{"type": "Established", "status": "True"}]}}


KUBERNETES = Kubernetes(
    address="https://cluster",
    version="v1.34.1+k3s1",
    definitions={kind: installed(kind) for kind in Kind},
    rights=dict.fromkeys(rights("meshwright-injector"), True),
    webhook=Webhook("meshwright-injector", authorities=True, policies=("Ignore",)),
)
TEMPORAL = Temporal("temporal:7233", "1.29.1", "default", namespace_known=True, pollers={"meshwright": 2})
APP_MESH = AppMesh("http://api", key="KEY", skew_seconds=0.0)
WELL = Facts(KUBERNETES, TEMPORAL, APP_MESH, CloudMap("http://cloud-map"))


def found(**changed: Any) -> dict[tuple[str, str], tuple[Verdict, str, str]]:
    """What is not ok when this is otherwise."""
    told = findings(replace(WELL, **changed))
    return {(each.part, each.check): (each.verdict, each.said, each.remedy) for each in told if each.verdict != "ok"}


def test_an_installation_that_is_well_has_nothing_but_ok():
    """And every part is named."""
    told = findings(WELL)
    assert {each.verdict for each in told} == {Verdict.OK}
    assert {each.remedy for each in told} == {""}
    assert {each.part for each in told} == {"kubernetes", "temporal", "app mesh", "cloud map"}


def test_cloud_map_is_not_asked_for_where_none_is_set():
    """It is AWS's own then, and most have no use for it."""
    assert found(cloud_map=None) == {}


def test_a_silent_part_is_one_finding_and_hides_no_other():
    """The rest is checked all the same."""
    silent = Silence("there", "connection refused")
    told = found(kubernetes=silent, temporal=silent, app_mesh=silent, cloud_map=silent)
    assert set(told) == {(part, "reachable") for part in ("kubernetes", "temporal", "app mesh", "cloud map")}
    for verdict, said, remedy in told.values():
        assert (verdict, said) == (Verdict.FAILED, "there: connection refused")
        assert remedy


CHANGED_SCHEMA = installed(Kind.MESH)
del CHANGED_SCHEMA["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][
    "egressFilter"
]


@pytest.mark.parametrize(
    ("change", "check", "verdict", "says", "remedy"),
    [
        pytest.param({"version": "v1.24.9"}, "version", "failed", "v1.24.9", "Upgrade the cluster", id="old"),
        pytest.param(
            {"definitions": {Kind.MESH: None}},
            "crd meshes.appmesh.k8s.aws",
            "failed",
            "not installed",
            "kubectl apply --server-side",
            id="no CRD",
        ),
        pytest.param(
            {"definitions": {Kind.MESH: CHANGED_SCHEMA}},
            "crd meshes.appmesh.k8s.aws",
            "failed",
            "properties.egressFilter",
            "Bring it up to date",
            id="another CRD",
        ),
        pytest.param(
            {"definitions": {Kind.MESH: custom_resource_definition(Kind.MESH)}},
            "crd meshes.appmesh.k8s.aws",
            "failed",
            "not served",
            "describe crd",
            id="CRD not established",
        ),
        pytest.param(
            {"definitions": {Kind.MESH: "this account may not read it"}},
            "crd meshes.appmesh.k8s.aws",
            "warning",
            "may not read it",
            "Ask as an account",
            id="CRD not to be seen",
        ),
        pytest.param(
            {"rights": {Right("worker", "patch", "appmesh.k8s.aws", "meshes/status"): False}, "account": "bob"},
            "rights of the worker",
            "failed",
            "bob may not: patch meshes.appmesh.k8s.aws/status",
            "ClusterRole meshwright-worker",
            id="no right",
        ),
        pytest.param(
            {"webhook": Webhook("hook", authorities=False)},
            "injection webhook",
            "failed",
            "hook has no caBundle",
            "Start the injector",
            id="webhook without authority",
        ),
        pytest.param(
            {"webhook": "this account may not read it"}, "injection webhook", "warning", "may not", "Ask", id="unseen"
        ),
    ],
)
def test_what_is_wrong_in_kubernetes_is_named_with_its_remedy(change, check, verdict, says, remedy):
    """And nothing else is said to be wrong."""
    [(place, told)] = found(kubernetes=replace(KUBERNETES, **change)).items()
    assert place == ("kubernetes", check)
    assert told[0] == verdict
    assert says in told[1]
    assert remedy in told[2]


@pytest.mark.parametrize(
    ("change", "check", "verdict", "says", "remedy"),
    [
        pytest.param({"version": "1.22.0"}, "version", "warning", "1.22.0", "Upgrade", id="old"),
        pytest.param(
            {"namespace_known": False}, "namespace default", "failed", "does not exist", "namespace create", id="none"
        ),
        pytest.param({"namespace_known": "denied"}, "namespace default", "failed", "denied", "Make it", id="denied"),
        pytest.param(
            {"pollers": {"meshwright": 0}}, "workers of meshwright", "failed", "nobody polls", "worker", id="no worker"
        ),
        pytest.param({"pollers": {"q": "denied"}}, "workers of q", "warning", "denied", "key", id="not told"),
    ],
)
def test_what_is_wrong_with_temporal_is_named_with_its_remedy(change, check, verdict, says, remedy):
    """And nothing else is said to be wrong."""
    [(place, told)] = found(temporal=replace(TEMPORAL, **change)).items()
    assert place == ("temporal", check)
    assert told[0] == verdict
    assert says in told[1]
    assert remedy in told[2]


@pytest.mark.parametrize(
    ("change", "check", "verdict", "says", "remedy"),
    [
        pytest.param({"key": None, "code": "None"}, "key", "failed", "no credentials", "AWS_ACCESS_KEY_ID", id="none"),
        pytest.param(
            {"code": "ForbiddenException", "message": "not known"},
            "key",
            "failed",
            "not known",
            "ACCESS_KEYS",
            id="key",
        ),
        pytest.param({"skew_seconds": -1000.0}, "clock", "failed", "1000 s behind ours", "NTP", id="clock"),
        pytest.param({"skew_seconds": 100.0}, "clock", "warning", "100 s ahead of ours", "NTP", id="clock a bit"),
        pytest.param({"feed": False}, "change feed", "warning", "not offered", "/v1/changes", id="no feed"),
        pytest.param({"feed": "switched off"}, "change feed", "warning", "switched off", "meant", id="feed off"),
    ],
)
def test_what_is_wrong_with_app_mesh_is_named_with_its_remedy(change, check, verdict, says, remedy):
    """And nothing else is said to be wrong."""
    [(place, told)] = found(app_mesh=replace(APP_MESH, **change)).items()
    assert place == ("app mesh", check)
    assert told[0] == verdict
    assert says in told[1]
    assert remedy in told[2]


def test_an_installation_without_an_endpoint_or_with_a_bad_cloud_map_key_is_told_what_to_set():
    """App Mesh is a must; Cloud Map's error is its own."""
    assert "AWS_ENDPOINT_URL_APP_MESH" in found(app_mesh=None)["app mesh", "reachable"][2]
    assert found(cloud_map=CloudMap("here", "AccessDenied"))["cloud map", "key"][1] == "AccessDenied"


def test_what_the_api_server_adds_to_a_definition_is_no_difference_and_a_field_more_is_one():
    """Defaults are its own business; a field that we do not know comes from another version."""
    assert list(missing_from({"a": 1}, {"a": 1, "b": 2}, "spec")) == []
    assert list(missing_from({"properties": {"a": 1}}, {"properties": {"a": 1, "b": 2}}, "spec")) == [
        "spec.properties.b"
    ]
    assert list(missing_from({"a": [1]}, {"a": [1, 2]}, "spec")) == ["spec.a"]


@pytest.mark.parametrize(
    ("version", "read"), [("v1.34.1+k3s1", (1, 34)), ("1.29.1", (1, 29)), ("v1.9-beta", None), ("", None)]
)
def test_versions_are_read(version, read):
    """As Kubernetes and Temporal write them."""
    assert numbers(version) == read


def test_clocks_are_compared_as_well_as_a_header_of_whole_seconds_allows():
    """Nothing within the second, and the time that the request took, is held against anybody."""
    written = "Thu, 01 Jan 1970 00:16:40 GMT"  # 1000
    assert skew(written, asked=1000.9, answered=1001.5) == 0
    assert skew(written, asked=900.0, answered=901.0) == 99.0
    assert skew(written, asked=1101.0, answered=1102.0) == -100.0
    assert skew(None, 1, 1) is None
    assert skew("soon", 1, 1) is None


def test_the_rights_that_are_asked_for_are_those_of_the_manifests():
    """Neither can be changed alone."""
    written = set()
    for process in PROCESSES:
        objects = yaml.safe_load_all((MANIFESTS / f"{process}.yaml").read_text())
        rules = next(each["rules"] for each in objects if each["kind"] == "ClusterRole")
        for rule in rules:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for name in rule.get("resourceNames", [""]):
                        written |= {Right(process, verb, group, resource, name) for verb in rule["verbs"]}
    assert written == set(rights("meshwright-injector"))


@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_findings_are_printed_with_their_remedies(capsys, output):
    """In each form."""
    print_findings(findings(replace(WELL, app_mesh=None)), output)
    assert "AWS_ENDPOINT_URL_APP_MESH" in capsys.readouterr().out
