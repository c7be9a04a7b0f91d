"""Tell the local API server of the injector: the webhook of deploy/kubernetes, at this machine's address.

Applying is safe to repeat, and an upgrade of Meshwright brings its newer webhook along.
"""

import base64
from pathlib import Path
from typing import Any

import yaml

import deploy
from deploy.local import applying
from deploy.local.applying import connected

MANIFEST = Path(deploy.__file__).parent / "kubernetes" / "injector.yaml"
_KIND = "MutatingWebhookConfiguration"


def apply(kubeconfig: Path, url: str, authority: Path) -> None:
    """Apply the configuration, server-side.

    Raises:
        LocalStackError: the API server refuses it.
    """
    wanted = configuration(url, authority.read_bytes())
    with connected(kubeconfig) as connection:
        from kubernetes import client

        api = client.AdmissionregistrationV1Api(connection)
        applying.apply(api.patch_mutating_webhook_configuration, wanted, "the injection webhook")


def configuration(url: str, authority: bytes) -> dict[str, Any]:
    """What a cluster is told, but for where the webhook is and whom to trust there."""
    (found,) = (each for each in yaml.safe_load_all(MANIFEST.read_text()) if each["kind"] == _KIND)
    for webhook in found["webhooks"]:
        webhook["clientConfig"] = {"url": url, "caBundle": base64.b64encode(authority).decode()}
    return dict(found)
