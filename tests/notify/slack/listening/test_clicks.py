"""Clicks in the channel: honoured within three seconds and shown to all, or refused to the person alone."""

import sqlite3
from datetime import timedelta

import pytest

from janitor.core.clicks.permission import REFUSALS, Refusal
from janitor.core.result import Deletion, DeletionOutcome
from janitor.notify.slack.listening import answering
from janitor.sandbox.slack.clicks import FORGERIES, with_value
from janitor.sandbox.slack.people import KIM, LEE, PARK, STRANGER, Person
from janitor.store import Store
from tests.notify.slack.listening.announced import Desk, until
from tests.slack_stand_in import Posted, SlackStandIn
from tests.store.recorded import IMAGES, NOW, finished, plan_of


def shows(slack: SlackStandIn, posted: Posted, text: str) -> bool:
    return until(lambda: text in slack.latest(posted).shown)


def told(slack: SlackStandIn, count: int = 1) -> list[tuple[str | None, str]]:
    """What people were told alone, once so many were."""
    assert until(lambda: len(slack.ephemeral) >= count)
    return [(each.only_to, each.text) for each in slack.ephemeral]


def test_a_click_keeps_the_image_and_the_message_says_so(desk: Desk) -> None:
    first, thread = desk.announce()
    with desk.listening() as listener:
        click = desk.slack.click(first, "Keep 30 days", by=LEE)
        assert click.wait()
        assert click.in_time
        [(image, exemption)] = desk.exemptions().items()
        assert (image, exemption.who) == (desk.announced[0].image, "@lee")
        assert exemption.why == "kept for 30 days in Slack, on the message of run 1 in #cloud-images"
        day = f"{exemption.until.astimezone(desk.settings().timezone):%-d %b %Y}"
        assert shows(desk.slack, first, f"kept by @lee until {day}")
        assert shows(desk.slack, thread, f"kept by @lee until {day}: ci-a (a-1)")
        assert listener.counts == {"kept": 1}
    names = [block.get("block_id") for block in desk.slack.latest(first).blocks]
    assert f"keep.{desk.announced[0].id}" not in names
    assert f"keep.{desk.announced[1].id}" in names
    assert desk.slack.ephemeral == []


def test_a_second_click_is_answered_with_what_stands(desk: Desk) -> None:
    first, _ = desk.announce()
    with desk.listening():
        before = desk.slack.prepare(first, "Keep 7 days", by=KIM)
        click = desk.slack.click(first, "Keep 30 days", by=LEE)
        assert click.wait()
        desk.slack.send(click)
        assert desk.slack.send(before).wait()
        answers = told(desk.slack, 2)
    assert sorted(who or "" for who, _ in answers) == sorted([LEE.id, KIM.id])
    assert all("ci-a: kept already, by @lee until " in said for _, said in answers)
    assert len(desk.exemptions()) == 1


def test_the_menu_keeps_one_image_and_keep_all_the_rest(desk: Desk) -> None:
    _, thread = desk.announce()
    with desk.listening():
        assert desk.slack.click(thread, "ci-b (b-1)", by=LEE).wait()
        assert list(desk.exemptions()) == ["b-1"]
        assert shows(desk.slack, thread, "kept by @lee")
        assert desk.slack.click(desk.slack.latest(thread), "Keep all", by=KIM).wait()
        assert len(desk.exemptions()) == 3
        assert shows(desk.slack, thread, "kept by @kim until")
        [(who, said)] = told(desk.slack)
    assert who == KIM.id
    assert said.startswith("2 images kept until ")
    assert "• ci-b: kept already, by @lee until" in said
    kinds = [block["type"] for block in desk.slack.latest(thread).blocks]
    assert kinds == ["section", "section"], "there is nothing left to keep"


REFUSED: dict[str, tuple[str, Refusal]] = {
    "another team": ("another team", Refusal.OTHER_TEAM),
    "another app": ("another app", Refusal.OTHER_APP),
    "a person of another team": ("a person of another team", Refusal.OTHER_TEAMS_PERSON),
    "an unknown value": ("an unknown value", Refusal.UNKNOWN),
}


def test_all_forgeries_are_tried() -> None:
    assert REFUSED.keys() == FORGERIES.keys()


@pytest.mark.parametrize(("forgery", "refusal"), REFUSED.values(), ids=REFUSED)
def test_a_forged_click_changes_nothing(desk: Desk, forgery: str, refusal: Refusal) -> None:
    first, _ = desk.announce()
    with desk.listening() as listener:
        click = desk.slack.click(first, "Keep 30 days", forged=FORGERIES[forgery])
        assert click.wait()
        assert told(desk.slack) == [(LEE.id, f"Nothing was changed: {REFUSALS[refusal]}.")]
        assert listener.counts == {refusal.value: 1}
    assert desk.exemptions() == {}
    assert desk.slack.latest(first).blocks == first.blocks
    with Store.open(desk.database) as store:
        assert store.counts_of_clicks() == {refusal.value: 1}


def test_an_id_of_another_message_changes_nothing(desk: Desk) -> None:
    first, _ = desk.announce()
    with desk.listening():
        third = desk.announced[2].id
        assert desk.slack.click(first, "Keep 30 days", forged=with_value(third)).wait()
        [(_, said)] = told(desk.slack)
    assert said == f"Nothing was changed: {REFUSALS[Refusal.OTHER_MESSAGE]}."
    assert desk.exemptions() == {}


PEOPLE: dict[str, tuple[Person, Refusal]] = {
    "not-a-member": (PARK, Refusal.NOT_A_MEMBER),
    "of-another-team": (STRANGER, Refusal.OTHER_TEAMS_PERSON),
}


@pytest.mark.parametrize(("person", "refusal"), PEOPLE.values(), ids=PEOPLE)
def test_who_may_not_is_told_so_alone(desk: Desk, person: Person, refusal: Refusal) -> None:
    first, _ = desk.announce()
    with desk.listening():
        assert desk.slack.click(first, "Keep 30 days", by=person).wait()
        assert told(desk.slack) == [(person.id, f"Nothing was changed: {REFUSALS[refusal]}.")]
    assert desk.exemptions() == {}


def test_without_knowing_the_members_nobody_keeps(desk: Desk) -> None:
    first, _ = desk.announce()
    desk.slack.scopes[desk.slack.token] -= {"channels:read", "groups:read", "im:read"}
    with desk.listening():
        assert desk.slack.click(first, "Keep 30 days", by=LEE).wait()
        assert told(desk.slack) == [(LEE.id, f"Nothing was changed: {REFUSALS[Refusal.MEMBERS_UNKNOWN]}.")]
    assert desk.exemptions() == {}


def test_approvers_keep_for_longer_and_end_exemptions(desk: Desk) -> None:
    first, _ = desk.announce()
    with desk.listening():
        assert desk.slack.click(first, "Keep 7 days", by=LEE).wait()
        assert shows(desk.slack, first, "kept by @lee")
        assert desk.slack.click(desk.slack.latest(first), "Keep for 90 days", by=LEE).wait()
        assert told(desk.slack) == [(LEE.id, f"Nothing was changed: {REFUSALS[Refusal.NOT_AN_APPROVER]}.")]
        assert desk.slack.click(desk.slack.latest(first), "Keep for 90 days", by=KIM).wait()
        assert shows(desk.slack, first, "kept by @kim")
        assert desk.slack.click(desk.slack.latest(first), "End the exemption", by=KIM).wait()
        assert shows(desk.slack, first, "no longer kept: @kim ended that on ")
        assert desk.slack.click(first, "Keep 30 days", by=LEE).wait()
        assert "@kim ended that on" in told(desk.slack, 2)[-1][1]
    with Store.open(desk.database) as store:
        assert [record.ended_by for record in store.exemption_records()] == ["@kim", "@kim"]


def test_without_approvers_none_are_asked_for(desk: Desk) -> None:
    first, _ = desk.announce()
    with desk.listening(more="approvers: []"):
        assert desk.slack.click(first, "Keep 7 days", by=LEE).wait()
        assert shows(desk.slack, first, "kept by @lee")
    assert "For approvers" not in str(desk.slack.latest(first).blocks)


def test_a_busy_database_is_not_acknowledged_and_nothing_is_half_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "IN_TIME", timedelta(milliseconds=30))
    first, _ = desk.announce()
    with desk.listening() as listener:
        busy = sqlite3.connect(desk.database, isolation_level=None)
        busy.execute("BEGIN IMMEDIATE")
        click = desk.slack.click(first, "Keep 30 days")
        assert until(lambda: listener.counts["unrecorded"] == 1)
        busy.execute("ROLLBACK")
        busy.close()
        assert (click.acknowledged, desk.exemptions(), desk.slack.latest(first).blocks) == ([], {}, first.blocks)
        again = desk.slack.click(first, "Keep 30 days")
        assert again.wait()
    assert len(desk.exemptions()) == 1


def test_a_click_on_a_deleted_image_says_when_it_was(desk: Desk) -> None:
    first, _ = desk.announce()
    with Store.open(desk.database) as store:
        [decision] = plan_of(IMAGES[0])
        store.journal_request(1, "prod", decision, NOW)
        finished(store, 1, Deletion(decision, DeletionOutcome.DELETED, "confirmed gone"))
    with desk.listening():
        assert desk.slack.click(first, "Keep 30 days").wait()
        assert told(desk.slack) == [(LEE.id, "ci-a: nothing to keep: deleted on 2026-11-22 12:00 KST.")]
    assert desk.exemptions() == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"actions": []},
        {"actions": "x"},
        {"actions": [{}, {}]},
        {"actions": [{"action_id": "keep.30.x", "value": 7}]},
        {"actions": [{"action_id": "delete.x", "value": "x"}]},
        {"user": None},
        {"user": {"id": "U\ud800", "team_id": 5}},
        {"container": [], "message": None},
        {"team": None},
    ],
    ids=str,
)
def test_what_cannot_be_read_changes_nothing(desk: Desk, broken: dict[str, object]) -> None:
    first, _ = desk.announce()
    with desk.listening() as listener:
        click = desk.slack.click(first, "Keep 30 days", forged=lambda payload: {**payload, **broken})
        assert click.wait()
        assert until(lambda: sum(listener.counts.values()) == 1)
    assert desk.exemptions() == {}


def test_an_answer_goes_only_to_slack(desk: Desk) -> None:
    first, _ = desk.announce()
    with SlackStandIn() as elsewhere, desk.listening():
        foreign = {"response_url": f"{elsewhere.address}/actions/1"}
        assert desk.slack.click(first, "Keep 30 days", by=STRANGER, forged=lambda p: {**p, **foreign}).wait()
        assert told(desk.slack)[0][0] == STRANGER.id, "told by the bot instead"
    assert elsewhere.paths == []


def test_direct_messages_are_answered_by_the_person_who_has_them(desk: Desk) -> None:
    first, thread = desk.announce(PARK.id)
    with desk.listening():
        assert desk.slack.click(first, "Keep 7 days", by=PARK).wait()
        assert shows(desk.slack, first, "kept by @park until ")
        assert desk.slack.click(thread, "Keep all", by=PARK).wait()
        assert until(lambda: len(desk.exemptions()) == 3)
        assert desk.slack.click(first, "Keep 30 days", by=LEE).wait()
        assert told(desk.slack, 2)[-1] == (LEE.id, f"Nothing was changed: {REFUSALS[Refusal.NOT_A_MEMBER]}.")
