"""What an answer of Slack says: accepted, or why not.

Slack says `ok` to a webhook and `{"ok": true, "ts": …}` to its Web API (docs.slack.dev), and whatever else comes may be
a proxy's. Servers like Slack that say otherwise are believed where `slack.accepts: any-2xx` asks for it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from janitor.notify.slack.refusals import denial_in, is_page, read, refusal_in, text_of
from janitor.notify.slack.words import BUSY, HINTS, REFUSALS
from janitor.transport.messages import status_words


class Accepts(StrEnum):
    """Which answers say that a message was accepted: Slack's own, or any of 2xx that is no refusal and no page."""

    SLACK = "slack"
    ANY_2XX = "any-2xx"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was not accepted; `refused` where it was this very thing that Slack did not want."""

    text: str
    refused: bool = False


_NO_WORDS = "not as Slack answers"
_WAY_OUT = "if this server answers so when it accepts messages, set slack.accepts: any-2xx"


def problem_of_webhook(status: int, body: bytes, accepts: Accepts) -> Problem | None:
    """Why this answer to a message does not say that it was accepted; None where it does."""
    if status == 200 and body.strip(b" \t\r\n") == b"ok":
        return None
    return _otherwise(status, body, accepts, detailed=False)


def problem_of_api(status: int, body: bytes, accepts: Accepts, *, stamped: bool = True) -> Problem | None:
    """The same of an answer of the Web API. `stamped`: it has to say the time stamp of what was accepted.

    A yes beside an `error` contradicts itself, and is none; a `warning` beside it changes nothing.
    """
    said = document_of(body) or {}
    yes = said.get("ok") is True and not said.get("error")
    if status == 200 and yes and (not stamped or _is_text(said.get("ts"))):
        return None
    return _otherwise(status, body, accepts, detailed=True)


def document_of(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body is; None where it is none, or has a key twice, which contradicts itself."""
    document = read(body)
    return document if isinstance(document, dict) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _otherwise(status: int, body: bytes, accepts: Accepts, *, detailed: bool) -> Problem | None:
    """What to make of an answer that is none of Slack's words of acceptance; only the Web API gives details."""
    if 300 <= status < 400:
        return Problem(f"the answer was {status_words(status)}")
    document, text, accepted = read(body), text_of(body), 200 <= status < 300
    word, details = refusal_in(document, text, accepted=accepted)
    if word is not None:
        return _quoted(word, details if detailed else None, status)
    # Slack itself, and who does as it does, calls words text/html: the type says nothing of what came.
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
    """The word of an answer; with its status, where the word is none that Slack refuses with."""
    hint = f" ({HINTS[word]})" if word in HINTS else ""
    more = f": {'; '.join(str(detail) for detail in details)[:300]}" if isinstance(details, list) and details else ""
    if word in REFUSALS or 200 <= status < 300:
        return Problem(f'it said "{word}"{hint}{more}', refused=word not in BUSY)
    return Problem(f'the answer was HTTP {status}, and it said "{word}"{more}', refused=400 <= status < 500)
