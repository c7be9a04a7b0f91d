"""Drift: what somebody else changed in App Mesh, and the annotation that says what becomes of it."""

from collections.abc import Mapping
from enum import StrEnum

ANNOTATION = "meshwright.dev/drift"


class DriftPolicy(StrEnum):
    """What to do about drift in what a resource owns; what the annotation says."""

    REPAIR = "repair"
    """Look, and put right what differs."""
    IGNORE = "ignore"
    """Do not look. The next change of the resource may still overwrite what was changed by hand."""


def ignores_drift(annotations: Mapping[str, str]) -> bool:
    """Whether drift is left alone. An annotation that cannot be read does not protect it."""
    return annotations.get(ANNOTATION) == DriftPolicy.IGNORE
