"""The entries of a JSON list as they were sent: separated without reading them, and read as `json_body` reads them.

msgspec is fast, but takes the last value of a key that an object has twice, which is ambiguous. So what it read counts
only where nothing can have been lost, which `_is_whole` proves; everything else is read by `json_body`.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from janitor.transport.json_body import parse_body

_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder()
_EMPTY = b"[]"
# What msgspec raises for a text that is not JSON, and for one that is nested too deeply.
_NOT_READ = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def split(body: bytes, key: str) -> tuple[bytes, list[bytes]] | None:
    """A body with an empty list in place of the one under this key, and the text of each entry of that list.

    None where the body has no such list, or has to be read as a whole. The body returned still says whether the key, or
    any other, is there twice: its reader has to see `[]` there, or the split does not count.
    """
    try:
        raw = _ENVELOPE.decode(body).get(key)
        if raw is None:
            return None
        entries = _LIST.decode(raw)
    except _NOT_READ:
        return None
    text = bytes(raw)
    return body.replace(text, _EMPTY, 1), [bytes(entry) for entry in entries]


def parsed(text: bytes) -> Any:
    """The value of one entry, exactly as `parse_body` gives it. Raises as that does."""
    try:
        value = _ANY.decode(text)
        if _is_whole(value, text):
            return value
    except _NOT_READ:
        pass
    return parse_body(text)


def _is_whole(value: object, text: bytes) -> bool:
    """Whether the text holds no more than this value: no key was there twice, under any spelling.

    Each string and each key of a text has two quotes, and more where it holds some itself. So a text with as many
    quotes as its value has strings and keys, twice, has nothing that the value lacks.
    """
    return text.count(b'"') == 2 * _strings(value)


def _strings(value: object) -> int:
    """How many strings a value has, keys included."""
    if type(value) is dict:
        return len(value) + _strings_in(value.values())
    return _strings_in(value if type(value) is list else (value,))


def _strings_in(values: Iterable[object]) -> int:
    strings = 0
    for value in values:
        # By the exact type, as the decoder makes no others: this is asked of every value of a large list.
        kind = type(value)
        if kind is str:
            strings += 1
        elif kind is dict or kind is list:
            strings += _strings(value)
    return strings
