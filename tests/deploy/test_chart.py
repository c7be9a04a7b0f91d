"""deploy/helm/meshwright, as far as it can be judged without Helm: its values, and what their schema refuses."""

import copy
import json
import tomllib
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from typer.main import get_command

from cli.main import app
from control_plane.api.quotas import Quotas
from tests.deploy.charting import CHART, EVERYTHING
from tests.deploy.installing import INSTALLED, MANIFESTS, ROOT

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


def merged(values: dict[str, Any], into: dict[str, Any]) -> dict[str, Any]:
    """Values over other values, as Helm lays them."""
    made = copy.deepcopy(into)
    for name, value in values.items():
        both = isinstance(value, dict) and isinstance(made.get(name), dict)
        made[name] = merged(value, made[name]) if both else value
    return made


def problems(values: dict[str, Any]) -> list[str]:
    """What the schema has against the defaults with these values, as paths."""
    found = Draft7Validator(SCHEMA).iter_errors(merged(values, DEFAULTS))
    return ["/".join(map(str, each.absolute_path)) for each in found]


def test_the_defaults_and_all_that_can_be_turned_on_are_accepted():
    """And the schema is one."""
    Draft7Validator.check_schema(SCHEMA)
    assert problems({}) == []
    assert problems(EVERYTHING) == []


def test_the_schema_knows_every_value_and_the_values_every_property():
    """What is in one of the two alone has no effect, or no explanation."""

    def compare(values: dict[str, Any], schema: dict[str, Any]) -> None:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        if schema.get("additionalProperties", True) is False and "quantities" not in json.dumps(schema):
            assert values.keys() == schema["properties"].keys() - {"global"}
            for name, value in values.items():
                if isinstance(value, dict):
                    compare(value, schema["properties"][name])

    compare(DEFAULTS, SCHEMA)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"replicas": 3}, ""),
        ({"worker": {"replicas": "two"}}, "worker/replicas"),
        ({"worker": {"replicas": 0}}, "worker/replicas"),
        ({"worker": {"memory": "1Gi"}}, "worker"),
        ({"worker": {"resources": {"limits": {"memory": "much"}}}}, "worker/resources/limits/memory"),
        ({"cluster": "Production"}, "cluster"),
        ({"temporal": {"address": "temporal"}}, "temporal/address"),
        ({"temporal": {"address": "https://temporal:7233"}}, "temporal/address"),
        ({"temporal": {"tls": {"clientSecret": "mine"}}}, "temporal/tls/clientSecret"),
        ({"temporal": {"apiKey": {"secret": "A key, not a name"}}}, "temporal/apiKey/secret"),
        ({"settings": {"TEMPORAL_API_KEY": "x"}}, "settings"),
        ({"settings": {"MESHWRIGHT_DATABASE_URL": "postgresql://u:p@h/d"}}, "settings"),
        ({"settings": {"log_level": "debug"}}, "settings"),
        ({"settings": {"MESHWRIGHT_WORKER_THREADS": 8}}, "settings/MESHWRIGHT_WORKER_THREADS"),
        ({"settings": {"MESHWRIGHT_QUOTAS_FILE": "/quotas"}}, "settings"),
        ({"settings": {"MESHWRIGHT_METRICS_LISTEN": "0.0.0.0:8000"}}, "settings"),
        ({"settings": {"MESHWRIGHT_INJECTOR_WEBHOOK": "mine"}}, "settings"),
        ({"settings": {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=x"}}, "settings"),
        ({"controlPlane": {"settings": {"MESHWRIGHT_XDS_PLAINTEXT": "true"}}}, "controlPlane/settings"),
        ({"controlPlane": {"settings": {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=x"}}}, "controlPlane/settings"),
        ({"controlPlane": {"settings": {"MESHWRIGHT_ACCESS_KEYS": "ID:SECRET"}}}, "controlPlane/settings"),
        ({"controlPlane": {"quotas": {"meshs": 20}}}, "controlPlane/quotas"),
        ({"controlPlane": {"quotas": {"meshes": "20"}}}, "controlPlane/quotas/meshes"),
        ({"injector": {"failurePolicy": "Retry"}}, "injector/failurePolicy"),
        ({"appMesh": {"endpoint": "control-plane:8080"}}, "appMesh/endpoint"),
        ({"controlPlane": {"enabled": False}, "injector": {"enabled": False}}, "appMesh/endpoint"),
        ({"controlPlane": {"enabled": False}, "appMesh": {"endpoint": "http://mesh"}}, "injector/xdsAddress"),
        ({"serviceMonitor": {"enabled": True}}, "networkPolicy/metricsFrom"),
        ({"prometheusRule": {"labels": {"release": 1}}}, "prometheusRule/labels/release"),
        ({"dashboard": {"enabled": "yes"}}, "dashboard/enabled"),
        ({"networkPolicy": {"apiFrom": [{}]}}, "networkPolicy/apiFrom/0"),
        ({"image": {"repository": ""}}, "image/repository"),
        ({"secrets": {"key": "ID:SECRET"}}, "secrets/key"),
        ({"secrets": {"apiClient": "mine"}}, "secrets/apiClient"),
    ],
)
def test_the_schema_refuses(values: dict[str, Any], where: str):
    """Wrong types, unknown names, secrets in the open, and what makes no sense together; at the value it is about."""
    assert problems(values) == [where]


def test_no_secret_is_expected_in_the_manifests_settings():
    """What the chart refuses in its ConfigMaps is not to be put in those of the manifests either, says their text."""
    text = (MANIFESTS / "settings.yaml").read_text()
    assert [each for each in SCHEMA["definitions"]["settings"]["propertyNames"]["not"]["enum"] if each in text] == []


def test_what_the_control_plane_alone_reads_is_refused_elsewhere():
    """In the settings of the others it would silently have no effect."""
    group: Any = get_command(app)
    options = {process: {each.name for each in group.commands[process].params} for process in INSTALLED}
    own = options.pop("control-plane").difference(*options.values())
    secret = SCHEMA["definitions"]["settings"]["propertyNames"]["not"]["enum"]
    refused = SCHEMA["properties"]["settings"]["propertyNames"]["not"]["enum"]
    assert set(refused) == {f"MESHWRIGHT_{name.upper()}" for name in own}.difference(secret)


def test_the_schema_knows_every_quota():
    """And the control plane every one of the schema's."""
    names = SCHEMA["definitions"]["quotas"]["propertyNames"]["enum"]
    assert set(names) == set(Quotas.__dataclass_fields__)


def test_the_chart_has_the_projects_version():
    """Its image's tag is its appVersion."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["version"] == chart["appVersion"] == project["version"]


def test_the_charts_definitions_are_the_generated_ones():
    """Not copies of them, which would grow old."""
    assert (CHART / "files" / "crds").resolve() == ROOT / "deploy" / "crds"
