"""Teach a cluster our kinds: apply `deploy/crds/*.yaml` server-side and wait until they are served.

Applying is safe to repeat, and an upgrade of Meshwright brings its newer definitions along.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import deploy
from deploy.local.errors import LocalStackError

FOLDER = Path(deploy.__file__).parent / "crds"
"""Where the generated definitions are."""

_WITHIN = 20.0
_POLL = 0.05


def apply(kubeconfig: Path, folder: Path = FOLDER) -> None:
    """Apply all definitions, then wait until the API server has established each.

    Raises:
        LocalStackError: the API server refuses one, or does not establish it in time.
    """
    # Imported here: half a second that only this step needs, and by now the API server has begun to start.
    from kubernetes import client, config
    from urllib3.exceptions import HTTPError

    definitions = [yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))]
    new_client: Callable[..., Any] = config.new_client_from_config  # it has no types of its own
    with new_client(str(kubeconfig), persist_config=False) as connection:
        api = client.ApiextensionsV1Api(connection)
        for definition in definitions:
            name = definition["metadata"]["name"]
            try:
                api.patch_custom_resource_definition(
                    name,
                    definition,
                    field_manager="meshwright",
                    force=True,
                    _content_type="application/apply-patch+yaml",
                    _request_timeout=_WITHIN,
                )
            except (client.ApiException, HTTPError) as error:
                raise LocalStackError(f"cannot apply the definition of {name}: {reason(error)}") from error
        deadline = time.monotonic() + _WITHIN
        for definition in definitions:
            name = definition["metadata"]["name"]
            while not _established(api, name):
                if time.monotonic() > deadline:
                    raise LocalStackError(f"the API server did not establish {name} within {_WITHIN:g} s")
                time.sleep(_POLL)


def reason(error: Exception) -> str:
    """What the API server had to say; the client's own text would add its headers."""
    try:
        return str(json.loads(getattr(error, "body", None) or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error)


def _established(api: Any, name: str) -> bool:
    status = api.read_custom_resource_definition(name).status
    return any(condition.type == "Established" and condition.status == "True" for condition in status.conditions or ())
