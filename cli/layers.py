"""Where each part of a drawing goes: services, routers, routes and nodes in columns, with few crossings. Pure.

The method is Sugiyama's. Parts stand in columns; an edge that passes a column on its way has a place of its own there
(a bend), so that it never runs behind a part. Order within a column comes from the neighbours' order, and height from
the neighbours' height. The same graph always gets the same places.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from cli.graphs import Edge, Graph, Vertex

COLUMNS = ("service", "router", "route", "node")
"""From left to right, by the sort of what stands there."""
ROW = 48.0
"""What a part takes of its column."""
BEND = 20.0
"""What an edge takes that passes."""
_SWEEPS = 8


@dataclass(frozen=True)
class Place:
    """A column, and how far down, in the unit of `ROW`; the highest place of a drawing is at 0."""

    column: int
    y: float


@dataclass(frozen=True)
class Layout:
    """Places of vertices, and of the bends of each edge from its source to its target."""

    vertices: tuple[tuple[Vertex, Place], ...]
    edges: tuple[tuple[Edge, tuple[Place, ...]], ...]

    @property
    def height(self) -> float:
        """How far down the lowest place is."""
        bends = (place.y for _, places in self.edges for place in places)
        return max((*(place.y for _, place in self.vertices), *bends), default=0.0)


@dataclass(frozen=True)
class _Bend:
    edge: Edge
    column: int


_Part = str | _Bend


def layout(drawn: Graph) -> Layout:
    """Places for all of it."""
    column = {each.id: COLUMNS.index(each.sort) for each in drawn.vertices}
    columns: list[list[_Part]] = [[] for _ in COLUMNS]
    for vertex in drawn.vertices:
        columns[column[vertex.id]].append(vertex.id)
    neighbours: dict[_Part, list[_Part]] = {each.id: [] for each in drawn.vertices}
    bends: dict[Edge, list[_Bend]] = {}
    for edge in drawn.edges:
        bends[edge] = [_Bend(edge, each) for each in _between(column[edge.source], column[edge.target])]
        chain: list[_Part] = [edge.source, *bends[edge], edge.target]
        for bend in bends[edge]:
            columns[bend.column].append(bend)
            neighbours[bend] = []
        for one, other in pairwise(chain):
            neighbours[one].append(other)
            neighbours[other].append(one)
    ordered = _ordered(columns, neighbours)
    heights = _heights(ordered, neighbours)
    top = min(heights.values(), default=0.0)
    return Layout(
        tuple((each, Place(column[each.id], heights[each.id] - top)) for each in drawn.vertices),
        tuple((edge, tuple(Place(each.column, heights[each] - top) for each in of)) for edge, of in bends.items()),
    )


def _between(source: int, target: int) -> Iterable[int]:
    """The columns that an edge passes, in its direction."""
    return range(source + 1, target) if source < target else range(source - 1, target, -1)


def _ordered(columns: Sequence[list[_Part]], neighbours: dict[_Part, list[_Part]]) -> list[list[_Part]]:
    """Each column by the mean place of its neighbours, swept from the left and from the right in turn."""
    ordered = [list(each) for each in columns]
    position = {part: float(place) for column in ordered for place, part in enumerate(column)}
    column_of = {part: number for number, column in enumerate(ordered) for part in column}
    for sweep in range(_SWEEPS):
        forwards = sweep % 2 == 0
        for number in range(len(ordered)) if forwards else reversed(range(len(ordered))):
            before = number - 1 if forwards else number + 1
            means = {
                part: fmean(seen)
                if (seen := [position[each] for each in neighbours[part] if column_of[each] == before])
                else position[part]
                for part in ordered[number]
            }
            ordered[number].sort(key=means.__getitem__)  # keeps the order of what has one mean
            position.update({part: float(place) for place, part in enumerate(ordered[number])})
    return ordered


def _heights(columns: Sequence[Sequence[_Part]], neighbours: dict[_Part, list[_Part]]) -> dict[_Part, float]:
    """Each part near the middle of its neighbours, as far as order and distance leave it room."""
    heights: dict[_Part, float] = {}
    for column in columns:
        heights.update(_apart(column, dict.fromkeys(column, 0.0)))
    for _ in range(_SWEEPS):
        for column in columns:
            wished = {
                part: fmean(heights[each] for each in neighbours[part]) if neighbours[part] else heights[part]
                for part in column
            }
            heights.update(_apart(column, wished))
    return heights


def _apart(column: Sequence[_Part], wished: dict[_Part, float]) -> dict[_Part, float]:
    """The heights nearest to those wished for that keep the order and the distances.

    With the least distances taken off, this is a fit by a sequence that never falls: neighbours that would change
    places are pooled at their mean.
    """
    offsets: list[float] = []
    for number, part in enumerate(column):
        before = offsets[-1] + (_size(column[number - 1]) + _size(part)) / 2 if number else 0.0
        offsets.append(before)
    pools: list[tuple[float, int]] = []
    for part, offset in zip(column, offsets, strict=True):
        mean, count = wished[part] - offset, 1
        while pools and pools[-1][0] > mean:
            other, others = pools.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        pools.append((mean, count))
    fitted = [mean for mean, count in pools for _ in range(count)]
    return {part: height + offset for part, height, offset in zip(column, fitted, offsets, strict=True)}


def _size(part: _Part) -> float:
    return BEND if isinstance(part, _Bend) else ROW
