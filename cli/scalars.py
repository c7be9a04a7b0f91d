"""What an unquoted word of YAML is, to kubectl: go-yaml v2, as `sigs.k8s.io/yaml` brings it to JSON. Pure.

That is neither YAML 1.1 nor 1.2: `yes`, `on` and `y` are truths and `017` is fifteen, as in 1.1; but `12:30` is a
string, `0o17` and `1e3` are numbers, as in 1.2. Checked against version 1.6.0 of that library.
"""

import re
from collections.abc import Mapping

Scalar = None | bool | int | float | str

PREFIX = "tag:yaml.org,2002:"
TAGS: dict[type, str] = {
    type(None): f"{PREFIX}null",
    bool: f"{PREFIX}bool",
    int: f"{PREFIX}int",
    float: f"{PREFIX}float",
    str: f"{PREFIX}str",
}
"""What YAML calls the types of scalars."""

_WORDS: Mapping[str, Scalar] = {
    word: value
    for value, words in (
        (True, ("y", "yes", "true", "on")),
        (False, ("n", "no", "false", "off")),
        (None, ("null",)),
        (float("inf"), (".inf", "+.inf")),
        (float("-inf"), ("-.inf",)),
        (float("nan"), (".nan",)),
    )
    for lower in words
    for word in (lower, lower.upper(), lower.capitalize(), lower.replace("inf", "Inf").replace("nan", "NaN"))
} | {"": None, "~": None}
_WHOLE = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII)
_BASES = (16, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_ASTRAY = re.compile(r"(?<![0-9])_|_(?![0-9])")
"""An underscore that is not between two digits; elsewhere than after a leading point it does not matter."""
_MOST = 2**63


def scalar(text: str) -> Scalar:
    """The value of a plain scalar. A float without a fraction is a whole number, as it is one in Go's JSON."""
    if text in _WORDS:
        return _WORDS[text]
    if not text[0].isascii() or text[0] not in "+-.0123456789":
        return text
    if text[0] == "." and _ASTRAY.search(text):
        return text
    plain = text.replace("_", "")
    if (whole := _whole(plain)) is not None:
        return whole
    if _FLOAT.fullmatch(plain) is None:
        return text
    found = float(plain)
    if found in (float("inf"), float("-inf")):
        return text  # beyond what a float can hold
    return int(found) if found.is_integer() and abs(found) < _MOST else found


def tag_of(text: str) -> str:
    """What a plain scalar is, in YAML's words."""
    return TAGS[type(scalar(text))]


def _whole(plain: str) -> int | None:
    """A whole number of 64 bits, with a sign or without."""
    match = _WHOLE.fullmatch(plain)
    if match is None:
        return None
    sign, *digits = match.groups()
    found = next(int(each, base) for each, base in zip(digits, _BASES, strict=True) if each is not None)
    if sign == "":
        return found if found < 2 * _MOST else None
    found = -found if sign == "-" else found
    return found if -_MOST <= found < _MOST else None
