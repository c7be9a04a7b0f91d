"""A mesh as an SVG: a file of its own, which browsers draw without a script, a font or the network. Pure.

Widths are those of a monospaced font, as text cannot be measured here. Weights stand at the edges of routes.
"""

from itertools import pairwise
from xml.sax.saxutils import escape

from cli.graphs import Edge, Graph, Vertex
from cli.layers import COLUMNS, Layout, Place, layout

_CHARACTER = 7.3
"""Width of one character of 12 pixels; browsers' monospaced fonts have 7.2."""
_BOX = 30.0
_PADDING = 14.0
_GAP = 110.0
"""Between columns; edges and weights are there."""
_MARGIN = 24.0
_HEAD = 40.0
_FOOT = 36.0
_ASIDE = 8.0
"""How far below the middle of a part calls begin and end, so that they meet nothing that leads on."""
_CORNER = {"service": 15.0, "router": 2.0, "route": 6.0, "node": 2.0}
_FILL = {"service": "#dbeafe", "router": "#fef3c7", "route": "#f3f4f6", "node": "#dcfce7"}
_LINE = {"service": "#1d4ed8", "router": "#b45309", "route": "#4b5563", "node": "#15803d"}
_STYLE = """\
  <style>
    text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #111827; }
    .heading { fill: #4b5563; font-weight: bold; }
    .leads, .calls { fill: none; stroke: #4b5563; stroke-width: 1.3; }
    .calls { stroke: #9333ea; stroke-dasharray: 5 4; }
    .weight { text-anchor: middle; stroke: #fff; stroke-width: 4; paint-order: stroke; }
  </style>
  <defs>
    <marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
      <path d="M0 0 8 4 0 8z" fill="#4b5563"/>
    </marker>
    <marker id="call" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
      <path d="M0 0 8 4 0 8z" fill="#9333ea"/>
    </marker>
  </defs>"""

_Point = tuple[float, float]


def svg(drawn: Graph) -> str:
    """Services, routers, routes and nodes in columns; dashed are the calls of nodes, which go back to the left."""
    placed = layout(drawn)
    left, widths = _columns(drawn)
    width, height = left[-1] + widths[-1] + _MARGIN, _HEAD + _BOX + placed.height + 2 * _MARGIN + _FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_number(width)} {_number(height)}"'
        f' width="{_number(width)}" height="{_number(height)}">',
        "  <title>Services, routers, routes and virtual nodes of a mesh</title>",
        _STYLE,
        '  <rect width="100%" height="100%" fill="#fff"/>',
    ]
    lines += [
        f'  <text class="heading" x="{_number(x)}" y="{_number(_MARGIN + 8)}">{heading}</text>'
        for x, heading in zip(left, ("services", "routers", "routes", "nodes"), strict=True)
    ]
    lines += _edges(placed, left, widths)
    lines += [_box(vertex, place, left, widths) for vertex, place in placed.vertices]
    y = height - _MARGIN
    lines += [
        f'  <path class="calls" marker-end="url(#call)" d="M{_number(_MARGIN)} {_number(y - 4)}h36"/>',
        f'  <text x="{_number(_MARGIN + 46)}" y="{_number(y)}">a node calls a service (backend)</text>',
    ]
    return "\n".join([*lines, "</svg>"])


def _columns(drawn: Graph) -> tuple[list[float], list[float]]:
    """Where each column begins, and how wide it is: as its longest label."""
    left, widths = [_MARGIN], []
    for sort in COLUMNS:
        longest = max((len(each.label) for each in drawn.vertices if each.sort == sort), default=0)
        widths.append(max(longest, 8) * _CHARACTER + 2 * _PADDING)
        left.append(left[-1] + widths[-1] + _GAP)
    return left[:-1], widths


def _edges(placed: Layout, left: list[float], widths: list[float]) -> list[str]:
    where = {vertex.id: place for vertex, place in placed.vertices}
    lines: list[str] = []
    weights: list[str] = []
    for edge, bends in placed.edges:
        points = _points(edge, where[edge.source], bends, where[edge.target], left, widths)
        mark = 'class="calls" marker-end="url(#call)"' if edge.calls else 'class="leads" marker-end="url(#end)"'
        lines.append(f'  <path {mark} d="{_curve(points)}"/>')
        if edge.label:
            x, y = ((one + other) / 2 for one, other in zip(points[0], points[-1], strict=True))
            weights.append(f'  <text class="weight" x="{_number(x)}" y="{_number(y + 4)}">{_text(edge.label)}</text>')
    return lines + weights  # no line goes over a weight


def _points(
    edge: Edge, source: Place, bends: tuple[Place, ...], target: Place, left: list[float], widths: list[float]
) -> list[_Point]:
    """From side to side: out of the source, straight through each column on the way, into the target."""

    def side(place: Place, right: bool, aside: float = 0.0) -> _Point:
        return left[place.column] + (widths[place.column] if right else 0.0), _middle(place) + aside

    forwards = source.column < target.column
    aside = _ASIDE if edge.calls else 0.0
    points = [side(source, forwards, aside)]
    for bend in bends:
        points += [side(bend, not forwards), side(bend, forwards)]
    return [*points, side(target, not forwards, aside)]


def _curve(points: list[_Point]) -> str:
    """Level at the columns, bent between them."""
    path = [f"M{_pair(points[0])}"]
    for number, (one, other) in enumerate(pairwise(points)):
        if number % 2:
            path.append(f"L{_pair(other)}")
        else:
            half = (other[0] - one[0]) / 2
            path.append(f"C{_pair((one[0] + half, one[1]))} {_pair((other[0] - half, other[1]))} {_pair(other)}")
    return "".join(path)


def _box(vertex: Vertex, place: Place, left: list[float], widths: list[float]) -> str:
    x, y, width = left[place.column], _middle(place), widths[place.column]
    sort, label = vertex.sort, _text(vertex.label)
    return (
        f'  <g><title>{sort} {label}</title><rect x="{_number(x)}" y="{_number(y - _BOX / 2)}"'
        f' width="{_number(width)}" height="{_number(_BOX)}" rx="{_number(_CORNER[sort])}" fill="{_FILL[sort]}"'
        f' stroke="{_LINE[sort]}"/><text x="{_number(x + _PADDING)}" y="{_number(y + 4)}">{label}</text></g>'
    )


def _middle(place: Place) -> float:
    return _MARGIN + _HEAD + _BOX / 2 + place.y


def _text(label: str) -> str:
    """As XML can hold it: a file may name what no cluster would take."""
    return escape("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in label))


def _pair(point: _Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}"
