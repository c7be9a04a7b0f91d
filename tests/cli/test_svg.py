"""The mesh as an SVG."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from cli.graphs import Edge, Graph, Vertex, graph
from cli.svg import svg
from tests.builders import http_route, virtual_node, virtual_service

SVG = "{http://www.w3.org/2000/svg}"


def drawing(*resources):
    """The document's root."""
    return ElementTree.fromstring(svg(graph(resources)))


def texts(root):
    """All that is written in it."""
    return [each.text for each in root.iter(f"{SVG}text")]


def test_parts_and_weights_are_written():
    """As in the other languages."""
    service = virtual_service("s", "prod", virtualRouter=None, routes=[http_route("r", {"a": 3, "b": 1})])
    written = texts(drawing(service))
    assert {"s", "s-prod", "r", "a", "b", "3", "1"} <= set(written)
    assert written[:4] == ["services", "routers", "routes", "nodes"]


def test_a_call_is_dashed_and_goes_back_to_the_left():
    """It ends where a service is, at its right side."""
    node = virtual_node("a", "prod", backends=[{"virtualService": {"virtualServiceName": "s"}}])
    calls = [each for each in drawing(node).iter(f"{SVG}path") if each.get("class") == "calls"]
    assert len(calls) == 2  # and the one that explains them
    path = calls[0].get("d").replace("C", " ").replace("L", " ").removeprefix("M").split()
    assert float(path[0]) > float(path[-2])


def test_a_mesh_without_anything_is_a_drawing_too():
    """With headings alone."""
    assert len(texts(drawing())) == 5


@given(st.text(), st.text())
def test_any_name_makes_a_document_that_can_be_read(name, weight):
    """Also one that no cluster would take, as files may hold it; nothing of it becomes markup."""
    drawn = Graph(
        (Vertex("route", "route", name), Vertex("node", "node", name)), (Edge("route", "node", weight or "1"),)
    )
    root = ElementTree.fromstring(svg(drawn))
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in name)
    assert texts(root).count(shown or None) >= 2
    assert {each.tag.removeprefix(SVG) for each in root.iter()} == {
        "svg", "title", "style", "defs", "marker", "path", "rect", "text", "g"
    }  # fmt: skip
