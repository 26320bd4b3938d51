"""Exemptions: which image is exempt and by whose word, and what is kept of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from janitor.exemptions import FOREVER, exemptions_for, lapses_soon
from janitor.model import Exemption
from janitor.units import parse_until
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
    found = exemptions_for([WEB, NAMELESS], stored, from_files, NOW, UTC)
    assert found == ({WEB.id: exempted} if exempted else {})


def test_a_name_exempts_every_image_of_that_name() -> None:
    twin = make_image("web", id="abc-9")
    assert set(exemptions_for([WEB, twin, NAMELESS], [], iter([exempt("web")]), NOW, UTC)) == {WEB.id, twin.id}


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
            "janitor-keep-until=soon, which is no date that can be read",
            id="unreadable",
        ),
        pytest.param(
            ("janitor-keep-until=",), FOREVER, "janitor-keep-until=, which is no date that can be read", id="no-date"
        ),
        pytest.param(("janitor-keep-untill=2020-01-01",), FOREVER, "janitor-keep-untill=2020-01-01", id="misspelt"),
        pytest.param(None, FOREVER, "they cannot be read (missing), and may exempt it", id="tags-unread"),
    ],
)
def test_an_image_may_carry_an_exemption(tags: tuple[str, ...] | None, until: datetime | None, why: str | None) -> None:
    image = make_image("web", tags=tags)
    found = exemptions_for([image], [], [], NOW, SEOUL).get(image.id)
    assert (found and found.until, found and found.why) == (until, why)


def test_of_a_tag_and_a_command_the_one_that_lasts_longest_holds() -> None:
    image = make_image("web", tags=("janitor-keep-until=2026-11-30",))
    by_command = Exemption(image.id, NEXT_YEAR, "rollback candidate", "kim")
    assert exemptions_for([image], [by_command], [], NOW, UTC) == {image.id: by_command}
