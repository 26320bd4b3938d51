"""Nights of images with owners: an owner who hears nothing ends the notices of the own images only."""

from dataclasses import replace

import pytest

from janitor.core.image import Image
from janitor.core.names.owners import OwnerRule
from janitor.core.recipients.destinations import Destinations
from janitor.core.recipients.recipients import Recipient, Recipients
from janitor.core.result import RunResult
from janitor.notify.announcing import start_notices
from janitor.store import NewReport
from tests.factories import image_called
from tests.run.nights import Nights
from tests.run.world import ANNOUNCED, announced

KIM, LEE = "U0KIM", "U0LEE"
OWNED = replace(ANNOUNCED, owner=OwnerRule("property:owner"))
RECIPIENTS = Recipients({"kim": Recipient(user=KIM), "lee": Recipient(user=LEE)})
DESTINATIONS = Destinations.under([OWNED], "#main", RECIPIENTS)


@pytest.fixture
def nights(nights: Nights) -> Nights:
    nights.policies = [OWNED]
    nights.cloud.listed = [owned("kims", "kim"), owned("lees", "lee"), image_called("young", days=1)]
    return nights


def owned(image: str, owner: str) -> Image:
    return image_called(image, properties={"owner": owner})


def night(
    nights: Nights, *told: str, instead: tuple[str, ...] = (), destinations: Destinations = DESTINATIONS
) -> RunResult:
    """One run, of which these people and the main channel were told, or the main channel instead of these."""
    result = nights.run(deliver=False, owes_report=True, destinations=destinations)
    places = [*told, *instead, "slack"]
    numbers = nights.store.add_reports(result.run, [NewReport(place, "[]") for place in places], nights.now)
    for number, place in zip(numbers, places, strict=True):
        if place in instead:
            nights.store.mark_superfluous(number, "reported in the main channel instead", nights.now)
        else:
            nights.store.mark_delivered(number, nights.now)
    notices = result.targets[0].notices
    names = [("prod", one.image.id) for one in (*notices.announced, *notices.reminded)]
    moved = {name for name in names if {"kims": KIM, "lees": LEE}[name[1]] in instead}
    store, policies, now = nights.store, nights.policies, nights.now
    start_notices(store, result, policies, set(names), now, destinations=destinations, instead=moved)
    return result


def test_each_owner_who_was_told_loses_the_own_images_in_time(nights: Nights) -> None:
    assert announced(night(nights, KIM, LEE)) == ["kims", "lees"]
    night(nights.at(1))
    night(nights.at(2))
    assert nights.cloud.deleted == ["kims", "lees"]
    nights.check()


def test_an_owner_who_could_not_be_told_for_longer_than_the_notice_is_told_anew(nights: Nights) -> None:
    night(nights, KIM, LEE)
    night(nights.at(0.9), instead=(KIM,))
    night(nights.at(1.9))
    result = night(nights.at(2.1), instead=(KIM,))
    assert (announced(result), nights.cloud.deleted) == (["kims"], ["lees"])
    night(nights.at(3))
    night(nights.at(4.1))
    assert nights.cloud.deleted == ["lees", "kims"], "the main channel was told instead, and heard all that followed"
    nights.check()


def test_who_was_told_of_in_the_main_channel_waits_as_long_and_no_longer(nights: Nights) -> None:
    night(nights, LEE, instead=(KIM,))
    night(nights.at(1))
    night(nights.at(2))
    assert nights.cloud.deleted == ["kims", "lees"]
    nights.check()


def test_a_new_owner_is_told_before_the_image_goes(nights: Nights) -> None:
    night(nights, KIM, LEE)
    nights.cloud.listed[0] = owned("kims", "lee")
    result = night(nights.at(2), LEE)
    assert (announced(result), nights.cloud.deleted) == (["kims"], ["lees"])
    expected = "no earlier than 2026-11-27 03:00Z, to be announced again, as its owner has changed"
    assert result.targets[0].decisions[0].detail.endswith(expected)
    night(nights.at(3))
    night(nights.at(4))
    assert nights.cloud.deleted == ["lees", "kims"]
    nights.check()


ELSEWHERE = Destinations.under([OWNED], "#main", Recipients({"lee": Recipient(user=LEE)}))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(ELSEWHERE, DESTINATIONS, (KIM,), id="an-entry-is-new"),
        pytest.param(DESTINATIONS, ELSEWHERE, (), id="an-entry-is-no-more"),
    ],
)
def test_a_new_place_is_told_before_the_image_goes(
    nights: Nights, before: Destinations, after: Destinations, told: tuple[str, ...]
) -> None:
    night(nights, LEE, destinations=before)
    night(nights.at(1), destinations=before)
    result = night(nights.at(2), *told, destinations=after)
    assert (announced(result), nights.cloud.deleted) == (["kims"], ["lees"])
    expected = "no earlier than 2026-11-27 03:00Z, to be announced again, as it was announced in another place"
    assert result.targets[0].decisions[0].detail.endswith(expected)
    night(nights.at(3), destinations=after)
    assert nights.cloud.deleted == ["lees"]
    night(nights.at(4), destinations=after)
    assert nights.cloud.deleted == ["lees", "kims"]
    nights.check()


def test_a_place_that_changes_back_in_time_costs_nothing(nights: Nights) -> None:
    night(nights, KIM, LEE)
    result = nights.at(1).run(deliver=False, owes_report=True, destinations=ELSEWHERE)
    assert announced(result) == ["kims"]
    nights.store.add_reports(result.run, [], nights.now)
    night(nights.at(2))
    assert nights.cloud.deleted == ["kims", "lees"]


def test_what_the_main_channel_was_told_instead_is_announced_again_once_its_entry_is_another(nights: Nights) -> None:
    night(nights, LEE, instead=(KIM,))
    corrected = Destinations.under([OWNED], "#main", Recipients({"kim": Recipient(channel="#team-kim")}))
    assert announced(night(nights.at(2), destinations=corrected)) == ["kims", "lees"]
    assert nights.cloud.deleted == []
