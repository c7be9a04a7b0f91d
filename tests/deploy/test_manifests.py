"""deploy/kubernetes: what it says of our processes is what they take, and nothing runs with more than it needs."""

import pytest

from cli.settings import Settings
from injector import endpoint
from injector.annotations import SWITCH
from tests.deploy.installing import INSTALLED, container, known_variables, manifests, of_kind, parse, settings_of


@pytest.mark.parametrize("process", INSTALLED)
def test_the_arguments_are_ones_that_the_command_line_takes(process):
    """An option that is renamed must be renamed here too."""
    assert parse(container(process)["args"]) == process


def test_the_settings_are_read_and_accepted(monkeypatch):
    """A variable that nobody reads is a setting that silently has no effect."""
    given = of_kind("ConfigMap")["meshwright"]["data"]
    assert given.keys() <= known_variables()
    settings = settings_of(given, monkeypatch)
    assert settings.app_mesh_endpoint == "http://control-plane.meshwright:8080"
    assert settings.xds_address == "control-plane.meshwright:18000"
    own = of_kind("ConfigMap")["meshwright-control-plane"]["data"]
    assert own.keys() <= known_variables()
    assert own["AWS_REGION"] == given["AWS_REGION"]
    assert [port["port"] for port in of_kind("Service")["control-plane"]["spec"]["ports"]] == [8080, 18000]


@pytest.mark.parametrize("process", INSTALLED)
def test_probes_ask_at_ports_that_are_listened_on(process):
    """By name, and the name is the port's that the settings say."""
    ports = {port["name"]: port["containerPort"] for port in container(process)["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container(process)[probe]
        assert (asked.get("httpGet") or asked["tcpSocket"])["port"] in ports
    assert set(ports.values()) == {"control-plane": {8080, 18000}, "injector": {8443, 9090}}.get(process, {9090})


@pytest.mark.parametrize("process", ["watcher", "worker", "injector"])
def test_to_wait_for_others_is_no_reason_to_be_killed(process):
    """While Temporal or Kubernetes is away a process is unready; `/healthz` says 503 until they have answered."""
    only = container(process)
    for probe in ("startupProbe", "livenessProbe"):
        assert only[probe]["tcpSocket"] == {"port": "metrics"}
    assert only["readinessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}


@pytest.mark.parametrize("process", INSTALLED)
def test_nothing_runs_as_root_or_writes_to_its_image(process):
    """As Pod Security's level `restricted` asks."""
    pod = of_kind("Deployment")[process]["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container(process)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("process", INSTALLED)
def test_one_replica_stays_while_nodes_are_drained(process):
    """Two replicas, a budget that fits them, and time to end what is under way."""
    deployment = of_kind("Deployment")[process]["spec"]
    assert deployment["replicas"] == 2
    assert of_kind("PodDisruptionBudget")[process]["spec"]["minAvailable"] == 1
    labels = deployment["selector"]["matchLabels"]
    assert of_kind("PodDisruptionBudget")[process]["spec"]["selector"]["matchLabels"] == labels
    assert deployment["template"]["metadata"]["labels"] == labels
    assert deployment["template"]["spec"]["terminationGracePeriodSeconds"] == 30


def test_no_rule_has_a_wildcard_or_reaches_secrets_but_ones_own():
    """Least privilege, as far as a look can tell; tests/e2e/test_rights.py runs with these rights."""
    for role in (*of_kind("ClusterRole").values(), *of_kind("Role").values()):
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            if "secrets" in rule["resources"]:
                assert (role["kind"], rule["resourceNames"]) == ("Role", ["meshwright-injector"])


def test_variables_that_a_container_has_of_its_own_are_read():
    """A variable that nobody reads is a setting that silently has no effect."""
    for process in INSTALLED:
        assert {variable["name"] for variable in container(process).get("env", ())} <= known_variables()


def test_the_webhook_is_where_the_injector_serves_it():
    """Its Service, its path, the name that the certificate is made for, and the Secret that it is kept in."""
    settings = Settings()
    (webhook,) = of_kind("MutatingWebhookConfiguration")[settings.injector_webhook]["webhooks"]
    service = webhook["clientConfig"]["service"]
    assert f"{service['name']}.{service['namespace']}" == settings.injector_service
    assert service["path"] == endpoint.PATH
    assert of_kind("Service")[service["name"]]["spec"]["ports"][0]["port"] == service["port"]
    assert settings.injector_webhook in of_kind("Secret")


def test_a_cluster_comes_up_without_the_webhook():
    """It is asked only where a namespace says so, never in those of the system and our own, and may be away."""
    (webhook,) = of_kind("MutatingWebhookConfiguration")["meshwright-injector"]["webhooks"]
    asked, spared = webhook["namespaceSelector"]["matchExpressions"]
    assert asked == {"key": SWITCH, "operator": "In", "values": ["enabled"]}
    assert spared["operator"] == "NotIn"
    assert {"kube-system", "meshwright"} <= set(spared["values"])
    assert (webhook["failurePolicy"], webhook["timeoutSeconds"]) == ("Ignore", 5)


def test_everything_is_in_one_namespace():
    """Which the kustomization may change."""
    cluster_wide = ("Namespace", "ClusterRole", "ClusterRoleBinding", "MutatingWebhookConfiguration")
    assert {each["metadata"].get("namespace") for each in manifests() if each["kind"] not in cluster_wide} == {
        "meshwright"
    }
