"""Slack's mrkdwn: foreign text in it is escaped, cannot format, link, mention or notify, and fits its limit."""

import json
import re
from collections.abc import Callable

from janitor.escaping import visible
from janitor.report.wording import shortened

# Marks that format, and emoji names. An underscore within a word, or the colon of a time, is neither.
_ACTING = re.compile(r"[*~`]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|:(?!\d\d?:)[\w+'-]+:")


def escaped(text: str) -> str:
    """The text with the three special characters of mrkdwn escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """Foreign text as inline code, in which nothing formats; a backtick, which would end it, becomes a quote."""
    return f"`{escaped(visible(text).strip().replace('`', chr(39))) or ' '}`"


def inert(text: str) -> str:
    """Foreign text as plain words if nothing in it would format, otherwise as inline code."""
    shown = visible(text)
    return code(shown) if _ACTING.search(shown) else escaped(shown)


def fitted(text: str, limit: int, dress: Callable[[str], str] = inert) -> str:
    """Foreign text in this style, and cut if it would take more than `limit` characters on the wire."""
    length = limit
    while True:
        dressed = dress(shortened(text, length))
        excess = wire_length(dressed) - limit
        if excess <= 0:
            return dressed
        length = min(length - 1, length * limit // (limit + excess))


def wire_length(value: object) -> int:
    """How many characters a value takes as JSON with its escapes, as slack-sdk sends it: the most Slack can count."""
    return len(json.dumps(value))
