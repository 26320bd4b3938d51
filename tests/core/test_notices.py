"""What a notice waits for, as a value: a reminder that is due, or a new announcement after a silence."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from janitor.core.cron import Cron
from janitor.core.memory import Hearing
from janitor.core.names.owners import OwnerRule
from janitor.core.notices import counted, counted_among, due_under, reminded, silent_since
from janitor.core.policy import Match, Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.recipients.recipients import Recipient, Recipients
from tests.factories import DAY, image_called
from tests.factories import NOW as START
from tests.run.nights import MINUTE, TEAM, given
from tests.run.world import HOUR

# Silence, as a value


def days(*numbers: float) -> list[datetime]:
    return [START + number * DAY for number in numbers]


SILENCES = [
    pytest.param(days(1, 2), 3, None, id="every-night"),
    pytest.param(days(1), 3, None, id="as-long-as-the-notice"),
    pytest.param(days(1), 3.1, 1, id="longer-than-the-notice"),
    pytest.param([], 2.1, 0, id="nothing-since-it-was-announced"),
    pytest.param(days(-3, -2, 1), 2, None, id="what-was-before-it-is-no-matter"),
    pytest.param(days(1, 4.5, 5.5), 6, 1, id="a-silence-that-is-over-is-not-forgotten"),
    pytest.param(days(1, 3.5, 6), 7, 3.5, id="the-last-of-two"),
    pytest.param(days(1, 5, 2.5, 4), 5.5, None, id="one-report-that-came-late-is-no-silence"),
    pytest.param(days(1, 3, 1.5), 4, 1.5, id="a-clock-that-was-ahead-makes-no-silence-shorter"),
    pytest.param(days(1, 9), 3.5, 1, id="nor-does-one-that-is-ahead-of-now"),
    pytest.param([], -1, None, id="a-clock-that-went-back-is-no-silence"),
]


@pytest.mark.parametrize(("heard", "now", "since"), SILENCES)
def test_a_silence_is_longer_than_the_notice(heard: list[datetime], now: float, since: float | None) -> None:
    found = silent_since(given(), heard, START + now * DAY)
    assert found == (None if since is None else START + since * DAY)


def test_from_one_night_to_the_next_is_no_silence_however_short_the_notice() -> None:
    assert silent_since(given(HOUR), days(1, 2), START + 2 * DAY + 25 * HOUR) is None
    assert silent_since(given(HOUR), days(1, 2), START + 2 * DAY + 26 * HOUR) == START + 2 * DAY


SCHEDULES = [
    pytest.param("0 3 * * 1", 7, None, id="weekly-and-in-time"),
    pytest.param("0 3 * * 1", 7.2, None, id="weekly-and-some-hours-late"),
    pytest.param("0 3 * * 1", 8, 0, id="weekly-and-one-was-missed"),
    pytest.param("0 3 * * *", 3, 0, id="daily"),
    pytest.param(None, 7, 0, id="nobody-knows"),
]


@pytest.mark.parametrize(("schedule", "now", "since"), SCHEDULES)
def test_with_a_schedule_it_is_a_silence_once_a_run_was_missed(
    schedule: str | None, now: float, since: int | None
) -> None:
    monday = START + 2 * MINUTE
    cron = None if schedule is None else Cron.parse(schedule)

    def next_run(instant: datetime) -> datetime:
        assert cron is not None
        return cron.next_after(instant, ZoneInfo("UTC"))

    found = silent_since(given(at=monday), [], START + now * DAY, next_run if cron else None)
    assert found == (None if since is None else monday)


def test_each_image_goes_by_what_was_heard_in_its_channel() -> None:
    notices = {"a": given(), "b": replace(given(), policy="team"), "c": replace(given(), policy="quiet")}
    hearing = Hearing({"slack": tuple(days(1, 2, 3)), TEAM: tuple(days(1))}, quiet=tuple(days(1, 2, 3, 3.5)))
    now = START + 4 * DAY
    counts = counted(notices, hearing, now, names={}, places={"b": TEAM, "c": "#quiet"})
    assert {image: notice.lapsed for image, notice in counts.items()} == {"a": None, "b": START + DAY, "c": None}


# The reminder, as a value


@pytest.mark.parametrize(
    ("length", "at", "unreminded", "until"),
    [
        pytest.param(5 * DAY, START + 5 * DAY, False, START + 6 * DAY, id="at-its-due-date"),
        pytest.param(5 * DAY, START + 5 * DAY - MINUTE, False, None, id="a-minute-before"),
        pytest.param(5 * DAY, START + 4 * DAY + HOUR, True, START + 5 * DAY + HOUR, id="given-in-vain-before"),
        pytest.param(3 * DAY, START + 3 * DAY, True, None, id="none-was-promised"),
    ],
)
def test_a_promised_reminder_is_waited_for(
    length: timedelta, at: datetime, unreminded: bool, until: datetime | None
) -> None:
    hearing = Hearing(quiet=tuple(days(*range(9))), unreminded=frozenset({"a"} if unreminded else ()))
    [notice] = counted({"a": given(length)}, hearing, at, names={}, places={}).values()
    assert notice.waits_until == until
    [notice] = counted({"a": replace(given(length), reminded_at=START)}, hearing, at, names={}, places={}).values()
    assert notice.waits_until is None


@pytest.mark.parametrize(
    ("at", "missed", "due"),
    [
        pytest.param(4 * DAY, False, 5 * DAY, id="in-time"),
        pytest.param(5 * DAY - MINUTE, False, 5 * DAY, id="at-the-last-minute"),
        pytest.param(5 * DAY, False, 6 * DAY, id="when-it-was-due"),
        pytest.param(4 * DAY + HOUR, True, 5 * DAY + HOUR, id="at-the-second-try"),
        pytest.param(4 * DAY - MINUTE, True, 5 * DAY, id="never-earlier-than-announced"),
    ],
)
def test_a_reminder_that_comes_too_late_moves_the_date(at: timedelta, missed: bool, due: timedelta) -> None:
    notice = reminded(given(5 * DAY), START + at, missed=missed)
    assert (notice.reminded_at, notice.due) == (START + at, START + due)


# Owners


@pytest.mark.parametrize(
    ("announced", "now", "counts"),
    [
        pytest.param("kim", "kim", True, id="same"),
        pytest.param("kim", "KIM", True, id="same-to-people"),
        pytest.param("kim", "lee", False, id="another"),
        pytest.param("", "kim", False, id="the-first"),
        pytest.param("kim", None, True, id="none-is-found-now"),
        pytest.param(None, "kim", True, id="not-told-by-owner-then"),
    ],
)
def test_an_image_with_another_owner_is_announced_again(announced: str | None, now: str | None, counts: bool) -> None:
    owners = {} if now is None else {"a": now}
    notice = replace(given(), owner=announced)
    hearing = Hearing(quiet=tuple(days(0.5, 1)))
    [counted_so] = counted({"a": notice}, hearing, START + DAY, names={}, places={}, owners=owners).values()
    assert (counted_so.counts, counted_so.reowned) == (counts, not counts)


def test_a_silence_of_an_owner_ends_the_notices_of_that_owner_alone() -> None:
    notices = {"kims": given(), "lees": given(), "told-instead": replace(given(), instead=True), "main": given()}
    heard = {"slack": tuple(days(1, 2, 3)), "U0KIM": tuple(days(1)), "U0LEE": tuple(days(1, 2, 3))}
    places = {"kims": "U0KIM", "lees": "U0LEE", "told-instead": "U0KIM"}
    counts = counted(notices, Hearing(heard), START + 4 * DAY, names={}, places=places)
    assert {image: notice.lapsed for image, notice in counts.items()} == {
        "kims": START + DAY,
        "lees": None,
        "told-instead": None,
        "main": None,
    }


# Places

KIMS = Recipients({"kim": Recipient(channel=TEAM)})
OWNED = Policy("old", Match(), notice=2 * DAY, owner=OwnerRule("property:owner"))


@pytest.mark.parametrize(
    ("heard", "now", "counts"),
    [
        pytest.param("slack", Destinations.under([OWNED], "#main", None), True, id="owners-change-nothing"),
        pytest.param("slack", Destinations.under([OWNED], "#main", Recipients()), True, id="no-entry"),
        pytest.param("slack", Destinations.under([OWNED], "#main", KIMS), False, id="an-entry-is-new"),
        pytest.param("slack", Destinations.under([OWNED], TEAM, KIMS), True, id="a-new-entry-for-the-main-channel"),
        pytest.param(TEAM, Destinations.under([OWNED], "#main", KIMS), True, id="the-same-entry"),
        pytest.param("#other", Destinations.under([OWNED], "#main", KIMS), False, id="another-entry"),
        pytest.param(TEAM, Destinations.under([OWNED], "#main", None), False, id="owners-are-no-more"),
        pytest.param(
            "slack", Destinations.under([replace(OWNED, channel=TEAM)], "#main", None), False, id="a-channel-is-new"
        ),
        pytest.param(
            TEAM, Destinations.under([replace(OWNED, channel=TEAM)], "#main", None), True, id="the-same-channel"
        ),
        pytest.param(None, Destinations.under([OWNED], "#main", KIMS), True, id="unknown"),
        pytest.param(TEAM, Destinations.under([], "#main", None), True, id="its-policy-is-no-more"),
    ],
)
@pytest.mark.parametrize("instead", [False, True], ids=["", "the-main-channel-was-told-instead"])
def test_an_image_that_is_reported_elsewhere_is_announced_again(
    heard: str | None, now: Destinations, counts: bool, instead: bool
) -> None:
    image = image_called("a", properties={"owner": "kim"})
    notice = replace(given(), place=heard, instead=instead)
    [so] = counted_among([image], {"a": notice}, Hearing(quiet=tuple(days(1))), START + DAY, now).values()
    assert (so.counts, so.elsewhere, so.due) == (counts, not counts, notice.due)
    assert due_under(OWNED, so, START + DAY) == START + (2 if counts else 3) * DAY


def test_an_announced_image_that_is_not_listed_is_in_no_other_place() -> None:
    notice = replace(given(), place=TEAM)
    destinations = Destinations.under([OWNED], "#main", None)
    assert not counted_among([], {"a": notice}, Hearing(), START, destinations)["a"].elsewhere
