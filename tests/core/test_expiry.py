"""The sentence of a term, which is written once for many images, is that of each image's own dates."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from janitor.core.expiry import Term
from janitor.core.units import format_day, format_duration, format_minute

# Few days, so that terms share them, and the last ones of the calendar, which have no end.
DAYS = st.sampled_from([datetime(2026, 11, 8), datetime(2026, 11, 9), datetime(9999, 12, 31)])  # noqa: DTZ001
TIMES = st.timedeltas(timedelta(), timedelta(days=1) - timedelta.resolution)
INSTANTS = st.builds(lambda day, time: (day + time).replace(tzinfo=UTC), DAYS, TIMES)
LENGTHS = st.sampled_from([timedelta(), timedelta(days=1), timedelta(days=14), timedelta(hours=36), timedelta(0, 5)])


@given(INSTANTS, LENGTHS, st.none() | INSTANTS, st.sampled_from(["expires", "expired"]))
def test_a_sentence_says_its_own_dates(
    start: datetime, after: timedelta, watched_since: datetime | None, verb: str
) -> None:
    term = Term(start, after, "created", "creation", watched_since)
    write = format_minute if after.seconds else format_day
    rule = f"{format_duration(after)} after creation"
    watch = "" if watched_since is None else f", watched since {write(watched_since)}"
    if term.due is None:
        assert term.sentence(verb) == f"created {write(start)}, no expiry date ({rule})"
    else:
        assert term.sentence(verb) == f"created {write(start)}, {verb} {write(term.due)} ({rule}{watch})"


@given(INSTANTS)
def test_a_minute_is_written_in_utc(instant: datetime) -> None:
    assert format_minute(instant) == instant.strftime("%Y-%m-%d %H:%MZ")
