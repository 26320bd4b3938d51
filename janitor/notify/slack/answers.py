"""What an answer of Slack means: accepted, or why not.

Slack says `ok` to a webhook and `{"ok": true, "ts": …}` to its Web API (docs.slack.dev), and any other answer may come
from a proxy. Slack-compatible servers that answer differently are believed if `slack.accepts: any-2xx` says so.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from janitor.notify.slack.refusals import denial_in, is_page, read, refusal_in, text_of
from janitor.notify.slack.words import BUSY, HINTS, REFUSALS
from janitor.transport.messages import status_words


class Accepts(StrEnum):
    """Which answers mean that a message was accepted: Slack's own, or any of 2xx except rejections and pages."""

    SLACK = "slack"
    ANY_2XX = "any-2xx"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was not accepted; `refused` if Slack rejected this particular thing. `word` is its error code."""

    text: str
    refused: bool = False
    word: str = ""


_NO_WORDS = "not as Slack answers"
_WAY_OUT = "if this server answers so when it accepts messages, set slack.accepts: any-2xx"


def problem_of_webhook(status: int, body: bytes, accepts: Accepts) -> Problem | None:
    """Why this answer to a message does not mean that it was accepted; None if it does."""
    if status == 200 and body.strip(b" \t\r\n") == b"ok":
        return None
    return _otherwise(status, body, accepts, detailed=False)


def problem_of_api(status: int, body: bytes, accepts: Accepts, *, stamped: bool = True) -> Problem | None:
    """The same for an answer of the Web API. `stamped`: it must have the time stamp of what was accepted.

    `ok` with an `error` contradicts itself, and does not count; a `warning` changes nothing.
    """
    said = document_of(body) or {}
    yes = said.get("ok") is True and not said.get("error")
    if status == 200 and yes and (not stamped or _is_text(said.get("ts"))):
        return None
    return _otherwise(status, body, accepts, detailed=True)


def document_of(body: bytes) -> dict[str, Any] | None:
    """The JSON object in a body; None if it is not one, or has a key twice, which is ambiguous."""
    document = read(body)
    return document if isinstance(document, dict) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _otherwise(status: int, body: bytes, accepts: Accepts, *, detailed: bool) -> Problem | None:
    """The problem in an answer that is not Slack's way of accepting; only the Web API gives details."""
    if 300 <= status < 400:
        return Problem(f"the answer was {status_words(status)}")
    document, text, accepted = read(body), text_of(body), 200 <= status < 300
    word, details = refusal_in(document, text, accepted=accepted)
    if word is not None:
        return _quoted(word, details if detailed else None, status)
    # Slack itself, and compatible servers, send plain words as text/html: the type says nothing about the content.
    page, denial = is_page(document, text), denial_in(document, text)
    told = f"the answer was HTTP {status}"
    if accepts is Accepts.SLACK and not accepted:
        told += f", and {_NO_WORDS}"
    elif page or denial:
        told += " with a page of HTML; look at the URL and the proxy" if page else f" with {denial}"
    elif accepts is Accepts.SLACK:
        told += f", and {_NO_WORDS}: {_WAY_OUT}"
    elif accepted:
        return None
    return Problem(told, refused=400 <= status < 500)


def _quoted(word: str, details: object, status: int) -> Problem:
    """The word of an answer; with its status, if the word is not one of Slack's error codes."""
    hint = f" ({HINTS[word]})" if word in HINTS else ""
    more = f": {'; '.join(str(detail) for detail in details)[:300]}" if isinstance(details, list) and details else ""
    if word in REFUSALS or 200 <= status < 300:
        return Problem(f'it said "{word}"{hint}{more}', refused=word not in BUSY, word=word)
    return Problem(f'the answer was HTTP {status}, and it said "{word}"{more}', 400 <= status < 500, word)
