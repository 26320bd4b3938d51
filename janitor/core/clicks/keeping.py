"""What a permitted click means for one announced image, by what has become of the image since."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from janitor.core.clicks.click import Wish
from janitor.core.clicks.permission import MOST_DAYS
from janitor.core.units import format_day, parse_until


class Answer(StrEnum):
    """What a click came to.

    kept: the image is exempt from now on. too-late: so it is, but its deletion had been requested before. stands: it
    was kept already through this announcement. over: that exemption has ended since. gone: it was deleted, or is no
    longer there. ended: its exemptions were ended by this click. nothing-to-end: there were none.
    """

    KEPT = "kept"
    TOO_LATE = "too-late"
    STANDS = "stands"
    OVER = "over"
    GONE = "gone"
    ENDED = "ended"
    NOTHING_TO_END = "nothing-to-end"

    @property
    def exempts(self) -> bool:
        """Whether an exemption is granted."""
        return self in (Answer.KEPT, Answer.TOO_LATE)


@dataclass(frozen=True, slots=True)
class Kept:
    """The exemption that was granted through an announcement: by whom, until when, and how it ended, if it did."""

    who: str
    until: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it is in force."""
        return self.ended_at is None and now < self.until


@dataclass(frozen=True, slots=True)
class Fate:
    """What has become of an announced image.

    `kept`: the exemption granted last through this announcement. `exempt`: whether any exemption by a person is in
    force. `deleted_at`: when the deletion was requested of which the janitor knows that it happened. `requested_at`:
    the same of one that may still happen. `gone_at`: when it became certain that somebody else deleted the image.
    """

    kept: Kept | None = None
    exempt: bool = False
    deleted_at: datetime | None = None
    requested_at: datetime | None = None
    gone_at: datetime | None = None


def kept_until(days: int, now: datetime, zone: tzinfo) -> datetime:
    """The end of an exemption of so many days: through the last of them in the zone, as people are told a date."""
    return parse_until(format_day(now + timedelta(days=days), zone), zone)


def answer_to_keep(fate: Fate, days: int, until: datetime, now: datetime) -> Answer:
    """What a click comes to that is to keep an image until then. Only for longer than members may is it extended."""
    if fate.deleted_at is not None or fate.gone_at is not None:
        return Answer.GONE
    if fate.kept is not None and not (days > MOST_DAYS and until > fate.kept.until):
        return Answer.STANDS if fate.kept.holds(now) else Answer.OVER
    return Answer.TOO_LATE if fate.requested_at is not None else Answer.KEPT


def answer_to_end(fate: Fate) -> Answer:
    """What a click comes to that is to end the exemptions of an image."""
    return Answer.ENDED if fate.exempt else Answer.NOTHING_TO_END


def answer_to(wish: Wish, fate: Fate, days: int, until: datetime, now: datetime) -> Answer:
    """What a click comes to."""
    return answer_to_end(fate) if wish is Wish.END else answer_to_keep(fate, days, until, now)
