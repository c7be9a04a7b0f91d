"""Where the parts of a drawing go."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from cli.graphs import Edge, Graph, Vertex
from cli.layers import BEND, COLUMNS, ROW, layout

LEADS = (("service", "router"), ("router", "route"), ("route", "node"), ("service", "node"))


def graph_of(*edges, calls=()):
    """A graph whose vertices are named by the first letters of their sort: service `s1`, router `r1`, node `n1`."""
    sorts = {"s": "service", "r": "router", "t": "route", "n": "node"}
    names = dict.fromkeys(name for pair in (*edges, *calls) for name in pair)
    vertices = tuple(Vertex(name, sorts[name[0]], name) for name in names)
    return Graph(
        vertices, (*(Edge(one, other) for one, other in edges), *(Edge(one, other, calls=True) for one, other in calls))
    )


def crossings(placed):
    """How often two edges cross between two columns."""
    where = {vertex.id: place for vertex, place in placed.vertices}
    pieces = [
        sorted(ends, key=lambda place: place.column)
        for edge, bends in placed.edges
        for ends in pairwise((where[edge.source], *bends, where[edge.target]))
    ]
    return sum(
        one.column == another.column and (one.y - another.y) * (other.y - yet_another.y) < 0
        for (one, other), (another, yet_another) in combinations(pieces, 2)
    )


@st.composite
def graphs(draw):
    """Any few parts, and any of the edges that there can be between them."""
    vertices = [
        Vertex(f"{sort}/{number}", sort, str(number)) for sort in COLUMNS for number in range(draw(st.integers(0, 4)))
    ]
    of = {sort: [each.id for each in vertices if each.sort == sort] for sort in COLUMNS}
    leads = [Edge(one, other) for source, target in LEADS for one in of[source] for other in of[target]]
    calls = [Edge(one, other, calls=True) for one in of["node"] for other in of["service"]]
    some = draw(st.lists(st.sampled_from(leads + calls), unique=True, max_size=12)) if leads + calls else []
    return Graph(tuple(vertices), tuple(some))


@given(graphs())
def test_no_part_stands_on_another_and_no_edge_runs_behind_one(drawn):
    """In each column everything has the room that it takes, and an edge has a bend in every column that it passes."""
    placed = layout(drawn)
    columns: list[list[tuple[float, float]]] = [[] for _ in COLUMNS]
    for vertex, place in placed.vertices:
        assert COLUMNS[place.column] == vertex.sort
        columns[place.column].append((place.y, ROW))
    where = {vertex.id: place.column for vertex, place in placed.vertices}
    for edge, bends in placed.edges:
        chain = [where[edge.source], *(bend.column for bend in bends), where[edge.target]]
        assert all(abs(one - other) == 1 for one, other in pairwise(chain))
        for bend in bends:
            columns[bend.column].append((bend.y, BEND))
    for column in columns:
        for (one, size), (other, next_size) in pairwise(sorted(column)):
            assert other - one >= (size + next_size) / 2 - 1e-6


@given(graphs())
def test_a_drawing_begins_at_the_top_and_is_always_the_same(drawn):
    """So that drawings can be compared."""
    placed = layout(drawn)
    assert placed == layout(drawn)
    heights = [place.y for _, place in placed.vertices] + [bend.y for _, bends in placed.edges for bend in bends]
    assert not heights or (min(heights), max(heights)) == (0.0, placed.height)


def test_an_order_without_crossings_is_found():
    """Routers are mentioned in the other order than their services."""
    drawn = graph_of(("s1", "r2"), ("s2", "r1"), ("r1", "t1"), ("r2", "t2"), ("t1", "n2"), ("t2", "n1"))
    assert crossings(layout(drawn)) == 0


def test_crossings_that_cannot_be_avoided_are_counted():
    """Each of two routes leads to both nodes."""
    assert crossings(layout(graph_of(("t1", "n1"), ("t1", "n2"), ("t2", "n1"), ("t2", "n2")))) == 1


def test_a_chain_is_drawn_straight():
    """Each part is level with what it leads to, whatever stands beside it."""
    drawn = graph_of(("s1", "r1"), ("r1", "t1"), ("t1", "n1"), ("s2", "r2"), ("r2", "t2"), ("t2", "n2"))
    heights = {vertex.id: place.y for vertex, place in layout(drawn).vertices}
    assert [heights[name] for name in ("s1", "r1", "t1", "n1")] == [0.0] * 4
    assert [heights[name] for name in ("s2", "r2", "t2", "n2")] == [ROW] * 4


def test_a_call_passes_routes_and_routers_on_its_way_back():
    """From the nodes' column to the services'."""
    ((_, bends),) = layout(graph_of(calls=[("n1", "s1")])).edges
    assert [bend.column for bend in bends] == [2, 1]
