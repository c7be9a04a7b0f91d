"""`meshwright proxies`: which Envoys are connected, and what they have accepted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.options import Config, setting
from cli.settings import Settings, SettingsError

if TYPE_CHECKING:
    from cli.tables import Rows

_OUTPUT = typer.Option("--output", "-o", help="A table for people; JSON or YAML with all that is known.")
_OTHERWISE_FINE = ("synced", "pending")


def proxies(
    app_mesh_endpoint: Annotated[str | None, setting("app_mesh_endpoint")] = None,
    app_mesh_region: Annotated[str | None, setting("app_mesh_region")] = None,
    output: Annotated[Literal["table", "json", "yaml"], _OUTPUT] = "table",
    config: Config = None,
) -> None:
    """Show the proxies that are connected to the control plane, what each has accepted and what it refused.

    Exit code 0: it was asked. 2: there is no such control plane, or it does not let us ask.
    """
    from cli.settings import load
    from cli.structured import structured

    given = {"app_mesh_endpoint": app_mesh_endpoint, "app_mesh_region": app_mesh_region, "config": config}
    found = ask(load(given))
    if output != "table":
        print(structured(found, output))
        return
    table(found["proxies"]).print()
    for line in complaints(found["proxies"]):
        print(line)


def ask(settings: Settings) -> dict[str, Any]:
    """The control plane's answer.

    Raises:
        SettingsError: there is no such control plane, or it does not let us ask.
    """
    import boto3
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError
    from botocore.httpsession import URLLib3Session

    from cli.app_mesh_tls import for_botocore
    from cli.signing import signer

    if settings.app_mesh_endpoint is None:
        raise SettingsError("setting app_mesh_endpoint (AWS_ENDPOINT_URL_APP_MESH): it says which control plane to ask")
    url = f"{settings.app_mesh_endpoint.rstrip('/')}/v1/proxies"
    try:
        credentials = boto3.Session().get_credentials()
        if credentials is None:
            raise SettingsError("there are no AWS credentials to sign the request with")
        request = AWSRequest("GET", url, headers=signer(credentials, settings.app_mesh_region)("GET", url))
        answer = URLLib3Session(timeout=10, **for_botocore(settings)).send(request.prepare())
    except BotoCoreError as error:
        raise SettingsError(f"{url}: {error}") from error
    if answer.status_code == 404:
        raise SettingsError(f"{settings.app_mesh_endpoint} serves no proxies (setting xds_listen)")
    if answer.status_code != 200:
        raise SettingsError(f"{url}: {answer.status_code} {answer.text[:200]}")
    return _document(url, answer.content)


def _document(url: str, content: bytes) -> dict[str, Any]:
    import json

    try:
        document = json.loads(content)
    except ValueError as error:
        raise SettingsError(f"{url}: no control plane answers there: no JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("proxies"), list):
        raise SettingsError(f"{url}: no control plane answers there: no list of proxies")
    return document


def table(proxies: list[Mapping[str, Any]]) -> "Rows":
    """One line for each connection."""
    from cli.tables import Cell, Rows

    rows = []
    for each in proxies:
        style = "" if each["state"] in _OTHERWISE_FINE else "yellow"
        numbers = (str(each["revision"]), str(each["acceptedRevision"]))
        cells = (each["proxy"], each["state"], *numbers, each["protocol"], each["address"], each["since"])
        rows.append([Cell(cell, style) for cell in cells])
    headings = ("PROXY", "STATE", "REVISION", "ACCEPTED", "PROTOCOL", "ADDRESS", "SINCE")
    return Rows(headings, rows, folds=frozenset({"PROXY", "ADDRESS", "SINCE"}))


def complaints(proxies: list[Mapping[str, Any]]) -> list[str]:
    """What proxies refused, and what they could not be told as asked."""
    lines: dict[str, None] = {}
    for each in proxies:
        for kind, status in each["resources"].items():
            if refusal := status.get("refusal"):
                of = ", ".join(refusal["objects"]) or ", ".join(refusal["resources"])
                lines[f"{each['proxy']} refused {kind} of {of}: {refusal['message']}"] = None
        for problem in each["problems"]:
            lines[f"{problem['object']} {problem['field']}: {problem['message']}"] = None
    return list(lines)
