"""Pods at the API server, with what it says beside its answer: warnings, and why it refuses."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from deploy.local.credentials import Credentials
from tests.builders import Manifest
from tests.e2e.cluster import Cluster
from tests.injector.cases import NAMESPACE

INIT_IMAGE = "meshwright:0.1.0"


@dataclass(frozen=True)
class Answer:
    """What the API server said of a pod."""

    status: int
    content: dict[str, Any]
    warnings: list[str]
    """Those of the injector."""

    @property
    def message(self) -> str:
        """Why it was refused."""
        return str(self.content.get("message", ""))


class Pods:
    """The pods of the injected namespace, and a second one whose pods are left alone."""

    def __init__(self, cluster: Cluster) -> None:
        environment = cluster.stack.environment
        server = json.loads(Path(environment["KUBECONFIG"]).read_text())["clusters"][0]["cluster"]["server"]
        context = Credentials(cluster.stack.layout.credentials).client_context()
        self._client = httpx.Client(base_url=server, verify=context, timeout=30)
        self.xds_address = environment["MESHWRIGHT_XDS_ADDRESS"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.delete(_path(NAMESPACE), params={"gracePeriodSeconds": 0})
        self._client.close()

    def create(self, pod: Manifest) -> Answer:
        """Create it."""
        return _answer(self._client.post(_path(NAMESPACE), json=pod))

    def dry_run(self, pod: Manifest, namespace: str = NAMESPACE) -> Answer:
        """What would become of it in a namespace."""
        there = pod | {"metadata": pod["metadata"] | {"namespace": namespace}}
        return _answer(self._client.post(_path(namespace), params={"dryRun": "All"}, json=there))

    def patch(self, name: str, change: Mapping[str, Any], part: str) -> Manifest:
        """Change a part of one; the pod as it is then."""
        headers = {"Content-Type": "application/strategic-merge-patch+json"}
        response = self._client.patch(f"{_path(NAMESPACE)}/{name}{part}", json=change, headers=headers)
        return dict(response.raise_for_status().json())

    def events(self, name: str) -> list[dict[str, Any]]:
        """Events about an object of this name."""
        query = {"fieldSelector": f"involvedObject.name={name}"}
        response = self._client.get(f"/api/v1/namespaces/{NAMESPACE}/events", params=query)
        return list(response.raise_for_status().json()["items"])


def _path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def _answer(response: httpx.Response) -> Answer:
    said = (re.fullmatch(r'299 \S+ "(.*)"', each) for each in response.headers.get_list("warning", split_commas=False))
    warnings = [found[1].replace('\\"', '"') for found in said if found is not None]
    return Answer(response.status_code, response.json(), [each for each in warnings if "sidecar" in each])
