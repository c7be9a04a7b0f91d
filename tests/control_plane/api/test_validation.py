from typing import Any

import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.api.errors import BadRequest
from control_plane.api.service_model import service_model
from control_plane.api.validation import Violation, check, refuse
from tests.control_plane import specs
from tests.control_plane.shapes import spec_shape, values

ROUTE = {"httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": [{"virtualNode": "n", "weight": 1}]}}}
TARGET = "httpRoute.action.weightedTargets[0]"
KINDS = ["Mesh", "VirtualNode", "VirtualService", "VirtualRouter", "Route", "VirtualGateway", "GatewayRoute"]


def violations(shape: str, value: object) -> list[str]:
    """What is wrong with a value, in words."""
    found: list[Violation] = []
    check(service_model().shape_for(shape), value, "", found)
    return [str(violation) for violation in found]


def target(**members: Any) -> dict[str, Any]:
    """A route whose one target has these members."""
    return {"httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": [members]}}}


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        pytest.param("RouteSpec", [], "body: must be an object, not []", id="list for object"),
        pytest.param("RouteSpec", target(weight=1), f"{TARGET}.virtualNode: is required", id="required"),
        pytest.param(
            "RouteSpec",
            target(virtualNode="n", weight=101),
            f"{TARGET}.weight: must be at most 100, is 101",
            id="number above max",
        ),
        pytest.param(
            "RouteSpec",
            target(virtualNode="n", weight=-1),
            f"{TARGET}.weight: must be at least 0, is -1",
            id="number below min",
        ),
        pytest.param(
            "RouteSpec",
            target(virtualNode="n", weight="1"),
            f"{TARGET}.weight: must be a whole number, not '1'",
            id="string for number",
        ),
        pytest.param(
            "RouteSpec",
            target(virtualNode="n", weight=1.0),
            f"{TARGET}.weight: must be a whole number, not 1.0",
            id="float for number",
        ),
        pytest.param(
            "RouteSpec",
            target(virtualNode="n", weight=True),
            f"{TARGET}.weight: must be a whole number, not True",
            id="bool for number",
        ),
        pytest.param(
            "RouteSpec",
            target(virtualNode="n" * 256, weight=1),
            f"{TARGET}.virtualNode: must have at most 255 characters, has 256",
            id="string too long",
        ),
        pytest.param(
            "RouteSpec",
            target(virtualNode="", weight=1),
            f"{TARGET}.virtualNode: must have at least 1 characters, has 0",
            id="string too short",
        ),
        pytest.param(
            "RouteSpec",
            target(virtualNode=7, weight=1),
            f"{TARGET}.virtualNode: must be a string, not 7",
            id="number for string",
        ),
        pytest.param(
            "RouteSpec",
            target(virtualNode="a\0b", weight=1),
            f"{TARGET}.virtualNode: must be valid Unicode without NUL",
            id="NUL",
        ),
        pytest.param(
            "RouteSpec",
            target(virtualNode="\ud800", weight=1),
            f"{TARGET}.virtualNode: must be valid Unicode without NUL",
            id="half a surrogate pair",
        ),
        pytest.param("WeightedTargets", [], ": must have at least 1 items, has 0", id="list too short"),
        pytest.param(
            "WeightedTargets",
            [{"virtualNode": "n", "weight": 1}] * 11,
            ": must have at most 10 items, has 11",
            id="list too long",
        ),
        pytest.param("WeightedTargets", {}, ": must be a list, not {}", id="object for list"),
        pytest.param("PortProtocol", "udp", ": must be one of http, tcp, http2, grpc; is 'udp'", id="not in the enum"),
        pytest.param("PortNumber", 70000, ": must be at most 65535, is 70000", id="port above max"),
        pytest.param("Boolean", "true", ": must be true or false, not 'true'", id="string for bool"),
        pytest.param("MaxConnections", 2**31, ": must fit into 32 bits", id="integer of more than 32 bits"),
        pytest.param("Long", -(2**63) - 1, ": must fit into 64 bits", id="long of more than 64 bits"),
        pytest.param(
            "AwsCloudMapInstanceAttributeKey", "a b", ": must match ^[a-zA-Z0-9!-~]+$; is 'a b'", id="pattern"
        ),
        pytest.param(
            "ServiceDiscovery",
            {},
            ": must have exactly one of awsCloudMap, dns; has none",
            id="union without a member",
        ),
        pytest.param(
            "ServiceDiscovery",
            {"dns": {"hostname": "h"}, "awsCloudMap": {"namespaceName": "n", "serviceName": "s"}},
            ": must have exactly one of awsCloudMap, dns; has awsCloudMap, dns",
            id="union with two members",
        ),
    ],
)
def test_each_constraint_of_the_model_is_checked(shape, value, expected):
    """A violation says where it is, what is expected and what was found."""
    assert violations(shape, value) == [expected]


def test_all_violations_are_found_at_once():
    """The caller need not mend one mistake after the other."""
    spec = target(virtualNode="", weight=101) | {"priority": 1001}
    assert [text.partition(":")[0] for text in violations("RouteSpec", spec)] == [
        "httpRoute.action.weightedTargets[0].virtualNode",
        "httpRoute.action.weightedTargets[0].weight",
        "priority",
    ]


def test_null_and_unknown_members_are_left_out():
    """What is null counts as absent, what is unknown as not said."""
    found: list[Violation] = []
    clean = check(spec_shape("Route"), ROUTE | {"tcpRoute": None, "colour": "red"}, "spec", found)
    assert (clean, found) == (ROUTE, [])


def test_a_message_stays_short_whatever_is_sent():
    """Neither a huge value nor a thousand mistakes make a huge answer."""
    listeners = [specs.listener(port=0, protocol="x" * 10_000)] * 1000
    found: list[Violation] = []
    check(spec_shape("VirtualNode"), {"listeners": listeners}, "spec", found)
    with pytest.raises(BadRequest, match=r"^2000 validation errors detected: .*; and 1980 more$") as refused:
        refuse(found)
    assert len(refused.value.message) < 5000


@settings(max_examples=60)
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_whatever_the_model_allows_is_allowed(kind, data):
    """Values made from a shape pass its checks, and come out as they went in."""
    spec = data.draw(values(spec_shape(kind)))
    found: list[Violation] = []
    assert check(spec_shape(kind), spec, "spec", found) == spec
    assert found == []


_WORDS = ("listeners", "portMapping", "port", "protocol", "dns", "hostname", "httpRoute", "match", "action", "x")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200)
@given(kind=st.sampled_from(KINDS), value=_JSON)
def test_what_botocore_refuses_is_refused(kind, value):
    """Our checks are at least as strict as the client's own, and never crash."""
    found: list[Violation] = []
    clean = check(spec_shape(kind), value, "spec", found)
    if not found:
        assert not ParamValidator().validate(clean, spec_shape(kind)).has_errors()
