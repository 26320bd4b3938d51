"""What an answer of Slack says: accepted, or why not.

Slack says `ok` to a webhook and `{"ok": true, "ts": …}` to its Web API (docs.slack.dev), and whatever else comes may be
a proxy's. Servers like Slack that say otherwise are believed where `slack.accepts: any-2xx` asks for it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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


# A word is all that we repeat of an answer: a proxy's page may quote the address, which is a secret.
_WORD = re.compile(r"[a-z][a-z0-9_]{0,60}")
_HINTS = {
    "channel_not_found": "is the channel right, and is the bot a member?",
    "not_in_channel": "invite the bot to the channel",
    "is_archived": "the channel is archived",
    "channel_is_archived": "the channel is archived",
    "invalid_auth": "the token is not accepted",
    "not_authed": "the token is not accepted",
    "token_revoked": "the token was revoked",
    "token_expired": "the token has expired",
    "account_inactive": "the bot was removed",
    "missing_scope": "the bot lacks a scope: it needs chat:write, and files:write for files",
    "ratelimited": "it kept asking to wait",
    "rate_limited": "it kept asking to wait",
    "no_service": "the webhook was removed",
    "no_team": "the webhook was removed",
    "invalid_token": "the webhook was removed",
}
_BUSY = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
# What Slack refuses with, whatever status a server puts above it.
_REFUSALS = (
    _HINTS.keys()
    | _BUSY
    | {
        "access_denied",
        "action_prohibited",
        "duplicate_channel_not_found",
        "ekm_access_denied",
        "invalid_arguments",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_charset",
        "invalid_form_data",
        "invalid_payload",
        "invalid_post_type",
        "message_limit_exceeded",
        "missing_post_type",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_active_hooks",
        "no_permission",
        "no_service_id",
        "no_text",
        "not_allowed_token_type",
        "org_login_required",
        "posting_to_general_channel_denied",
        "restricted_action",
        "rollup_error",
        "team_access_not_granted",
        "team_disabled",
        "too_many_attachments",
        "two_factor_setup_required",
        "unknown_method",
        "user_not_found",
    }
)
_AROUND = " \t\r\n"
# Whatever cannot be seen may stand in front of a page.
_PAGE = re.compile(r"[\s\x00-\x20\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff\ufffd]*<")
_PAGE_WITHIN = re.compile(r"<\s*(?:!doctype|html|head|body|title|meta|script|form|iframe)\b", re.IGNORECASE)
_NO_WORDS = "not in Slack's words"
_WAY_OUT = "if this server accepts messages so, slack.accepts: any-2xx lets its answers count"


def problem_of_webhook(status: int, body: bytes, accepts: Accepts) -> Problem | None:
    """Why this answer to a message does not say that it was accepted; None where it does."""
    if status == 200 and body.strip(_AROUND.encode()) == b"ok":
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
    document = _read(body)
    return document if isinstance(document, dict) else None


class _Unreadable:
    """What stands for a body that is no JSON."""


def _read(body: bytes) -> object:
    try:
        return json.loads(body.decode(), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError):
        return _Unreadable()


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands there twice")
    return document


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _otherwise(status: int, body: bytes, accepts: Accepts, *, detailed: bool) -> Problem | None:
    """What to make of an answer that is none of Slack's words of acceptance; only the Web API gives details."""
    if 300 <= status < 400:
        return Problem(f"the answer was {status_words(status)}")
    document, text = _read(body), _text(body)
    word, details = _refusal_in(document, text, accepted=200 <= status < 300)
    if word is not None:
        return _quoted(word, details if detailed else None)
    if not 200 <= status < 300:
        return Problem(f"the answer was HTTP {status}, and {_NO_WORDS}", refused=400 <= status < 500)
    if _is_page(document, text):
        return Problem(f"the answer was HTTP {status} with a page of HTML; look at the URL and the proxy")
    if accepts is Accepts.ANY_2XX and not _says_no(document, text):
        return None
    hint = f": {_WAY_OUT}" if accepts is Accepts.SLACK and not _says_no(document, text) else ""
    return Problem(f"the answer was HTTP {status}, and {_NO_WORDS}{hint}")


def _text(body: bytes) -> str:
    """The body as text, whatever it is, to look for what must not be in it."""
    wide = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    return body.decode("utf-16" if wide else "utf-8", errors="replace").replace("\0", "")


def _is_page(document: object, text: str) -> bool:
    if isinstance(document, str):
        return _PAGE.match(document) is not None
    if not isinstance(document, _Unreadable):
        return False
    return _PAGE.match(text) is not None or _PAGE_WITHIN.search(text) is not None


def _refusal_in(document: object, text: str, *, accepted: bool) -> tuple[str | None, object]:
    """The word of refusal that an answer is or holds, and the details that Slack gave with it; any word where the
    status says that it was not accepted."""
    if isinstance(document, dict) and isinstance(document.get("error"), str) and document.get("ok") is not True:
        metadata = document.get("response_metadata")
        details = metadata.get("messages") if isinstance(metadata, dict) else None
        word = document["error"].strip()
        return (word, details) if _WORD.fullmatch(word) else (None, None)
    texts = [text] if isinstance(document, _Unreadable) else [one for one in _within(document) if isinstance(one, str)]
    words = [one.strip(f'{_AROUND}\ufeff"').lower() for one in texts]
    word = next((word for word in words if word in _REFUSALS), None)
    if word is None and not accepted and isinstance(document, _Unreadable) and _WORD.fullmatch(words[0]):
        word = words[0]
    return word, None


def _within(value: object) -> Iterator[object]:
    """A JSON value and all that stands in it, however deep."""
    found = [value]
    while found:
        one = found.pop()
        yield one
        found += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()


def _says_no(document: object, text: str) -> bool:
    """Whether JSON says anything but yes where it says so at all, or is cut off or contradicts itself."""
    if isinstance(document, _Unreadable):
        return text.strip(f"{_AROUND}\ufeff")[:1] in ("{", "[", '"')
    return document is False or any(_denies(part) for part in _within(document) if isinstance(part, dict))


def _denies(said: dict[str, Any]) -> bool:
    return bool(said.get("error")) or any(said.get(key, True) is not True for key in ("ok", "success"))


def _quoted(word: str, details: object) -> Problem:
    hint = f" ({_HINTS[word]})" if word in _HINTS else ""
    more = f": {'; '.join(str(detail) for detail in details)[:300]}" if isinstance(details, list) and details else ""
    return Problem(f'it said "{word}"{hint}{more}', refused=word not in _BUSY)
