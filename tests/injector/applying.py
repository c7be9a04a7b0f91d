"""Applies a JSON patch (RFC 6902), as far as the injector uses it."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any


def applied(document: Mapping[str, Any], patch: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A copy of the document with the operations applied.

    Raises:
        KeyError: a path leads nowhere, as the API server would find too.
    """
    result = copy.deepcopy(dict(document))
    for operation in patch:
        assert operation["op"] == "add"
        *steps, last = (step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:])
        place: Any = result
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        value = copy.deepcopy(operation["value"])
        if isinstance(place, list):
            place.insert(len(place) if last == "-" else int(last), value)
        else:
            place[last] = value
    return result
