"""What a cluster is kept to: health checks, outlier detection, connection pools, and the protocol it speaks.

A listener says them of itself. Its health check and outlier detection are its callers' to do; its connection pool is
its own proxy's, in front of the application.
"""

from envoy.config.cluster.v3.circuit_breaker_pb2 import CircuitBreakers
from envoy.config.cluster.v3.outlier_detection_pb2 import OutlierDetection
from envoy.config.core.v3.health_check_pb2 import HealthCheck
from envoy.config.core.v3.protocol_pb2 import Http2ProtocolOptions
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions
from envoy.type.v3.http_pb2 import CodecClientType

from control_plane.xds.compile.messages import UNLIMITED, is_header_value, milliseconds, uint32
from control_plane.xds.compile.place import Place

HTTP2_PROTOCOLS = ("http2", "grpc")
HTTP_PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

_THRESHOLDS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
_POOL_LIMITS = {
    "maxConnections": "max_connections",
    "maxPendingRequests": "max_pending_requests",
    "maxRequests": "max_requests",
}


def circuit_breakers(pool: Place | None = None) -> CircuitBreakers:
    """The limits of a connection pool (`{"http": {...}}`); what it does not limit is unlimited."""
    limits = pool.only()[1].value if pool else {}
    given = {_POOL_LIMITS[name]: value for name, value in limits.items()}
    thresholds = {name: uint32(given.get(name, UNLIMITED)) for name in _THRESHOLDS}
    return CircuitBreakers(thresholds=[CircuitBreakers.Thresholds(**thresholds)])


def http2_options() -> HttpProtocolOptions:
    """HTTP/2 from the first byte, without asking."""
    return HttpProtocolOptions(
        explicit_http_config=HttpProtocolOptions.ExplicitHttpConfig(http2_protocol_options=Http2ProtocolOptions())
    )


def health_check(listener: Place, *, with_tls: bool = False) -> HealthCheck | None:
    """How callers find out whether a listener answers; None if it does not say, or if Envoy could not ask.

    `with_tls`: they call it with TLS, and say on the way in what calls speak.
    """
    check = listener.get("healthCheck")
    if check is None:
        return None
    given = check.value
    message = HealthCheck(
        timeout=milliseconds(given["timeoutMillis"]),
        interval=milliseconds(given["intervalMillis"]),
        healthy_threshold=uint32(given["healthyThreshold"]),
        unhealthy_threshold=uint32(given["unhealthyThreshold"]),
    )
    if "port" in given:
        message.alt_port.CopyFrom(uint32(given["port"]))
    protocol = given["protocol"]
    if protocol == "tcp":
        message.tcp_health_check.SetInParent()
    elif protocol == "grpc":
        if listener.value["portMapping"]["protocol"] not in HTTP2_PROTOCOLS:
            check["protocol"].problem("gRPC health checks need a listener that speaks HTTP/2; there is none")
            return None
        message.grpc_health_check.SetInParent()
    else:
        path = given.get("path") or "/"
        if not is_header_value(path):
            check["path"].problem("has control characters, which cannot be sent; there is no health check")
            return None
        message.http_health_check.path = path
        if protocol == "http2":
            message.http_health_check.codec_client_type = CodecClientType.HTTP2
        elif with_tls and listener.value["portMapping"]["protocol"] in HTTP2_PROTOCOLS:
            # Whoever has agreed on HTTP/2 takes nothing else.
            message.tls_options.alpn_protocols.append("http/1.1")
    return message


def outlier_detection(listener: Place) -> OutlierDetection | None:
    """When callers leave out an endpoint for a while: App Mesh counts server errors in a row, and nothing else."""
    place = listener.get("outlierDetection")
    if place is None:
        return None
    interval, ejection = place["interval"].duration(), place["baseEjectionDuration"].duration()
    if interval is None or ejection is None:
        return None
    for name, value in (("interval", interval), ("baseEjectionDuration", ejection)):
        if not value.ToNanoseconds():
            place[name].problem("must be longer than nothing; there is no outlier detection")
            return None
    return OutlierDetection(
        consecutive_5xx=uint32(place.value["maxServerErrors"]),
        interval=interval,
        base_ejection_time=ejection,
        max_ejection_percent=uint32(place.value["maxEjectionPercent"]),
        enforcing_consecutive_5xx=uint32(100),
        enforcing_success_rate=uint32(0),
        enforcing_consecutive_gateway_failure=uint32(0),
    )
