"""Frozen values of the core as JSON text, and exactly the same again.

A value is read by the types that its class declares. Every field is written, so that one whose default changes later is
read as it was; a field that the class no longer has is an error, since its meaning would be lost.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from janitor.core.names.owners import OwnerRule
from janitor.core.names.pattern import Pattern
from janitor.core.retention import Family
from janitor.core.units import iso
from janitor.store.rows import instant

T = TypeVar("T")

# ASCII only: SQLite does not accept a lone surrogate, which policies of earlier versions may hold.
_encode = json.JSONEncoder(sort_keys=True).encode
_SCALARS = (str, int, float, bool)
_TEXTS = (Pattern, Family, OwnerRule)  # classes that wrap a text


def to_json(value: object) -> str:
    """A value as JSON text: sets in order, durations as seconds, instants in UTC. Raises ValueError for other kinds."""
    return _encode(_plain(value))


def from_json(kind: type[T], text: str) -> T:
    """The value of this class that `to_json` wrote. Raises ValueError or TypeError for other text."""
    value: T = _read(kind, json.loads(text))
    return value


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case timedelta():
            seconds = value.total_seconds()
            return seconds if value.microseconds else value.days * 86_400 + value.seconds
        case datetime():
            return iso(value)
        case Pattern() | Family() | OwnerRule():
            return value.text
        case tuple():
            return [_plain(item) for item in value]
        case frozenset():
            return sorted(_plain(item) for item in value)
    if not is_dataclass(value):
        raise ValueError(f"{type(value).__name__} cannot be written as JSON")
    return {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.init}


def _read(kind: Any, plain: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _read_optional(kind, plain)
    if origin is tuple:
        return _read_tuple(get_args(kind), plain)
    if origin is frozenset:
        return frozenset(_read(get_args(kind)[0], item) for item in _checked(list, plain))
    if kind is timedelta:
        return timedelta(seconds=plain)
    if kind is datetime:
        return instant(plain)
    if kind in _TEXTS or issubclass(kind, StrEnum):
        return kind(_checked(str, plain))
    if kind in _SCALARS:
        return _checked(kind, plain)
    return _read_fields(kind, plain)


def _read_optional(kind: Any, plain: Any) -> Any:
    [present] = [each for each in get_args(kind) if each is not NoneType]
    return None if plain is None else _read(present, plain)


def _read_tuple(kinds: tuple[Any, ...], plain: Any) -> tuple[Any, ...]:
    items = _checked(list, plain)
    if kinds[-1] is Ellipsis:
        return tuple(_read(kinds[0], item) for item in items)
    return tuple(_read(kind, item) for kind, item in zip(kinds, items, strict=True))


def _read_fields(kind: Any, plain: Any) -> Any:
    hints = _hints(kind)
    given = _checked(dict, plain)
    if unknown := given.keys() - hints.keys():
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return kind(**{name: _read(hints[name], value) for name, value in given.items()})


@lru_cache
def _hints(kind: type) -> Mapping[str, Any]:
    """The types of the fields of a class."""
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind) if each.init}


def _checked(kind: type[T], plain: Any) -> T:
    if type(plain) is not kind:
        raise ValueError(f"{plain!r} is not a {kind.__name__}")
    return plain
