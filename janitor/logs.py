"""Logging to stderr: event names and fields, with every configured secret redacted."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from janitor.redaction import Redaction

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_OTHERS = ("httpx", "httpcore", "slack_sdk", "apscheduler", "uvicorn", "asyncio", "stamina")
_LOOPING = ("janitor.http_face", "uvicorn", "asyncio")
_MINUTE = 60.0
_MOST_KINDS = 1000


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


class OncePerMinute(logging.Filter):
    """Lets a minute pass between two warnings of one kind from what loops for strangers; the next says how many more.

    A kind is a logger and a wording. `clock` is in seconds, and never set back.
    """

    def __init__(self, loggers: Iterable[str] = _LOOPING, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._loggers = tuple(loggers)
        self._clock = clock
        self._since: dict[tuple[str, str], float] = {}
        self._left_out: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written."""
        if record.levelno < logging.WARNING or not any(_is_of(record.name, name) for name in self._loggers):
            return True
        kind = (record.name, str(record.msg).partition("\n")[0])
        with self._lock:
            now = self._clock()
            if now - self._since.get(kind, -_MINUTE) < _MINUTE:
                self._left_out[kind] += 1
                return False
            if len(self._since) >= _MOST_KINDS:
                self._since.clear()
            self._since[kind] = now
            more = self._left_out.pop(kind, 0)
        if more:
            record.msg = f"{record.msg} (and {more} times since the last line of this kind)"
        return True


def _is_of(logger: str, name: str) -> bool:
    return logger == name or logger.startswith(f"{name}.")


def configure_logging(verbose: int, secrets: Iterable[str] = ()) -> None:
    """Log to stderr from WARNING on, INFO with one `verbose`, DEBUG with two; of libraries only warnings.

    The libraries' own lines name URLs, and an appkey is part of a URL.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Blot(secrets))
    handler.addFilter(OncePerMinute())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("janitor").setLevel(_LEVELS[min(verbose, len(_LEVELS) - 1)])
    for name in _OTHERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def blot_out(secrets: Iterable[str]) -> None:
    """Show these in no line of the log from now on."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Blot):
            handler.formatter.redaction.add(*secrets)
