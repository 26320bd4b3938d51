"""What in an answer means that nothing was accepted: an error code of Slack, a page, a rejection by any server."""

import json
import re
from collections.abc import Iterator
from typing import Any

from janitor.notify.slack.words import REFUSALS

# Only one word of an answer is repeated: a proxy's page may quote the URL, which is a secret.
_WORD = re.compile(r"[a-z][a-z0-9_]{0,60}")
_WORDS_WITHIN = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_LONGEST_WORDING = 200
_AROUND = " \t\r\n"
# Invisible characters may precede a page.
_PAGE = re.compile(r"[\s\x00-\x20\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff\ufffd]*<")
# Slack's own <https://…>, <@U01> and <!here> are not tags.
_TAG = re.compile(r"<\s*(?:!doctype\b|!--|/?\s*[a-z][a-z0-9-]*(?=[\s/>]|\Z))", re.IGNORECASE)
_PAGE_WITHIN = re.compile(r"<\s*(?:!doctype|html|head|body|title|meta|script|form|iframe)\b", re.IGNORECASE)
_NO = (
    r"error|errors|errored|fail|failed|failure|rejected|refused|denied|invalid|forbidden|unauthorized|unauthorised|"
    r"ko|nok|not[ _-]?ok"
)
_SAYS_NO = re.compile(_NO)
_BEGINS_WITH_NO = re.compile(rf"\W*(?:{_NO})\b", re.IGNORECASE)
_TELLING_HOW_IT_WENT = ("status", "state", "result", "outcome", "type", "code", "statuscode", "status_code")


class Unreadable:
    """Stands for a body that is not JSON."""


def read(body: bytes) -> object:
    """The JSON in a body; Unreadable if it is not JSON, or has a key twice, which is ambiguous."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError):
        return Unreadable()


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is given twice")
    return document


def text_of(body: bytes) -> str:
    """The body as text, whatever it is, to search it for what must not be in it."""
    wide = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    return body.decode("utf-16" if wide else "utf-8", errors="replace").replace("\0", "")


def is_page(document: object, text: str) -> bool:
    """Whether an answer is an HTML page, or holds one."""
    if isinstance(document, Unreadable | str):
        whole = document if isinstance(document, str) else text
        return _PAGE.match(whole) is not None or _TAG.search(whole) is not None
    return any(isinstance(one, str) and _PAGE_WITHIN.search(one) for one in _within(document))


def refusal_in(document: object, text: str, *, accepted: bool) -> tuple[str | None, object]:
    """The error code that an answer is or holds, with Slack's details; any word if the status is not a success."""
    if isinstance(document, dict) and isinstance(document.get("error"), str) and document.get("ok") is not True:
        metadata = document.get("response_metadata")
        details = metadata.get("messages") if isinstance(metadata, dict) else None
        word = document["error"].strip()
        if _WORD.fullmatch(word):
            return word, details
    page = is_page(document, text)
    for one in [text] if isinstance(document, Unreadable) else _within(document):
        # Long text may be our own report, which servers send back, and which may quote a rejection.
        if isinstance(one, str) and not page and (len(one) <= _LONGEST_WORDING or one is text or one is document):
            found = next((word for word in _WORDS_WITHIN.findall(one.lower()) if word in REFUSALS), None)
            if found is not None:
                return found, None
    word = text.strip(f'{_AROUND}\ufeff"').lower()
    alone = not accepted and isinstance(document, Unreadable) and _WORD.fullmatch(word)
    return (word if alone else None), None


def _within(value: object) -> Iterator[object]:
    """A JSON value and all values in it, at any depth."""
    found = [value]
    while found:
        one = found.pop()
        yield one
        found += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()


def denial_in(document: object, text: str) -> str | None:
    """What in an answer is a rejection, in words that complete "the answer was … with"; None if nothing is.

    JSON is a rejection if a key for success has any value but true, or if it is cut off or contradicts itself.
    """
    if isinstance(document, Unreadable) and text.strip(f"{_AROUND}\ufeff")[:1] in ("{", "[", '"'):
        return "JSON that is cut off or contradicts itself"
    if isinstance(document, Unreadable | str):
        begins = _BEGINS_WITH_NO.match(document if isinstance(document, str) else text)
        return "a text that begins like a rejection" if begins else None
    if document is False:
        return "false"
    parts = (part for part in _within(document) if isinstance(part, dict))
    return next((no for part in parts for key, value in part.items() if (no := _no_of(key.lower(), value))), None)


def _no_of(key: str, value: Any) -> str | None:
    if key in ("error", "errors") and value:
        return f'"{key}" in its JSON'
    if key in ("ok", "success") and value is not True:
        return f'"{key}" in its JSON that is not true'
    if key not in _TELLING_HOW_IT_WENT:
        return None
    if isinstance(value, str) and _SAYS_NO.fullmatch(value.strip().lower()):
        return f'"{key}": "{value.strip().lower()}" in its JSON'
    if isinstance(value, int) and 400 <= value < 600:
        return f'"{key}": {value} in its JSON'
    return None
