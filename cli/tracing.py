"""Traces by OpenTelemetry: off unless its standard variables name a receiver, and then nothing of it is imported.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) turns them on; all other `OTEL_...` variables of
the SDK and of the OTLP exporter over HTTP have their usual meaning.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.spans import Spans

RECEIVERS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces."""
    off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return not off and any(environment.get(name) for name in RECEIVERS)


def start(process: str, environment: Mapping[str, str] = os.environ) -> "Spans | None":
    """What makes spans in this process; None when nobody asks for them."""
    if not wanted(environment):
        return None
    from cli.spans import Spans

    return Spans(process)
