"""The JSON of an answer; what JSON leaves ambiguous is read as ambiguous, and never one way or the other.

An object that has a key twice is syntactically valid, and the standard library takes the last value; another reader
takes the first (RFC 8259, section 4). `NaN` and the infinities are not JSON.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Unreadable:
    """Stands for the value of a key that an object has more than once, or for an invalid number.

    No reader accepts this type. `said` is the original text.
    """

    __slots__ = ("said",)

    def __init__(self, *said: object) -> None:
        self.said = said

    def __repr__(self) -> str:
        return " and ".join(json.dumps(one, ensure_ascii=False, default=repr) for one in self.said)


def parse(text: str) -> Any:
    """The value of a JSON text, with Unreadable for ambiguous values.

    Raises ValueError for other text, and RecursionError.
    """
    return _DECODER.decode(text)


def parse_body(body: bytes) -> Any:
    """The value of a body that is JSON in UTF-8, with or without a byte order mark. Raises as `parse` does.

    Half a surrogate pair, which is legal JSON but cannot be stored or printed, becomes U+FFFD.
    """
    parsed = parse(body.decode("utf-8-sig"))
    return _without_lone_surrogates(parsed) if _ESCAPED_SURROGATE.search(body) else parsed


def unreadable_in(value: object) -> Iterator[str]:
    """The keys whose values are Unreadable, at any depth."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        key, one = waiting.pop()
        if isinstance(one, Unreadable):
            yield key
        elif isinstance(one, dict):
            waiting += one.items()
        elif isinstance(one, list):
            waiting += ((key, item) for item in one)


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) == len(members):
        return read
    said: dict[str, list[Any]] = {}
    for key, value in members:
        said.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else Unreadable(*values) for key, values in said.items()}


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=Unreadable)


def _without_lone_surrogates(value: Any) -> Any:
    match value:
        case str():
            return _LONE_SURROGATE.sub("\ufffd", value)
        case list():
            return [_without_lone_surrogates(item) for item in value]
        case dict():
            cleaned = ((_LONE_SURROGATE.sub("\ufffd", key), item) for key, item in value.items())
            return _object([(key, _without_lone_surrogates(item)) for key, item in cleaned])
        case Unreadable():
            return Unreadable(*map(_without_lone_surrogates, value.said))
    return value
