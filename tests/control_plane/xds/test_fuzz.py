"""Whatever a proxy says of itself or asks for, it is read or refused: nothing else is raised."""

from contextlib import suppress

import pytest
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.xds.ads import sotw
from control_plane.xds.ads.conversation import metadata_of
from control_plane.xds.ads.staging import Timing
from control_plane.xds.ads.stream import Stream
from control_plane.xds.compile import options_of
from control_plane.xds.proxies import MalformedNodeId, parse
from control_plane.xds.snapshot import Kind
from tests.control_plane.xds.ads.resources import snapshot

IDS = st.text() | st.lists(st.sampled_from(["mesh", "shop", "virtualNode", "web", "", "a#b"]), max_size=6).map("/".join)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.text("0123456789")
FIELDS = st.sampled_from(["capture", "egressPort", "ingressPorts", "ingressAddress", "tcpPorts", "proxyless", "ipv6"])
OPTIONS = st.dictionaries(FIELDS, VALUES | st.dictionaries(st.text("019", max_size=6), VALUES, max_size=3), max_size=4)
REQUESTS = st.builds(
    DiscoveryRequest,
    type_url=st.sampled_from([str(kind) for kind in Kind]) | st.text(),
    response_nonce=st.sampled_from(["", "s-1", "s-2", "s-3"]) | st.text(max_size=4),
    version_info=st.text(max_size=4),
    resource_names=st.lists(st.sampled_from(["*", "a", ""]) | st.text(max_size=4), max_size=5),
    error_detail=st.none() | st.builds(dict, code=st.integers(0, 16), message=st.text(max_size=9)),
)


@given(IDS)
def test_any_node_id_is_read_or_refused(node_id):
    """With its own error."""
    with suppress(MalformedNodeId):
        parse(node_id, "000000000000")


@given(st.dictionaries(st.just("meshwright") | st.text(max_size=4), OPTIONS | VALUES, max_size=2))
def test_any_metadata_is_read_or_refused(metadata):
    """A ValueError is what a stream is refused for."""
    with suppress(ValueError):
        options_of(metadata)


def test_a_port_of_very_many_digits_is_refused():
    """Python cannot make a float of it."""
    with pytest.raises(ValueError, match="egressPort"):
        options_of({"meshwright": {"egressPort": "9" * 400}})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_refused(number):
    """A Struct can hold it."""
    request = DiscoveryRequest()
    request.node.metadata["x"] = number
    with pytest.raises(ValueError, match="number"):
        metadata_of(request.node)


@settings(deadline=None)
@given(st.lists(REQUESTS, max_size=12))
def test_a_stream_takes_any_requests_in(requests):
    """In any order, with any nonce; and goes on sending."""
    stream = Stream(sotw, "s", Timing())
    stream.update(snapshot())
    for now, request in enumerate(requests):
        stream.receive(request, float(now))
        stream.advance(float(now))
