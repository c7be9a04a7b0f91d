"""Keeps the webhook's certificate good, and the API server trusting it: a Secret and the webhook's configuration.

Any number of replicas do so side by side. The Secret is written under its resourceVersion, so of two that make a
certificate at once one is told that it came late, and takes the other's.
"""

import asyncio
import base64
import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from kubernetes.aio.client.exceptions import ApiException

from activities.resource_api import JSON_PATCH, ResourceApi
from injector.certificates import Certificates, KeyPair, renewed
from watcher.patience import retry_delay

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 600
_MEMBERS = ("ca.crt", "ca.key", "tls.crt", "tls.key")
Now = Callable[[], datetime.datetime]


@dataclass(frozen=True)
class Place:
    """Where things are in the cluster."""

    namespace: str
    service: str
    """The Service by which the API server finds the webhook; what the certificate is for."""
    name: str
    """Of the Secret, which must exist, and of the MutatingWebhookConfiguration."""

    @property
    def names(self) -> tuple[str, ...]:
        """Host names of the Service."""
        short = f"{self.service}.{self.namespace}"
        return (f"{short}.svc", f"{short}.svc.cluster.local", short)

    @property
    def secret_path(self) -> str:
        """The Secret's path at the API server."""
        return f"/api/v1/namespaces/{self.namespace}/secrets/{self.name}"

    @property
    def webhook_path(self) -> str:
        """The MutatingWebhookConfiguration's path at the API server."""
        return f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{self.name}"


class CertificateKeeper:
    """Looks now and then whether all is as it should be, and puts right what is not."""

    def __init__(
        self, api: ResourceApi, place: Place, folder: Path, now: Now = lambda: datetime.datetime.now(datetime.UTC)
    ) -> None:
        """`folder` is where the certificate and its key are written for the server."""
        self._api = api
        self._place = place
        self._now = now
        self.certificate = folder / "tls.crt"
        self.key = folder / "tls.key"

    async def run(self) -> None:
        """Look every ten minutes until cancelled; a little later after a failure."""
        failures = 0
        while True:
            try:
                await self.look()
                failures = 0
                await asyncio.sleep(LOOK_EVERY_SECONDS)
            except (ApiException, aiohttp.ClientError, OSError) as error:
                log.warning("the certificate cannot be looked after", error=_short(error))
                await asyncio.sleep(retry_delay(failures))
                failures += 1

    async def look(self) -> None:
        """See that there is a certificate that is good for a while, that the files have it, and that it is trusted.

        Raises:
            ApiException: the API server does not let us; a Secret that does not exist is among the reasons.
            aiohttp.ClientError, OSError: it does not answer, or a file cannot be written.
        """
        certificates = await self._certificates()
        self._write(certificates.webhook)
        await self._have_trusted(certificates.authority.certificate)

    async def _certificates(self) -> Certificates:
        while True:
            secret = await self._api.request("GET", self._place.secret_path)
            present = certificates_in(secret)
            wanted = renewed(present, self._place.names, self._now())
            if wanted == present:
                return wanted
            try:
                await self._api.request("PUT", self._place.secret_path, secret | {"data": _data(wanted)})
            except ApiException as error:
                if error.status != 409:
                    raise
                continue  # another replica was first
            log.info("certificate made", secret=self._place.name)
            return wanted

    def _write(self, pair: KeyPair) -> None:
        for file, content in ((self.key, pair.key), (self.certificate, pair.certificate)):
            if not file.exists() or file.read_bytes() != content:
                file.touch(mode=0o600)
                file.write_bytes(content)

    async def _have_trusted(self, authority: bytes) -> None:
        bundle = base64.b64encode(authority).decode()
        configuration = await self._api.request("GET", self._place.webhook_path)
        patch: list[dict[str, Any]] = []
        for number, webhook in enumerate(configuration.get("webhooks") or ()):
            if webhook["clientConfig"].get("caBundle") != bundle:
                patch += [
                    {"op": "test", "path": f"/webhooks/{number}/name", "value": webhook["name"]},
                    {"op": "add", "path": f"/webhooks/{number}/clientConfig/caBundle", "value": bundle},
                ]
        if patch:
            await self._api.request("PATCH", self._place.webhook_path, patch, JSON_PATCH)
            log.info("authority made known", webhooks=self._place.name)


def certificates_in(secret: Mapping[str, Any]) -> Certificates | None:
    """What the Secret holds; None when something is missing, as at first."""
    data = secret.get("data") or {}
    try:
        found = [base64.b64decode(data[member], validate=True) for member in _MEMBERS]
    except (KeyError, ValueError):
        return None
    return Certificates(KeyPair(found[0], found[1]), KeyPair(found[2], found[3]))


def _data(certificates: Certificates) -> dict[str, str]:
    authority, webhook = certificates.authority, certificates.webhook
    contents = (authority.certificate, authority.key, webhook.certificate, webhook.key)
    return {member: base64.b64encode(content).decode() for member, content in zip(_MEMBERS, contents, strict=True)}


def _short(error: Exception) -> str:
    if isinstance(error, ApiException):
        return f"{error.status} {error.reason}"
    return str(error)[:200]
