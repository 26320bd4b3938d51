"""Images and decisions as rows and back: every value is stored as SQLite can hold it, and read back unchanged."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.units import iso_or_none
from janitor.store.columns import DECISION, IMAGE, Column, Kind

Row = tuple[Any, ...]
_Conversion = Callable[[Any], Any]
_Conversions = Sequence[tuple[int, _Conversion]]
"""Which values of a row are converted, by their positions."""

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
# Most images have the same properties as others of their family, so these are shared in memory, too.
_decode = lru_cache(maxsize=10_000)(json.loads)
_parse = datetime.fromisoformat


def instant(text: str) -> datetime:
    """An instant that `iso` wrote."""
    return _parse(text)


def instant_or_none(text: str | None) -> datetime | None:
    """`instant`, or None without a text."""
    return None if text is None else _parse(text)


def facts_of(image: Image) -> Row:
    """An image without its id, in the order of the columns of an image."""
    return _converted(values_in(image), _IMAGE_WRITTEN)


def values_of(facts: Iterable[Any]) -> Row:
    """The values from which `facts_of` made a row, in the same order.

    Rows are compared with images by these: reading a row takes a third of the time of writing one.
    """
    return _converted(facts, _IMAGE_READ)


def image_of(image_id: str, facts: Iterable[Any]) -> Image:
    """The image from which `facts_of` made a row."""
    return Image(image_id, *_converted(facts, _IMAGE_READ))


def decision_row(decision: Decision) -> Row:
    """A decision without its image, in the order of the columns of a decision."""
    return _converted(_decided(decision), _DECISION_WRITTEN)


def same_decision(decision: Decision, row: Iterable[Any]) -> bool:
    """Whether a row was made from this decision."""
    return _decided(decision) == _converted(row, _DECISION_COMPARED)


def decision_of(image: Image, row: Iterable[Any]) -> Decision:
    """The decision from which `decision_row` made a row."""
    return Decision(image, *_converted(row, _DECISION_READ))


def _converted(values: Iterable[Any], conversions: _Conversions) -> Row:
    row = list(values)
    for place, convert in conversions:
        row[place] = convert(row[place])
    return tuple(row)


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _number(flag: bool | None) -> int | None:
    return None if flag is None else int(flag)


def _json(mapping: Mapping[str, str] | None) -> str | None:
    return None if mapping is None else _encode(dict(mapping))


def _mapping(text: str | None) -> Mapping[str, str] | None:
    return None if text is None else _decode(text)


def _notes_json(notes: Mapping[str, str]) -> str | None:
    return _json(notes or None)


def _notes(text: str | None) -> Mapping[str, str]:
    return _decode(text) if text else {}


def _tags_json(tags: tuple[str, ...] | None) -> str | None:
    """NULL for no tags, as most images have; `null` for unreadable ones."""
    return None if tags == () else json.dumps(tags, ensure_ascii=False)


def _tags(text: str | None) -> tuple[str, ...] | None:
    return () if text is None else _read_tags(text)


@lru_cache(maxsize=10_000)
def _read_tags(text: str) -> tuple[str, ...] | None:
    tags = json.loads(text)
    return None if tags is None else tuple(tags)


_WRITERS: Mapping[Kind, _Conversion] = {
    Kind.FLAG: int,
    Kind.OPTIONAL_FLAG: _number,
    Kind.INSTANT: iso_or_none,
    Kind.MAPPING: _json,
    Kind.NOTES: _notes_json,
    Kind.TAGS: _tags_json,
    Kind.VERDICT: attrgetter("value"),
    Kind.REASON: attrgetter("value"),
}
_WORDS: Mapping[Kind, _Conversion] = {Kind.VERDICT: Verdict, Kind.REASON: Reason}
_READERS: Mapping[Kind, _Conversion] = {
    Kind.FLAG: bool,
    Kind.OPTIONAL_FLAG: _flag,
    Kind.INSTANT: instant_or_none,
    Kind.MAPPING: _mapping,
    Kind.NOTES: _notes,
    Kind.TAGS: _tags,
}
"""How the values of a kind are read; values of other kinds are unchanged. The members of an enum equal their texts."""


def _of(columns: Sequence[Column], by_kind: Mapping[Kind, _Conversion]) -> _Conversions:
    return [(place, by_kind[column.kind]) for place, column in enumerate(columns) if column.kind in by_kind]


_IMAGE_WRITTEN, _IMAGE_READ = _of(IMAGE, _WRITERS), _of(IMAGE, _READERS)
_DECISION_WRITTEN, _DECISION_COMPARED = _of(DECISION, _WRITERS), _of(DECISION, _READERS)
_DECISION_READ = _of(DECISION, {**_READERS, **_WORDS})

values_in: Callable[[Image], Row] = attrgetter(*(column.name for column in IMAGE))
"""The values of an image without its id, as `values_of` gives them."""

_decided: Callable[[Decision], Row] = attrgetter(*(column.name for column in DECISION))
