"""Kubernetes quantities, as in `250m` or `64Mi`: whether a text is one, and how much it is. Pure.

The rules are the API server's (k8s.io/apimachinery, `resource.Quantity`): what it would refuse in a pod has to be
refused here, where the annotation that it came from can be named.
"""

import re
from decimal import Decimal

_FORM = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)}
_LARGEST = Decimal(2**63 - 1)


def parse(text: str) -> Decimal:
    """How much a quantity is, in its base unit (cores, bytes).

    Raises:
        ValueError: it is no quantity, or a negative one, or one that no machine has.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("is not a quantity, such as 250m or 64Mi")
    number, suffix = Decimal(found["number"]), found["suffix"] or ""
    if suffix in _BINARY:
        number *= _BINARY[suffix]
    elif suffix in _DECIMAL:
        number = number.scaleb(_DECIMAL[suffix])
    elif suffix:
        number = number.scaleb(int(suffix[1:]))
    if number > _LARGEST:
        raise ValueError("is more than Kubernetes can count")
    return number
