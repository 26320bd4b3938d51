"""Reports to owners that are late: nobody gets another's, whatever has changed since."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from janitor.config import Settings
from janitor.core.policy import Match, Policy
from janitor.notify.delivery import deliver, resend
from janitor.notify.sending import ReportSender
from janitor.sandbox.slack.people import KIM, LEE
from tests.factories import NOW
from tests.notify.deliveries import run_of, shown, waiting
from tests.notify.owned import DB, OWNED, WEB, announcing_of, everywhere, ids_of, notices, owned_settings, posted_to
from tests.slack_stand_in import CHANNEL, DROPPED, SlackStandIn

OWNERS = ["web", "kim", "lee@example.com"]


class Killed(BaseException):
    """The process died."""


@pytest.fixture
def settings(tmp_path: Path, slack: SlackStandIn, nothing_waits: None) -> Settings:
    return owned_settings(tmp_path, slack)


def killed_before(monkeypatch: pytest.MonkeyPatch, settings: Settings, at: str, times: int, owners: list[str]) -> None:
    """The run dies as it is about to do this once more, after so many times."""
    done = 0
    act = getattr(ReportSender, at)

    def dying(sender: ReportSender, *words: object) -> object:
        nonlocal done
        if done == times:
            raise Killed
        done += 1
        return act(sender, *words)

    with monkeypatch.context() as patched:
        patched.setattr(ReportSender, at, dying)
        with pytest.raises(Killed):
            deliver(settings, run_of(settings, announcing_of(owners)), [OWNED], clock=lambda: NOW)


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
def test_what_was_not_sent_when_the_program_died_reaches_the_same_owners_and_announces_nothing(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch, sent: int
) -> None:
    killed_before(monkeypatch, settings, "deliver", sent, OWNERS)
    assert notices(settings) == {}
    assert waiting(settings) == 4 - sent
    assert [error for _, error in resend(settings, [OWNED])] == [None] * (4 - sent)
    assert notices(settings) == {}
    target, said = announcing_of(OWNERS), everywhere(slack)
    for place, whose in {WEB: "web", "@kim": "kim", "@lee": "lee@example.com", CHANNEL: None}.items():
        for owner in OWNERS:
            assert all((image in said[place]) is (owner == whose) for image in ids_of(target, owner)), (place, owner)


@pytest.mark.parametrize(
    ("at", "left", "said"),
    [
        pytest.param("instead_of", 2, "its owner could not be reached", id="before-the-reports-are-one"),
        pytest.param("deliver", 1, "Their owners could not be told", id="before-that-is-sent"),
    ],
)
def test_a_program_that_dies_before_the_fallback_tells_the_main_channel_late(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch, at: str, left: int, said: str
) -> None:
    owners = ["nobody@example.com"]
    killed_before(monkeypatch, settings, at, 1 if at == "deliver" else 0, owners)
    assert (waiting(settings), notices(settings)) == (left, {})
    assert [error for _, error in resend(settings, [OWNED])] == [None] * left
    assert waiting(settings) == 0
    main = shown(posted_to(slack, CHANNEL))
    assert all(image in main for image in ids_of(announcing_of(owners), owners[0]))
    assert said in main
    assert notices(settings) == {}


NOW_SAYS = {
    "removed": (None, CHANNEL),
    "another-place": (f"{{web: {{channel: '{DB}'}}}}", CHANNEL),
    "its-channel-is-another-owners": (f"{{db: {{channel: '{WEB}'}}}}", CHANNEL),
    "the-same": (f"{{web: {{channel: '{WEB}'}}, db: {{channel: '{DB}'}}}}", WEB),
    "by-default": (f"{{default: {{channel: '{WEB}'}}}}", CHANNEL),
}


@pytest.mark.parametrize(("owners", "place"), NOW_SAYS.values(), ids=NOW_SAYS.keys())
def test_what_is_late_goes_to_nobody_who_was_not_meant(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch, owners: str | None, place: str
) -> None:
    slack.join(DB)
    killed_before(monkeypatch, settings, "deliver", 0, ["web"])
    present = owned_settings(settings.source.parent, slack, owners)
    assert [error for _, error in resend(present, [OWNED])] == [None, None]
    said, theirs = everywhere(slack), ids_of(announcing_of(["web"]), "web")
    assert {name for name, text in said.items() if any(image in text for image in theirs)} == {place}
    with closing(sqlite3.connect(present.database)) as db:
        [(heard,)] = db.execute("SELECT error IS NULL FROM reports WHERE channel = ?", (WEB,))
    assert bool(heard) is (place == WEB), "what another place was sent has not been heard there"


def test_what_is_late_for_an_owner_does_not_go_to_a_policy_that_has_the_channel_now(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_before(monkeypatch, settings, "deliver", 0, ["web"])
    present = owned_settings(settings.source.parent, slack, None)
    assert [error for _, error in resend(present, [OWNED, Policy("other", Match(), channel=WEB)])] == [None, None]
    assert posted_to(slack, WEB) == []


def test_an_address_whose_domain_is_no_longer_allowed_gets_nothing_late(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_before(monkeypatch, settings, "deliver", 0, ["lee@example.com"])
    present = owned_settings(settings.source.parent, slack, "{domains: [example.org]}")
    assert [error for _, error in resend(present, [OWNED])] == [None, None]
    assert posted_to(slack, LEE) == []


def test_a_late_report_to_a_person_goes_on_where_it_ended(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack.refuse_after = 1
    deliver(settings, run_of(settings, announcing_of(["kim"])), [OWNED], clock=lambda: NOW)
    assert (len(posted_to(slack, KIM)), waiting(settings)) == (1, 2)
    slack.refuse_after = None
    assert [error for _, error in resend(settings, [OWNED])] == [None, None]
    first, *thread = posted_to(slack, KIM)
    assert (first.thread, {posted.thread for posted in thread}) == (None, {first.ts})
    assert not any(image in shown(posted_to(slack, CHANNEL)) for image in ids_of(announcing_of(["kim"]), "kim"))


def test_without_a_database_owners_are_told_all_the_same(settings: Settings, slack: SlackStandIn) -> None:
    result = run_of(settings, announcing_of(["kim", "nobody@example.com"]))
    settings.database.write_bytes(b"this is no database")
    deliver(settings, result, [OWNED], clock=lambda: NOW)
    kims = ids_of(announcing_of(["kim"]), "kim")
    assert all(image in shown(posted_to(slack, KIM)) for image in kims)
    assert "nobody@example.com" in shown(posted_to(slack, CHANNEL))


def test_what_an_owner_has_not_got_of_a_report_is_told_in_the_main_channel_once_that_place_refuses_it(
    settings: Settings, slack: SlackStandIn
) -> None:
    slack.refuse_after = 1
    deliver(settings, run_of(settings, announcing_of(["kim"])), [OWNED], clock=lambda: NOW)
    slack.refuse_after = None
    slack.channels["@kim"].archived = True
    assert [error for _, error in resend(settings, [OWNED])] == [None, None]
    assert (waiting(settings), len(posted_to(slack, KIM))) == (0, 1)
    told = [posted for posted in posted_to(slack, CHANNEL) if "its owner could not be reached" in posted.shown]
    assert [("2 of 2" in str(posted.blocks), posted.thread) for posted in told] == [(True, None)]


def test_if_nobody_answers_not_every_late_report_is_tried(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = [f"u{number}@example.com" for number in range(9)]
    killed_before(monkeypatch, settings, "deliver", 0, owners)
    slack.refusals = dict.fromkeys(["/api/users.lookupByEmail", "/api/chat.postMessage"], DROPPED)
    assert all(error is not None for _, error in resend(settings, [OWNED]))
    tried = {str(request) for request in slack.requests}
    assert (len(tried), waiting(settings)) == (3, 10)


def test_a_person_about_whom_nothing_is_answered_waits_for_the_next_time(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_before(monkeypatch, settings, "deliver", 0, ["lee@example.com"])
    slack.refusals["/api/users.lookupByEmail"] = DROPPED
    assert sorted(error is None for _, error in resend(settings, [OWNED])) == [False, True]
    assert (waiting(settings), posted_to(slack, LEE)) == (1, [])
    slack.refusals.clear()
    assert [error for _, error in resend(settings, [OWNED])] == [None]
    lees = ids_of(announcing_of(["lee@example.com"]), "lee@example.com")
    assert all(image in shown(posted_to(slack, LEE)) for image in lees)
    assert not any(image in shown(posted_to(slack, CHANNEL)) for image in lees)
