"""Teach a cluster our kinds: apply `deploy/crds/*.yaml` server-side and wait until they are served.

Applying is safe to repeat, and an upgrade of Meshwright brings its newer definitions along.
"""

import time
from pathlib import Path
from typing import Any

import yaml

import deploy
from deploy.local import applying
from deploy.local.applying import WITHIN_SECONDS, connected
from deploy.local.errors import LocalStackError

FOLDER = Path(deploy.__file__).parent / "crds"
"""Where the generated definitions are."""

_POLL = 0.05
_READ_WITHIN = 5.0
"""Seconds for one read; the client asks up to four times."""


def apply(kubeconfig: Path, folder: Path = FOLDER) -> None:
    """Apply all definitions, then wait until the API server has established each.

    Raises:
        LocalStackError: the API server refuses one, or does not establish it in time, or cannot be asked.
    """
    definitions = [yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))]
    with connected(kubeconfig) as connection:
        from kubernetes import client

        api = client.ApiextensionsV1Api(connection)
        for definition in definitions:
            name = definition["metadata"]["name"]
            applying.apply(api.patch_custom_resource_definition, definition, f"the definition of {name}")
        deadline = time.monotonic() + WITHIN_SECONDS
        for definition in definitions:
            name = definition["metadata"]["name"]
            while not _established(api, name):
                if time.monotonic() > deadline:
                    raise LocalStackError(f"the API server did not establish {name} within {WITHIN_SECONDS:g} s")
                time.sleep(_POLL)


def _established(api: Any, name: str) -> bool:
    with applying.explained(f"read the definition of {name}"):
        status = api.read_custom_resource_definition(name, _request_timeout=_READ_WITHIN).status
    conditions = (status and status.conditions) or ()
    return any(condition.type == "Established" and condition.status == "True" for condition in conditions)
