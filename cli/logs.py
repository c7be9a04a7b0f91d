"""Logs of every process: structured, one line an event, JSON unless a person is looking."""

import logging
import os
import sys

import structlog

from cli import tracing
from cli.settings import Settings

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(settings: Settings, process: str) -> None:
    """Set up logging for this process; lines of libraries look the same. `process` is bound to each line.

    Our own lines do not go through the library's machinery, which takes them twice as long: each request has one.
    """
    people = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    level = LEVELS[settings.log_level]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        *_tracing(),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if people else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=_NamedLogger,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("botocore", "urllib3", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    structlog.contextvars.bind_contextvars(process=process)


class _NamedLogger(structlog.WriteLogger):
    """Writes whole lines to standard error; knows its name, as a line says whose it is."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name


def only_warnings() -> None:
    """For a command that answers: what it prints is the answer, and warnings go to standard error."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _tracing() -> list[structlog.typing.Processor]:
    """What adds the id of the trace, where there are traces."""
    if not tracing.wanted(os.environ):
        return []
    from cli.spans import with_trace_id

    return [with_trace_id]
