"""deploy/kubernetes: what it says of our processes is what they take, and nothing runs with more than it needs."""

import pytest

from tests.deploy.installing import PROCESSES, container, known_variables, manifests, of_kind, parse, settings_of


@pytest.mark.parametrize("process", PROCESSES)
def test_the_arguments_are_ones_that_the_command_line_takes(process):
    """An option that is renamed must be renamed here too."""
    assert parse(container(process)["args"]) == process


def test_the_settings_are_read_and_accepted(monkeypatch):
    """A variable that nobody reads is a setting that silently has no effect."""
    given = of_kind("ConfigMap")["meshwright"]["data"]
    assert given.keys() <= known_variables()
    settings = settings_of(given, monkeypatch)
    assert settings.app_mesh_endpoint == "http://control-plane.meshwright:8080"
    assert of_kind("Service")["control-plane"]["spec"]["ports"][0]["port"] == 8080


@pytest.mark.parametrize("process", PROCESSES)
def test_probes_ask_at_ports_that_are_listened_on(process):
    """By name, and the name is the port's that the settings say."""
    ports = {port["name"]: port["containerPort"] for port in container(process)["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container(process)[probe]
        assert (asked.get("httpGet") or asked["tcpSocket"])["port"] in ports
    assert set(ports.values()) == ({8080} if process == "control-plane" else {9090})


@pytest.mark.parametrize("process", PROCESSES)
def test_nothing_runs_as_root_or_writes_to_its_image(process):
    """As Pod Security's level `restricted` asks."""
    pod = of_kind("Deployment")[process]["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container(process)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("process", PROCESSES)
def test_one_replica_stays_while_nodes_are_drained(process):
    """Two replicas, a budget that fits them, and time to end what is under way."""
    deployment = of_kind("Deployment")[process]["spec"]
    assert deployment["replicas"] == 2
    assert of_kind("PodDisruptionBudget")[process]["spec"]["minAvailable"] == 1
    labels = deployment["selector"]["matchLabels"]
    assert of_kind("PodDisruptionBudget")[process]["spec"]["selector"]["matchLabels"] == labels
    assert deployment["template"]["metadata"]["labels"] == labels
    assert deployment["template"]["spec"]["terminationGracePeriodSeconds"] == 30


def test_no_rule_has_a_wildcard_or_reaches_secrets():
    """Least privilege, as far as a look can tell; tests/e2e/test_rights.py runs with these rights."""
    for role in of_kind("ClusterRole").values():
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            assert "secrets" not in rule["resources"]


def test_everything_is_in_one_namespace():
    """Which the kustomization may change."""
    cluster_wide = ("Namespace", "ClusterRole", "ClusterRoleBinding")
    assert {each["metadata"].get("namespace") for each in manifests() if each["kind"] not in cluster_wide} == {
        "meshwright"
    }
