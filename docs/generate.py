"""Writes the pages of `docs/reference/` that are made from code: `python -m docs.generate [--check]`.

A page that is made from code cannot say what the code does not. `make generate` writes them, a test fails when one is
stale.
"""

import argparse
import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import typer
from pydantic import AliasChoices

from benchmarks.edits import EDITS
from cli.examples import EXAMPLES
from cli.main import app
from cli.settings import Settings
from docs.resources_page import resources_page
from injector import metrics
from injector.annotations import ANNOTATIONS as POD_ANNOTATIONS
from injector.annotations import SWITCH
from injector.decision import DEFAULT_CONTAINER, Outcome
from injector.proxy_init.environment import VARIABLES as CAPTURE_VARIABLES
from injector.sidecar import BOOTSTRAP_ANNOTATION
from injector.variables import VARIABLES
from resources.annotations import ANNOTATIONS
from resources.conditions import ConditionType, Reason, active_condition
from resources.kinds import Kind
from resources.phases import Phase
from workflows.names import SEARCH_ATTRIBUTES

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Generated from the code by `make generate`; edit there. -->\n"


def pages() -> Mapping[str, str]:
    """File name → content of each generated page."""
    return {
        "annotations.md": annotations_page(),
        "calls.md": calls_page(),
        "cli.md": cli_page(),
        "conditions.md": conditions_page(),
        "injection.md": injection_page(),
        "resources.md": resources_page(NOTE),
        "search-attributes.md": search_attributes_page(),
        "settings.md": settings_page(),
        "traffic-capture.md": traffic_capture_page(),
    }


def annotations_page() -> str:
    """Every annotation by which a user steers Meshwright."""
    rows = [
        f"| `{annotation.name}` | {', '.join(annotation.kinds)} | "
        f"{', '.join(f'`{value}`' for value in annotation.values)} | {annotation.default} | {annotation.meaning} |"
        for annotation in ANNOTATIONS
    ]
    return "\n".join(
        [
            "# Annotations\n",
            NOTE,
            "Set them under `metadata.annotations` of a resource; an edit takes effect at once. A value that does not",
            "stand here is told by the reason `InvalidSpec`, and a resource whose deletion policy cannot be read is",
            "not deleted until it can.\n",
            "| annotation | on | values | default | what it does |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def calls_page() -> str:
    """What every kind of edit costs."""
    rows = [
        f"| {edit.name} | {edit.writes} | {edit.differing} | {edit.reads} | "
        f"{', '.join(f'{operation} {count}' for operation, count in edit.calls.items())} | {edit.why} |"
        for edit in EDITS
    ]
    return "\n".join(
        [
            "# What an edit costs\n",
            NOTE,
            "App Mesh calls of each kind of edit, one after the other on the same two nodes. An edit of one service",
            "reads nothing: its workflow remembers what App Mesh answered. *Fewest* is how many objects differ",
            "afterwards, which no controller can go below. `tests/e2e/test_edit_costs.py` counts on the real parts",
            "that the numbers are exact; `python -m benchmarks.edits` also tells how long each edit takes.\n",
            "| edit | writes | fewest | reads | calls | why not fewer |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def cli_page() -> str:
    """Every command with its arguments and options, and what exit codes mean."""
    group = typer.main.get_command(app)
    context = group.make_context("meshwright", [], resilient_parsing=True)
    assert isinstance(group, typer.core.TyperGroup)
    sections = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        rows = [
            f"| `{' '.join(option.opts + option.secondary_opts)}` | {plain(getattr(option, 'help', None))} |"
            for option in command.params
        ]
        table = ["| option | what it is |", "|---|---|", *rows, ""] if rows else []
        examples = ["```sh", *EXAMPLES[name], "```\n"]
        sections += [f"## meshwright {name}\n", f"{inspect.cleandoc(command.help or '')}\n", *examples, *table]
    return "\n".join(
        [
            "# The command line\n",
            NOTE,
            "`meshwright COMMAND --help` says the same in a terminal; `meshwright --install-completion` teaches your",
            "shell the commands and their options. Colours appear on a terminal only, and never where",
            "`NO_COLOR` is set.\n",
            "| exit code | what it means |",
            "|---|---|",
            "| 0 | Done; where a command answers a question, yes. |",
            "| 1 | The answer is no (a manifest is invalid, a resource not active), or the local stack failed. |",
            "| 2 | It could not be asked: wrong usage, a setting that cannot be used, a part that does not answer. |",
            "",
            *sections,
        ]
    )


def plain(help: str | None) -> str:
    """Help without the marks that colour it, in one line of a table."""
    unmarked = re.sub(r"\[/?[a-z]+\]", "", help or "").replace("\\\\[", "[").replace("\\[", "[")
    return " ".join(unmarked.replace("|", "\\|").split())


def conditions_page() -> str:
    """Every condition and every reason."""
    main = {active_condition(kind): kind for kind in Kind}
    types = [f"| `{type}` | {_about(type, main)} |" for type in ConditionType]
    reasons = [f"| `{reason.value}` | {reason.explanation} |" for reason in Reason]
    return "\n".join(
        [
            "# Conditions and reasons\n",
            NOTE,
            "`kubectl get` shows the reason of a resource's main condition, `kubectl describe` all of them with their",
            "messages. Conditions are under `status.conditions`; those of a Mesh also under `status.meshCondition`,",
            "where older tools look.\n",
            "| condition | what it is about |",
            "|---|---|",
            *types,
            "",
            "| reason | when you see it |",
            "|---|---|",
            *reasons,
            "",
        ]
    )


def injection_page() -> str:
    """What the injector reads and writes."""
    read = [
        f"| `{entry.name}` | {entry.form} | {entry.default} | {entry.meaning} |"
        for entry in POD_ANNOTATIONS
        if entry.default is not None
    ]
    written = [
        f"| `{entry.name}` | {entry.form} | {entry.meaning} |" for entry in POD_ANNOTATIONS if entry.default is None
    ]
    variables = [f"| `{entry.name}` | {entry.container} | {entry.meaning} |" for entry in VARIABLES]
    outcomes = [f"| `{outcome.value}` | {outcome.explanation} |" for outcome in Outcome]
    return "\n".join(
        [
            "# Injection\n",
            NOTE,
            f"Pods of a namespace with the label `{SWITCH}=enabled` get a sidecar when they are created",
            "([how](../how-to/inject.md)). The settings are among the [others](settings.md), as `--inject-...`.\n",
            "## Annotations of a pod\n",
            "A value that cannot be read refuses the pod, and the message names the annotation.\n",
            "| annotation | value | default | what it does |",
            "|---|---|---|---|",
            *read,
            "",
            "These are written, and not read:\n",
            "| annotation | value | what it is |",
            "|---|---|---|",
            *written,
            f"| `{DEFAULT_CONTAINER}` | a container | Where a classic sidecar comes first: the pod's own first one. |",
            f"| `{BOOTSTRAP_ANNOTATION}` | JSON | For the App Mesh agent: what its Envoy starts with. |",
            "",
            "## Environment variables of the injected containers\n",
            "`sidecarEnv` adds to those of `envoy` and may replace all but the first two.\n",
            "| variable | container | what it is |",
            "|---|---|---|",
            *variables,
            "",
            "## What becomes of a pod\n",
            "The label `outcome` of the metric `meshwright_injector_reviews_total`, and of the log's lines. There are",
            f"also `{metrics.OTHER}` (nothing is created), `{metrics.MALFORMED}` and `{metrics.FAILED}`.\n",
            "| outcome | when |",
            "|---|---|",
            *outcomes,
            "",
        ]
    )


def settings_page() -> str:
    """Every setting, with the ways to give it and its default."""
    rows = []
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variables = alias.choices[1:] if isinstance(alias, AliasChoices) else [f"MESHWRIGHT_{name.upper()}"]
        shown = ", ".join(f"`{variable}`" for variable in variables)
        default = "none" if field.default is None else f"`{field.default}`"
        rows.append(f"| `--{name.replace('_', '-')}` | {shown} | {default} | {field.description} |")
    return "\n".join(
        [
            "# Settings\n",
            NOTE,
            "A flag wins over the environment, the environment over the settings file (`--config`), the file over the",
            "default. In the file, a setting has the flag's name with underscores. Each process takes the flags that",
            "concern it: `meshwright <process> --help` lists them.\n",
            "| flag | environment | default | what it is |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def search_attributes_page() -> str:
    """What workflows are found by in Temporal."""
    attributes = [f"| `{name}` | {meaning} |" for name, meaning in SEARCH_ATTRIBUTES.items()]
    phases = [f"| `{phase}` | {phase.explanation} |" for phase in Phase]
    return "\n".join(
        [
            "# Search attributes\n",
            NOTE,
            "What the workflow of a resource is found by in Temporal's UI and API; all are of type `Keyword`.",
            "`meshwright search-attributes` registers them, `temporal operator search-attribute create` does too.",
            "[How to look for workflows](../how-to/temporal-ui.md) has queries.\n",
            "| attribute | what it is |",
            "|---|---|",
            *attributes,
            "",
            "| phase | when you see it |",
            "|---|---|",
            *phases,
            "",
        ]
    )


def traffic_capture_page() -> str:
    """Every environment variable of `meshwright proxy-init`."""
    rows = []
    for variable in CAPTURE_VARIABLES:
        names = [f"`{name}`" for name in (variable.name, variable.alias) if name]
        default = f"`{variable.default}`" if variable.default else "none"
        rows.append(f"| {' or '.join(names)} | {default} | {variable.meaning} |")
    return "\n".join(
        [
            "# Traffic capture\n",
            NOTE,
            "`meshwright proxy-init` leads a pod's TCP traffic to its proxy, as these environment variables say; they",
            "are those of App Mesh's own image for this. Traffic between the pod's own processes is never captured.",
            "Done again it changes nothing; `--undo` takes the rules away, `--dry-run` prints them. A value that",
            "cannot be is told with the variable's name, and nothing is set (exit code 2).\n",
            "| variable | default | what it does |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _about(type: ConditionType, main: Mapping[ConditionType, Kind]) -> str:
    if type in main:
        return f"The main one of a {main[type]}: App Mesh holds what the resource asks for."
    return {
        ConditionType.VIRTUAL_ROUTER_ACTIVE: "The router of a VirtualService is what its spec asks for.",
        ConditionType.ROUTES_ACTIVE: "All routes of a VirtualService are what its spec asks for.",
        ConditionType.DATA_PLANE_ACCEPTED: "No connected Envoy of the mesh refuses what comes of this resource, and"
        " all of it can be told to them; only there while proxies are connected.",
        ConditionType.DATA_PLANE_SYNCED: "Every Envoy connected to the mesh has what was last written for this"
        " resource; only there while proxies are connected, or since they were.",
        ConditionType.DNS_RESOLVABLE: "The host name of a VirtualNode found by DNS resolves. A warning, no more.",
        ConditionType.ADOPTED: "Objects that existed already were adopted; only there once that happened.",
        ConditionType.MESH_MARKED_FOR_DELETION: "The mesh of this resource is being deleted, and the resource with it.",
        ConditionType.CLOUD_MAP_SERVICE_READY: "The Cloud Map service that a VirtualNode names can take its pods.",
    }[type]


def main() -> int:
    """Write the pages, or with `--check` only tell which are stale; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the reference pages that are made from code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a page is stale")
    check = parser.parse_args().check
    stale = 0
    for name, content in pages().items():
        path = FOLDER / name
        if path.exists() and path.read_text() == content:
            continue
        if check:
            print(f"stale: {path.relative_to(Path.cwd())}; run make generate", file=sys.stderr)
            stale = 1
        else:
            path.write_text(content)
    return stale


if __name__ == "__main__":
    sys.exit(main())
