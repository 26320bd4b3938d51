"""Durations, sizes and instants: what is read, what is rejected, what is written."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core.units import (
    format_day,
    format_duration,
    format_minute,
    format_size,
    iso,
    iso_or_none,
    parse_duration,
    parse_instant,
    parse_size,
    parse_timeout,
)
from tests.factories import DAY


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("14d", 14 * DAY),
        ("36h", timedelta(hours=36)),
        ("90min", timedelta(minutes=90)),
        ("0m", timedelta()),
        ("0min", timedelta()),
        ("3mo", 90 * DAY),
        ("1y", 365 * DAY),
        ("1y2mo1w1d1h1min", (365 + 60 + 7 + 1) * DAY + timedelta(hours=1, minutes=1)),
        ("2w", 14 * DAY),
        ("1d12h", timedelta(hours=36)),
        ("0d", timedelta()),
    ],
)
def test_durations_are_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        "14",
        "d",
        "14 fortnights",
        "14 d",
        " 14d",
        "14d\n",
        "-1d",
        "1.5d",
        "12h1d",
        "1d1d",
        "14D",
        "30s",
        "١d",
        "1w1mo",
        "1M",
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not a duration like 36h or 14d \(units: min h d w mo y, the largest first"
    ):
        parse_duration(text)


@pytest.mark.parametrize("text", ["99999999d", "1d1000000min", f"{'9' * 5000}w"], ids=["days", "minutes", "weeks"])
@pytest.mark.parametrize("read", [parse_duration, parse_timeout])
def test_numbers_beyond_measure_are_out_of_range(read: Callable[[str], timedelta], text: str) -> None:
    with pytest.raises(ValueError, match="is out of range: a number in it has more than 6 digits"):
        read(text)


@pytest.mark.parametrize(
    ("text", "meant"), [("3m", "3min or 3mo?"), ("1d30m", "30min or 30mo?"), ("1m5d", "1min or 1mo?")]
)
@pytest.mark.parametrize("seconds", [False, True])
def test_what_may_be_minutes_or_months_is_refused(text: str, meant: str, seconds: bool) -> None:
    with pytest.raises(ValueError, match=re.escape(f'"{text}" is minutes or months: {meant} (units: ')):
        parse_duration(text, seconds=seconds)


def test_seconds_are_read_only_where_they_make_sense() -> None:
    assert parse_duration("1min30s", seconds=True) == timedelta(seconds=90)
    with pytest.raises(ValueError, match="units: s min h d w mo y"):
        parse_duration("30", seconds=True)


@pytest.mark.parametrize(("text", "seconds"), [("1m30s", 90), ("1min30s", 90), ("2m", 120), ("1w1d", 8 * 86_400)])
def test_technical_durations_count_in_minutes(text: str, seconds: int) -> None:
    assert parse_timeout(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["30", "", "1mo", "1y", "s"])
def test_anything_else_is_no_technical_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration like 30s or 2m \(units: s m h d w, the largest first"):
        parse_timeout(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [(14 * DAY, "14d"), (1.5 * DAY, "1d12h"), (timedelta(minutes=10), "10min"), (timedelta(), "0min")],
)
def test_durations_are_written(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@given(st.integers(min_value=0, max_value=10**9))
def test_a_written_duration_reads_as_itself(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration), seconds=True) == duration
    assert parse_timeout(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1GiB", 2**30),
        ("500MB", 500 * 10**6),
        ("500 MB", 500 * 10**6),
        ("2.5TiB", 5 * 2**39),
        ("0B", 0),
        ("1KB", 1000),
        ("1KiB", 1024),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "1", "GiB", "1gib", "1G", "-1GiB", "1,5GiB", "1GiB\n", "1  GiB", ".5GiB", "1e3B"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size like 500MB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        pytest.param(None, "?", id="unknown"),
        pytest.param(0, "0 B", id="nothing"),
        pytest.param(1023, "1023 B", id="bytes"),
        pytest.param(1024, "1.0 KiB", id="the-first-kib"),
        pytest.param(10737418240, "10.0 GiB", id="gib"),
        pytest.param(5 * 2**50, "5120.0 TiB", id="the-largest-unit"),
    ],
)
def test_sizes_are_written(size: int | None, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        pytest.param("2017-05-16T02:17:50Z", datetime(2017, 5, 16, 2, 17, 50, tzinfo=UTC), id="zulu"),
        pytest.param("2017-05-16T02:17:50.166563", datetime(2017, 5, 16, 2, 17, 50, 166563, UTC), id="no-zone-is-utc"),
        pytest.param("2017-05-16 02:17:50", datetime(2017, 5, 16, 2, 17, 50, tzinfo=UTC), id="a-space-for-t"),
        pytest.param("2017-05-16T11:17:50+09:00", datetime(2017, 5, 16, 2, 17, 50, tzinfo=UTC), id="offset"),
        pytest.param("2017-05-15T21:17:50-0500", datetime(2017, 5, 16, 2, 17, 50, tzinfo=UTC), id="no-colon"),
        pytest.param("2017-05-16T02:17:50.5Z", datetime(2017, 5, 16, 2, 17, 50, 500000, UTC), id="tenths"),
        pytest.param("2017-05-16T02:17:50.123456789Z", datetime(2017, 5, 16, 2, 17, 50, 123456, UTC), id="nanos"),
    ],
)
def test_instants_are_read_as_utc(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2017-05-16",
        "2017-13-01T00:00:00Z",
        "2017-02-30T00:00:00Z",
        "2017-05-16T24:00:00Z",
        "2017-05-16T02:17:50+24:00",
        "2017-05-16T02:17:50+09:60",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1970-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "1494901070",
        "٢٠١٧-05-16T02:17:50Z",
    ],
)
def test_what_cannot_be_read_is_no_instant(text: str) -> None:
    assert parse_instant(text) is None


@given(st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  hypothesis wants it naive
def test_a_written_instant_reads_as_itself(instant: datetime) -> None:
    assert parse_instant(iso(instant)) == instant


def test_instants_are_written_in_utc() -> None:
    seoul = datetime(2026, 11, 8, 3, 12, 5, tzinfo=ZoneInfo("Asia/Seoul"))

    assert iso(seoul) == "2026-11-07T18:12:05Z"
    assert iso_or_none(seoul) == iso(seoul)
    assert iso_or_none(None) is None
    assert format_minute(seoul) == "2026-11-07 18:12Z"
    assert format_day(seoul) == "2026-11-07"
    assert format_day(seoul, ZoneInfo("Asia/Seoul")) == "2026-11-08"


@given(
    st.datetimes(timezones=st.just(UTC) | st.builds(timezone, st.timedeltas(-timedelta(hours=23), timedelta(hours=23))))
)
def test_instants_are_written_as_python_writes_them(instant: datetime) -> None:
    try:
        utc = instant.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return
    assert iso(instant) == f"{utc.isoformat()}Z"
    assert format_minute(instant) == f"{utc.isoformat(' ', 'minutes')}Z"
