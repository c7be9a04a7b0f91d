"""What gRPC's own clients are told: applications that read xDS themselves (`xds:///SERVICE`) and have no proxy.

Such a client asks for a listener by the name that it calls, `SERVICE` or `SERVICE:PORT`, and goes on to routes and
clusters from there. It knows fewer sorts of cluster than Envoy, and refuses any other:
https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md
"""

from collections.abc import Iterator

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.api_listener_pb2 import ApiListener
from envoy.config.listener.v3.listener_pb2 import Listener

from control_plane.xds.compile import filters, names
from control_plane.xds.compile.backends import Backends
from control_plane.xds.snapshot import Kind, Resource


def listeners(backends: Backends, recording: filters.Recording) -> Iterator[Resource]:
    """A listener that nobody listens at for each name of each service."""
    for port, services in sorted(backends.http.items()):
        manager = filters.http("egress", names.egress_routes(port), recording).typed_config
        for domain in [domain for service in services for domain in service.domains]:
            listener = Listener(name=domain, api_listener=ApiListener(api_listener=manager))
            yield Resource.of(Kind.LISTENER, domain, listener)


def cluster(made: Resource) -> Resource:
    """The cluster as these clients know it: found by DNS is found by DNS, all addresses at once or not."""
    message = Cluster.FromString(made.body)
    if message.type != Cluster.STRICT_DNS:
        return made
    message.type = Cluster.LOGICAL_DNS
    return Resource.of(Kind.CLUSTER, made.name, message)
