"""Tell the local API server of the injector: the webhook of deploy/kubernetes, at this machine's address.

Applying is safe to repeat, and an upgrade of Meshwright brings its newer webhook along.
"""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import deploy
from deploy.local.crds import reason
from deploy.local.errors import LocalStackError

MANIFEST = Path(deploy.__file__).parent / "kubernetes" / "injector.yaml"
_KIND = "MutatingWebhookConfiguration"
_WITHIN = 20.0


def apply(kubeconfig: Path, url: str, authority: Path) -> None:
    """Apply the configuration, server-side.

    Raises:
        LocalStackError: the API server refuses it.
    """
    from kubernetes import client, config
    from urllib3.exceptions import HTTPError

    wanted = configuration(url, authority.read_bytes())
    new_client: Callable[..., Any] = config.new_client_from_config  # it has no types of its own
    with new_client(str(kubeconfig), persist_config=False) as connection:
        try:
            client.AdmissionregistrationV1Api(connection).patch_mutating_webhook_configuration(
                wanted["metadata"]["name"],
                wanted,
                field_manager="meshwright",
                force=True,
                _content_type="application/apply-patch+yaml",
                _request_timeout=_WITHIN,
            )
        except (client.ApiException, HTTPError) as error:
            raise LocalStackError(f"cannot apply the injection webhook: {reason(error)}") from error


def configuration(url: str, authority: bytes) -> dict[str, Any]:
    """What a cluster is told, but for where the webhook is and whom to trust there."""
    (found,) = (each for each in yaml.safe_load_all(MANIFEST.read_text()) if each["kind"] == _KIND)
    for webhook in found["webhooks"]:
        webhook["clientConfig"] = {"url": url, "caBundle": base64.b64encode(authority).decode()}
    return dict(found)
