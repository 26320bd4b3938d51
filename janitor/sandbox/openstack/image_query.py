"""The query of a request for the image list: filters, order and page, read as Glance reads them."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from janitor.sandbox.models import OURS, StoredImage
from janitor.sandbox.options import SortDirection
from janitor.sandbox.refusals import Kind, Refusal, Resource

_DEFAULT_LIMIT = 25
_SORT_KEYS = ("name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at")
_VISIBILITIES = ("community", "public", "private", "shared", "all")
_MEMBER_STATUSES = ("pending", "accepted", "rejected", "all")
_LISTS = ("name", "id", "status", "container_format", "disk_format")
_TIMES = ("created_at", "updated_at")
_ATTRIBUTES = ("id", "name", "status", "size", "disk_format", "owner", "visibility", "protected", "min_disk", "min_ram")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}

Wanted = Callable[[StoredImage], bool]


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """One request for a page. `order` holds the sort keys, each with its direction; none is by creation.

    `direction` is that of the order by creation, or None if nothing was requested.
    """

    limit: int
    marker: str | None
    wanted: Wanted
    order: Sequence[tuple[str, SortDirection]]
    direction: SortDirection | None


def read_query(pairs: Iterable[tuple[str, str]]) -> ImageQuery:
    """The query of a request. Raises Refusal for what Glance does not understand."""
    asked: dict[str, list[str]] = {}
    for name, value in pairs:
        asked.setdefault(name, []).append(value)
    limit = _limit(asked.pop("limit", [str(_DEFAULT_LIMIT)])[-1])
    marker = asked.pop("marker", [None])[-1]
    keys, directions = _sorting(asked)
    tests = tuple(_tests(asked))
    order = tuple(zip(keys, directions * (len(keys) if len(directions) == 1 else 1), strict=True))
    by_creation = keys in ([], ["created_at"])
    return ImageQuery(
        limit,
        marker,
        lambda image: all(test(image) for test in tests),
        () if by_creation else order,
        directions[0] if directions else None,
    )


def ordered(images: Iterable[StoredImage], order: Sequence[tuple[str, SortDirection]]) -> list[StoredImage]:
    """The images by these keys, then by creation and id in the direction of the first."""
    ordered = list(images)
    for key, direction in reversed((*order, ("created_at", order[0][1]), ("id", order[0][1]))):
        ordered.sort(key=lambda image: _sort_key(image, key), reverse=direction is SortDirection.DESC)
    return ordered


def _sort_key(image: StoredImage, key: str) -> tuple[bool, Any]:
    value = _attribute(image, key)
    return value is not None, value


def _attribute(image: StoredImage, name: str) -> Any:
    """An attribute of Glance, or a custom property."""
    if name in (*_ATTRIBUTES, *_TIMES):
        return getattr(image, name)
    return "bare" if name == "container_format" else image.properties.get(name)


def _bad(message: str) -> NoReturn:
    raise Refusal(Kind.MALFORMED, Resource.IMAGE, message)


def _limit(text: str) -> int:
    try:
        limit = int(text)
    except ValueError:
        _bad("limit param must be an integer")
    if limit < 0:
        _bad("limit param must be positive")
    return limit


def _sorting(asked: dict[str, list[str]]) -> tuple[list[str], list[SortDirection]]:
    """The sort keys, and as many directions, or one for all, or none if no key has one."""
    keys, directions = asked.pop("sort_key", []), asked.pop("sort_dir", [])
    if both := asked.pop("sort", []):
        if keys or directions:
            _bad("Old and new sorting syntax cannot be combined")
        parts = [part.partition(":") for part in both[-1].split(",")]
        keys, directions = [part[0] for part in parts], [part[2] or "desc" for part in parts]
    keys, directions = [key.strip() for key in keys], [direction.strip() for direction in directions]
    if wrong := [key for key in keys if key not in _SORT_KEYS]:
        _bad(f"Invalid sort key: {wrong[0]}. It must be one of the following: {', '.join(_SORT_KEYS)}.")
    if wrong := [direction for direction in directions if direction not in ("asc", "desc")]:
        _bad(f"Invalid sort direction: {wrong[0]}")
    if len(directions) > 1 and len(directions) != len(keys):
        _bad("Number of sort dirs does not match the number of sort keys")
    if keys and not directions:
        directions = ["desc"]
    return keys, [SortDirection(direction) for direction in directions]


def _tests(asked: dict[str, list[str]]) -> Iterator[Wanted]:
    """The tests that an image must pass to be listed; killed ones never do."""
    yield lambda image: image.status not in ("killed", "deleted")
    hidden = _truth("os_hidden", asked.pop("os_hidden", ["false"])[-1].lower())
    yield lambda image: image.hidden is hidden
    yield _seen(asked.pop("visibility", [""])[-1], asked.pop("member_status", ["accepted"])[-1])
    tags = {tag.strip() for tag in asked.pop("tag", [])}
    yield lambda image: tags <= set(image.tags)
    for name, values in asked.items():
        yield _filter(name, values[-1])


def _truth(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        _bad(f"Invalid value '{text}' for '{name}' filter. Valid values are 'true' or 'false'.")
    return text == "true"


def _seen(visibility: str, member_status: str) -> Wanted:
    """The images that a plain member sees: others' community images only on request, shared ones by member status."""
    if visibility and visibility not in _VISIBILITIES:
        _bad(f"Invalid visibility value: {visibility}")
    if member_status not in _MEMBER_STATUSES:
        _bad(f"Invalid status: {member_status}")

    def seen(image: StoredImage) -> bool:
        ours = image.owner == OURS
        if visibility not in ("", "all", image.visibility):
            return False
        if image.visibility == "community":
            return ours or bool(visibility)
        as_member = image.visibility == "shared" and image.members.get(OURS)
        return ours or image.is_public or bool(as_member and member_status in ("all", as_member))

    return seen


def _filter(name: str, value: str) -> Wanted:
    if name == "protected":
        protected = _truth(name, value)
        return lambda image: image.protected is protected
    if name.endswith(("_min", "_max")):
        return _range(name[:-4], operator.ge if name.endswith("_min") else operator.le, value)
    if name in _TIMES:
        return _time(name, value)
    if name in _LISTS:
        return _one_of(name, value)
    return lambda image: _text(_attribute(image, name)) == value


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _range(name: str, holds: Callable[[Any, Any], bool], value: str) -> Wanted:
    try:
        bound = int(value)
    except ValueError:
        _bad("Unable to filter on a range with a non-numeric value.")

    def within(image: StoredImage) -> bool:
        known = _attribute(image, name)
        return known is not None and holds(known, bound)

    return within


def _time(name: str, value: str) -> Wanted:
    word, colon, rest = value.partition(":")
    word, text = (word, rest) if colon and word in _OPERATORS else ("eq", value)
    try:
        bound = datetime.fromisoformat(text)
    except ValueError:
        _bad(f'Bad "{name}" query filter format. Use ISO 8601 DateTime notation.')
    bound = bound if bound.tzinfo else bound.replace(tzinfo=UTC)
    return lambda image: _OPERATORS[word](_attribute(image, name).replace(microsecond=0), bound)


def _one_of(name: str, value: str) -> Wanted:
    word, colon, rest = value.partition(":")
    if colon and word not in ("eq", "in"):
        _bad(f"Unable to filter by unknown operator '{word}'.")
    listed = [part.strip('"') for part in rest.split(",")] if word == "in" and colon else [rest if colon else value]
    return lambda image: _attribute(image, name) in listed
