"""What the injector puts into pods, as whoever runs it has set it. Plain data."""

from dataclasses import dataclass
from enum import StrEnum


class Unmatched(StrEnum):
    """What becomes of a pod whose virtual node is in doubt: no VirtualNode matches, or more than one."""

    INJECT = "inject"
    """It gets a sidecar of the likeliest node, which waits until that exists; none where no mesh is known."""
    REFUSE = "refuse"
    """It is refused."""
    PASS = "pass"
    """It gets no sidecar."""


class Flavour(StrEnum):
    """Which sort of image the sidecar is."""

    ENVOY = "envoy"
    """The stock image of Envoy (not the distroless one: probes and hooks need its shell)."""
    AGENT = "agent"
    """The App Mesh agent's image."""


class Tracer(StrEnum):
    """What proxies send their spans to, out of what stock Envoy can do."""

    ZIPKIN = "zipkin"
    """Zipkin, and all that takes its spans (`/api/v2/spans`), as Jaeger does."""
    DATADOG = "datadog"
    """Datadog's agent."""
    XRAY = "xray"
    """The daemon of AWS X-Ray, over UDP."""


@dataclass(frozen=True)
class Tracing:
    """Where spans go. X-Ray's daemon needs an IP address."""

    tracer: Tracer
    host: str
    port: int


@dataclass(frozen=True)
class Configuration:
    """How pods are made part of the mesh."""

    xds_address: str
    """HOST:PORT of the control plane's xDS, as proxies see it."""
    xds_ca: str | None = None
    """Who may sign the control plane's certificate, as PEM; None: plaintext."""
    certificate_secret: str | None = None
    """A Secret of each pod's namespace with the proxy's own `tls.crt` and `tls.key`; `{node}` is the node's name."""
    token_secret: str | None = None
    """A Secret of each pod's namespace with the proxy's `token`; `{node}` is the node's name."""
    by_default: bool = True
    """Whether a pod that says nothing gets a sidecar."""
    mesh: str | None = None
    """The mesh of pods that do not name one and match no VirtualNode."""
    unmatched: Unmatched = Unmatched.INJECT
    native: bool = True
    """Whether the cluster knows sidecar containers."""
    flavour: Flavour = Flavour.ENVOY
    image: str = "envoyproxy/envoy:v1.40.0"
    init_image: str = "meshwright"
    """Our own image, for `meshwright proxy-init`."""
    region: str = "us-west-2"
    """Told to the App Mesh agent."""
    log_level: str = "info"
    cpu_request: str | None = "10m"
    memory_request: str | None = "32Mi"
    cpu_limit: str | None = None
    memory_limit: str | None = None
    ignored_ports: tuple[int, ...] = (22,)
    ignored_ips: tuple[str, ...] = ("169.254.169.254",)
    ipv6: bool = False
    """Whether IPv6 is redirected too."""
    drain_seconds: int = 20
    """How long a proxy without a place of its own in the pod's life goes on after the pod is told to stop."""
    statsd_address: str | None = None
    """IP:PORT where proxies send their statistics (DogStatsD over UDP)."""
    tracing: Tracing | None = None
    stats_tags: bool = False
    """Whether the proxy's statistics carry mesh and node as tags."""
