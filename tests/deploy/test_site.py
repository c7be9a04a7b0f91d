import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.local import parts, ports
from deploy.local.errors import SettingMissing
from deploy.local.layout import Layout
from deploy.local.part import Part
from deploy.local.site import Site

CALLER = {"PATH": "/usr/bin:/bin", "HOME": "/home/someone"}

ALWAYS = {
    "KUBECONFIG",
    "AWS_ENDPOINT_URL_APP_MESH",
    "AWS_ENDPOINT_URL_SERVICEDISCOVERY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "MESHWRIGHT_TEMPORAL_UI",
    "MESHWRIGHT_XDS_ADDRESS",
    "MESHWRIGHT_METRICS",
}


def site(
    layout: Layout, external: frozenset[str] = frozenset(), fast: bool = False, caller: Mapping[str, str] = {}
) -> Site:
    """A site whose caller has these variables."""
    binaries = {
        "etcd": Path("/bin/etcd"),
        "kube-apiserver": Path("/bin/kube-apiserver"),
        "temporal": Path("/bin/false"),
    }
    return Site(layout, ports.assign(layout.ports, {}), binaries, external, fast, {**CALLER, **caller})


def described(site: Site) -> dict[str, Part]:
    """The parts that the site would start, by name."""
    site.credentials.ensure()
    return {part.name: part for part in parts.describe(site, parts.chosen(parts.ALL, site.external))}


def test_the_environment_names_everything_a_client_needs(layout: Layout):
    """The contract of DIR/env, to the name."""
    environment = site(layout).environment()
    assert set(environment) == ALWAYS
    assert environment["KUBECONFIG"] == str(layout.kubeconfig)
    assert environment["TEMPORAL_NAMESPACE"] == "default"
    worker, watcher, injector, control_plane = environment["MESHWRIGHT_METRICS"].split(",")
    assert control_plane == environment["AWS_ENDPOINT_URL_APP_MESH"] + "/metrics"
    assert len({worker, watcher, injector, control_plane}) == 4


def test_a_shell_reads_back_what_was_written(layout: Layout):
    """DIR/env is plain `export NAME=value` lines, for the owner alone, whatever is in a value."""
    here = site(layout, caller={"AWS_REGION": "eu west; 'quoted' $HOME"})
    here.write_env()
    lines = layout.env.read_text().splitlines()
    assert all(line.startswith("export ") for line in lines)
    script = f'. {shlex.quote(str(layout.env))}; printf %s "$AWS_REGION"'
    said = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert said == "eu west; 'quoted' $HOME"
    assert stat.S_IMODE(layout.env.stat().st_mode) == 0o600


def test_the_stack_has_its_own_region_keys_and_namespace(layout: Layout):
    """Real keys in the caller's environment are never used for, nor written down by, the stack's own control plane."""
    here = site(
        layout,
        caller={"AWS_ACCESS_KEY_ID": "real", "AWS_SECRET_ACCESS_KEY": "real", "TEMPORAL_NAMESPACE": "theirs"},
    )
    environment = here.environment()
    assert environment["AWS_ACCESS_KEY_ID"] != "real"
    assert environment["AWS_SECRET_ACCESS_KEY"] != "real"
    assert environment["TEMPORAL_NAMESPACE"] == "default"
    assert environment["AWS_REGION"] == "us-west-2"
    assert site(layout, caller={"AWS_REGION": "eu-west-1"}).environment()["AWS_REGION"] == "eu-west-1"


@pytest.mark.parametrize(
    ("external", "variable", "value", "gone"),
    [
        pytest.param("kubernetes", "KUBECONFIG", "/home/someone/kubeconfig", set(), id="kubernetes"),
        pytest.param(
            "temporal", "TEMPORAL_ADDRESS", "temporal.example:7233", {"MESHWRIGHT_TEMPORAL_UI"}, id="temporal"
        ),
        pytest.param(
            "app-mesh",
            "AWS_ENDPOINT_URL_APP_MESH",
            "https://appmesh.example",
            {"MESHWRIGHT_XDS_ADDRESS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
            id="app-mesh",
        ),
    ],
)
def test_what_is_external_is_passed_on_and_not_started(
    layout: Layout, external: str, variable: str, value: str, gone: set[str]
):
    """The caller's address reaches DIR/env and the worker; what only our own one has is left out."""
    here = site(layout, frozenset({external}), caller={variable: value})
    assert here.environment()[variable] == value
    assert set(here.environment()) == ALWAYS - gone
    worker = described(here)["worker"]
    assert worker.environment[variable] == value
    assert set(worker.needs) <= set(described(here))


def test_an_external_app_mesh_is_signed_for_as_the_caller_does(layout: Layout):
    """Keys, session token and profile of the caller go with their endpoint."""
    signing = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c", "AWS_PROFILE": "d"}
    here = site(layout, frozenset({"app-mesh"}), caller={"AWS_ENDPOINT_URL_APP_MESH": "https://x", **signing})
    assert here.environment().items() >= signing.items()
    assert described(here)["worker"].environment.items() >= signing.items()


@pytest.mark.parametrize("external", ["app-mesh", "kubernetes", "temporal"])
def test_external_without_its_variable_is_refused(layout: Layout, external: str):
    """The message says which variable is missing."""
    with pytest.raises(SettingMissing, match=f"--external {external} needs [A-Z_]+ in the environment"):
        site(layout, frozenset({external}))


def test_what_cannot_be_external_is_refused(layout: Layout):
    """With the list of what can."""
    with pytest.raises(SettingMissing, match="'etcd' cannot be external; these can: app-mesh, kubernetes, temporal"):
        site(layout, frozenset({"etcd"}))


def test_our_processes_get_the_callers_settings_and_others_do_not(layout: Layout):
    """A limit set by the caller reaches the worker; a foreign program sees nothing of ours, and no secret."""
    found = described(
        site(
            layout, caller={"MESHWRIGHT_APP_MESH_WRITES_PER_SECOND": "8", "AWS_SESSION_TOKEN": "t", "AWS_PROFILE": "p"}
        )
    )
    for name in ("worker", "watcher", "injector", "control-plane"):
        assert found[name].environment["MESHWRIGHT_APP_MESH_WRITES_PER_SECOND"] == "8"
        assert not {"AWS_SESSION_TOKEN", "AWS_PROFILE"} & set(found[name].environment)
    for name in ("etcd", "kube-apiserver", "temporal"):
        assert set(found[name].environment) <= {"PATH", "HOME", "LANG", "TMPDIR", "GOGC"}


def test_how_go_collects_garbage_is_the_callers_choice(layout: Layout):
    """Rarely, which costs memory; somebody who has little says otherwise."""
    for name in ("etcd", "kube-apiserver", "temporal"):
        assert described(site(layout))[name].environment["GOGC"] == "400"
        assert described(site(layout, caller={"GOGC": "50"}))[name].environment["GOGC"] == "50"


def test_no_secret_is_on_a_command_line(layout: Layout):
    """Everybody on the machine can read those."""
    here = site(layout)
    secret = here.environment()["AWS_SECRET_ACCESS_KEY"]
    assert all(secret not in " ".join(part.arguments) for part in described(here).values())


def test_only_a_fast_stack_spares_the_disk(layout: Layout):
    """By default a power cut loses nothing."""
    lasting, fast = described(site(layout)), described(site(layout, fast=True))
    assert not any("no-fsync" in argument for argument in lasting["etcd"].arguments)
    assert "--unsafe-no-fsync=true" in fast["etcd"].arguments
    assert "--sqlite-pragma=synchronous=normal" in lasting["temporal"].arguments
    assert "--sqlite-pragma=synchronous=off" in fast["temporal"].arguments


@pytest.mark.parametrize(
    ("caller", "checks"),
    [
        pytest.param({}, "false", id="by-default"),
        pytest.param({"MESHWRIGHT_DNS_CHECK": "true"}, "true", id="asked-for"),
    ],
)
def test_the_worker_looks_up_no_host_names_unless_asked_to(layout: Layout, caller: dict[str, str], checks: str):
    """No name of a Kubernetes Service resolves on a bare machine, so every node would warn."""
    assert described(site(layout, caller=caller))["worker"].environment["MESHWRIGHT_DNS_CHECK"] == checks
