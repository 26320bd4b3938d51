"""Exemptions: which image is exempt and by whose word, and what is kept of it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core.exemptions import FOREVER, exemptions_by_tag, exemptions_for, expires_soon, longest_of
from janitor.core.memory import Exemption
from janitor.core.units import format_until, parse_until
from tests.factories import NOW, exempt, make_image

TOMORROW = NOW + timedelta(days=1)
NEXT_YEAR = NOW + timedelta(days=365)
WEB = make_image("web", id="abc-1")
NAMELESS = make_image(None, id="abc-2")


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
    assert expires_soon(until, NOW) is soon


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


SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("tags", "until", "why"),
    [
        pytest.param((), None, None, id="none"),
        pytest.param(("nightly", "keep", "not-janitor-keep"), None, None, id="others"),
        pytest.param(("nightly", "janitor-keep"), FOREVER, "janitor-keep", id="for-good"),
        pytest.param(("Janitor-Keep ",), FOREVER, "Janitor-Keep", id="whatever-its-case"),
        pytest.param(
            ("janitor-keep-until=2026-12-31",),
            parse_until("2026-12-31", SEOUL),
            "janitor-keep-until=2026-12-31",
            id="through-a-day-here",
        ),
        pytest.param(("janitor-keep-until=2026-11-22",), None, None, id="lapsed"),
        pytest.param(
            ("janitor-keep-until=2026-11-22", "janitor-keep-until=2026-11-30"),
            parse_until("2026-11-30", SEOUL),
            "janitor-keep-until=2026-11-30",
            id="the-longest",
        ),
        pytest.param(
            ("janitor-keep-until=2026-11-22", "janitor-keep"), FOREVER, "janitor-keep", id="a-lapsed-one-hides-nothing"
        ),
        pytest.param(
            ("janitor-keep-until=soon",),
            FOREVER,
            "janitor-keep-until=soon, which is not a readable date",
            id="unreadable",
        ),
        pytest.param(
            ("janitor-keep-until=",), FOREVER, "janitor-keep-until=, which is not a readable date", id="no-date"
        ),
        pytest.param(("janitor-keep-untill=2020-01-01",), FOREVER, "janitor-keep-untill=2020-01-01", id="misspelt"),
        pytest.param(None, FOREVER, "they cannot be read (missing), and may exempt it", id="tags-unread"),
    ],
)
def test_an_image_may_carry_an_exemption(tags: tuple[str, ...] | None, until: datetime | None, why: str | None) -> None:
    image = make_image("web", tags=tags)
    found = exemptions_by_tag([image], NOW, SEOUL).get(image.id)
    assert (found and found.until, found and found.why) == (until, why)


@pytest.mark.parametrize("by_command", [TOMORROW, NEXT_YEAR])
def test_of_a_tag_and_a_command_the_one_that_lasts_longest_holds(by_command: datetime) -> None:
    tagged, other = make_image("web", tags=("janitor-keep-until=2026-11-30",)), make_image("db")
    by_people = {image.id: exempt(image.id, by_command) for image in (tagged, other)}
    by_tag = exemptions_by_tag([tagged, other], NOW, UTC)
    longest = longest_of(by_people, by_tag)
    assert longest[other.id] == by_people[other.id]
    assert longest[tagged.id] == (by_people if by_command == NEXT_YEAR else by_tag)[tagged.id]
    assert longest_of({}, by_tag) == by_tag
