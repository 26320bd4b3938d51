"""The decision: which images stay, which go, and why. One pure function over values; the caller brings the time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import assert_never

from janitor.model import (
    GONE_STATUSES,
    KNOWN_STATUSES,
    Decision,
    History,
    Image,
    Reason,
    Status,
    Usage,
    Verdict,
)
from janitor.policy import Clock, Expire, Keep, Period, Policy
from janitor.units import format_day, format_duration, format_minute

NEWBORN = timedelta(minutes=10)
"""How long an image is left alone after its creation, whatever the policies say."""


def decide(
    images: Iterable[Image],
    policies: Sequence[Policy],
    usage: Usage,
    history: Mapping[str, History],
    now: datetime,
    *,
    target: str,
    zone: tzinfo,
) -> list[Decision]:
    """Decide once on every image of a target: the guards first, then the first policy that matches it.

    `now` is aware. `history` is by image id; an image without one is judged by no clock that needs it. `zone` is where
    the calendar of `keep` is cut. The decisions come oldest image first, undated ones before all, ties by id, whatever
    the order of `images`. Nothing is mutated.
    """
    ordered = sorted(images, key=_age)
    owners = [_owner_of(image, policies, target) for image in ordered]
    kept = _kept(zip(ordered, owners, strict=True), now, zone)
    return [
        _guarded(image, usage, now) or _ruled(image, owner, kept.get(image.id), history.get(image.id), now)
        for image, owner in zip(ordered, owners, strict=True)
    ]


def _age(image: Image) -> tuple[datetime, str]:
    return (image.created_at or datetime.min.replace(tzinfo=UTC), image.id)


# --- guards -----------------------------------------------------------------------------------------------------------


def _guarded(image: Image, usage: Usage, now: datetime) -> Decision | None:
    for reason, holds in _GUARDS:
        detail = holds(image, usage, now)
        if detail is not None:
            return Decision(image, Verdict.KEEP, None, reason, detail)
    return None


def _gone(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return f"its status is {image.status} already" if image.status in GONE_STATUSES else None


def _public(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return _flag(image, "isPublic", "public") if image.public else None


def _protected(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return _flag(image, "protected", "protected") if image.protected else None


def _flag(image: Image, key: str, word: str) -> str:
    if key in image.unreadable:
        return f"{key} cannot be read ({image.unreadable[key]}), so it counts as {word}"
    return f"it is {word}"


def _not_owned(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return None if image.owned else "it belongs to another project"


def _unknown_status(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return None if image.status in KNOWN_STATUSES else f'its status "{image.status}" is not one we know'


def _undated(image: Image, _usage: Usage, now: datetime) -> str | None:
    if image.created_at is None:
        return _missing(image, "createdAt")
    if image.created_at > now:
        return f"createdAt {format_minute(image.created_at)} lies in the future"
    return None


def _missing(image: Image, key: str) -> str:
    return f"{key} cannot be read ({image.unreadable[key]})" if key in image.unreadable else f"{key} is missing"


def _in_use(image: Image, usage: Usage, _now: datetime) -> str | None:
    users = usage.by_image.get(image.id.strip().lower(), ())
    if not users:
        return None
    others = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return f"used by instance {users[0].name or users[0].id}{others}"


def _usage_unknown(_image: Image, usage: Usage, _now: datetime) -> str | None:
    return None if usage.problem is None else "the instance list could not be read, so any image may be in use"


def _newborn(image: Image, _usage: Usage, now: datetime) -> str | None:
    if image.created_at is None or now - image.created_at >= NEWBORN:
        return None
    return f"created {format_minute(image.created_at)}, less than 10 minutes before the survey"


_GUARDS: tuple[tuple[Reason, Callable[[Image, Usage, datetime], str | None]], ...] = (
    (Reason.GONE, _gone),
    (Reason.PUBLIC, _public),
    (Reason.PROTECTED, _protected),
    (Reason.NOT_OWNED, _not_owned),
    (Reason.UNKNOWN_STATUS, _unknown_status),
    (Reason.UNDATED, _undated),
    (Reason.IN_USE, _in_use),
    (Reason.USAGE_UNKNOWN, _usage_unknown),
    (Reason.NEWBORN, _newborn),
)


# --- ownership --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Owner:
    """The first policy that matches, and the first before it of which that cannot be told."""

    policy: Policy | None
    doubtful: Policy | None


def _owner_of(image: Image, policies: Sequence[Policy], target: str) -> _Owner:
    doubtful = None
    for policy in policies:
        match policy.match.holds(image, target):
            case True:
                return _Owner(policy, doubtful)
            case None:
                doubtful = doubtful or policy
    return _Owner(None, doubtful)


def _ruled(image: Image, owner: _Owner, kept: "_Kept | None", history: History | None, now: datetime) -> Decision:
    if owner.doubtful is not None:
        return Decision(image, Verdict.KEEP, None, Reason.UNMATCHED, _doubt(image, owner.doubtful))
    policy = owner.policy
    if policy is None:
        return Decision(image, Verdict.KEEP, None, Reason.UNMATCHED, "no policy matches it")
    if policy.expire is None:
        return Decision(image, Verdict.KEEP, policy.name, Reason.PINNED, "the policy keeps all it matches, forever")
    term = _term(image, policy.expire, history)
    if term is None:
        detail = f"{_missing(image, 'updatedAt')}, so it cannot be told how long"
        return Decision(image, Verdict.KEEP, policy.name, Reason.UNDATED, detail)
    if not term.over(now):
        return Decision(image, Verdict.KEEP, policy.name, Reason.TOO_YOUNG, term.sentence("expires"), term.due)
    if kept is not None:
        return Decision(image, Verdict.KEEP, policy.name, kept.reason, kept.detail)
    return Decision(image, Verdict.DELETE, policy.name, Reason.EXPIRED, term.sentence("expired"))


def _doubt(image: Image, policy: Policy) -> str:
    known = {
        "name": image.name,
        "size": image.size,
        "disk_format": image.disk_format,
        "properties": None if any(key.startswith("properties") for key in image.unreadable) else image.properties,
    }
    missing = " and ".join(key for key, value in known.items() if value is None)
    return f"it cannot be told whether policy {policy.name} matches it: {missing} not known"


# --- clocks -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Term:
    """How long one image may live: from where it is counted, and from when the clock may judge at all."""

    start: datetime
    after: timedelta
    words: str
    after_words: str
    not_before: datetime | None = None

    @property
    def due(self) -> datetime:
        end = _plus(self.start, self.after)
        return end if self.not_before is None else max(end, self.not_before)

    def over(self, now: datetime) -> bool:
        watched = self.not_before is None or now >= self.not_before
        return watched and now - self.start > self.after

    def sentence(self, verb: str) -> str:
        write = format_day if self.after % timedelta(days=1) == timedelta() else format_minute
        watch = "" if self.not_before is None else f", watched until {write(self.not_before)}"
        rule = f"{format_duration(self.after)} after {self.after_words}{watch}"
        return f"{self.words} {write(self.start)}, {verb} {write(self.due)} ({rule})"


def _term(image: Image, expire: Expire, history: History | None) -> _Term | None:
    """The term of an image, or None where a date that it needs is not known. `createdAt` is known: see the guards."""
    created = image.created_at
    assert created is not None
    match expire.since:
        case Clock.CREATED:
            return _Term(created, expire.after, "created", "creation")
        case Clock.UPDATED | Clock.STATUS if image.updated_at is None:
            return None
        case Clock.UPDATED:
            # An update before the creation is a contradiction; the later date is the careful reading.
            return _Term(max(created, image.updated_at), expire.after, "updated", "the last update")
        case Clock.STATUS:
            seen = history.status_since if history and history.status_since else created
            start = max(created, image.updated_at, seen)
            return _Term(start, expire.after, f"{image.status} since", "it came to that status")
        case Clock.LAST_USED:
            return _term_of_use(created, expire.after, history)
        case _:
            assert_never(expire.since)


def _term_of_use(created: datetime, after: timedelta, history: History | None) -> _Term:
    watched_since = history.watched_since if history else None
    not_before = datetime.max.replace(tzinfo=UTC) if watched_since is None else _plus(watched_since, after)
    if history is not None and history.last_in_use is not None:
        return _Term(max(created, history.last_in_use), after, "last used", "the last use", not_before)
    return _Term(created, after, "never seen in use, created", "creation", not_before)


def _plus(instant: datetime, duration: timedelta) -> datetime:
    try:
        return instant + duration
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


# --- keep -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kept:
    reason: Reason
    detail: str


def _kept(owned: Iterable[tuple[Image, _Owner]], now: datetime, zone: tzinfo) -> dict[str, _Kept]:
    """What the `keep` rules protect, by image id: counted over what each policy owns, family by family."""
    kept: dict[str, _Kept] = {}
    families: dict[tuple[str, str], tuple[Keep, list[Image]]] = {}
    for image, owner in owned:
        if owner.doubtful is not None or owner.policy is None or owner.policy.keep is None:
            continue
        keep = owner.policy.keep
        family = keep.per.of(image)
        if family is None:
            kept[image.id] = _Kept(Reason.NO_FAMILY, f"{keep.per.text} finds no family for it")
        elif _takes_a_place(image, now):
            families.setdefault((owner.policy.name, family), (keep, []))[1].append(image)
    for (_, family), (keep, members) in families.items():
        kept |= _kept_in_family(keep, family, members, zone)
    return kept


def _takes_a_place(image: Image, now: datetime) -> bool:
    """Only an active image of a date that we trust: anything else in a slot would push a good one out of it."""
    return image.status == Status.ACTIVE and image.created_at is not None and image.created_at <= now


def _kept_in_family(keep: Keep, family: str, members: list[Image], zone: tzinfo) -> dict[str, _Kept]:
    newest_first = sorted(sorted(members, key=lambda image: image.id), key=_created, reverse=True)
    of_family = f" of family {family}" if family else ""
    kept: dict[str, _Kept] = {}
    for period, count in reversed(keep.periods):
        for image, bucket in _last_of_each(newest_first, period, count, zone):
            detail = f"the last image of {bucket}{of_family}; {period} keeps {count}"
            kept[image.id] = _Kept(period.reason, detail)
    for image in newest_first[: keep.newest]:
        kept[image.id] = _Kept(Reason.KEPT_NEWEST, f"one of the newest {keep.newest}{of_family}")
    return kept


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
