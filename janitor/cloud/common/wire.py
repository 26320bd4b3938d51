"""Reading single values off the wire: every reader takes anything and gives a typed value, or None for unreadable."""

import json
import re
import sys
from datetime import datetime
from typing import Any

from janitor.core.units import parse_instant
from janitor.transport.json_body import parse_body

_SHOWN = 60
_LARGEST = 2**63 - 1  # what the database can hold
_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def document(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body holds; None for anything else: not JSON, not UTF-8, nested too deeply, not an object.

    An ambiguous value, as of a key that it has twice, is Unreadable, which no reader here takes for a value.
    """
    try:
        parsed = parse_body(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def boolean(value: object) -> bool | None:
    """true, false, "true" or "false"; nothing else is a boolean, however similar."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def integer(value: object) -> int | None:
    """A whole number, as a number or in digits, that the database can hold; a boolean is not a number."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST:
        return value
    return None


def amount(value: object) -> int | None:
    """An integer that is not negative."""
    number = integer(value)
    return None if number is None or number < 0 else number


def instant(value: object) -> datetime | None:
    """A time in one of the documented shapes."""
    return parse_instant(value) if isinstance(value, str) else None


def text(value: object) -> str | None:
    """A string, unchanged."""
    return value if isinstance(value, str) else None


def word(value: object) -> str | None:
    """A string, unchanged; equal ones share one object."""
    return sys.intern(value) if type(value) is str else text(value)


def identifier(value: object) -> str | None:
    """A string that can name something: not blank."""
    return value if isinstance(value, str) and value.strip() else None


def label(value: object) -> str | None:
    """A string, or a number or boolean written as JSON writes it."""
    return json.dumps(value) if isinstance(value, bool | int | float) else text(value)


def whole(value: object) -> str:
    """The value as JSON, the same for the same value."""
    return json.dumps(value, sort_keys=True, default=repr)


def shown(value: object, most: int = _SHOWN) -> str:
    """The value as JSON, cut to so many characters."""
    written = json.dumps(value, ensure_ascii=False, default=repr)
    return written if len(written) <= most else written[: most - 1] + "…"
