"""Retention: the `keep` of a policy, and what it protects, whatever its age."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import assert_never

from janitor.core.decision import Reason
from janitor.core.image import Image, Status
from janitor.expressions import Budget, Expression, Undecided


class Period(StrEnum):
    """A calendar bucket of `keep`."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"

    @property
    def reason(self) -> Reason:
        """The reason code of an image that this bucket keeps."""
        return Reason(f"kept-{self.value}")


_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""What stands for a character that could not be read: half a surrogate pair, whichever it was."""


@dataclass(frozen=True, slots=True)
class Family:
    """How a policy's images are divided into families. `policy`: all are one.

    `name:/…/`: by the one group of an expression searched for in the name. `property:KEY`: by its value.
    """

    text: str
    expression: Expression | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError, with a message fit for people, for a regular expression that does not compile."""
        kind, _, rest = self.text.partition(":")
        object.__setattr__(self, "expression", Expression(rest[1:-1]) if kind == "name" else None)

    def of(self, image: Image, budget: Budget | None = None) -> str | None:
        """The family of an image, or None if it has none. Raises Undecided, and what `check_stop` does.

        A text that could not be read in full tells no family: two that differ may look the same.
        """
        kind, _, rest = self.text.partition(":")
        if self.expression is None and kind != "property":
            return ""
        text = image.name if self.expression is not None else (image.properties or {}).get(rest)
        if text is None or _UNREADABLE in text:
            return None
        return text if self.expression is None else self.expression.first_group_in(text, budget)


@dataclass(frozen=True, slots=True)
class Keep:
    """What a policy protects in each family, whatever its age. Counts of 0 protect nothing."""

    per: Family
    newest: int = 0
    periods: tuple[tuple[Period, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """Why the `keep` of a policy protects an image."""

    reason: Reason
    detail: str


def kept_by(
    keep: Keep, images: Iterable[Image], now: datetime, zone: tzinfo, family_of: Callable[[Image, Keep], str | None]
) -> dict[str, Kept]:
    """What `keep` protects among the images that one policy owns in one target, by image id.

    Counted family by family, newest first, ties by id; days, weeks, months and years are those of `zone`. An image
    without a family is kept, and counts in none. `family_of` gives the family of an image there, or raises Undecided.
    """
    families, kept = _families(keep, images, now, family_of)
    for family, members in families.items():
        kept |= _kept_in_family(keep, family, members, zone)
    return kept


def _families(
    keep: Keep, images: Iterable[Image], now: datetime, family_of: Callable[[Image, Keep], str | None]
) -> tuple[dict[str, list[Image]], dict[str, Kept]]:
    """The images that take a place in each family, and those that are kept as they have none."""
    kept: dict[str, Kept] = {}
    families: dict[str, list[Image]] = {}
    for image in images:
        try:
            family = family_of(image, keep)
        except Undecided as undecided:
            kept[image.id] = Kept(Reason.NO_FAMILY, f"its family is unknown: {undecided} name")
            continue
        if family is None:
            kept[image.id] = Kept(Reason.NO_FAMILY, f"{keep.per.text} finds no family for it")
        elif _takes_a_place(image, now):
            families.setdefault(family, []).append(image)
    return families, kept


@dataclass(frozen=True, slots=True)
class Bucket:
    """A calendar bucket in which an image was created: `2026-11-08`, the `place`-th of its family counted from now.

    `kept` is how many buckets of the period are kept, and `last` whether the image is the last one of this bucket.
    """

    period: Period
    name: str
    place: int
    kept: int
    last: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an image in its family: its rank, newest first, among `size` images, of which `newest` stay."""

    family: str
    rank: int
    size: int
    newest: int
    buckets: tuple[Bucket, ...] = ()


def place_of(
    image: Image,
    keep: Keep,
    images: Iterable[Image],
    now: datetime,
    zone: tzinfo,
    family_of: Callable[[Image, Keep], str | None],
) -> Place | None:
    """The place that one of these images takes in its family, by the rules of `kept_by`; None where it takes none."""
    for family, members in _families(keep, images, now, family_of)[0].items():
        newest_first = _newest_first(members)
        ids = [member.id for member in newest_first]
        if image.id in ids:
            buckets = (_bucket_of(image, newest_first, period, count, zone) for period, count in keep.periods if count)
            return Place(family, ids.index(image.id) + 1, len(ids), keep.newest, tuple(buckets))
    return None


def _bucket_of(image: Image, newest_first: Sequence[Image], period: Period, count: int, zone: tzinfo) -> Bucket:
    name = _bucket(_created(image).astimezone(zone), period)
    last = _last_of_each(newest_first, period, len(newest_first), zone)
    place = next(place for place, (_, bucket) in enumerate(last, start=1) if bucket == name)
    return Bucket(period, name, place, count, last[place - 1][0].id == image.id)


def _takes_a_place(image: Image, now: datetime) -> bool:
    """Only an active image of the target's own with a plausible date: any other would displace a good one."""
    dated = image.created_at is not None and image.created_at <= now
    return dated and image.owned and image.status == Status.ACTIVE and image.unseen is None


def _kept_in_family(keep: Keep, family: str, members: list[Image], zone: tzinfo) -> dict[str, Kept]:
    newest_first = _newest_first(members)
    of_family = f" of family {family}" if family else ""
    kept: dict[str, Kept] = {}
    for period, count in reversed(keep.periods):
        for image, bucket in _last_of_each(newest_first, period, count, zone):
            detail = f"the last image of {bucket}{of_family}; {period} keeps {count}"
            kept[image.id] = Kept(period.reason, detail)
    for image in newest_first[: keep.newest]:
        kept[image.id] = Kept(Reason.KEPT_NEWEST, f"one of the newest {keep.newest}{of_family}")
    return kept


def _newest_first(members: Iterable[Image]) -> list[Image]:
    return sorted(sorted(members, key=lambda image: image.id), key=_created, reverse=True)


def _created(image: Image) -> datetime:
    assert image.created_at is not None
    return image.created_at


def _last_of_each(newest_first: Iterable[Image], period: Period, count: int, zone: tzinfo) -> list[tuple[Image, str]]:
    """The newest image of each of the last `count` calendar buckets that have one, with the bucket's name."""
    last: dict[str, Image] = {}
    for image in newest_first:
        last.setdefault(_bucket(_created(image).astimezone(zone), period), image)
    return [(image, bucket) for bucket, image in list(last.items())[:count]]


def _bucket(local: datetime, period: Period) -> str:
    match period:
        case Period.DAILY:
            return local.strftime("%Y-%m-%d")
        case Period.WEEKLY:
            return local.strftime("%G-W%V")
        case Period.MONTHLY:
            return local.strftime("%Y-%m")
        case Period.YEARLY:
            return local.strftime("%Y")
        case _:
            assert_never(period)
