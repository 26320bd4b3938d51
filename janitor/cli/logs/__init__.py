"""Logging to stderr: event names and fields, as text or as JSON, with every configured secret redacted."""

import logging
import os
import sys
import textwrap
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from janitor.cli.logs.json_lines import json_line, said_line
from janitor.cli.streams import LogFormat
from janitor.escaping import visible, visible_lines
from janitor.redaction import FOUND_OUT, Redaction

if TYPE_CHECKING:
    from logging import _SysExcInfoType

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_OTHERS = ("httpx", "httpcore", "slack_sdk", "apscheduler", "uvicorn", "asyncio", "stamina")
_LOOPING = ("janitor.monitoring.http_face", "uvicorn", "asyncio")
_NARROWEST, _USUAL_WIDTH = 40, 80
_MINUTE = 60.0
_MOST_KINDS = 1000


class _OneLine(logging.Formatter):
    """Formats a record as one line, with secrets redacted and foreign words escaped; a traceback has its own lines."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._redaction = Redaction(*secrets)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - the library's name
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # cached by another handler, without escaping
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        record.message = visible(self.redacted(record.message))
        return super().formatMessage(record)

    def formatException(self, ei: "_SysExcInfoType | tuple[None, None, None]") -> str:  # noqa: N802 - the library's name
        return "" if ei[1] is None else self.traceback(ei[1])

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the library's name
        return visible_lines(self.redacted(stack_info))

    def traceback(self, error: BaseException) -> str:
        """The traceback of an error, where the message of each error on the way is one line."""
        messages = {said for each in _chain(error) for said in traceback.format_exception_only(each)}
        rows: list[str] = []
        for part in map(str, traceback.format_exception(error)):
            text = self.redacted(part.removesuffix("\n"))
            rows += [text] if part in messages else text.split("\n")
        return "\n".join(map(visible, rows))

    def redacted(self, text: str) -> str:
        """A text without secrets."""
        return FOUND_OUT(self._redaction(text))

    def said(self, message: str, level: str, error: BaseException | None) -> str:  # noqa: ARG002 - text has no levels
        """What a command says on stderr, with the traceback of an error that is a bug."""
        shown = _for_terminal(visible_lines(message))
        return shown if error is None else f"{self.traceback(error)}\n{shown}"


class _JsonLine(_OneLine):
    """Formats a record as one line of JSON, with secrets redacted."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        return json_line(record, self.redacted, None if error is None else self.traceback(error))

    def said(self, message: str, level: str, error: BaseException | None) -> str:
        """The same as an object."""
        return said_line(message, level, self.redacted, None if error is None else self.traceback(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and all that a traceback shows of it: its causes, and the members of a group."""
    pending, seen = [error], set[int]()
    while pending:
        each = pending.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            pending += [other for other in (each.__cause__, each.__context__) if other is not None]
            pending += each.exceptions if isinstance(each, BaseExceptionGroup) else ()


class _AboveTheBar(logging.StreamHandler[TextIO]):
    """Writes lines to stderr; while a progress bar is drawn, above it."""

    show: Callable[[str], None] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.show is None:
            super().emit(record)
            return
        try:
            self.show(self.format(record))
        except Exception:  # noqa: BLE001 - as the library's handlers do
            self.handleError(record)


class OncePerMinute(logging.Filter):
    """Lets through one warning a minute of each kind from loggers that serve strangers; the next says how many more.

    A kind is a logger and a message. `clock` is monotonic, in seconds.
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


class ToldByUs(logging.Filter):
    """Leaves out what libraries say each second or with a traceback while PostgreSQL is away: `janitor.fleet` says it.

    These are psycopg's own lines, and Procrastinate's errors of its connection.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written."""
        if _is_of(record.name, "psycopg"):
            return False
        error = record.exc_info[1] if record.exc_info else None
        return not (_is_of(record.name, "procrastinate") and type(error).__name__ == "ConnectorException")


def _is_of(logger: str, name: str) -> bool:
    return logger == name or logger.startswith(f"{name}.")


def configure_logging(verbose: int, secrets: Iterable[str] = (), form: LogFormat = LogFormat.TEXT) -> None:
    """Log to stderr from WARNING on, INFO with one `verbose`, DEBUG with two; of libraries only warnings.

    The libraries' own lines name URLs, and an appkey is part of a URL.
    """
    handler = _AboveTheBar()
    handler.setFormatter(_FORMATTERS[form](secrets))
    handler.addFilter(OncePerMinute())
    handler.addFilter(ToldByUs())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("janitor").setLevel(_LEVELS[min(verbose, len(_LEVELS) - 1)])
    for name in _OTHERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _for_terminal(text: str) -> str:
    """The lines of a text folded at blanks where stderr is a terminal; elsewhere, and a word longer than it, whole."""
    if not sys.stderr.isatty():
        return text
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    width = columns if columns >= _NARROWEST else _USUAL_WIDTH
    return "\n".join(row for line in text.split("\n") for row in _folded(line, width))


def _folded(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())] + "  "
    folder = textwrap.TextWrapper(width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return folder.wrap(line) or [line]


_FORMATTERS = {LogFormat.TEXT: _OneLine, LogFormat.JSON: _JsonLine}


def traceback_of(error: BaseException) -> str:
    """The traceback of an error as the log would write it."""
    return next(_formatters(), _OneLine()).traceback(error)


def said(message: str, level: str = "info", error: BaseException | None = None) -> str:
    """What a command says on stderr beside its log, in the format of the log; with `error`, a bug, its traceback."""
    return next(_formatters(), _OneLine()).said(message, level, error)


def _formatters() -> Iterator[_OneLine]:
    return (h.formatter for h in logging.getLogger().handlers if isinstance(h.formatter, _OneLine))


@contextmanager
def lines_shown_by(show: Callable[[str], None]) -> Iterator[None]:
    """Within the block, log lines are shown by `show`, which draws on the terminal."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, _AboveTheBar)]
    for handler in handlers:
        handler.show = show
    try:
        yield
    finally:
        for handler in handlers:
            handler.show = None
