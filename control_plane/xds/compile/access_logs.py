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

from control_plane.xds.compile.messages import packed
from control_plane.xds.compile.place import Place

_COMMAND = re.compile(r"%%|%([A-Z0-9_]+)(\([^)]+\))?(:[0-9]+)?%")
# https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
_PLAIN_NAMES = """
    BYTES_RECEIVED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS DOWNSTREAM_DIRECT_LOCAL_ADDRESS
    DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_ADDRESS
    DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN
    DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_CERT_V_END DOWNSTREAM_PEER_CERT_V_START DOWNSTREAM_PEER_FINGERPRINT_1
    DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT
    DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_TLS_CIPHER
    DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION DOWNSTREAM_TRANSPORT_FAILURE_REASON DURATION
    GRPC_STATUS GRPC_STATUS_NUMBER HOSTNAME LOCAL_REPLY_BODY PROTOCOL REQUESTED_SERVER_NAME REQUEST_DURATION
    RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_TX_DURATION
    ROUTE_NAME START_TIME UPSTREAM_CLUSTER UPSTREAM_HOST UPSTREAM_LOCAL_ADDRESS UPSTREAM_PROTOCOL
    UPSTREAM_REMOTE_ADDRESS UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_TRANSPORT_FAILURE_REASON
    UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME
"""
PLAIN_COMMANDS = frozenset(_PLAIN_NAMES.split())
_WITH_ARGUMENTS = frozenset({"REQ", "RESP", "TRAILER", "START_TIME", "DYNAMIC_METADATA", "ENVIRONMENT"})
_SHORTENED = frozenset({"REQ", "RESP", "TRAILER", "LOCAL_REPLY_BODY", "DYNAMIC_METADATA"})


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
        known = not name or name in (_WITH_ARGUMENTS if arguments else PLAIN_COMMANDS)
        if not known or (length and name not in _SHORTENED):
            text.problem(f"Envoy has no command %{name}{arguments}{length}%; its default format is used")
            return False
    if "%" in _COMMAND.sub("", text.value):
        text.problem("a % is not part of a command (write %% for a plain one); Envoy's default format is used")
        return False
    return True
