"""Small pieces of protobuf that all messages are made from."""

from envoy.config.core.v3.address_pb2 import Address, SocketAddress
from envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource, ApiVersion, ConfigSource
from envoy.config.listener.v3.listener_pb2 import AdditionalAddress
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import UInt32Value

UNLIMITED = 2**31 - 1
"""App Mesh's value for limits that are none."""

_UINT32 = 2**32 - 1
_MILLISECONDS_PER_SECOND = 1000


def packed(message: Message) -> AnyMessage:
    """The message as an Any; equal messages give equal bytes."""
    envelope = AnyMessage()
    envelope.Pack(message, deterministic=True)
    return envelope


def milliseconds(count: int) -> Duration:
    """A duration."""
    seconds, rest = divmod(count, _MILLISECONDS_PER_SECOND)
    return Duration(seconds=seconds, nanos=rest * 1_000_000)


def uint32(number: int) -> UInt32Value:
    """A number that may be unset; what is larger than Envoy can count is as large as it can."""
    return UInt32Value(value=min(number, _UINT32))


def socket_address(address: str, port: int) -> Address:
    """A TCP address."""
    return Address(socket_address=SocketAddress(address=address, port_value=port))


def also_by_ipv6(port: int) -> AdditionalAddress:
    """A listener's port by IPv6, everywhere; IPv4 is left to the listener's own address."""
    return AdditionalAddress(address=socket_address("::", port))


def is_header_value(text: str) -> bool:
    """Whether this can be sent in a header or a request's first line: Envoy refuses control characters there."""
    return all(each == "\t" or (each >= " " and each != "\x7f") for each in text)


def from_ads() -> ConfigSource:
    """Over the stream that everything comes from."""
    return ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3)
