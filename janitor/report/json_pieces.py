"""JSON exactly as `json.dumps` writes it, in pieces: a long list is never held whole, neither as values nor as text."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice

_AT_ONCE = 50


def json_pieces(value: object) -> Iterator[str]:
    """The text of a value, piece by piece.

    In objects, and in lists of objects, an iterator stands for a list of plain values, which are made as they are
    written. The keys of objects are strings.
    """
    match value:
        case Mapping():
            yield from _object(value)
        case list():
            yield "["
            for index, item in enumerate(value):
                yield ", " if index else ""
                yield from json_pieces(item)
            yield "]"
        case Iterator():
            yield from _rows(value)
        case _:
            yield json.dumps(value)


def _object(members: Mapping[str, object]) -> Iterator[str]:
    yield "{"
    for index, (key, value) in enumerate(members.items()):
        yield f"{', ' if index else ''}{json.dumps(key)}: "
        yield from json_pieces(value)
    yield "}"


def _rows(rows: Iterator[object]) -> Iterator[str]:
    yield "["
    separator = ""
    while some := list(islice(rows, _AT_ONCE)):  # the encoder takes twice as long for one at a time
        yield separator + json.dumps(some)[1:-1]
        separator = ", "
    yield "]"
