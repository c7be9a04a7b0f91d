"""Access logs: a file at the proxy, in Envoy's own format, as text or as JSON.

A format that Envoy cannot read would take the whole listener along, so its commands are looked up here first.
"""

import re
from collections.abc import Iterator

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog
from envoy.config.core.v3.base_pb2 import DataSource
from envoy.config.core.v3.substitution_format_string_pb2 import SubstitutionFormatString
from envoy.extensions.access_loggers.file.v3.file_pb2 import FileAccessLog
from google.protobuf.struct_pb2 import Struct

from control_plane.xds.compile.matches import HEADER_NAME
from control_plane.xds.compile.messages import packed
from control_plane.xds.compile.place import Place

_COMMAND = re.compile(r"%%|%([A-Z0-9_]+)(\([^)]+\))?(:[0-9]+)?%")
# https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
# Those that the last proxies of App Mesh (Envoy 1.29) know too.
_PLAIN_NAMES = """
    ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS
    DOWNSTREAM_DIRECT_LOCAL_ADDRESS DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT
    DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_HANDSHAKE_DURATION DOWNSTREAM_HEADER_BYTES_RECEIVED
    DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_PORT
    DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_CERT_V_END
    DOWNSTREAM_PEER_CERT_V_START DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER
    DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS
    DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_SESSION_ID
    DOWNSTREAM_TLS_VERSION DOWNSTREAM_TRANSPORT_FAILURE_REASON DOWNSTREAM_WIRE_BYTES_RECEIVED
    DOWNSTREAM_WIRE_BYTES_SENT DURATION FILTER_CHAIN_NAME GRPC_STATUS GRPC_STATUS_NUMBER HOSTNAME LOCAL_REPLY_BODY
    PACKETS_RETRANSMITTED PROTOCOL REQUESTED_SERVER_NAME REQUEST_DURATION REQUEST_TX_DURATION RESPONSE_CODE
    RESPONSE_CODE_DETAILS RESPONSE_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_TX_DURATION ROUNDTRIP_DURATION
    ROUTE_NAME START_TIME STREAM_ID TLS_JA3_FINGERPRINT UNIQUE_ID UPSTREAM_CLUSTER UPSTREAM_CONNECTION_ID
    UPSTREAM_HEADER_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST UPSTREAM_LOCAL_ADDRESS
    UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_LOCAL_PORT UPSTREAM_PEER_CERT UPSTREAM_PEER_ISSUER
    UPSTREAM_PEER_SUBJECT UPSTREAM_PEER_URI_SAN UPSTREAM_PROTOCOL UPSTREAM_REMOTE_ADDRESS
    UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_TLS_CIPHER
    UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_VERSION UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_WIRE_BYTES_RECEIVED
    UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME
"""
PLAIN_COMMANDS = frozenset(_PLAIN_NAMES.split())
_HEADER = HEADER_NAME.pattern
_HEADERS = rf"(?:{_HEADER})?(?:\?(?:{_HEADER})?)?"
_TIME = r"(?!.*%[-_0^#]*[1-9]*[EO]?n).+"
_WITH_ARGUMENTS = {
    name: re.compile(rf"\((?:{arguments})\)")
    for name, arguments in {
        **dict.fromkeys(("REQ", "RESP", "TRAILER"), _HEADERS),
        **dict.fromkeys(("START_TIME", "DOWNSTREAM_PEER_CERT_V_START", "DOWNSTREAM_PEER_CERT_V_END"), _TIME),
        **dict.fromkeys(("DYNAMIC_METADATA", "CLUSTER_METADATA", "UPSTREAM_METADATA", "ENVIRONMENT"), ".+"),
        "FILTER_STATE": r"[^:\n]+(?::PLAIN|:TYPED)?",
        "GRPC_STATUS": "CAMEL_STRING|SNAKE_STRING|NUMBER",
    }.items()
}
_SHORTENED = frozenset(("REQ", "RESP", "TRAILER", "DYNAMIC_METADATA", "ENVIRONMENT", "FILTER_STATE"))
_LONGEST_LENGTH = 18
"""In digits: one that Envoy can count."""


def access_logs(spec: Place) -> tuple[AccessLog, ...]:
    """The access logs of a node or gateway; none unless it asks for one."""
    place = spec.get("logging", "accessLog", "file")
    if place is None:
        return ()
    if not place.value["path"] or "\0" in place.value["path"]:
        place["path"].problem("is no path; there is no access log")
        return ()
    log = FileAccessLog(path=place.value["path"])
    given = place.get("format")
    if given and all(_is_readable(text) for text in _texts(given)):
        log.log_format.CopyFrom(_format(given))
    return (AccessLog(name="envoy.access_loggers.file", typed_config=packed(log)),)


def _texts(given: Place) -> Iterator[Place]:
    kind, place = given.only()
    if kind == "text":
        yield place
    else:
        yield from (item["value"] for item in given.items("json"))


def _format(given: Place) -> SubstitutionFormatString:
    kind, place = given.only()
    if kind == "text":
        return SubstitutionFormatString(text_format_source=DataSource(inline_string=place.value))
    members = Struct()
    members.update({item["key"]: item["value"] for item in place.value})
    return SubstitutionFormatString(json_format=members)


def _is_readable(text: Place) -> bool:
    """Whether Envoy can read a format; if not, its own default is used, and the place is told."""
    for name, arguments, length in _COMMAND.findall(text.value):
        if name and not _is_command(name, arguments, length):
            command = f"%{name}{arguments}{length}%"
            text.problem(f"{command!r} is no command of Envoy's that is known here; its default format is used")
            return False
    if "%" in _COMMAND.sub("", text.value):
        text.problem("a % is not part of a command (write %% for a plain one); Envoy's default format is used")
        return False
    return True


def _is_command(name: str, arguments: str, length: str) -> bool:
    if length and (name not in _SHORTENED or len(length) > 1 + _LONGEST_LENGTH):
        return False
    if not arguments:
        return name in PLAIN_COMMANDS
    return name in _WITH_ARGUMENTS and _WITH_ARGUMENTS[name].fullmatch(arguments) is not None
