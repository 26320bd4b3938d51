"""Owners are told of their images, and of nobody else's; whoever cannot be is told of in the main channel."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from janitor.config import Settings
from janitor.core.result import Outcome
from janitor.errors import DeliveryError, Exit
from janitor.notify.channel import Sending
from janitor.notify.channels import configured
from janitor.notify.delivery import deliver
from janitor.sandbox.slack.people import KIM, LEE, PARK
from janitor.shutdown import Stop
from tests.factories import NOW, make_deletion, make_run, make_target, replace_in, to_delete
from tests.notify.deliveries import run_of, shown, waiting
from tests.notify.owned import (
    OWNED,
    WEB,
    announcing_of,
    everywhere,
    ids_of,
    notices,
    owned_settings,
    posted_to,
)
from tests.slack_stand_in import CHANNEL, DROPPED, Reply, SlackStandIn


@pytest.fixture
def settings(tmp_path: Path, slack: SlackStandIn, nothing_waits: None) -> Settings:
    return owned_settings(tmp_path, slack)


def announced(settings: Settings, *owners: str | None) -> tuple[set[str], Exit]:
    """The images whose notice starts, and the exit code."""
    target = announcing_of(owners)
    told = deliver(settings, run_of(settings, target), [OWNED], clock=lambda: NOW)
    assert {image for _, image in told.announced} == set(notices(settings))
    return set(notices(settings)), told.code


def test_each_owner_gets_exactly_the_own_images(settings: Settings, slack: SlackStandIn) -> None:
    owners = ("web", "kim", "lee@example.com", None)
    target = announcing_of(owners)
    started, code = announced(settings, *owners)
    assert (code, started) == (Exit.OK, {decision.image.id for decision in target.decisions})
    places = {WEB: "web", "@kim": "kim", "@lee": "lee@example.com", CHANNEL: None}
    said = everywhere(slack)
    for place, whose in places.items():
        for owner in owners:
            assert all((image in said[place]) is (owner == whose) for image in ids_of(target, owner)), (place, owner)


def test_the_main_channel_counts_all_and_names_nobody(settings: Settings, slack: SlackStandIn) -> None:
    announced(settings, "web", "kim", "lee@example.com", None)
    main = posted_to(slack, CHANNEL)[0].shown
    assert f"`{WEB}`: 2 images" in main
    assert "2 direct messages: 4 images" in main
    assert "8 images" in main
    assert "lee@" not in main
    assert "kim" not in main


def test_a_report_says_for_whom_it_is(settings: Settings, slack: SlackStandIn) -> None:
    announced(settings, "lee@example.com", "web")
    assert "Only images of these owners: lee@example.com." in posted_to(slack, LEE)[0].shown
    assert "Only images of these owners: web." in posted_to(slack, WEB)[0].shown


# Who cannot be reached

UNREACHED = {
    "no-such-user": ("nobody@example.com", "users_not_found"),
    "a-user-without-account": ("gone@example.com", "users_not_found"),
    "another-domain": ("lee@example.org", "its domain is not one of owners.domains"),
    "no-entry": ("somebody", "it has no entry under owners"),
    "no-such-channel": ("no-channel", "channel_not_found"),
    "not-in-the-channel": ("not-in", "not_in_channel"),
    "a-former-user": ("former", "user_disabled"),
    "no-such-id": ("no-id", "user_not_found"),
}
MORE = (
    "{no-channel: {channel: '#nowhere'}, not-in: {channel: '#left'}, former: {user: U0PARK00001}, "
    "no-id: {user: U0NOBODY}, kim: {user: U0KIM000001}, domains: [example.com]}"
)


@pytest.mark.parametrize(("owner", "reason"), UNREACHED.values(), ids=UNREACHED.keys())
def test_who_cannot_be_reached_is_told_of_in_the_main_channel_which_says_why(
    tmp_path: Path, slack: SlackStandIn, nothing_waits: None, owner: str, reason: str
) -> None:
    settings = owned_settings(tmp_path, slack, MORE)
    slack.people[PARK.id] = replace(PARK, deleted=True)
    slack.join("#left")
    slack.leave("#left")
    started, code = announced(settings, owner, "kim")
    target = announcing_of([owner, "kim"])
    assert (started, code) == (ids_of(target, owner) | ids_of(target, "kim"), Exit.OK)
    main, kims = (shown(posted_to(slack, place)) for place in (CHANNEL, KIM))
    [line] = [line for line in main.splitlines() if line.startswith(f"`{owner}`")]
    assert line.startswith(f"`{owner}`: 2 images: ")
    assert reason in line
    assert all(image in main for image in ids_of(target, owner))
    assert not any(image in main for image in ids_of(target, "kim"))
    assert not any(image in kims for image in ids_of(target, owner))
    assert waiting(settings) == 0


def test_a_notice_says_whether_its_owner_was_told(settings: Settings) -> None:
    announced(settings, "kim", "nobody@example.com", None)
    told = {notice.owner: notice.instead for notice in notices(settings).values()}
    assert told == {"kim": False, "nobody@example.com": True, "": False}


def test_what_neither_the_owner_nor_the_main_channel_took_is_not_announced(
    settings: Settings, slack: SlackStandIn
) -> None:
    slack.leave(CHANNEL)
    started, code = announced(settings, "kim", "nobody@example.com")
    assert (started, code) == (ids_of(announcing_of(["kim"]), "kim"), Exit.FAILED)
    assert waiting(settings) == 1, "the report for the main channel, which holds all that its owners did not get"


def test_an_owner_who_got_a_part_is_not_told_of_elsewhere(settings: Settings, slack: SlackStandIn) -> None:
    target = announcing_of(["web"])
    many = [
        decision.replace(image=decision.image.replace(id=f"{n}-{decision.image.id}"))
        for n in range(200)
        for decision in target.decisions[:1]
    ]
    slack.refuse_after = 2
    result = run_of(settings, make_target(many, announced=tuple(many)))
    told = deliver(settings, result, [OWNED], clock=lambda: NOW)
    named = {decision.image.id for decision in many if f"`{decision.image.id}`" in shown(posted_to(slack, WEB))}
    assert told.code is Exit.FAILED
    assert {image for _, image in told.announced} == named == set(notices(settings))
    assert 0 < len(named) < 200
    assert not any(decision.image.id in shown(posted_to(slack, CHANNEL)) for decision in many)


def test_if_nobody_answers_the_owners_are_not_all_tried(settings: Settings, slack: SlackStandIn) -> None:
    slack.unanswered = 1_000
    owners = [f"u{number}@example.com" for number in range(20)]
    started, code = announced(settings, *owners)
    assert (started, code) == (set(), Exit.FAILED)
    assert (
        len(
            {
                json.dumps(request)
                for request, path in zip(slack.requests, slack.paths, strict=True)
                if path.endswith("lookupByEmail")
            }
        )
        == 2
    )


def test_a_lookup_that_is_not_answered_falls_back(settings: Settings, slack: SlackStandIn) -> None:
    slack.refusals["/api/users.lookupByEmail"] = DROPPED
    started, code = announced(settings, "lee@example.com")
    assert (len(started), code) == (2, Exit.OK)
    assert "`lee@example.com`: 2 images: Slack did not accept the address: no usable answer" in shown(slack.posted)
    assert posted_to(slack, LEE) == []


def test_a_bot_without_the_scope_says_which_it_needs(settings: Settings, slack: SlackStandIn) -> None:
    slack.scopes = {token: scopes - {"users:read.email"} for token, scopes in slack.scopes.items()}
    announced(settings, "lee@example.com")
    assert "users:read.email" in shown(posted_to(slack, CHANNEL))


@pytest.mark.parametrize(
    "user",
    [
        {"id": KIM.id, "profile": {"email": "kim@example.com"}},
        {"id": LEE.id, "deleted": True, "profile": {"email": "lee@example.com"}},
        {"id": LEE.id, "is_bot": True},
        {"id": LEE.id, "is_stranger": True},
        {"id": LEE.id, "team_id": "T0ELSEWHERE"},
        {"id": LEE.id, "team_id": "T0ELSEWHERE", "enterprise_user": {"teams": ["T0OTHER"]}},
        {"id": "<!channel>"},
        {"id": "#general"},
        {"id": None},
        {},
        "U0LEE000001",
    ],
)
def test_an_answer_about_somebody_else_sends_nothing(settings: Settings, slack: SlackStandIn, user: object) -> None:
    slack.refusals["/api/users.lookupByEmail"] = Reply(200, json.dumps({"ok": True, "user": user}))
    started, _ = announced(settings, "lee@example.com")
    assert len(started) == 2
    assert {slack.place_of(posted).name for posted in slack.posted} == {CHANNEL}  # type: ignore[union-attr]


# Whether, and what, an owner is told


@pytest.mark.parametrize("post", ["always", "changes", "problems"])
def test_an_owner_without_news_is_left_in_peace(
    tmp_path: Path, slack: SlackStandIn, nothing_waits: None, post: str
) -> None:
    settings = owned_settings(tmp_path, slack, post=post)
    quiet = replace_in(announcing_of(["web", "kim"]), announced=())
    deliver(settings, run_of(settings, quiet), [OWNED])
    assert (posted_to(slack, WEB), posted_to(slack, KIM)) == ([], [])


def test_an_owner_is_told_of_deletions_and_of_what_went_wrong_with_them_but_not_of_others(
    settings: Settings, slack: SlackStandIn
) -> None:
    target = announcing_of(["web", "kim"])
    gone = [make_deletion(to_delete(decision.image, policy="owned")) for decision in target.decisions]
    error = f"image {gone[0].decision.image.id} could not be read"
    failed = make_target([one.decision for one in gone], gone, outcome=Outcome.REFUSED, error=error)
    remarks = (f"the name of {gone[0].decision.image.id} keeps two",)
    deliver(settings, run_of(settings, replace_in(failed, remarks=remarks), outcome=Outcome.REFUSED), [OWNED])
    kims, main = shown(posted_to(slack, KIM)), shown(posted_to(slack, CHANNEL))
    assert gone[0].decision.image.id in main, "the main channel says what went wrong"
    assert gone[0].decision.image.id not in kims
    assert gone[2].decision.image.id in kims
    assert "the main channel says why" in kims


def test_the_file_of_an_owner_holds_the_own_images(settings: Settings, slack: SlackStandIn) -> None:
    first = announcing_of(["kim"]).decisions[0]
    others = announcing_of(["web"]).decisions[0]
    many = [
        one.replace(image=one.image.replace(id=f"{one.image.id}-{n}")) for n in range(60) for one in (first, others)
    ]
    deliver(settings, run_of(settings, make_target(many, announced=tuple(many))), [OWNED])
    assert len(slack.files) == 2
    for file in slack.files:
        mine = first if file.channel == slack.channels["@kim"].id else others
        assert all((one.image.id in file.content) is one.image.id.startswith(mine.image.id) for one in many)


def test_a_person_is_mentioned_in_the_thread_by_the_id_that_slack_gave(settings: Settings, slack: SlackStandIn) -> None:
    mentioning = owned_settings(
        settings.source.parent, slack, f"{{web: {{channel: '{WEB}', user: lee@example.com, mention: true}}}}"
    )
    announced(mentioning, "web")
    thread = [posted for posted in posted_to(slack, WEB) if posted.thread is not None]
    assert thread[-1].text.startswith(f"<@{LEE.id}>")
    assert not any("<@" in posted.text + posted.shown for posted in thread[:-1])


def test_a_mention_that_fails_loses_nothing(settings: Settings, slack: SlackStandIn) -> None:
    mentioning = owned_settings(
        settings.source.parent, slack, f"{{web: {{channel: '{WEB}', user: nobody@example.com, mention: true}}}}"
    )
    assert len(announced(mentioning, "web")[0]) == 2
    assert "<@" not in shown(slack.posted)


def test_an_owner_that_is_markup_mentions_nobody(settings: Settings, slack: SlackStandIn) -> None:
    announced(settings, "<!channel>", "<@U0KIM000001>", "U0KIM000001", WEB, "who\u202e", "`*kim*`")
    assert not any(mark in posted.text + posted.shown for posted in slack.posted for mark in ("<!", "<@", "\u202e"))
    assert (posted_to(slack, KIM), posted_to(slack, WEB)) == ([], [])


def test_a_dry_run_tells_owners_too_and_starts_nothing(settings: Settings, slack: SlackStandIn) -> None:
    target = announcing_of(["kim", "nobody@example.com"])
    deliver(settings, make_run(target, run=0), [OWNED])
    assert all(image in shown(posted_to(slack, KIM)) for image in ids_of(target, "kim"))
    assert notices(settings) == {}


def test_once_asked_to_end_what_owners_did_not_get_waits_for_them(settings: Settings, slack: SlackStandIn) -> None:
    stop = Stop()
    stop.set()
    slack.refusals["/api/conversations.open"] = DROPPED
    deliver(settings, run_of(settings, announcing_of(["kim"])), [OWNED], sending=Sending(stop))
    assert waiting(settings) == 1
    assert not any(image in shown(slack.posted) for image in ids_of(announcing_of(["kim"]), "kim"))


def test_what_an_owner_did_not_get_because_the_program_is_to_end_is_told_nowhere_else(
    settings: Settings, slack: SlackStandIn
) -> None:
    stop = Stop()
    slack.before = stop.set
    slack.refusals["/api/conversations.open"] = DROPPED
    told = deliver(settings, run_of(settings, announcing_of(["kim"])), [OWNED], sending=Sending(stop))
    assert (told.announced, told.code, waiting(settings)) == (frozenset(), Exit.FAILED, 1)
    assert not any(image in shown(slack.posted) for image in ids_of(announcing_of(["kim"]), "kim"))


def test_once_asked_to_end_few_owners_are_tried_and_the_main_channel_comes_first(
    tmp_path: Path, slack: SlackStandIn, nothing_waits: None
) -> None:
    places = [f"#team-{number}" for number in range(9)]
    for place in places:
        slack.join(place)
    settings = owned_settings(
        tmp_path, slack, f"{{{', '.join(f'{place[1:]}: {{channel: {place!r}}}' for place in places)}}}"
    )
    stop = Stop()
    stop.set()
    result = run_of(settings, announcing_of([place[1:] for place in places]))
    told = deliver(settings, result, [OWNED], sending=Sending(stop))
    heard = [place for place in places if posted_to(slack, place)]
    assert (slack.posted[0].channel, len(heard), waiting(settings)) == (CHANNEL, 3, 6)
    assert told.code is Exit.FAILED
    assert len(told.announced) == 6


def test_people_about_whom_nothing_is_answered_keep_no_channel_from_being_told(
    settings: Settings, slack: SlackStandIn
) -> None:
    slack.refusals["/api/users.lookupByEmail"] = DROPPED
    started, _ = announced(settings, "u1@example.com", "u2@example.com", "u3@example.com", "web")
    assert (len(started), len(posted_to(slack, WEB))) == (8, 2)


def test_an_owner_is_told_once_however_often_the_name_is_written_in_another_case(
    settings: Settings, slack: SlackStandIn
) -> None:
    announced(settings, "web", "Web", "wEb", "WEB")
    assert "Only images of these owners: web." in posted_to(slack, WEB)[0].shown


@pytest.mark.parametrize("channel", [{"id": "C000000000"}, {"id": "#general"}, {"id": None}, "D0", None])
def test_direct_messages_go_to_no_channel_that_others_read(
    settings: Settings, slack: SlackStandIn, channel: object
) -> None:
    slack.refusals["/api/conversations.open"] = Reply(200, json.dumps({"ok": True, "channel": channel}))
    started, _ = announced(settings, "kim")
    assert len(started) == 2
    assert "Slack's answer does not say where direct messages go" in shown(posted_to(slack, CHANNEL))


def test_the_log_says_who_was_not_reached(
    settings: Settings, caplog: pytest.LogCaptureFixture, line_of: Callable[[str, str], str]
) -> None:
    announced(settings, "nobody@example.com")
    assert "run=1 to nobody@example.com: Slack did not accept the address" in line_of(caplog.text, "owner-not-reached")


def test_addresses_are_asked_for_once_a_day(settings: Settings, slack: SlackStandIn) -> None:
    now = NOW

    def lookups_of(owner: str) -> int:
        before = slack.paths.count("/api/users.lookupByEmail")
        deliver(settings, run_of(settings, announcing_of([owner])), [OWNED], clock=lambda: now)
        return slack.paths.count("/api/users.lookupByEmail") - before

    assert [lookups_of("lee@example.com"), lookups_of("LEE@example.com")] == [1, 0]
    assert [lookups_of("nobody@example.com"), lookups_of("nobody@example.com")] == [1, 0]
    now += timedelta(hours=2)
    assert [lookups_of("lee@example.com"), lookups_of("nobody@example.com")] == [0, 1]
    now += timedelta(hours=23)
    assert lookups_of("lee@example.com") == 1
    now -= timedelta(days=30)
    assert lookups_of("lee@example.com") == 1, "an answer from the future is not relied on"


def test_a_run_asks_for_a_hundred_addresses_at_most(settings: Settings, slack: SlackStandIn) -> None:
    owners = [f"u{number}@example.com" for number in range(105)]
    started, code = announced(settings, *owners)
    assert (len(started), code) == (210, Exit.OK)
    assert slack.paths.count("/api/users.lookupByEmail") == 100


def test_check_posts_to_channels_of_owners_and_finds_people_without_a_message(
    tmp_path: Path, slack: SlackStandIn, nothing_waits: None
) -> None:
    owners = f"{{web: {{channel: '{WEB}'}}, lee: {{user: lee@example.com}}, gone: {{user: nobody@example.com}}}}"
    [workspace] = configured(owned_settings(tmp_path, slack, owners), [OWNED])
    told: dict[str, str] = {}
    for name, probe in workspace.probes(live=True):
        try:
            told[name] = probe()
        except DeliveryError as error:
            told[name] = str(error)
    assert told["slack lee@example.com"] == "can be sent direct messages; none was sent"
    assert "users_not_found" in told["slack nobody@example.com"]
    assert [posted.channel for posted in slack.posted] == [CHANNEL, WEB]
