"""Documents that nobody meant: whatever JSON and YAML can say, and what was right until a part of it was replaced."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["", "prod", "a.b", "/", "2020-01-01", "shop", "http"])
)
KEYS = st.text(max_size=5) | st.sampled_from(["name", "spec", "metadata", "routes", "port"])
YAML_KEYS = KEYS | st.integers() | st.booleans() | st.none()


def anything(keys: st.SearchStrategy[Any] = KEYS) -> st.SearchStrategy[Any]:
    """Any document with such names of fields."""
    return st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
    )


@st.composite
def spoiled(draw: st.DrawFn, whole: st.SearchStrategy[Any], by: st.SearchStrategy[Any]) -> Any:
    """A document of `whole`, of which one part, at any depth, is something of `by`."""
    document = [deepcopy(draw(whole))]
    place: Any = document
    step: Any = 0
    while isinstance(place[step], dict | list) and place[step] and draw(st.integers(0, 3)):
        place = place[step]
        step = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[step] = draw(by)
    return document[0]
