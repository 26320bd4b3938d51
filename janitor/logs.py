"""Logging to stderr: event names and fields, with every configured secret redacted."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from janitor.redaction import Redaction

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_OTHERS = ("httpx", "httpcore", "slack_sdk", "apscheduler", "uvicorn", "asyncio", "stamina")


class _Blot(logging.Formatter):
    """Formats a record and blots out secrets, wherever in it they stand."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self.redaction = Redaction(*secrets)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - the library's name
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        ours = line.index(record.name) + len(record.name)  # names of loggers are our words
        return line[:ours] + self.redaction(line[ours:])


def configure_logging(verbose: int, secrets: Iterable[str] = ()) -> None:
    """Log to stderr from WARNING on, INFO with one `verbose`, DEBUG with two; of libraries only warnings.

    The libraries' own lines name URLs, and an appkey is part of a URL.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Blot(secrets))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("janitor").setLevel(_LEVELS[min(verbose, len(_LEVELS) - 1)])
    for name in _OTHERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def blot_out(secrets: Iterable[str]) -> None:
    """Show these in no line of the log from now on."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Blot):
            handler.formatter.redaction.add(*secrets)
