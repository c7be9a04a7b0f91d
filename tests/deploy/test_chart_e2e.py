"""deploy/helm/meshwright, by Helm itself and on a real API server."""

import copy
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio.envconfig import ClientConfig

from cli.settings import Settings, load
from deploy.local.stack import LocalStack, StackSettings
from tests.deploy.charting import CHART, EVERYTHING, by_name, container, environment_of, helm, rendered
from tests.deploy.installing import INSTALLED, MANIFESTS, ROOT, known_variables, manifests
from tests.deploy.test_monitoring import queries
from tests.docs.metrics_page import documented
from tests.e2e.kubernetes_api import Kubernetes, namespace_manifest

pytestmark = pytest.mark.e2e

TEMPORAL_CLIENTS = ("watcher", "worker")
MONITORING = ROOT / "deploy" / "monitoring"
THE_OPERATORS = ("ServiceMonitor", "PrometheusRule")
OF_TARGETS = {"namespace", "service", "pod", "container", "endpoint", "job", "instance", "node"}
"""Labels that the operator has Prometheus give to whatever is scraped."""


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_helm_finds_nothing_wrong_with_the_chart(values: dict[str, Any]):
    """Not even a warning."""
    done = helm("lint", "--strict", str(CHART), **values)
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout


def test_helm_refuses_values_in_the_schemas_words():
    """Before anything is installed."""
    done = helm("template", "meshwright", str(CHART), worker={"replicas": "two"})
    assert done.returncode != 0
    assert "/worker/replicas" in done.stderr


@pytest.mark.parametrize("process", INSTALLED)
def test_what_the_chart_says_itself_is_no_setting(process: str):
    """It would have no effect, as arguments and a container's own variables win, or part a process from its probes."""
    only = container(rendered(), process)
    own = {f"MESHWRIGHT_{each[2:].partition('=')[0].replace('-', '_').upper()}" for each in only["args"][1:]}
    own |= {each["name"] for each in only.get("env", ())}
    if process != "control-plane":
        own.add("MESHWRIGHT_METRICS_LISTEN")
    for name in own:
        given = {"settings": {name: "0.0.0.0:1"}}
        done = helm("template", "x", str(CHART), **({"controlPlane": given} if process == "control-plane" else given))
        assert done.returncode != 0, name
        assert f"'{name}'" in done.stderr


@pytest.mark.parametrize(
    "path",
    [
        "cluster",
        "image.repository",
        "secrets.controlPlane",
        "secrets.key",
        "secrets.xds",
        "temporal.address",
        "temporal.namespace",
        "temporal.apiKey.key",
        "appMesh.region",
        "injector.failurePolicy",
        "serviceMonitor.interval",
    ],
)
def test_what_has_to_be_said_cannot_be_unset(path: str):
    """To Helm `null` is no value at all; the API server would refuse what comes of it, or take an empty name."""
    done = helm("template", "x", str(CHART), "--set", f"{path}=null")
    assert done.returncode != 0
    assert "missing property" in done.stderr


def test_replicas_can_be_left_to_an_autoscaler():
    """`null` is how charts say so: a Deployment that names no number keeps the one that it has."""
    objects = rendered(worker={"replicas": None})
    assert by_name(objects, "Deployment")["worker"]["spec"]["replicas"] is None


def test_a_release_is_what_the_manifests_are():
    """Rights, arguments, environment, probes, limits and all else, object by object; what Helm adds aside."""
    chart = {(each["kind"], each["metadata"]["name"]): bare(each) for each in rendered()}
    wanted = {
        (each["kind"], each["metadata"]["name"]): bare(each) for each in manifests() if each["kind"] != "Namespace"
    }
    (image,) = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())["images"]
    for process in INSTALLED:
        (only,) = wanted["Deployment", process]["spec"]["template"]["spec"]["containers"]
        only["image"] = f"{image['name']}:{image['newTag']}"
    # The manifests rely on the setting's default, which is right in their namespace alone.
    assert chart["ConfigMap", "meshwright"]["data"].pop("MESHWRIGHT_INJECTOR_SERVICE") == "injector.meshwright"
    assert {key: chart.get(key) for key in wanted} == wanted
    assert {kind for kind, _ in chart.keys() - wanted.keys()} == {"NetworkPolicy", "CustomResourceDefinition"}


def bare(manifest: dict[str, Any]) -> dict[str, Any]:
    """The object without labels of its own, and without the annotation by which pods follow their settings."""
    made = copy.deepcopy(manifest)
    made["metadata"].pop("labels", None)
    if made["kind"] == "Deployment":
        made["spec"]["template"]["metadata"].pop("annotations", None)
    return made


def test_every_label_of_the_manifests_is_there():
    """The chart has more of them."""
    labels = {(each["kind"], each["metadata"]["name"]): each["metadata"].get("labels", {}) for each in rendered()}
    for each in manifests():
        if each["kind"] != "Namespace":
            had = each["metadata"].get("labels", {})
            assert had.items() <= labels[each["kind"], each["metadata"]["name"]].items()


def test_a_release_can_be_in_any_namespace():
    """Its addresses, accounts and webhook follow, and no word of another namespace is left."""
    objects = rendered(namespace="shop")
    assert {each["metadata"].get("namespace", "shop") for each in objects} == {"shop"}
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        for binding in by_name(objects, kind).values():
            assert [subject["namespace"] for subject in binding["subjects"]] == ["shop"]
    (webhook,) = by_name(objects, "MutatingWebhookConfiguration")["meshwright-injector"]["webhooks"]
    assert webhook["clientConfig"]["service"]["namespace"] == "shop"
    assert "shop" in webhook["namespaceSelector"]["matchExpressions"][1]["values"]
    settings = by_name(objects, "ConfigMap")["meshwright"]["data"]
    assert settings["MESHWRIGHT_INJECTOR_SERVICE"] == "injector.shop"
    assert settings["MESHWRIGHT_XDS_ADDRESS"] == "control-plane.shop:18000"
    assert settings["AWS_ENDPOINT_URL_APP_MESH"] == "http://control-plane.shop:8080"


def test_pods_follow_their_settings():
    """A setting that changes restarts those that read it; further settings are read by the processes."""
    before, after = (
        rendered(),
        rendered(settings={"MESHWRIGHT_WORKER_THREADS": "8", "MESHWRIGHT_LOG_FORMAT": "console"}),
    )
    data = by_name(after, "ConfigMap")["meshwright"]["data"]
    assert (data["MESHWRIGHT_WORKER_THREADS"], data["MESHWRIGHT_LOG_FORMAT"]) == ("8", "console")
    assert data.keys() <= known_variables()
    changed = {
        process
        for process in INSTALLED
        if by_name(before, "Deployment")[process] != by_name(after, "Deployment")[process]
    }
    assert changed == {"watcher", "worker", "injector"}


@pytest.mark.parametrize("values", [{"settings": {"MESHWRIGHT_LOG_LEVEL": "debug"}}, {"quotas": {"meshes": 20}}])
def test_the_control_planes_pods_follow_its_own(values: dict[str, Any]):
    """Its settings, and its quotas, which it reads at its start; nobody else's pods do."""
    before, after = (by_name(each, "Deployment") for each in (rendered(), rendered(controlPlane=values)))
    metadata = [each["control-plane"]["spec"]["template"]["metadata"] for each in (before, after)]
    assert metadata[0] != metadata[1]
    assert {process for process in INSTALLED if before[process] != after[process]} == {"control-plane"}


@pytest.mark.parametrize("process", TEMPORAL_CLIENTS)
def test_temporals_client_gets_certificates_name_and_key(process: str, tmp_path: Path):
    """Read by the SDK itself from the container's variables, whose files are those of the Secrets that are mounted."""
    objects = rendered(**EVERYTHING)
    only = container(objects, process)
    volumes = by_name(objects, "Deployment")[process]["spec"]["template"]["spec"]["volumes"]
    secret_of = {each["name"]: each["secret"]["secretName"] for each in volumes if "secret" in each}
    for mount in only["volumeMounts"]:
        if mount["name"] in secret_of:
            folder = tmp_path / mount["mountPath"].lstrip("/")
            folder.mkdir(parents=True)
            for key in ("tls.crt", "tls.key", "ca.crt"):
                (folder / key).write_text(f"{key} of {secret_of[mount['name']]}")
    variables = dict(by_name(objects, "ConfigMap")["meshwright"]["data"])
    for variable in only["env"]:
        source = variable.get("valueFrom", {}).get("secretKeyRef")
        value = f"{source['key']} of {source['name']}" if source else variable["value"]
        variables[variable["name"]] = f"{tmp_path}{value}" if value.startswith("/") else value
    connect = ClientConfig.load_client_connect_config(disable_file=True, override_env_vars=variables)
    assert connect["api_key"] == "api-key of cloud"
    tls: Any = connect["tls"]
    assert (tls.client_cert, tls.client_private_key) == (b"tls.crt of mine", b"tls.key of mine")
    assert (tls.server_root_ca_cert, tls.domain) == (b"ca.crt of theirs", "temporal.example")


def test_the_api_and_its_clients_get_certificates_that_fit():
    """Each process reads the files that are mounted, calls by https, and is probed where there is no TLS."""
    objects = rendered(**EVERYTHING)
    common = by_name(objects, "ConfigMap")["meshwright"]["data"]
    assert common["AWS_ENDPOINT_URL_APP_MESH"] == "https://control-plane.meshwright:8080"
    for process in TEMPORAL_CLIENTS:
        settings = settings_of(objects, process)
        assert settings.app_mesh_ca_file == Path("ca.crt of api-tls")
        assert settings.app_mesh_certificate_file == Path("tls.crt of api-client")
        assert settings.app_mesh_key_file == Path("tls.key of api-client")
    settings = settings_of(objects, "control-plane")
    assert settings.control_plane_certificate_file == Path("tls.crt of api-tls")
    assert settings.control_plane_key_file == Path("tls.key of api-tls")
    assert settings.control_plane_client_ca_file == Path("ca.crt of api-tls")
    only = container(objects, "control-plane")
    assert "--metrics-listen=0.0.0.0:9090" in only["args"]
    probes = [only[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "liveness", "readiness")]
    assert probes == ["metrics"] * 3
    alone = rendered(secrets={"api": "api-tls"})
    assert settings_of(alone, "control-plane").control_plane_client_ca_file is None
    assert settings_of(alone, "worker").app_mesh_certificate_file is None


def settings_of(objects: list[dict[str, Any]], process: str) -> Settings:
    """What the process would read from its container's variables; a mounted file is `KEY of SECRET`."""
    volumes = by_name(objects, "Deployment")[process]["spec"]["template"]["spec"]["volumes"]
    secret_of = {each["name"]: each["secret"] for each in volumes if "secret" in each}
    only = container(objects, process)
    mounts = {each["mountPath"]: secret_of[each["name"]] for each in only["volumeMounts"] if each["name"] in secret_of}

    def found(path: str) -> str:
        folder, _, file = path.rpartition("/")
        keys = mounts[folder].get("items")
        assert keys is None or file in [key["path"] for key in keys]
        return f"{file} of {mounts[folder]['secretName']}"

    given = environment_of(objects, process)
    files = {name: found(value) for name, value in given.items() if value.rpartition("/")[0] in mounts}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (given | files).items():
            patched.setenv(name, value)
        return load({})


def test_what_is_switched_off_leaves_nothing_behind():
    """Another App Mesh API, no injector, no policies, no definitions: the two processes alone."""
    objects = rendered(
        controlPlane={"enabled": False},
        appMesh={"endpoint": "https://mesh.example"},
        injector={"enabled": False},
        networkPolicy={"enabled": False},
        crds={"install": False},
        worker={"replicas": 1},
    )
    assert by_name(objects, "Deployment").keys() == {"watcher", "worker"}
    # One that may not be evicted would hold up every drain of its node.
    assert by_name(objects, "PodDisruptionBudget").keys() == {"watcher"}
    settings = by_name(objects, "ConfigMap")["meshwright"]["data"]
    assert settings["AWS_ENDPOINT_URL_APP_MESH"] == "https://mesh.example"
    assert not any("INJECT" in name or "XDS" in name for name in settings)
    assert {each["metadata"]["name"].removeprefix("meshwright-") for each in objects} == {
        "meshwright",
        "watcher",
        "worker",
    }


def test_policies_and_scraping_name_ports_and_pods_that_exist():
    """A policy for a port that no container has would lock everybody out."""
    objects = rendered(**EVERYTHING)
    monitor = by_name(objects, "ServiceMonitor")["meshwright"]["spec"]
    for process in INSTALLED:
        labels = by_name(objects, "Deployment")[process]["spec"]["template"]["metadata"]["labels"]
        ports = {port["name"]: port["containerPort"] for port in container(objects, process)["ports"]}
        policy = by_name(objects, "NetworkPolicy")[process]["spec"]
        assert policy["podSelector"]["matchLabels"] == labels
        assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == ports.keys()
        scraped = by_name(objects, "Service")[f"{process}-metrics"]
        assert monitor["selector"]["matchLabels"].items() <= scraped["metadata"]["labels"].items()
        assert scraped["spec"]["selector"] == labels
        (port,) = scraped["spec"]["ports"]
        assert (port["name"], port["port"]) == (monitor["endpoints"][0]["port"], ports[port["targetPort"]])


def test_alerts_and_dashboard_are_those_of_the_project():
    """Whole, with the labels by which the operator and Grafana find them."""
    objects = rendered(**EVERYTHING)
    rule = by_name(objects, "PrometheusRule")["meshwright"]
    assert rule["spec"] == yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    board = by_name(objects, "ConfigMap")["meshwright-dashboard"]
    assert json.loads(board["data"]["meshwright.json"]) == json.loads((MONITORING / "dashboard.json").read_text())
    assert board["metadata"]["labels"].items() >= {"grafana_dashboard": "1", "folder": "mesh"}.items()


def test_no_label_of_ours_is_hidden_by_the_operators():
    """A target's label wins over a metric's of that name, so what alerts and dashboard group by is dropped there."""
    (endpoint,) = by_name(rendered(**EVERYTHING), "ServiceMonitor")["meshwright"]["spec"]["endpoints"]
    dropped = {each["regex"] for each in endpoint["relabelings"] if each["action"] == "labeldrop"}
    ours = {label for process in documented().values() for metric in process.values() for label in metric.labels}
    asked = {
        label
        for query in queries().values()
        for group in re.findall(r"by \(([^)]*)\)", query)
        for label in group.split(", ")
    }
    assert OF_TARGETS & ours & asked == dropped


@pytest.mark.parametrize("queue", ["meshwright", "mesh.eu"])
def test_alerts_know_our_workers_by_the_queue_that_is_set(queue: str):
    """And no others by it; a dot is one."""
    objects = rendered(**EVERYTHING | {"settings": {"MESHWRIGHT_TASK_QUEUE": queue}})
    (group,) = by_name(objects, "PrometheusRule")["meshwright"]["spec"]["groups"]
    found = [each for rule in group["rules"] for each in re.findall(r'task_queue=~("[^"]*")', rule["expr"])]
    assert len(found) == 3
    for each in map(json.loads, found):  # PromQL's escapes are, here, those of JSON
        assert re.fullmatch(each, queue)
        assert re.fullmatch(each, f"{queue}-app-mesh-writes")
        assert not re.fullmatch(each, f"{queue}er".replace(".", "-"))


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ({}, True),
        ({"secrets": {"xdsTokens": "tokens"}}, False),
        ({"controlPlane": {"settings": {"MESHWRIGHT_XDS_TOKENS_FILE": "/etc/meshwright/xds/tokens"}}}, False),
        ({"controlPlane": {"settings": {"MESHWRIGHT_XDS_CLIENT_CA_FILE": "/etc/meshwright/xds/clients.crt"}}}, False),
    ],
)
def test_the_notes_warn_of_a_port_that_is_open_to_all(values: dict[str, Any], warned: bool):
    """As long as nothing says who may be which proxy, and no longer."""
    done = helm("install", "x", str(CHART), "--dry-run=client", **values)
    assert done.returncode == 0, done.stderr
    assert ("can read every mesh" in done.stdout.partition("NOTES:")[2]) is warned


def test_the_notes_ask_for_no_key_of_a_control_plane_that_is_elsewhere():
    """Of the API's Secret only the authority is read then."""
    values = {"controlPlane": {"enabled": False}, "injector": {"enabled": False}, "secrets": {"api": "theirs"}}
    done = helm("install", "x", str(CHART), "--dry-run=client", appMesh={"endpoint": "https://mesh"}, **values)
    assert "theirs (ca.crt)" in done.stdout.partition("NOTES:")[2]


def test_a_label_of_ones_own_is_there_once():
    """A key that is written twice is no YAML to stricter readers than Helm, such as kustomize."""
    labels = {"app.kubernetes.io/instance": "monitoring", "grafana_dashboard": "yes"}
    kinds = ("serviceMonitor", "prometheusRule", "dashboard")
    done = helm(
        "template", "x", str(CHART), **EVERYTHING | {each: {"enabled": True, "labels": labels} for each in kinds}
    )
    assert done.returncode == 0
    for document in yaml.compose_all(done.stdout):
        pending = [document]
        while pending:
            node = pending.pop()
            if isinstance(node, yaml.MappingNode):
                keys = [key.value for key, _ in node.value]
                assert len(keys) == len(set(keys)), keys
                pending += [value for _, value in node.value]
            elif isinstance(node, yaml.SequenceNode):
                pending += node.value


def test_without_anybody_named_nobody_reads_metrics():
    """An empty list of peers would mean everybody."""
    policies = by_name(rendered(), "NetworkPolicy")
    for process in TEMPORAL_CLIENTS:
        assert policies[process]["spec"]["ingress"] == []
    assert [rule["ports"] for rule in policies["injector"]["spec"]["ingress"]] == [[{"port": "webhook"}]]
    (api, _) = policies["control-plane"]["spec"]["ingress"]
    assert [peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in api["from"]] == [
        "watcher",
        "worker",
    ]


@pytest.fixture(scope="module")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of an API server without anything else."""
    settings = StackSettings(parts=("etcd", "kube-apiserver"), fast=True)
    with LocalStack(tmp_path_factory.mktemp("chart"), settings) as stack:
        yield stack.environment["KUBECONFIG"]


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_the_api_server_accepts_every_object(api_server: str, values: dict[str, Any]):
    """Strictly, in a dry run; but for what is the Prometheus operator's, whose kinds are another project's."""
    with closing(Kubernetes(api_server)) as kubernetes:
        objects = [each for each in rendered("dry", **values) if each["kind"] not in THE_OPERATORS]
        kubernetes.apply(*objects, strict=True, dry_run=True)
        assert kubernetes.get(by_name(objects, "Deployment")["worker"]) is None


ADVICE = {
    "install.md": ("--take-ownership", "--set crds.install=false"),
    "migrate.md": ("--take-ownership",),
}
"""What the pages say of definitions that are there already, as the local stack has applied them here."""


@pytest.mark.parametrize("page", ADVICE)
def test_helm_takes_definitions_that_exist_as_the_pages_say(api_server: str, page: str):
    """It refuses them on its own; each page names what is to be added, and what Helm says without it."""
    text = (ROOT / "docs" / "how-to" / page).read_text()
    where = ("--kubeconfig", api_server, "--namespace", "elsewhere", "--dry-run=server")
    refused = helm("install", "meshwright", str(CHART), *where)
    assert refused.returncode != 0
    assert "invalid ownership metadata" in refused.stderr
    assert "invalid ownership metadata" in text
    for advice in ADVICE[page]:
        assert advice.removeprefix("--set ") in text
        run("install", "meshwright", str(CHART), *where, *advice.split())


def test_a_release_is_installed_upgraded_and_uninstalled(api_server: str):
    """Its pods pass Pod Security, an upgrade leaves what the injector wrote, and the definitions outlive it."""
    where = ("--kubeconfig", api_server, "--namespace", "mesh")
    objects = {each["kind"]: each for each in rendered("mesh")}
    with closing(Kubernetes(api_server)) as kubernetes:
        kubernetes.apply(namespace_manifest("mesh"))
        kubernetes.patch(
            namespace_manifest("mesh"), {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        )
        run("install", "meshwright", str(CHART), "--take-ownership", *where)
        labels = kubernetes.read(objects["CustomResourceDefinition"])["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        for process, deployment in by_name(rendered("mesh"), "Deployment").items():
            template = deployment["spec"]["template"]
            metadata = {**template["metadata"], "name": process, "namespace": "mesh"}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
            kubernetes.apply(pod, strict=True, dry_run=True)

        webhooks = kubernetes.read(objects["MutatingWebhookConfiguration"])["webhooks"]
        webhooks[0]["clientConfig"]["caBundle"] = "Y2VydGlmaWNhdGU="
        kubernetes.patch(objects["MutatingWebhookConfiguration"], {"webhooks": webhooks})
        kubernetes.patch(objects["Secret"], {"data": {"tls.key": "a2V5"}})
        run("upgrade", "meshwright", str(CHART), *where, "--set", "injector.failurePolicy=Fail,worker.replicas=3")
        (webhook,) = kubernetes.read(objects["MutatingWebhookConfiguration"])["webhooks"]
        assert (webhook["clientConfig"]["caBundle"], webhook["failurePolicy"]) == ("Y2VydGlmaWNhdGU=", "Fail")
        assert kubernetes.read(objects["Secret"])["data"] == {"tls.key": "a2V5"}

        run("uninstall", "meshwright", *where)
        assert kubernetes.get(objects["MutatingWebhookConfiguration"]) is None
        assert kubernetes.get(objects["CustomResourceDefinition"]) is not None


def run(*arguments: str) -> None:
    """Helm, which must succeed."""
    done = helm(*arguments)
    assert done.returncode == 0, done.stderr
