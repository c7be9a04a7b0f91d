"""Command-line options made from the settings model, so that a flag, its help and its default are written once."""

from typing import Annotated, Any

import typer
from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from typer.models import OptionInfo

from cli.settings import Settings


def setting(name: str) -> OptionInfo:
    """The option of a setting: `--name-with-dashes`, its description, where else it can be set, and its default."""
    field = Settings.model_fields[name]
    default = "none" if field.default is None else field.default
    help = f"{field.description} [dim]\\[{_variable(name, field)}; default: {default}][/dim]"
    flag = name.replace("_", "-")
    declared = f"--{flag}/--no-{flag}" if field.annotation is bool else f"--{flag}"
    option: OptionInfo = typer.Option(declared, help=help, show_default=False)
    return option


def _variable(name: str, field: FieldInfo) -> str:
    """The environment variable to show: the standard one where there is one, else ours."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[1])
    return f"MESHWRIGHT_{name.upper()}"


Config = Annotated[str | None, setting("config")]
LogFormat = Annotated[str | None, setting("log_format")]
LogLevel = Annotated[str | None, setting("log_level")]
Cluster = Annotated[str | None, setting("cluster")]
MetricsListen = Annotated[str | None, setting("metrics_listen")]
TemporalAddress = Annotated[str | None, setting("temporal_address")]
TemporalNamespace = Annotated[str | None, setting("temporal_namespace")]
TaskQueue = Annotated[str | None, setting("task_queue")]

Overrides = dict[str, Any]
