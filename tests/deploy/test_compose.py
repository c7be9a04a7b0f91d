"""docker-compose.yml: what it says of our processes is what they take. No container engine runs here."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.deploy.installing import PROCESSES, ROOT, dotenv, interpolated, known_variables, parse, settings_of

VARIABLES = dotenv(ROOT / ".env")
FILE = yaml.safe_load(interpolated((ROOT / "docker-compose.yml").read_text(), VARIABLES))
SERVICES = FILE["services"]


def against_the_specification(file: Path) -> subprocess.CompletedProcess[str]:
    """Judge a file by the schema of the Compose specification, which the judge brings along."""
    judge = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(judge, capture_output=True, text=True, check=False, timeout=60)


def test_it_is_a_compose_file_by_the_specification():
    """Every key, and the type of every value, as an engine would take it."""
    judged = against_the_specification(ROOT / "docker-compose.yml")
    assert judged.returncode == 0, judged.stdout


def test_the_specification_refuses_a_broken_compose_file(tmp_path: Path):
    """A misspelt key and a probe of the wrong type are found: the test above means something."""
    broken = tmp_path / "docker-compose.yml"
    text = (ROOT / "docker-compose.yml").read_text()
    broken.write_text(text.replace("retries: 30", "retries: [30]", 1).replace("entrypoint:", "entrypiont:", 1))
    judged = against_the_specification(broken)
    assert judged.returncode == 1
    assert "services.postgres.healthcheck.retries" in judged.stdout
    assert "entrypiont" in judged.stdout


def test_it_has_every_part_of_the_local_stack():
    """The same stack as `meshwright up`, in containers."""
    assert {"postgres", "temporal", "temporal-ui", "kubernetes", "cloud-map", *PROCESSES} <= SERVICES.keys()


@pytest.mark.parametrize("name", PROCESSES)
def test_the_commands_are_ones_that_the_command_line_takes(name):
    """An option that is renamed must be renamed here too."""
    assert parse(SERVICES[name]["command"]) == name


@pytest.mark.parametrize("name", PROCESSES)
def test_the_environment_is_read_and_accepted(name, monkeypatch):
    """A variable that nobody reads is a setting that silently has no effect."""
    environment = SERVICES[name]["environment"]
    assert environment.keys() <= known_variables()
    settings_of(environment, monkeypatch)


def test_addresses_lead_to_services_and_the_ports_that_these_listen_on(monkeypatch):
    """Who calls whom, and where."""
    settings = settings_of(SERVICES["worker"]["environment"], monkeypatch)
    assert settings.app_mesh_endpoint == "http://control-plane:8080"
    assert "--control-plane-listen=0.0.0.0:8080" in SERVICES["control-plane"]["command"]
    assert settings.temporal_address == "temporal:7233"
    assert settings.cloud_map_endpoint == "http://cloud-map:5000"
    assert SERVICES["cloud-map"]["entrypoint"][-1] == "5000"
    assert settings.metrics_listen.endswith(":9090")
    assert "127.0.0.1:9090/healthz" in SERVICES["worker"]["healthcheck"]["test"][-1]
    assert settings.dns_check is False


def test_keys_of_the_clients_are_those_of_the_control_plane():
    """Otherwise every call would be refused."""
    client = SERVICES["worker"]["environment"]
    pair = f"{client['AWS_ACCESS_KEY_ID']}:{client['AWS_SECRET_ACCESS_KEY']}"
    assert SERVICES["control-plane"]["environment"]["MESHWRIGHT_ACCESS_KEYS"] == pair


def test_every_image_has_a_version_and_every_volume_and_service_named_exists():
    """Nothing floats, nothing dangles."""
    for name, service in SERVICES.items():
        assert re.search(r":[v\d]|:local$", service["image"]), name
        for other in service.get("depends_on", {}):
            assert other in SERVICES, name
            if service["depends_on"][other]["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], (name, other)
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in FILE["volumes"], (name, source)


def test_ports_are_open_to_this_machine_alone():
    """The keys in `.env` are known to everybody."""
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_database_is_there_when_it_is_called_healthy():
    """The server by which its image makes the database, and which is then stopped, listens on no address."""
    assert "--host=127.0.0.1" in SERVICES["postgres"]["healthcheck"]["test"]


def test_no_variable_is_one_that_every_pod_has():
    """The shell's wins over `.env`, and in a pod (a workspace in the cloud) KUBERNETES_PORT is tcp://10.96.0.1:443."""
    assert not [name for name in VARIABLES if name.startswith("KUBERNETES_")]


@pytest.mark.parametrize("script", sorted((ROOT / "deploy" / "compose").glob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_are_shell(script):
    """As far as a shell can say without running them."""
    subprocess.run(["sh", "-n", str(script)], check=True, timeout=30)


def test_the_image_gets_all_that_it_copies_and_builds_from():
    """What .dockerignore leaves out cannot be installed."""
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    beside = {"pyproject.toml", "requirements.txt", "requirements-last.txt", "README.md", "LICENSE"}
    assert packages | beside == kept
    assert all((ROOT / name).exists() for name in kept)
