"""The App Mesh side: what the API holds, as any boto3 user sees it, and how often it was called."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from prometheus_client.parser import text_string_to_metric_families

Specs = dict[str, dict[str, Any]]
"""Specs by the part of the ARN after `mesh/`, as in `shop/virtualRouter/cart-prod/route/all`."""

Calls = Counter[str]
"""How often each operation was called."""


class AppMesh:
    """The API of a stack by DIR/env."""

    def __init__(self, environment: Mapping[str, str], patience: int = 60) -> None:
        """`patience`: seconds to wait for an answer; an impatient one does not ask again either."""
        endpoint = environment["AWS_ENDPOINT_URL_APP_MESH"]
        self.api = boto3.client(
            "appmesh",
            endpoint_url=endpoint,
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            config=Config(
                read_timeout=patience,
                retries={"mode": "standard", "total_max_attempts": 6 if patience >= 60 else 1},
            ),
        )
        self.api.meta.events.register("after-call.app-mesh", _refuse_what_was_cut_off)
        self._metrics = f"{endpoint}/metrics"

    def close(self) -> None:
        """Give the connections back."""
        self.api.close()

    def specs(self, mesh: str) -> Specs:
        """Everything that the API holds for a mesh, the mesh itself included; empty when there is no such mesh."""
        return {arn_tail(data["metadata"]["arn"]): data["spec"] for data in self.objects(mesh)}

    def versions(self, mesh: str) -> dict[str, int]:
        """How often each object was written, by the same names."""
        return {arn_tail(data["metadata"]["arn"]): data["metadata"]["version"] for data in self.objects(mesh)}

    def objects(self, mesh: str) -> list[dict[str, Any]]:
        """The answers of Describe for everything in a mesh."""
        api, of = self.api, {"meshName": mesh}
        try:
            found = [api.describe_mesh(**of)["mesh"]]
            found += [
                api.describe_virtual_node(**of, virtualNodeName=node["virtualNodeName"])["virtualNode"]
                for node in self._all("list_virtual_nodes", **of)
            ]
            found += [
                api.describe_virtual_service(**of, virtualServiceName=service["virtualServiceName"])["virtualService"]
                for service in self._all("list_virtual_services", **of)
            ]
            for router in self._all("list_virtual_routers", **of):
                at = of | {"virtualRouterName": router["virtualRouterName"]}
                found.append(api.describe_virtual_router(**at)["virtualRouter"])
                found += [
                    api.describe_route(**at, routeName=route["routeName"])["route"]
                    for route in self._all("list_routes", **at)
                ]
        except api.exceptions.NotFoundException:  # the mesh, or something that goes while we look
            return []
        return found

    def meshes(self) -> list[str]:
        """Names of all meshes."""
        return [mesh["meshName"] for mesh in self._all("list_meshes")]

    def calls(self) -> Calls:
        """How often each operation was called since the API started, whatever the answers."""
        counted: Calls = Counter()
        for sample in self._samples():
            counted[sample.labels["operation"]] += int(sample.value)
        return counted

    @contextmanager
    def counted(self) -> Iterator[Calls]:
        """The calls that are made inside the block; filled in at its end."""
        before, made = self.calls(), Counter[str]()
        yield made
        made.update(self.calls() - before)

    def _samples(self) -> Iterator[Any]:
        with urlopen(self._metrics, timeout=10) as answer:
            text = answer.read().decode()
        for family in text_string_to_metric_families(text):
            yield from (sample for sample in family.samples if sample.name == "appmesh_api_requests_total")

    def _all(self, operation: str, **arguments: Any) -> list[dict[str, Any]]:
        pages = self.api.get_paginator(operation).paginate(**arguments)
        return [item for page in pages for items in page.values() if isinstance(items, list) for item in items]


def arn_tail(arn: str) -> str:
    """What identifies the object, without account and region."""
    return arn.partition(":mesh/")[2]


def _refuse_what_was_cut_off(http_response: Any, **_: Any) -> None:
    """The answer of a server that died while it spoke is none: botocore would read it as an empty one."""
    told = http_response.headers.get("content-length")
    if told is not None and len(http_response.content) != int(told):
        raise ConnectionClosedError(endpoint_url=http_response.url)


def writes(calls: Calls) -> Calls:
    """Those that change something."""
    return Counter({name: count for name, count in calls.items() if name.startswith(("Create", "Update", "Delete"))})
