"""The mesh as a drawing."""

from pathlib import Path

from typer.testing import CliRunner

from cli.graphs import Edge, graph
from cli.main import app
from tests.builders import http_route, listener, virtual_node, virtual_service

EXAMPLES = Path(__file__).parents[2] / "examples"
GOLDEN = Path(__file__).parent / "golden"


def edges(*resources):
    """What leads where, by labels."""
    drawn = graph(resources)
    label = {vertex.id: f"{vertex.sort} {vertex.label}" for vertex in drawn.vertices}
    return [(label[edge.source], label[edge.target], edge.label) for edge in drawn.edges]


def test_a_service_leads_through_its_router_to_its_nodes():
    """With the weights."""
    service = virtual_service("s", "prod", virtualRouter=None, routes=[http_route("r", {"a": 3, "b": 1})])
    assert edges(service) == [
        ("service s", "router s-prod", ""),
        ("router s-prod", "route r", ""),
        ("route r", "node a", "3"),
        ("route r", "node b", "1"),
    ]


def test_a_service_may_be_a_node_and_a_node_call_a_service():
    """A call is drawn otherwise."""
    service = virtual_service(
        "s", "prod", virtualRouter=None, routes=[], provider={"virtualNode": {"virtualNodeName": "a"}}
    )
    node = virtual_node("a", "prod", backends=[{"virtualService": {"virtualServiceName": "s"}}])
    drawn = graph([service, node])
    assert set(drawn.edges) == {
        Edge("node/shop/a-prod", "service/shop/s", calls=True),
        Edge("service/shop/s", "node/shop/a-prod"),
    }


def test_a_full_name_is_the_node_that_it_means():
    """Routes of http2 and grpc may name what App Mesh calls it."""
    route = {"name": "r", "http2": http_route("r", {"a-prod": 1})["http"]}
    service = virtual_service("s", "prod", routes=[route])
    assert ("route r", "node a", "1") in edges(service, virtual_node("a", "prod"))


def test_services_that_share_a_router_meet_there():
    """It is drawn once."""
    router = {"name": "r", "listeners": [listener()]}
    drawn = graph([virtual_service(name, "prod", virtualRouter=router, routes=[]) for name in ("one", "two")])
    assert [vertex.label for vertex in drawn.vertices] == ["one", "r-prod", "two"]


def test_what_makes_no_sense_is_left_out():
    """The rest is drawn."""
    assert edges(virtual_service("s", "prod", meshName=3), {"kind": "Service"}) == []


def test_every_language(golden):
    """Drawn from files, without a cluster."""
    for language, suffix in (("mermaid", "mmd"), ("dot", "dot"), ("svg", "svg")):
        done = CliRunner().invoke(app, ["graph", "-f", str(EXAMPLES / "shop"), "-o", language])
        assert done.exit_code == 0
        golden.check(GOLDEN / f"shop.{suffix}", done.stdout)
