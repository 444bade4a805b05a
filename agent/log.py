"""Structured logs: JSON lines under systemd, readable colours on a terminal."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import FilteringBoundLogger


def _import_structlog() -> Any:
    """Import structlog without rich: its optional tracebacks cost a small box 3.5 MB and 60 ms."""
    hidden = "rich" not in sys.modules
    if hidden:
        sys.modules["rich"] = cast("Any", None)
    try:
        import structlog  # noqa: PLC0415
    finally:
        if hidden:
            del sys.modules["rich"]
    return structlog


structlog = _import_structlog()


def configure(level: str = "info", redact: Callable[[str], str] = str) -> None:
    """Send logs to stdout: colours on a terminal, JSON everywhere else. NO_COLOR is respected.

    ``redact`` takes secrets out of every line.
    """
    terminal = sys.stdout.isatty()
    render = (
        structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ)
        if terminal
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            lambda _logger, _method, event: redact(render(_logger, _method, event)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )


def get_logger(**context: Any) -> FilteringBoundLogger:
    """Return a logger that carries ``context`` (``device="supply"``)."""
    return cast("FilteringBoundLogger", structlog.get_logger(**context))
