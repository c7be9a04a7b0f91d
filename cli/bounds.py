"""How much a document of others may hold, before anything of ours walks through it. Pure.

What is nested without end, or aliased until it is huge, would otherwise end in a RecursionError, or not at all.
"""

import re
from typing import Any

DEEPEST = 100
LARGEST = 1_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")


def excess(document: Any) -> str:
    """Why nobody should go on with a document; nothing, where it can be walked through and printed."""
    left = [(document, 1)]
    seen = 0
    while left:
        value, depth = left.pop()
        seen += 1
        if depth > DEEPEST:
            return f"nested deeper than {DEEPEST}"
        if seen > LARGEST:
            return f"more than {LARGEST} values"
        if isinstance(value, str) and _SURROGATE.search(value):
            return "half a character (a surrogate alone)"
        if isinstance(value, dict):
            left += ((each, depth + 1) for item in value.items() for each in item)
        elif isinstance(value, list | tuple | set):
            left += ((each, depth + 1) for each in value)
    return ""
