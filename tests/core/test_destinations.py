"""Where an image is reported: an owner's entry, its policy's channel, the default, the main channel, in this order."""

from dataclasses import replace

import pytest

from janitor.core.names.owners import OwnerRule
from janitor.core.policy import Match, Policy
from janitor.core.recipients.destinations import MAIN, Destination, Destinations
from janitor.core.recipients.recipients import Recipient, Recipients
from tests.factories import make_image

WEB, LEE, OTHERS = Recipient("#team-web"), Recipient(user="lee@example.com"), Recipient("#others")
RECIPIENTS = Recipients({"web": WEB}, OTHERS, frozenset({"example.com"}))
OWNED = Policy("owned", Match(), owner=OwnerRule("property:owner"))
BOTH = replace(OWNED, name="both", channel="#of-policy")
CHANNEL = Policy("channel", Match(), channel="#of-policy")
PLAIN = Policy("plain", Match())
ALL = Destinations.under([OWNED, BOTH, CHANNEL, PLAIN], "#main", RECIPIENTS)


def of(destinations: Destinations, policy: str | None, owner: str | None) -> Destination:
    return destinations.of(policy, make_image(properties={} if owner is None else {"owner": owner}))


CASES = {
    "entry": ("owned", "web", Destination("#team-web", WEB, "web")),
    "address": ("owned", "lee@example.com", Destination("lee@example.com", LEE, "lee@example.com")),
    "no-owner": ("owned", None, Destination("#others", OTHERS)),
    "unknown-owner": ("owned", "db", Destination("#others", OTHERS)),
    "an-entry-before-the-channel": ("both", "web", Destination("#team-web", WEB, "web")),
    "the-channel-before-the-default": ("both", "db", Destination("#of-policy", owner="db")),
    "no-rule-for-owners": ("channel", "web", Destination("#of-policy")),
    "neither": ("plain", "web", MAIN),
    "no-policy": (None, "web", MAIN),
    "a-policy-that-is-gone": ("gone", "web", MAIN),
}


@pytest.mark.parametrize(("policy", "owner", "destination"), CASES.values(), ids=CASES.keys())
def test_the_first_of_the_places_counts(policy: str | None, owner: str | None, destination: Destination) -> None:
    assert of(ALL, policy, owner) == destination


def test_without_owners_in_the_configuration_owners_change_nothing() -> None:
    without = replace(ALL, recipients=None)
    assert [of(without, policy, "web").place for policy in ("owned", "both")] == [None, "#of-policy"]
    assert without.owner_of("owned", make_image(properties={"owner": "web"})) is None


def test_without_a_default_an_owner_without_an_entry_is_told_of_in_the_main_channel() -> None:
    without = replace(ALL, recipients=replace(RECIPIENTS, default=None))
    assert of(without, "owned", "db") == Destination(owner="db", why_not="it has no entry under owners")
    assert of(without, "owned", None) == MAIN


@pytest.mark.parametrize(("policy", "owner"), [("owned", "web"), ("channel", None)])
def test_what_goes_to_the_main_channel_anyway_goes_there_once(policy: str, owner: str | None) -> None:
    recipients = replace(RECIPIENTS, by_owner={"web": Recipient("#of-policy")})
    assert of(replace(ALL, main="#of-policy", recipients=recipients), policy, owner) == MAIN


def test_what_cannot_be_reached_is_told_of_in_the_main_channel() -> None:
    unreached = ALL.without({"#team-web": "not in channel", "lee@example.com": "no such user"})
    assert of(unreached, "owned", "web") == Destination(None, WEB, "web", "not in channel")
    assert of(unreached, "owned", "lee@example.com") == Destination(None, LEE, "lee@example.com", "no such user")
    assert of(unreached, "owned", "kim@example.com").place == "kim@example.com"


@pytest.mark.parametrize(
    ("place", "owners", "still"),
    [
        pytest.param("#team-web", ["web"], True, id="as-before"),
        pytest.param("#team-web", ["web", ""], False, id="the-default-is-elsewhere"),
        pytest.param("#others", [""], True, id="the-default"),
        pytest.param("#team-web", ["db"], False, id="another-owner"),
        pytest.param("lee@example.com", ["lee@example.com"], True, id="an-address"),
        pytest.param("lee@example.org", ["lee@example.org"], False, id="a-domain-that-is-not-allowed"),
    ],
)
def test_a_place_stays_that_of_the_same_owners(place: str, owners: list[str], still: bool) -> None:
    assert ALL.still(place, owners) is still
    assert replace(ALL, recipients=None).still(place, owners) is False
