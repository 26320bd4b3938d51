"""Records of the log as JSON, one object a line, for whatever collects logs.

Everything outside ASCII is escaped, so that nothing in a line controls a terminal or ends the line.
"""

import json
import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from janitor.clock import utc_now
from janitor.core.units import iso

_OURS = "janitor"
_EVENT = re.compile(r"([\w*][\w*-]*)(?=[ :]|$)")
_CONVERSION = re.compile(r"(?:(\w+)=)?%(?:%|[-#0 +]*[\d.]*[a-zA-Z])")
_PLAIN = (int, float, type(None))


def json_line(record: logging.LogRecord, redacted: Callable[[str], str], trace: str | None) -> str:
    """A record as one line of JSON, with every text in it redacted; `trace` is the traceback of its error, if any.

    `event` is the name with which the message of every record of ours begins, and `fields` are the values that the
    message gives names; a library's record has neither.
    """
    message = redacted(record.getMessage())
    event = _EVENT.match(message) if record.name.partition(".")[0] == _OURS else None
    fields = {name: _plain(value, redacted) for name, value in _named(record)} if event else {}
    at = datetime.fromtimestamp(record.created, UTC)
    head = {"time": iso(at), "level": record.levelname.lower(), "logger": record.name}
    return _line(head | {"event": event and event[1], "message": message}, fields=fields, exception=trace)


def said_line(message: str, level: str, redacted: Callable[[str], str], trace: str | None) -> str:
    """What a command says on stderr beside its log, such as its error, as a line of the same kind; it is no event."""
    head = {"time": iso(utc_now()), "level": level, "logger": _OURS}
    return _line(head | {"event": None, "message": redacted(message)}, exception=trace)


def _line(always: Mapping[str, object], **where_given: object) -> str:
    return json.dumps({**always, **{key: value for key, value in where_given.items() if value}})


def _named(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """The values of a record that its template gives names, as in `run=%d`."""
    given = iter(record.args) if isinstance(record.args, tuple) else iter(())
    for found in _CONVERSION.finditer(str(record.msg)):
        if found[0] != "%%":
            value = next(given, None)
            if found[1]:
                yield found[1], value


def _plain(value: object, redacted: Callable[[str], str]) -> object:
    """A value as JSON holds it: a number as a number, unless it is a secret."""
    text = redacted(str(value))
    plain = isinstance(value, _PLAIN) and not (isinstance(value, float) and not math.isfinite(value))
    return value if plain and text == str(value) else text
