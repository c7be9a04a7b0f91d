"""Traces by OpenTelemetry: off unless its standard variables name a receiver, and then nothing of it is imported.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) turns them on; all other `OTEL_...` variables of
the SDK and of the OTLP exporter over HTTP have their usual meaning.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cli.settings import SettingsError

if TYPE_CHECKING:
    from cli.spans import Spans

# xds-protos brings an older copy of OpenTelemetry's messages to the very paths of opentelemetry-proto, and what is
# installed last is what Python finds.
MENDED_BY = (
    "After the other packages, run: pip install --force-reinstall --no-deps --require-hashes -r requirements-last.txt"
)
RECEIVERS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces."""
    off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return not off and any(environment.get(name) for name in RECEIVERS)


def start(process: str, environment: Mapping[str, str] = os.environ) -> "Spans | None":
    """What makes spans in this process; None when nobody asks for them.

    Raises SettingsError where the installed packages cannot send them.
    """
    if not wanted(environment):
        return None
    try:
        from cli.spans import Spans
    except ImportError as missing:
        raise SettingsError(f"traces are asked for, and cannot be sent: {missing}. {MENDED_BY}") from missing

    return Spans(process)
