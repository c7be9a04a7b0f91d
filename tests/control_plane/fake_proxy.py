"""A proxy over real gRPC that asks for one cluster by name and answers as it is told; no traffic, no Envoy."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest

from control_plane.xds.snapshot import Kind


class FakeProxy:
    """One stream. `refusal`: what it says to the next responses; empty: it accepts them."""

    def __init__(self, stub: Any, node: str, cluster: str) -> None:
        self.refusal = ""
        self.answering = threading.Event()
        """Cleared, it keeps its answers to itself."""
        self.answering.set()
        self._cluster = cluster
        self._requests: queue.Queue[DiscoveryRequest | None] = queue.Queue()
        self._requests.put(self._request(node={"id": node}))
        self._responses = stub.StreamAggregatedResources(iter(self._requests.get, None))
        self._reading = threading.Thread(target=self._answer)
        self._reading.start()

    def close(self) -> None:
        """End the stream."""
        self.answering.set()
        self._responses.cancel()
        self._requests.put(None)
        self._reading.join()

    def _answer(self) -> None:
        accepted = ""
        try:
            for response in self._responses:
                self.answering.wait()
                request = self._request(response_nonce=response.nonce)
                if self.refusal:
                    request.error_detail.message = self.refusal
                else:
                    accepted = response.version_info
                request.version_info = accepted
                self._requests.put(request)
        except grpc.RpcError:
            return

    def _request(self, **members: Any) -> DiscoveryRequest:
        return DiscoveryRequest(type_url=Kind.CLUSTER, resource_names=[self._cluster], **members)


@contextmanager
def connected(port: int, mesh: str, node: str, cluster: str) -> Iterator[FakeProxy]:
    """A proxy of a node for as long as the block lasts."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        proxy = FakeProxy(
            ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel), f"mesh/{mesh}/virtualNode/{node}", cluster
        )
        try:
            yield proxy
        finally:
            proxy.close()
