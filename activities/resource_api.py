"""The narrow seam to the Kubernetes API: JSON in, JSON out, for the paths that we use.

Built on the Kubernetes client's transport (TLS, credentials, connection pool) and not on its generated methods: those
check and convert every argument, which for plain JSON costs more than the request itself.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException

from resources.kinds import GROUP, VERSION, Kind

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
REQUEST_TIMEOUT_SECONDS = 8


Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class ResourceApi(Protocol):
    """What the activities need of Kubernetes; answers are the API server's JSON."""

    async def request(
        self, method: str, path: str, body: Body | None = None, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """Send one request. Raises `ApiException` (status, reason, body) for any answer that is not a success."""


class ClusterApi:
    """ResourceApi over a real API server."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def request(
        self, method: str, path: str, body: Body | None = None, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """Send one request; see `ResourceApi`."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        call = await self._client.param_serialize(
            method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        answer = await self._client.call_api(*call, _request_timeout=REQUEST_TIMEOUT_SECONDS)
        content: bytes = await answer.response.read()
        if not 200 <= answer.status < 300:
            raise ApiException(status=answer.status, reason=answer.reason, body=content.decode(errors="replace"))
        decoded: dict[str, Any] = json.loads(content)
        return decoded


def collection_path(kind: Kind, namespace: str | None = None) -> str:
    """Path of all resources of a kind, or of those in a namespace."""
    where = f"/namespaces/{namespace}" if namespace is not None else ""
    return f"/apis/{GROUP}/{VERSION}{where}/{kind.plural}"


def resource_path(kind: Kind, namespace: str | None, name: str) -> str:
    """Path of one resource."""
    return f"{collection_path(kind, namespace)}/{name}"
