"""A schedule means what crontab(5) says, as Debian's cron carries it out.

What is accepted and refused was compared with `crontab -n` of Debian's cron 3.0pl1-162. Where that takes a field and
silently never runs the job, or ignores half of it, a sentence is better.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core.cron import Cron

ZONES = {name: ZoneInfo(name) for name in ("UTC", "Asia/Seoul", "Europe/Berlin", "America/New_York")}
MINUTE = timedelta(minutes=1)


def fires(text: str, after: str, count: int, zone: str = "UTC") -> list[str]:
    """The next fire times after a wall-clock time, as wall-clock times with their offset."""
    instant = datetime.fromisoformat(after).replace(tzinfo=ZONES[zone])
    return [fire.isoformat(timespec="minutes") for fire in Cron.parse(text).upcoming(instant, ZONES[zone], count)]


def days(text: str, after: str, count: int) -> list[str]:
    """The days of the next fire times, weekday first. 2026-05-01 is a Friday."""
    instant = datetime.fromisoformat(after).replace(tzinfo=UTC)
    return [f"{fire:%a %m-%d}" for fire in Cron.parse(text).upcoming(instant, ZONES["UTC"], count)]


def minutes(text: str) -> list[int]:
    """The minutes of an hour at which a schedule with this minute field fires."""
    start = datetime(2026, 5, 1, tzinfo=UTC) - MINUTE
    found = Cron.parse(f"{text} * * * *").upcoming(start, ZONES["UTC"], 61)
    return [fire.minute for fire in found if fire < start + MINUTE + timedelta(hours=1)]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("*", list(range(60)), id="star"),
        pytest.param("7", [7], id="number"),
        pytest.param("07", [7], id="leading-zero"),
        pytest.param("007", [7], id="leading-zeros"),
        pytest.param("5,10,7", [5, 7, 10], id="list"),
        pytest.param("5,5-6,6", [5, 6], id="overlapping-list"),
        pytest.param("8-11", [8, 9, 10, 11], id="range"),
        pytest.param("*/20", [0, 20, 40], id="step"),
        pytest.param("*/90", [0], id="step-beyond-the-end"),
        pytest.param("10-30/10", [10, 20, 30], id="step-in-a-range"),
        pytest.param("9-59/25", [9, 34, 59], id="step-counts-from-the-start-of-the-range"),
        pytest.param("5-5/2", [5], id="range-of-one-with-a-step"),
        pytest.param("50-52,*/30", [0, 30, 50, 51, 52], id="list-of-ranges-and-steps"),
    ],
)
def test_fields(field: str, expected: list[int]) -> None:
    assert minutes(field) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0 0 * * 0", ["Sun 05-03", "Sun 05-10"], id="sunday-is-0"),
        pytest.param("0 0 * * 7", ["Sun 05-03", "Sun 05-10"], id="sunday-is-7"),
        pytest.param("0 0 * * Sun", ["Sun 05-03", "Sun 05-10"], id="sunday-by-name"),
        pytest.param("0 0 * * 5-7", ["Sat 05-02", "Sun 05-03", "Fri 05-08"], id="a-range-up-to-sunday"),
        pytest.param("0 0 * * MON-wed", ["Mon 05-04", "Tue 05-05", "Wed 05-06", "Mon 05-11"], id="range-of-names"),
        pytest.param("0 0 * * tue,4", ["Tue 05-05", "Thu 05-07"], id="list-of-names-and-numbers"),
        pytest.param("0 0 * * 1-5/2", ["Mon 05-04", "Wed 05-06", "Fri 05-08"], id="step-in-a-range-of-days"),
        pytest.param("0 0 1 JUL,dec *", ["Wed 07-01", "Tue 12-01"], id="months-by-name"),
        pytest.param("0 0 1 jan-jun/3 *", ["Fri 01-01", "Thu 04-01"], id="step-in-a-range-of-months"),
        pytest.param("0 0 13 * *", ["Wed 05-13", "Sat 06-13"], id="day-of-month"),
        pytest.param("0 0 13 * 5", ["Fri 05-08", "Wed 05-13", "Fri 05-15"], id="either-day-where-both-are-restricted"),
        pytest.param(
            "0 0 */10 * 5", ["Fri 07-31", "Fri 08-21", "Fri 09-11"], id="both-days-where-one-starts-with-a-star"
        ),
        pytest.param("0 0 1-7 * */7", ["Sun 05-03", "Sun 06-07"], id="likewise-the-other-way-round"),
        pytest.param("0 0 10 * *,1", ["Sun 05-10", "Wed 06-10"], id="likewise-in-a-list-that-starts-with-a-star"),
        pytest.param("0 0 10 * 1,*", ["Sat 05-02", "Sun 05-03"], id="but-not-where-the-star-comes-later"),
        pytest.param("0 0 31 * *", ["Sun 05-31", "Fri 07-31"], id="short-months-are-left-out"),
        pytest.param("0 0 30 2 1", ["Mon 02-01", "Mon 02-08"], id="a-day-that-never-comes-or-a-weekday-that-does"),
        pytest.param("0 0 29 2 *", ["Tue 02-29", "Sun 02-29"], id="leap-days"),
    ],
)
def test_days(text: str, expected: list[str]) -> None:
    assert days(text, "2026-05-01", len(expected)) == expected


@pytest.mark.parametrize("text", ["0 3 * * *", "  0 3 * * *  ", "0\t3\t*\t*\t*", "0  3 \t * * *\n"])
def test_blanks_are_spaces_and_tabs_and_any_number_of_them(text: str) -> None:
    assert (Cron.parse(text).text, fires(text, "2026-05-01", 1)) == (text.strip(), ["2026-05-01T03:00+00:00"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("", '"" has 0 fields, crontab(5) has five', id="empty"),
        pytest.param("0 3 * *", '"0 3 * *" has 4 fields', id="four-fields"),
        pytest.param("0 0 3 * * *", '"0 0 3 * * *" has 6 fields', id="seconds"),
        pytest.param("0 3\n* * *", "has 4 fields", id="two-lines"),
        pytest.param(
            "@daily", '"@daily" is a nickname; write the five fields of crontab(5), e.g. 0 0 * * *', id="daily"
        ),
        pytest.param("@Hourly", "e.g. 0 * * * *", id="hourly"),
        pytest.param("@reboot", "is a nickname", id="reboot"),
        pytest.param("every day", '"every day" has 2 fields', id="prose"),
        pytest.param(
            "60 * * * *", '"60" is not a minute: 0 to 59, *, a range, a step like */2 or a list', id="minute-60"
        ),
        pytest.param("0 24 * * *", '"24" is not an hour', id="hour-24"),
        pytest.param("0 0 0 * *", '"0" is not a day of month: 1 to 31', id="day-0"),
        pytest.param("0 0 32 * *", '"32" is not a day of month', id="day-32"),
        pytest.param("0 0 * 0 *", '"0" is not a month: 1 to 12 or jan to dec', id="month-0"),
        pytest.param("0 0 * 13 *", '"13" is not a month', id="month-13"),
        pytest.param("0 0 * * 8", '"8" is not a day of week: 0 to 7 or sun to sat', id="weekday-8"),
        pytest.param("0 0 * * Sunday", '"Sunday" is not a day of week', id="long-name"),
        pytest.param("0 0 * mon *", '"mon" is not a month', id="a-weekday-for-a-month"),
        pytest.param("jan * * * *", '"jan" is not a minute', id="a-name-for-a-minute"),
        pytest.param("5-70 * * * *", '"70" is not a minute', id="range-beyond-the-end"),
        pytest.param(
            "50-10 * * * *", 'the minute range "50-10" ends before it begins; write it as a list', id="range-backwards"
        ),
        pytest.param("0 0 * * fri-mon", '"fri-mon" ends before it begins', id="weekdays-backwards"),
        pytest.param("0 0 * * sat-sun", '"sat-sun" ends before it begins', id="sun-is-0-as-in-cron"),
        pytest.param(
            "5/10 * * * *", 'the step in the minute "5/10" needs a range or a *; write 5-59/10', id="step-alone"
        ),
        pytest.param("0 0 * * mon/2", "write mon-7/2", id="step-on-a-name"),
        pytest.param("*/0 * * * *", 'the step in the minute "*/0" is not a number of 1 or more', id="step-0"),
        pytest.param("*/x * * * *", 'the step in the minute "*/x" is not a number', id="step-of-letters"),
        pytest.param("*/-5 * * * *", '"*/-5" is not a minute', id="step-below-0"),
        pytest.param("*/2/3 * * * *", '"*/2/3" is not a minute', id="two-steps"),
        pytest.param("1-5-7 * * * *", '"1-5-7" is not a minute', id="two-dashes"),
        pytest.param("*-5 * * * *", '"*-5" is not a minute', id="range-from-a-star"),
        pytest.param("*5 * * * *", '"*5" is not a minute', id="star-and-number"),
        pytest.param("-5 * * * *", '"-5" is not a minute', id="below-0"),
        pytest.param("1,,2 * * * *", '"" is not a minute', id="gap-in-a-list"),
        pytest.param("1, * * * *", '"" is not a minute', id="list-without-an-end"),
        pytest.param("1.5 * * * *", '"1.5" is not a minute', id="fraction"),
        pytest.param("0~30 * * * *", '"0~30" is not a minute', id="random"),
        pytest.param("0 0 L * *", '"L" is not a day of month', id="last-day"),
        pytest.param("0 0 LW * *", '"LW" is not a day of month', id="last-working-day"),
        pytest.param("0 0 15W * *", '"15W" is not a day of month', id="nearest-working-day"),
        pytest.param("0 0 ? * *", '"?" is not a day of month', id="question-mark"),
        pytest.param("0 0 * * 5L", '"5L" is not a day of week', id="last-friday"),
        pytest.param("0 0 * * 5#2", '"5#2" is not a day of week', id="second-friday"),
        pytest.param("٣ * * * *", '"٣" is not a minute', id="another-digit-three"),
        pytest.param("0 0 * * ſun", '"ſun" is not a day of week', id="a-letter-that-becomes-s-in-capitals"),
        pytest.param("0 0 30 2 *", '"0 0 30 2 *" never fires: no such day exists', id="30-february"),
        pytest.param("0 0 31 4,6,9,11 *", "never fires", id="31st-of-short-months"),
        pytest.param("0 0 31 2 */2", "never fires", id="31-february-on-some-weekday"),
    ],
)
def test_what_cron_does_not_know_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        Cron.parse(text)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        pytest.param(
            "30 2 * * *", "Asia/Seoul", "2026-03-28T12:00",
            ["2026-03-29T02:30+09:00", "2026-03-30T02:30+09:00"], id="seoul-never-changes-its-clocks",
        ),
        pytest.param(
            "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"], id="skipped-time-runs-right-after-the-change",
        ),
        pytest.param(
            "30 2 * * *", "America/New_York", "2026-03-07T12:00",
            ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"], id="skipped-time-in-new-york",
        ),
        pytest.param(
            "0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"], id="two-skipped-times-are-one-run",
        ),
        pytest.param(
            "0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"], id="a-skipped-time-and-one-that-is-due-then",
        ),
        pytest.param(
            "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00",
            ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"], id="repeated-time-runs-once",
        ),
        pytest.param(
            "30 1 * * *", "America/New_York", "2026-10-31T12:00",
            ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"], id="repeated-time-in-new-york",
        ),
        pytest.param(
            "*/30 * * * *", "Europe/Berlin", "2026-03-29T01:29",
            ["2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00"], id="wildcard-goes-on-over-the-gap",
        ),
        pytest.param(
            "*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00",
            ["2026-03-30T02:00+02:00"], id="wildcard-in-a-skipped-hour-does-not-run",
        ),
        pytest.param(
            "30 * * * *", "Europe/Berlin", "2026-10-25T01:29",
            ["2026-10-25T01:30+02:00", "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-25T03:30+01:00"],
            id="wildcard-goes-on-in-the-repeated-hour",
        ),
        pytest.param(
            "*/30 2 25 10 *", "Europe/Berlin", "2026-10-25T02:10",
            ["2026-10-25T02:30+02:00", "2026-10-25T02:00+01:00", "2026-10-25T02:30+01:00", "2027-10-25T02:00+02:00"],
            id="both-passes-of-the-only-hour-in-a-year",
        ),
    ],
)  # fmt: skip
def test_changes_of_the_clocks(text: str, zone: str, after: str, expected: list[str]) -> None:
    assert fires(text, after, len(expected), zone) == expected


def test_asked_during_the_second_pass_a_job_of_the_first_is_over() -> None:
    second_pass = datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=ZONES["Europe/Berlin"])
    fire = Cron.parse("30 2 * * *").next_after(second_pass, ZONES["Europe/Berlin"])
    assert fire.isoformat() == "2026-10-26T02:30:00+01:00"


def cron_daemon(matches: Callable[[datetime], bool], wild: bool, start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """When cron(8) starts a job: it wakes every minute, and knows up to which time of the clock it is done."""
    done = (start - MINUTE).astimezone(zone).replace(tzinfo=None)
    for instant in (start + n * MINUTE for n in range(2 * 24 * 60)):
        wall = instant.astimezone(zone).replace(tzinfo=None)
        skipped = int((wall - done) / MINUTE)
        if matches(wall) if wild else any(matches(wall - n * MINUTE) for n in range(skipped)):
            yield instant
        done = max(done, wall)


@pytest.mark.parametrize(
    ("text", "matches", "wild"),
    [
        pytest.param("30 2 * * *", lambda wall: (wall.hour, wall.minute) == (2, 30), False, id="30 2"),
        pytest.param("10,50 0-3 * * *", lambda wall: wall.hour <= 3 and wall.minute in (10, 50), False, id="10,50 0-3"),
        pytest.param("0-59/7 1 * * *", lambda wall: wall.hour == 1 and wall.minute % 7 == 0, False, id="0-59/7 1"),
        pytest.param("15 * * * *", lambda wall: wall.minute == 15, True, id="15 *"),
        pytest.param("*/20 1 * * *", lambda wall: wall.hour == 1 and wall.minute % 20 == 0, True, id="*/20 1"),
        pytest.param("*/20 2-3 * * *", lambda wall: wall.hour in (2, 3) and wall.minute % 20 == 0, True, id="*/20 2-3"),
        pytest.param(
            "*/25 0,23 * * *", lambda wall: wall.hour in (0, 23) and wall.minute % 25 == 0, True, id="*/25 0,23"
        ),
        pytest.param("*/40 */3 * * *", lambda wall: wall.hour % 3 == 0 and wall.minute % 40 == 0, True, id="*/40 */3"),
    ],
)
@pytest.mark.parametrize(
    ("zone", "day"),
    [
        pytest.param("Europe/Berlin", "2026-03-28", id="berlin-forward"),
        pytest.param("Europe/Berlin", "2026-10-24", id="berlin-back"),
        pytest.param("America/New_York", "2026-03-07", id="new-york-forward"),
        pytest.param("America/New_York", "2026-10-31", id="new-york-back"),
        pytest.param("America/Havana", "2026-03-07", id="havana-forward-at-midnight"),
        pytest.param("America/Havana", "2026-10-31", id="havana-back-to-midnight"),
        pytest.param("America/Santiago", "2026-04-04", id="santiago-back-to-yesterday"),
        pytest.param("Australia/Lord_Howe", "2026-10-03", id="lord-howe-forward-half-an-hour"),
        pytest.param("Australia/Lord_Howe", "2026-04-04", id="lord-howe-back-half-an-hour"),
        pytest.param("Asia/Seoul", "2026-03-28", id="seoul-no-change"),
    ],
)
def test_fires_as_the_cron_daemon_does(
    text: str, matches: Callable[[datetime], bool], wild: bool, zone: str, day: str
) -> None:
    place = ZoneInfo(zone)
    start = datetime.fromisoformat(day).replace(tzinfo=place).astimezone(UTC)
    expected = list(cron_daemon(matches, wild, start, place))
    assert [
        fire.astimezone(UTC) for fire in Cron.parse(text).upcoming(start - MINUTE, place, len(expected))
    ] == expected


INSTANTS = st.integers(0, 2**29).map(lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
TEXTS = st.sampled_from(["* * * * *", "30 2 * * *", "*/15 0 1,15 * 5", "0 0 29 2 *", "5 4 * * sun", "59 23 31 12 *"])


@given(text=TEXTS, instant=INSTANTS, zone=st.sampled_from(sorted(ZONES)))
def test_a_fire_time_is_later_in_the_zone_and_the_first(text: str, instant: datetime, zone: str) -> None:
    cron, place = Cron.parse(text), ZONES[zone]
    fire = cron.next_after(instant, place)
    assert fire.astimezone(UTC) > instant
    assert fire.tzinfo is place
    before = fire.astimezone(UTC) - timedelta(microseconds=1)
    assert cron.next_after(max(instant, before), place) == fire


@given(st.text(alphabet="0123456789*/,-#LW?@ \tmonjafeb", max_size=24))
def test_any_text_is_a_schedule_that_fires_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert fires(text, "2026-05-01", 1)


def test_two_schedules_written_alike_are_equal_and_print_as_written() -> None:
    assert Cron.parse("0 3 * * *") == Cron.parse(" 0 3 * * * ")
    assert str(Cron.parse("0 3 * * MON")) == "0 3 * * MON"
