"""The sentences of decisions give dates in the configured zone, and name it where they give an hour."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from janitor.core.decide import decide
from janitor.core.policy import Clock, Expire, Policy
from janitor.core.usage import Usage
from tests.factories import ALL, NOW, make_image

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
EVENING = datetime(2026, 10, 1, 20, 30, tzinfo=UTC)


def sentence(policy: Policy, zone: tzinfo) -> str:
    image = make_image(created_at=EVENING, updated_at=EVENING)
    [decision] = decide([image], [policy], Usage(), {}, NOW, target="prod", zone=zone)
    return decision.detail


@pytest.mark.parametrize(
    ("zone", "created", "expired"),
    [(UTC, "2026-10-01", "2026-10-15"), (SEOUL, "2026-10-02", "2026-10-16"), (NEW_YORK, "2026-10-01", "2026-10-15")],
)
def test_days_are_those_of_the_zone(zone: tzinfo, created: str, expired: str) -> None:
    said = sentence(Policy("old", ALL, Expire(timedelta(days=14))), zone)
    assert said == f"created {created}, expired {expired} (14d after creation)"


def test_hours_have_their_zone() -> None:
    hours = Policy("old", ALL, Expire(timedelta(hours=36)))
    for utc in (UTC, ZoneInfo("UTC")):
        assert sentence(hours, utc) == "created 2026-10-01 20:30Z, expired 2026-10-03 08:30Z (1d12h after creation)"
    assert sentence(hours, SEOUL) == (
        "created 2026-10-02 05:30 KST, expired 2026-10-03 17:30 KST (1d12h after creation)"
    )
    noticed = Policy("old", ALL, Expire(timedelta(days=14)), notice=timedelta(days=2))
    assert sentence(noticed, SEOUL).endswith("; due for deletion no earlier than 2026-11-25 12:00 KST")
    assert sentence(noticed, NEW_YORK).endswith("; due for deletion no earlier than 2026-11-24 22:00 EST")


def test_a_term_without_an_end_has_a_sentence_in_any_zone() -> None:
    last_used = Policy("old", ALL, Expire(timedelta(days=14), Clock.LAST_USED))
    for zone in (UTC, SEOUL, NEW_YORK):
        assert "no expiry date" in sentence(last_used, zone)
