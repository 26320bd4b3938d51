"""What a click comes to: by what has become of the image since it was announced."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from janitor.core.clicks.click import Wish
from janitor.core.clicks.keeping import Answer, Fate, Kept, answer_to, kept_until

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHORT, LONG = Kept("@ann", NOW + 7 * DAY), Kept("@ann", NOW + 90 * DAY)
REVOKED = Kept("@ann", NOW + 7 * DAY, NOW - HOUR, "@boss")

FATES = {
    "as-announced": (Fate(), 30, Answer.KEPT),
    "exempt-by-command-too": (Fate(exempt=True), 30, Answer.KEPT),
    "kept-before": (Fate(kept=LONG, exempt=True), 30, Answer.STANDS),
    "kept-for-less-before": (Fate(kept=SHORT, exempt=True), 30, Answer.STANDS),
    "kept-for-less-before-by-an-approver": (Fate(kept=SHORT, exempt=True), 90, Answer.KEPT),
    "kept-for-longer-before-by-an-approver": (Fate(kept=Kept("@ann", NOW + 365 * DAY)), 90, Answer.STANDS),
    "expired-since": (Fate(kept=Kept("@ann", NOW)), 30, Answer.OVER),
    "revoked-since": (Fate(kept=REVOKED), 30, Answer.OVER),
    "revoked-and-kept-by-an-approver": (Fate(kept=REVOKED), 90, Answer.KEPT),
    "deleted": (Fate(deleted_at=NOW - HOUR), 30, Answer.GONE),
    "deleted-although-kept": (Fate(kept=LONG, deleted_at=NOW - HOUR), 30, Answer.GONE),
    "deleted-by-others": (Fate(gone_at=NOW - HOUR), 30, Answer.GONE),
    "deletion-requested": (Fate(requested_at=NOW - HOUR), 30, Answer.TOO_LATE),
    "deletion-requested-and-kept": (Fate(kept=LONG, requested_at=NOW - HOUR), 30, Answer.STANDS),
}


@pytest.mark.parametrize(("fate", "days", "answer"), FATES.values(), ids=FATES)
def test_an_image_is_kept_once_for_each_announcement(fate: Fate, days: int, answer: Answer) -> None:
    assert answer_to(Wish.KEEP, fate, days, NOW + days * DAY, NOW) is answer


@pytest.mark.parametrize(("exempt", "answer"), [(True, Answer.ENDED), (False, Answer.NOTHING_TO_END)])
def test_exemptions_in_force_end(exempt: bool, answer: Answer) -> None:
    assert answer_to(Wish.END, Fate(exempt=exempt), 0, NOW, NOW) is answer


def test_only_what_keeps_an_image_exempts_it() -> None:
    assert {answer for answer in Answer if answer.exempts} == {Answer.KEPT, Answer.TOO_LATE}


ENDS = {
    "utc": (UTC, datetime(2026, 12, 26, 23, 59, 59, 999999, tzinfo=UTC)),
    "seoul": (ZoneInfo("Asia/Seoul"), datetime(2026, 12, 26, 14, 59, 59, 999999, tzinfo=UTC)),
}


@pytest.mark.parametrize(("zone", "end"), ENDS.values(), ids=ENDS)
def test_an_image_is_kept_through_the_last_day_in_the_zone(zone: tzinfo, end: datetime) -> None:
    assert kept_until(30, NOW, zone) == end
