"""A port and what is spoken on it."""

from enum import StrEnum

from resources.base import Model
from resources.fields import Port


class Protocol(StrEnum):
    """What is spoken on a port.

    App Mesh knows no `https`: the sidecars speak TLS for the application, set by a listener's `tls`.
    """

    HTTP = "http"
    HTTP2 = "http2"
    GRPC = "grpc"
    TCP = "tcp"


class PortMapping(Model):
    """A port with its protocol."""

    port: Port
    """Port number."""
    protocol: Protocol
    """Protocol spoken on the port: http, http2, grpc or tcp. TLS is no protocol of its own; see the listener's tls."""


class RouterListener(Model):
    """Where a virtual router takes traffic."""

    port_mapping: PortMapping
    """Port and protocol on which the service is called."""
