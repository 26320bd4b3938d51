"""Who may answer an announcement by a click: what is not known is never a yes."""

from dataclasses import replace

import pytest

from janitor.core.clicks.click import Click, Person, Place, Wish
from janitor.core.clicks.permission import (
    REFUSALS,
    Ours,
    Refusal,
    Standing,
    refusal_of_origin,
    refusal_of_person,
    refusal_of_place,
)

OURS = Ours("T1", "A1")
LEE = Person("U1", "lee", "T1")
HERE = Place("C1", "17.01")
CLICK = Click("T1", "A1", LEE, HERE, Wish.KEEP, 30, "opaque")

ORIGINS = {
    "ours": (CLICK, None),
    "another-team": (replace(CLICK, team="T2"), Refusal.OTHER_TEAM),
    "no-team": (replace(CLICK, team=""), Refusal.OTHER_TEAM),
    "another-app": (replace(CLICK, app="A2"), Refusal.OTHER_APP),
    "no-app": (replace(CLICK, app=""), Refusal.OTHER_APP),
    "a-person-of-another-team": (replace(CLICK, person=replace(LEE, team="T2")), Refusal.OTHER_TEAMS_PERSON),
    "a-person-of-no-team": (replace(CLICK, person=replace(LEE, team="")), Refusal.OTHER_TEAMS_PERSON),
    "nobody": (replace(CLICK, person=replace(LEE, id="")), Refusal.OTHER_TEAMS_PERSON),
    "all-of-another-team": (replace(CLICK, team="T2", person=replace(LEE, team="T2")), Refusal.OTHER_TEAM),
}


@pytest.mark.parametrize(("click", "refusal"), ORIGINS.values(), ids=ORIGINS)
def test_only_clicks_of_our_team_app_and_people_count(click: Click, refusal: Refusal | None) -> None:
    assert refusal_of_origin(click, OURS) is refusal


def test_what_is_not_known_of_ourselves_matches_nothing() -> None:
    nobody = replace(CLICK, team="", app="", person=replace(LEE, team=""))
    assert refusal_of_origin(nobody, Ours("", "")) is Refusal.OTHER_TEAM


PLACES = {
    "its-message": ((HERE,), None),
    "one-of-its-messages": ((Place("C1", "16.0"), HERE), None),
    "unknown": ((), Refusal.UNKNOWN),
    "another-message": ((Place("C1", "16.0"),), Refusal.OTHER_MESSAGE),
    "the-same-time-in-another-channel": ((Place("C2", "17.01"),), Refusal.OTHER_MESSAGE),
}


@pytest.mark.parametrize(("places", "refusal"), PLACES.values(), ids=PLACES)
def test_a_button_counts_in_its_own_messages_only(places: tuple[Place, ...], refusal: Refusal | None) -> None:
    assert refusal_of_place(CLICK, places) is refusal


MONTH, LONGER, END = CLICK, replace(CLICK, days=31), replace(CLICK, wish=Wish.END, days=0)
PEOPLE = {
    "member-30-days": (MONTH, Standing(True, False), None),
    "member-of-unknown-approvers-30-days": (MONTH, Standing(True, None), None),
    "stranger-30-days": (MONTH, Standing(False, False), Refusal.NOT_A_MEMBER),
    "unknown-30-days": (MONTH, Standing(None, False), Refusal.MEMBERS_UNKNOWN),
    "approver-elsewhere-30-days": (MONTH, Standing(False, True), None),
    "approver-of-unknown-channel-30-days": (MONTH, Standing(None, True), None),
    "member-31-days": (LONGER, Standing(True, False), Refusal.NOT_AN_APPROVER),
    "member-of-unknown-approvers-31-days": (LONGER, Standing(True, None), Refusal.APPROVERS_UNKNOWN),
    "approver-31-days": (LONGER, Standing(True, True), None),
    "member-ends": (END, Standing(True, False), Refusal.NOT_AN_APPROVER),
    "member-of-unknown-approvers-ends": (END, Standing(True, None), Refusal.APPROVERS_UNKNOWN),
    "approver-ends": (END, Standing(False, True), None),
    "nothing-known": (END, Standing(None, None), Refusal.APPROVERS_UNKNOWN),
}


@pytest.mark.parametrize(("click", "standing", "refusal"), PEOPLE.values(), ids=PEOPLE)
def test_members_keep_for_30_days_and_approvers_for_longer(
    click: Click, standing: Standing, refusal: Refusal | None
) -> None:
    assert refusal_of_person(click, standing) is refusal


def test_every_refusal_has_words() -> None:
    assert REFUSALS.keys() == set(Refusal)
