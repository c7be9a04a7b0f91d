"""The chart as Helm renders it."""

import functools
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from deploy.local.toolchain import Toolchain
from tests.deploy.installing import ROOT

CHART = ROOT / "deploy" / "helm" / "meshwright"
EVERYTHING: dict[str, Any] = {
    "image": {"tag": f"0.1.0@sha256:{'0' * 64}", "pullSecrets": ["registry"]},
    "settings": {"MESHWRIGHT_APP_MESH_WRITES_PER_SECOND": "8"},
    "secrets": {
        "accessKeys": "access-keys",
        "api": "api-tls",
        "apiClient": "api-client",
        "webhook": "webhook-tls",
        "xdsTokens": "proxy-tokens",
    },
    "appMesh": {"region": "eu-central-1"},
    "controlPlane": {
        "settings": {"MESHWRIGHT_ACCOUNT_ID": "123456789012", "MESHWRIGHT_LOG_LEVEL": "debug"},
        "quotas": {"meshes": 20, "virtual_nodes_per_mesh": 1000},
    },
    "injector": {"webhookAnnotations": {"cert-manager.io/inject-ca-from": "meshwright/webhook"}},
    "temporal": {
        "tls": {"enabled": True, "clientSecret": "mine", "caSecret": "theirs", "serverName": "temporal.example"},
        "apiKey": {"secret": "cloud"},
        "payloadKeysSecret": "payload-keys",
    },
    "networkPolicy": {
        "apiFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "dashboard": {"enabled": True, "labels": {"folder": "mesh"}},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "mesh", "operator": "Exists"}],
}
"""Values that turn on all that is off by default."""


@functools.cache
def _program() -> Path:
    return Toolchain.from_environment(os.environ).resolve(["helm"])["helm"]


def helm(*arguments: str, **values: Any) -> subprocess.CompletedProcess[str]:
    """Run Helm with these values; whether it failed is the caller's to look at."""
    return subprocess.run(
        [str(_program()), *arguments, *(["--values", "-"] if values else [])],
        input=yaml.safe_dump(values) if values else "",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def rendered(namespace: str = "meshwright", **values: Any) -> list[dict[str, Any]]:
    """Every object of a release with these values."""
    done = helm("template", "meshwright", str(CHART), "--namespace", namespace, **values)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def by_name(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Those of one kind, by name."""
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def container(objects: list[dict[str, Any]], process: str) -> dict[str, Any]:
    """The only container of a process's Deployment."""
    (only,) = by_name(objects, "Deployment")[process]["spec"]["template"]["spec"]["containers"]
    return dict(only)


def environment_of(objects: list[dict[str, Any]], process: str) -> dict[str, str]:
    """The variables that a process has, but for those of Secrets."""
    only = container(objects, process)
    named = [each["configMapRef"]["name"] for each in only["envFrom"] if "configMapRef" in each]
    variables = {name: value for each in named for name, value in by_name(objects, "ConfigMap")[each]["data"].items()}
    return variables | {each["name"]: each["value"] for each in only.get("env", ()) if "value" in each}
