"""Access logs: where, in which format, and which formats Envoy can read."""

import pytest

from control_plane.xds.compile.access_logs import PLAIN_COMMANDS
from control_plane.xds.snapshot import Kind
from tests.control_plane import specs
from tests.control_plane.xds.compile.meshes import mesh, problems, snapshot_of, told

EXAMPLES = (
    "START_TIME(%s)",
    "START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)",
    "DOWNSTREAM_PEER_CERT_V_END(%s)",
    "REQ(:PATH):9",
    "REQ(X-ENVOY-ORIGINAL-PATH?:PATH)",
    "RESP(server)",
    "TRAILER(a)",
    "DYNAMIC_METADATA(a:b)",
    "UPSTREAM_METADATA(a:b)",
    "CLUSTER_METADATA(a:b)",
    "FILTER_STATE(a:PLAIN):9",
    "ENVIRONMENT(HOME):9",
    "GRPC_STATUS(CAMEL_STRING)",
    "REQ(a):999999999999999999",
)
COMMANDS = sorted(f"%{command}%" for command in (*PLAIN_COMMANDS, *EXAMPLES))


def logging(**members):
    """A mesh whose `front` logs calls like this."""
    return mesh(nodes={"front": specs.node(logging={"accessLog": {"file": {"path": "/dev/stdout", **members}}})})


def log(state, listener="lds_ingress_0.0.0.0_15000"):
    """The access log of a listener, without its type."""
    chain = told(snapshot_of(state), Kind.LISTENER, listener)["filter_chains"][0]
    [found] = chain["filters"][0]["typed_config"]["access_log"]
    return {name: value for name, value in found["typed_config"].items() if name != "@type"}


def test_calls_are_logged_in_both_directions():
    """In Envoy's own format, unless said otherwise."""
    for listener in ("lds_ingress_0.0.0.0_15000", "lds_egress_0.0.0.0_15001"):
        assert log(logging(), listener) == {"path": "/dev/stdout"}


def test_nothing_is_logged_unless_asked_for():
    """As App Mesh."""
    chain = told(snapshot_of(mesh(nodes={"front": specs.node()})), Kind.LISTENER, "lds_ingress_0.0.0.0_15000")
    assert "access_log" not in chain["filter_chains"][0]["filters"][0]["typed_config"]


def test_formats():
    """Text as it is, JSON by key."""
    text = "%START_TIME(%s)% %REQ(:AUTHORITY):20% 100%%\n"
    assert log(logging(format={"text": text}))["log_format"] == {"text_format_source": {"inline_string": text}}
    items = [{"key": "code", "value": "%RESPONSE_CODE%"}, {"key": "app", "value": "shop"}]
    assert log(logging(format={"json": items}))["log_format"] == {
        "json_format": {"code": "%RESPONSE_CODE%", "app": "shop"}
    }


UNREADABLE = (
    *("%NONSENSE%", "50%", "%REQ%", "%PROTOCOL(x)%", "%PROTOCOL:3%", "%lower%", "%LOCAL_REPLY_BODY:9%"),
    *("%REQ(a b)%", "%REQ(a:b)%", "%RESP(a?b?c)%", "%TRAILER(:)%", "%REQ(é)%", "%REQ(a\n)%", "%REQ(a,b)%"),
    *(
        "%START_TIME(%n)%",
        "%START_TIME(\n)%",
        "%REQ(a):99999999999999999999%",
        "%FILTER_STATE(a:b)%",
        "%FILTER_STATE(a\n)%",
    ),
    *("%GRPC_STATUS(b)%", "%DYNAMIC_METADATA(\n)%"),
)


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_format_that_envoy_cannot_read_is_a_problem(text):
    """It would take the whole listener along; its default is used."""
    state = logging(format={"text": text})
    assert "log_format" not in log(state)
    assert problems(snapshot_of(state)) == [("front", "spec.logging.accessLog.file.format.text")]
    state = logging(format={"json": [{"key": "fine", "value": "x"}, {"key": "odd", "value": text}]})
    assert problems(snapshot_of(state)) == [("front", "spec.logging.accessLog.file.format.json[1].value")]


@pytest.mark.parametrize("command", COMMANDS)
def test_known_commands_are_taken(command):
    """That Envoy knows them too is told by `test_envoy`."""
    assert "log_format" in log(logging(format={"text": command}))
