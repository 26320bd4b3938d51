"""Exemptions: which image is exempt and by whose word, and what is kept of it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.exemptions import exemptions_for, lapses_soon
from janitor.model import Exemption
from janitor.units import format_until, parse_until
from tests.factories import NOW, make_image

TOMORROW = NOW + timedelta(days=1)
NEXT_YEAR = NOW + timedelta(days=365)
WEB = make_image("web", id="abc-1")
NAMELESS = make_image(None, id="abc-2")


def exempt(image: str, until: datetime = TOMORROW, who: str = "kim") -> Exemption:
    return Exemption(image, until, "rollback candidate", who)


@pytest.mark.parametrize(
    ("stored", "from_files", "exempted"),
    [
        pytest.param([], [], None, id="nobody"),
        pytest.param([exempt("abc-1")], [], exempt("abc-1"), id="by-command"),
        pytest.param([], [exempt("abc-1")], exempt("abc-1"), id="by-id-in-a-file"),
        pytest.param([], [exempt("web")], exempt("web"), id="by-name-in-a-file"),
        pytest.param([exempt("ABC-1")], [], exempt("ABC-1"), id="ids-fold-case"),
        pytest.param([], [exempt("ABC-1")], exempt("ABC-1"), id="ids-in-files-fold-case"),
        pytest.param([], [exempt("Web")], None, id="names-do-not"),
        pytest.param([], [exempt("we*")], None, id="names-are-no-patterns"),
        pytest.param([exempt("web")], [], None, id="a-command-goes-by-id-only"),
        pytest.param([exempt("abc")], [], None, id="an-id-is-whole"),
        pytest.param([exempt("abc-1", NOW)], [], None, id="over-at-the-very-instant"),
        pytest.param([], [exempt("web", NOW)], None, id="over-in-a-file-too"),
        pytest.param(
            [exempt("abc-1", NOW + timedelta(microseconds=1))],
            [],
            exempt("abc-1", NOW + timedelta(microseconds=1)),
            id="holds-just-before",
        ),
        pytest.param(
            [exempt("abc-1", NEXT_YEAR), exempt("abc-1")], [], exempt("abc-1", NEXT_YEAR), id="the-longest-of-commands"
        ),
        pytest.param(
            [exempt("abc-1"), exempt("abc-1", NEXT_YEAR)], [], exempt("abc-1", NEXT_YEAR), id="in-whatever-order"
        ),
        pytest.param(
            [exempt("abc-1")], [exempt("web", NEXT_YEAR)], exempt("web", NEXT_YEAR), id="a-file-beats-a-command"
        ),
        pytest.param(
            [exempt("abc-1", NEXT_YEAR)], [exempt("web")], exempt("abc-1", NEXT_YEAR), id="a-command-beats-a-file"
        ),
        pytest.param(
            [exempt("abc-1", NOW - timedelta(days=1))], [exempt("web")], exempt("web"), id="a-lapsed-one-hides-nothing"
        ),
    ],
)
def test_who_exempts_an_image(stored: list[Exemption], from_files: list[Exemption], exempted: Exemption | None) -> None:
    found = exemptions_for([WEB, NAMELESS], stored, from_files, NOW)
    assert found == ({WEB.id: exempted} if exempted else {})


def test_a_name_exempts_every_image_of_that_name() -> None:
    twin = make_image("web", id="abc-9")
    assert set(exemptions_for([WEB, twin, NAMELESS], [], iter([exempt("web")]), NOW)) == {WEB.id, twin.id}


def test_an_image_whose_name_cannot_be_read_may_be_the_exempt_one() -> None:
    unreadable = make_image(None, id="abc-3", unreadable={"name": "missing"})
    found = exemptions_for([unreadable, NAMELESS], [exempt("abc-9")], [exempt("web"), exempt("db", NEXT_YEAR)], NOW)
    assert {image: given.until for image, given in found.items()} == {unreadable.id: NEXT_YEAR}
    assert found[unreadable.id].why == "its name cannot be read, and may be db; rollback candidate"
    assert exemptions_for([unreadable], [exempt("abc-9")], [], NOW) == {}


@pytest.mark.parametrize(
    ("until", "soon"),
    [
        (NOW, False),
        (NOW + timedelta(microseconds=1), True),
        (NOW + timedelta(days=7), True),
        (NOW + timedelta(days=7, microseconds=1), False),
    ],
)
def test_soon_is_within_a_week(until: datetime, soon: bool) -> None:
    assert lapses_soon(until, NOW) is soon


LAST = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "zone", "until"),
    [
        pytest.param("2026-12-31", "UTC", datetime(2027, 1, 1, tzinfo=UTC) - LAST, id="through-the-day"),
        pytest.param("2026-12-31", "Asia/Seoul", datetime(2026, 12, 31, 15, tzinfo=UTC) - LAST, id="in-the-zone"),
        pytest.param("2026-11-01", "America/Havana", datetime(2026, 11, 2, 5, tzinfo=UTC) - LAST, id="25-hours"),
        pytest.param(
            "2022-04-02", "America/Santiago", datetime(2022, 4, 3, 4, tzinfo=UTC) - LAST, id="its-last-hour-comes-twice"
        ),
        pytest.param("2026-12-31T18:00:00+09:00", "UTC", datetime(2026, 12, 31, 9, tzinfo=UTC), id="an-instant"),
        pytest.param("2026-12-31T18:00Z", "Asia/Seoul", datetime(2026, 12, 31, 18, tzinfo=UTC), id="has-its-own-zone"),
    ],
)
def test_until_when(text: str, zone: str, until: datetime) -> None:
    assert parse_until(text, ZoneInfo(zone)) == until


@pytest.mark.parametrize(
    ("text", "zone", "shown_in", "shown"),
    [
        pytest.param("2026-12-31", "Asia/Seoul", "Asia/Seoul", "through 2026-12-31 (Asia/Seoul)", id="a-date"),
        pytest.param("2026-12-31", "UTC", "UTC", "through 2026-12-31 (UTC)", id="in-utc"),
        pytest.param("2022-04-02", "America/Santiago", "America/Santiago", "through 2022-04-02 (America/Santiago)",
                     id="its-last-hour-comes-twice"),
        pytest.param("2026-03-28", "America/Nuuk", "America/Nuuk", "through 2026-03-28 (America/Nuuk)",
                     id="its-last-hour-is-skipped"),
        pytest.param("2026-12-31", "Asia/Seoul", "UTC", "until 2026-12-31 15:00Z", id="a-date-of-another-zone"),
        pytest.param("2026-12-31T18:00:00+09:00", "UTC", "Asia/Seoul", "until 2026-12-31 18:00+09:00", id="a-time"),
        pytest.param("2026-12-31T18:00:00+09:00", "UTC", "UTC", "until 2026-12-31 09:00Z", id="a-time-in-utc"),
        pytest.param("2026-12-31T23:59:59Z", "UTC", "UTC", "until 2026-12-31 23:59Z", id="a-time-at-the-end-of-a-day"),
        pytest.param("2027-01-01T00:00Z", "UTC", "UTC", "until 2027-01-01 00:00Z", id="midnight-is-a-time"),
        pytest.param("9999-12-31", "UTC", "Asia/Seoul", "through 9999-12-31 (Asia/Seoul)", id="for-ever"),
    ],
)  # fmt: skip
def test_an_end_is_shown_as_it_was_given(text: str, zone: str, shown_in: str, shown: str) -> None:
    assert format_until(parse_until(text, ZoneInfo(zone)), ZoneInfo(shown_in)) == shown


@given(st.dates(date(2020, 1, 1), date(9999, 12, 29)), st.sampled_from(sorted(available_timezones())))
def test_every_date_is_shown_as_that_date(day: date, key: str) -> None:
    zone = ZoneInfo(key)
    assert format_until(parse_until(day.isoformat(), zone), zone) == f"through {day.isoformat()} ({key})"


@pytest.mark.parametrize("text", ["9999-12-31", "9999-12-30", "9999-12-31T23:59:59-12:00"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "UTC", "Etc/GMT+12"])
def test_forever_can_be_written_in_every_zone(text: str, zone: str) -> None:
    until = parse_until(text, ZoneInfo(zone))
    assert {until.astimezone(ZoneInfo(name)).year for name in ("Pacific/Kiritimati", "Etc/GMT+12")} == {9999}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "31.12.2026",
        "20261231",
        "2026-W53-1",
        "2026-13-01",
        "2026-02-30",
        "0000-01-01",
        "0001-01-01T00:00:00+14:00",
        "2026-12-31T18:00:00",
        "2026-12-31T25:00:00Z",
        "2026-12-31T18:00:00+99:00",
        "２０２６-12-31",
        " 2026-12-31",
    ],
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date like 2026-12-31"):
        parse_until(text, UTC)
