"""Sets up logging for a command: our own events only, as JSON lines or text."""

import logging
import logging.handlers
import sys
from typing import TYPE_CHECKING

from feedback_nlp.core.errors import ConfigError

if TYPE_CHECKING:
    from feedback_nlp.config import LogSettings

LOGGER = "feedback_nlp"


def configure_logs(settings: "LogSettings") -> None:
    """Send our events where the settings say; other libraries' logs, which might quote a comment, go nowhere.

    :raises ConfigError: when the log file cannot be written.
    """
    logger = logging.getLogger(LOGGER)
    logger.handlers.clear()
    logger.propagate = False
    if settings.format == "off":
        logger.addHandler(logging.NullHandler())
        return
    import structlog

    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if settings.file is not None:
        try:
            settings.file.parent.mkdir(parents=True, exist_ok=True)
            handler = logging.handlers.WatchedFileHandler(settings.file, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"operations.log.file {settings.file} cannot be written: {error.strerror}.") from error
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if settings.format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logger.addHandler(handler)
    logger.setLevel(settings.level.upper())
