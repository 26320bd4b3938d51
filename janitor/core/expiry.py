"""The clocks of `expire`: from when an image's age is counted, and when its term ends."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import assert_never

from janitor.core.image import Image
from janitor.core.memory import History
from janitor.core.policy import Clock, Expire
from janitor.core.units import format_duration, format_minute
from janitor.core.value import Value


class Term(Value, frozen=True):
    """How long one image may live: from when that is counted, and since when it is watched, if its clock needs that."""

    start: datetime
    after: timedelta
    words: str
    after_words: str
    watched_since: datetime | None = None

    @property
    def due(self) -> datetime | None:
        """The instant after which it is over, or None where that is unknown."""
        try:
            return max(self.start, self.watched_since or self.start) + self.after
        except OverflowError:
            return None

    def over(self, now: datetime) -> bool:
        """Whether it is over: strictly older than `after`, and watched for as long if the clock requires that."""
        watched = self.watched_since is None or now - self.watched_since >= self.after
        return watched and now - self.start > self.after

    def sentence(self, verb: str, zone: tzinfo = UTC) -> str:
        """Both ends in words; days of `zone` where the term counts in days, else minutes."""
        rule = (self.words, verb, self.after, self.after_words)
        if self.after.seconds or self.after.microseconds:
            end = self.due
            due = None if end is None else _minute_of(end, zone)
            watched = None if self.watched_since is None else _minute_of(self.watched_since, zone)
            return _sentence(rule, _minute_of(self.start, zone), due, watched)
        watched_since = self.watched_since and _day_of(self.watched_since, zone)
        return _sentence_in_days(rule, _day_of(self.start, zone), watched_since)


def _day_of(instant: datetime, zone: tzinfo) -> date:
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return instant.date()  # the last or first moments that there are


def _minute_of(instant: datetime, zone: tzinfo) -> str:
    try:
        return format_minute(instant, zone)
    except OverflowError:
        return format_minute(instant)


_Rule = tuple[str, str, timedelta, str]
"""The words for the start of a term, the verb for its end, its length, and what it follows."""


@lru_cache(4096)
def _sentence_in_days(rule: _Rule, start: date, watched_since: date | None) -> str:
    """The sentence of a term of whole days, which is the same for all images of a day."""
    watched = None if watched_since is None else watched_since.isoformat()
    try:
        due = max(start, watched_since or start) + rule[2]
    except OverflowError:
        return _sentence(rule, start.isoformat(), None, watched)
    return _sentence(rule, start.isoformat(), due.isoformat(), watched)


def _sentence(rule: _Rule, start: str, due: str | None, watched: str | None) -> str:
    words, verb, after, after_words = rule
    length = f"{format_duration(after)} after {after_words}"
    if due is None:
        return f"{words} {start}, no expiry date ({length})"
    return f"{words} {start}, {verb} {due} ({length}{'' if watched is None else f', watched since {watched}'})"


def term_of(image: Image, expire: Expire, history: History | None) -> Term | None:
    """The term of an image, or None where a date that it needs is not known.

    The creation is known, or a guard would have kept the image. An update before the creation is a contradiction; then
    the later date counts, to be safe.
    """
    created = image.created_at
    assert created is not None
    updated = None if image.updated_at is None else max(created, image.updated_at)
    match expire.since:
        case Clock.CREATED:
            return Term(created, expire.after, "created", "creation")
        case Clock.UPDATED:
            return None if updated is None else Term(updated, expire.after, "updated", "the last update")
        case Clock.STATUS:
            return None if updated is None else _term_of_status(image.status, updated, expire.after, history)
        case Clock.LAST_USED:
            return _term_of_use(created, expire.after, history)
        case _:
            assert_never(expire.since)


def _term_of_status(status: str, updated: datetime, after: timedelta, history: History | None) -> Term:
    changed = history.status_since if history is not None else None
    return Term(max(updated, changed or updated), after, f"{status} since", "it entered that status")


def _term_of_use(created: datetime, after: timedelta, history: History | None) -> Term:
    # Before any survey could read the usage, the image is not watched yet: the term never ends.
    watched_since = history.watched_since if history else None
    watched_since = watched_since or datetime.max.replace(tzinfo=UTC)
    if history is not None and history.last_in_use is not None:
        return Term(max(created, history.last_in_use), after, "last used", "the last use", watched_since)
    return Term(created, after, "never seen in use, created", "creation", watched_since)
