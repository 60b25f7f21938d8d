"""How log lines look."""

import logging
import sys
from typing import Literal

import structlog


def configure_logs(form: Literal["text", "json"], level: int = logging.INFO) -> None:
    """Log lines to standard error, as text for people or as JSON for programs."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks without local variables: those hold addresses, tokens and what senders wrote.
    last: structlog.types.Processor = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    if form == "json":
        shared.append(structlog.processors.format_exc_info)
        last = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries: only what is wrong; their request lines would hold secrets of paths.
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(message)s"
    )
    for name in ("httpx", "httpcore", "azure", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
