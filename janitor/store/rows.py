"""Images as rows and back: every value as SQLite can hold it, and exactly the same again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.units import iso_or_none

Row = tuple[Any, ...]

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
# Most images share their properties with others of their family, and so they share them in memory, too.
_decode = lru_cache(maxsize=10_000)(json.loads)
_parse = datetime.fromisoformat


def instant(text: str) -> datetime:
    """An instant that `iso` wrote."""
    return _parse(text)


def instant_or_none(text: str | None) -> datetime | None:
    """`instant`, where there is one."""
    return None if text is None else _parse(text)


def facts_of(image: Image) -> Row:
    """An image without its id, in the order of the columns of `image_facts`."""
    return (
        image.name,
        image.status,
        int(image.public),
        int(image.protected),
        iso_or_none(image.created_at),
        iso_or_none(image.updated_at),
        image.size,
        image.disk_format,
        image.min_disk,
        image.min_ram,
        _json(image.properties),
        int(image.owned),
        image.visibility,
        image.owner,
        image.os_hidden if image.os_hidden is None else int(image.os_hidden),
        _tags_json(image.tags),
        _json(image.unreadable or None),
    )


def values_of(facts: Sequence[Any]) -> Row:
    """The values that `facts_of` was given, in the same order.

    Rows are compared with images by these: reading a row takes a third of the time of writing one.
    """
    name, status, public, protected, created, updated, size, disk_format, min_disk, min_ram, properties, *more = facts
    owned, visibility, owner, os_hidden, tags, unreadable = more
    return (
        name,
        status,
        bool(public),
        bool(protected),
        instant_or_none(created),
        instant_or_none(updated),
        size,
        disk_format,
        min_disk,
        min_ram,
        None if properties is None else _decode(properties),
        bool(owned),
        visibility,
        owner,
        os_hidden if os_hidden is None else bool(os_hidden),
        () if tags is None else _tags(tags),
        _decode(unreadable) if unreadable else {},
    )


values_in = attrgetter(*(field.name for field in fields(Image) if field.name != "id"))
"""The values of an image without its id, as `values_of` gives them."""


def image_of(image_id: str, facts: Sequence[Any]) -> Image:
    """The image that `facts_of` was given."""
    return Image(image_id, *values_of(facts))


def _json(mapping: Mapping[str, str] | None) -> str | None:
    return None if mapping is None else _encode(dict(mapping))


def _tags_json(tags: tuple[str, ...] | None) -> str | None:
    """NULL for no tags, which is what most images have; `null` where they could not be read."""
    return None if tags == () else json.dumps(tags, ensure_ascii=False)


@lru_cache(maxsize=10_000)
def _tags(text: str) -> tuple[str, ...] | None:
    tags = json.loads(text)
    return None if tags is None else tuple(tags)


def decision_row(decision: Decision) -> Row:
    """A decision without its image, in the order of the columns of `decisions`."""
    return (
        decision.verdict.value,
        decision.policy,
        decision.reason.value,
        decision.detail,
        iso_or_none(decision.due),
    )


def same_decision(decision: Decision, row: Sequence[Any]) -> bool:
    """Whether it is the decision that `decision_row` was given."""
    return (
        decision.detail == row[3]
        and decision.reason == row[2]
        and decision.policy == row[1]
        and decision.verdict == row[0]
        and decision.due == instant_or_none(row[4])
    )


def decision_of(image: Image, row: Sequence[Any]) -> Decision:
    """The decision that `decision_row` was given."""
    verdict, policy, reason, detail, due = row
    return Decision(image, Verdict(verdict), policy, Reason(reason), detail, instant_or_none(due))
