"""What a compose file and the manifests say about our processes, and what those really take."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
import yaml
from typer.main import get_command

from cli.main import app
from cli.settings import Settings

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy" / "kubernetes"
PROCESSES = ("watcher", "worker", "control-plane")
INSTALLED = (*PROCESSES, "injector")
"""Those of deploy/kubernetes; the compose file has no injector."""
CREDENTIALS = frozenset({"KUBECONFIG", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})
"""What our processes read that is no setting of ours: the client libraries do."""


def parse(arguments: Sequence[str]) -> str:
    """The command that these arguments name; fails as the command line would if it does not take the rest.

    Raises:
        click.UsageError: there is no such command, or it has no such option.
    """
    group: Any = get_command(app)
    name, command, rest = group.resolve_command(typer.Context(group), list(arguments))
    command.make_context(name, rest)
    return str(name)


def known_variables() -> set[str]:
    """The environment variables that our processes read."""
    names = set(CREDENTIALS)
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        choices = getattr(alias, "choices", None)
        names |= {str(choice) for choice in choices or (f"MESHWRIGHT_{name.upper()}",)}
    return names


def settings_of(environment: Mapping[str, str], monkeypatch: Any) -> Settings:
    """The settings that a process with this environment has."""
    for name in list(os.environ):
        if name.startswith(("MESHWRIGHT_", "TEMPORAL_", "AWS_")):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """The text with each `${NAME}` replaced.

    Raises:
        KeyError: a variable has no value.
    """
    return re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], text)


def dotenv(path: Path) -> dict[str, str]:
    """The variables of a file of NAME=value lines."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def manifests() -> Iterator[dict[str, Any]]:
    """Every object that the kustomization applies."""
    for name in yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())["resources"]:
        yield from yaml.safe_load_all((MANIFESTS / name).read_text())


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """Those of one kind, by name."""
    return {each["metadata"]["name"]: each for each in manifests() if each["kind"] == kind}


def container(process: str) -> dict[str, Any]:
    """The only container of a process's Deployment."""
    (only,) = of_kind("Deployment")[process]["spec"]["template"]["spec"]["containers"]
    return dict(only)
