"""Delivering reports: kept before they are sent, resumed where they broke off, never lost, never claimed to arrive."""

import csv
import io
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.config import Settings, load_settings
from janitor.core.decision import Reason, Verdict
from janitor.core.policy import Expire, Match, Policy
from janitor.core.result import DeletionOutcome, Mode, Outcome, RunResult, TargetResult
from janitor.core.survey import Survey
from janitor.core.survey.clock import ClockCheck
from janitor.core.usage import Usage
from janitor.errors import Busy, DeliveryError, Exit
from janitor.notify import Delivery, deliver, resend
from janitor.shutdown import Stop
from janitor.store import NewReport, Store, exclusive
from tests.conftest import POLICY, Desk
from tests.factories import NOW, make_deletion, make_image, make_run, make_target, replace_in, to_delete, to_keep
from tests.slack_stand_in import CHANNEL, COMPLETE, DROPPED, GET_URL, TOKEN, UPLOAD, Posted, Reply, SlackStandIn

TEAM = "#team-web"
WEB = Policy("web-images", Match(), channel=TEAM)
CI = Policy("ci-images", Match())
GONE = Reply(410, "channel_is_archived")
SENTENCE = NewReport("slack", '[{"text": "A sentence.", "blocks": []}]')
NO_SCOPE = Reply(200, '{"ok": false, "error": "missing_scope", "needed": "files:write"}')

Configure = Callable[..., Settings]


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        stand_in.members_of.add(TEAM)
        yield stand_in


@pytest.fixture
def configure(tmp_path: Path, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """The settings for a kind of Slack; nothing that they send waits."""
    monkeypatch.setattr(Stop, "wait", lambda _self, _seconds: False)
    kinds = {
        "webhook": f"webhook_url: '{slack.webhook_url}'",
        "bot": f"token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'",
        "elsewhere": f"token: {TOKEN}, channel: '{TEAM}', base_url: '{slack.base_url}'",
    }

    def configure(kind: str = "bot", post: str = "always") -> Settings:
        target = "{name: prod, endpoint: 'http://127.0.0.1:1', appkey: a, username: u, password: secret-password}"
        path = tmp_path / "janitor.yaml"
        told = f"slack: {{{kinds[kind]}, post: {post}}}\n" if kind in kinds else ""
        path.write_text(f"targets: [{target}]\ntimezone: Asia/Seoul\n{told}", encoding="utf-8")
        return load_settings(path, {})

    return configure


@pytest.fixture(params=["webhook", "bot"])
def settings(request: pytest.FixtureRequest, configure: Configure) -> Settings:
    return configure(request.param)


def run_of(
    settings: Settings, *targets: TargetResult, at: datetime = NOW, owes_report: bool = False, **parts: Any
) -> RunResult:
    """The result of a live run that is in the database."""
    result = make_run(*targets, mode=Mode.DELETE, started_at=at, finished_at=at + timedelta(minutes=1), **parts)
    with Store.open(settings.database) as store:
        result = replace(result, run=store.begin_run(Mode.DELETE, at, owes_report=owes_report))
        store.finish_run(replace(result, targets=()))
    return result


def deleting(count: int, policy: str = "ci-images", target: str = "prod") -> TargetResult:
    decisions = [to_delete(f"{policy}-{number}", policy=policy) for number in range(count)]
    return make_target(decisions, [make_deletion(decision) for decision in decisions], name=target)


def names_of(*targets: TargetResult) -> frozenset[tuple[str, str]]:
    return frozenset((target.target, decision.image.id) for target in targets for decision in target.to_delete)


def waiting(settings: Settings) -> int:
    with Store.open(settings.database) as store:
        return len(store.undelivered())


def shown(posted: list[Posted]) -> str:
    return "\n".join(message.shown for message in posted)


# One report


def test_without_slack_nothing_is_delivered_nor_owed(configure: Configure, slack: SlackStandIn) -> None:
    assert deliver(configure("none"), make_run(deleting(1))) == Delivery(Exit.OK, frozenset())
    assert slack.requests == []


def test_a_delivered_report_says_which_images_reached_the_channel(settings: Settings, slack: SlackStandIn) -> None:
    targets = [deleting(3), deleting(2, target="dev")]
    told = deliver(settings, run_of(settings, *targets))
    assert told == Delivery(Exit.OK, names_of(*targets))
    assert (waiting(settings), len(slack.posted) > 0) == (0, True)


def test_only_what_the_channel_accepted_counts_as_announced(settings: Settings, slack: SlackStandIn) -> None:
    target = deleting(300)
    result = run_of(settings, target)
    slack.refuse_after = 3
    told = deliver(settings, result)
    reached = {decision.image.id for decision in target.to_delete if decision.image.id in shown(slack.posted)}
    assert told == Delivery(Exit.FAILED, frozenset(("prod", image) for image in reached))
    assert 0 < len(reached) < 300
    assert told.trouble.startswith("the report was not wholly delivered to Slack (see above); it is kept, and the")


def test_an_image_that_is_only_next_to_expire_is_not_announced(settings: Settings) -> None:
    young = to_keep("young", policy="ci-images", due=NOW + timedelta(days=1))
    assert deliver(settings, run_of(settings, make_target([young]))).announced == frozenset()


def test_an_image_of_which_one_message_is_missing_is_not_announced(settings: Settings, slack: SlackStandIn) -> None:
    target = deleting(300)
    result = run_of(settings, replace_in(target, announced=target.to_delete[:1]))
    slack.refuse_after = 3
    first = target.to_delete[0].image.id
    assert first not in {image for _, image in deliver(settings, result).announced}
    assert first in shown(slack.posted)


def test_a_report_is_kept_before_it_is_sent(settings: Settings, slack: SlackStandIn) -> None:
    seen: list[int] = []
    slack.before = lambda: seen.append(waiting(settings))
    deliver(settings, run_of(settings, deleting(1)))
    assert seen
    assert set(seen) == {1}


def test_a_database_that_cannot_be_used_stops_no_report(settings: Settings, slack: SlackStandIn) -> None:
    settings.database.write_text("this is no database")
    result = make_run(deleting(1), mode=Mode.DELETE)
    assert deliver(settings, result) == Delivery(Exit.OK, names_of(*result.targets))
    assert settings.database.read_text() == "this is no database"


def test_a_run_that_could_not_begin_is_kept_and_sent_late_too(settings: Settings, slack: SlackStandIn) -> None:
    slack.script += [GONE]
    failed = make_run(run=0, outcome=Outcome.FAILED, error="policies/ci.yaml:12: no")
    assert deliver(settings, failed, clock=lambda: NOW).code == Exit.FAILED
    assert deliver(settings, run_of(settings, deleting(1))).code == Exit.OK
    assert slack.posted[0].text.startswith("late: report of a run that could not begin of 2026-11-23 12:00 KST. ")


# Late reports


def test_undelivered_reports_go_first_oldest_first_and_marked_late(settings: Settings, slack: SlackStandIn) -> None:
    for day in (0, 1):
        slack.script += [GONE]
        result = run_of(settings, deleting(1), at=NOW + timedelta(days=day))
        slack.script += [GONE] * day  # the late one
        assert deliver(settings, result).code == Exit.FAILED
    told = deliver(settings, run_of(settings, deleting(1, "new"), at=NOW + timedelta(days=2)))
    opening = [posted for posted in slack.posted if posted.thread is None]
    marks = ["late: report of run 1 of 2026-11-23 12:00 KST", "late: report of run 2 of 2026-11-24 12:00 KST"]
    assert [posted.text[: len(marks[0])] for posted in opening[:2]] == marks
    assert [mark in posted.shown for mark, posted in zip(marks, opening, strict=False)] == [True, True]
    assert "late" not in opening[2].text + opening[2].shown
    assert told == Delivery(Exit.OK, names_of(deleting(1, "new")))
    assert waiting(settings) == 0


def test_the_report_of_a_run_that_died_before_it_was_kept_is_made_up_for(
    settings: Settings, slack: SlackStandIn
) -> None:
    lost = run_of(settings, owes_report=True)
    assert deliver(settings, run_of(settings, at=NOW + timedelta(days=1), owes_report=True)).code is Exit.OK
    assert [f"run {run}" in message.shown for message, run in zip(slack.posted, (1, 2), strict=True)] == [True, True]
    assert slack.posted[0].text.startswith(f"late: report of run {lost.run} of 2026-11-23 12:00")
    deliver(settings, run_of(settings, at=NOW + timedelta(days=2), owes_report=True))
    assert len(slack.posted) == 3, "made up for once"


def test_resend_makes_up_for_it_too(settings: Settings, slack: SlackStandIn) -> None:
    run_of(settings, owes_report=True)
    assert [error for _, error in resend(settings, [])] == [None]
    assert list(resend(settings, [])) == []


def test_a_run_that_was_not_to_be_posted_owes_nothing(settings: Settings, slack: SlackStandIn) -> None:
    run_of(settings)
    deliver(settings, run_of(settings))
    assert len(slack.posted) == 1


def test_no_share_of_a_report_is_sent_before_all_are_kept(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure()
    kept: list[int] = []
    slack.before = lambda: kept.append(waiting(settings))
    deliver(settings, run_of(settings, deleting(1), deleting(1, "web-images", "web")), [WEB, CI])
    assert kept[0] == 2


def announcing(*names: str) -> TargetResult:
    decisions = [
        to_keep(name, Reason.NOTICE, verdict=Verdict.WAIT, policy="ci-images", due=NOW + timedelta(days=2))
        for name in names
    ]
    return make_target(decisions, announced=tuple(decisions))


def test_a_late_report_announces_nothing(settings: Settings, slack: SlackStandIn) -> None:
    slack.script += [GONE]
    assert deliver(settings, run_of(settings, announcing("a", "b"))).announced == frozenset()
    told = deliver(settings, run_of(settings, announcing("a"), at=NOW + timedelta(days=1)))
    late, in_time = (
        [posted for posted in slack.posted if posted.text.startswith("late: ") is late] for late in (True, False)
    )
    assert "Not announced, as this report is late: 2 images" in shown(late)
    assert not re.search("Announced|[0-9] images? announced", shown(late) + "".join(posted.text for posted in late))
    assert "Announced, to be deleted when due: 1 image" in shown(in_time)
    assert told.announced == {("prod", make_image("a").id)}, "by the report of this run, not by the late one"


def test_the_rest_of_a_report_announces_nothing_once_it_comes_late(settings: Settings, slack: SlackStandIn) -> None:
    target = announcing(*(f"ci-{number}" for number in range(300)))
    slack.refuse_after = 3
    told = {image for _, image in deliver(settings, run_of(settings, target)).announced}
    slack.refuse_after = None
    assert [error for _, error in resend(settings, [])] == [None]
    in_time, late = shown(slack.posted[:3]), shown(slack.posted[3:])
    assert "Announced, to be deleted when due: 300 images" in in_time
    assert "Not announced, as this report is late: 300 images* in `prod` (continued)" in late
    assert not re.search("Announced|[0-9] images? announced", late)
    ids = {decision.image.id for decision in target.notices.announced}
    assert {image for image in ids if image in in_time} == told
    assert {image for image in ids if image in late} == ids - told


def test_a_report_that_is_made_up_for_announced_nothing(settings: Settings, slack: SlackStandIn) -> None:
    target = announcing("a")
    lost = run_of(settings, owes_report=True)
    with Store.open(settings.database) as store:
        images = tuple(decision.image for decision in target.decisions)
        store.record_survey(lost.run, "prod", Survey(images, Usage(), NOW, NOW))
        store.record_decisions(lost.run, "prod", target.decisions)
        store.finish_target(lost.run, target)
    list(resend(settings, []))
    assert "Not announced, notice period not started; the next run tries again: 1 image" in shown(slack.posted)
    assert "1 image not announced." in slack.posted[0].text


def test_a_late_file_announces_nothing(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure()
    slack.refuse_after = 1
    deliver(settings, run_of(settings, announcing(*(f"ci-{number}" for number in range(60)))))
    slack.refuse_after = None
    list(resend(settings, []))
    [file] = slack.files
    assert {(row["due"], row["outcome"]) for row in csv.DictReader(io.StringIO(file.content))} == {("", "")}


def test_the_reports_of_a_run_are_kept_all_at_once_or_not_at_all(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure()
    result = run_of(settings, deleting(1), deleting(1, "web-images", "web"), owes_report=True)
    with closing(sqlite3.connect(settings.database, isolation_level=None)) as db:
        db.execute(
            f"CREATE TRIGGER died BEFORE INSERT ON reports WHEN NEW.channel = '{TEAM}'"
            " BEGIN SELECT raise(ABORT, 'the process died here'); END"
        )
        deliver(settings, result, [WEB, CI])
        db.execute("DROP TRIGGER died")
        assert (waiting(settings), db.execute("SELECT owes_report FROM runs").fetchall()) == (0, [(1,)])


def test_a_late_report_that_fails_again_is_not_lost_and_exits_1(settings: Settings, slack: SlackStandIn) -> None:
    slack.script += [GONE]
    deliver(settings, run_of(settings, deleting(1)))
    slack.script += [GONE]
    own = deleting(1, "new")
    assert deliver(settings, run_of(settings, own)) == Delivery(Exit.FAILED, names_of(own))
    assert waiting(settings) == 1
    assert "1 earlier report could not be delivered yet" in slack.posted[0].shown
    assert deliver(settings, run_of(settings, own)).code == Exit.OK
    assert waiting(settings) == 0


def test_a_report_resumes_at_the_first_message_that_was_not_accepted(settings: Settings, slack: SlackStandIn) -> None:
    target = deleting(300)
    slack.refuse_after = 3
    deliver(settings, run_of(settings, target))
    slack.refuse_after = None
    assert [error for _, error in resend(settings, [])] == [None]
    assert shown(slack.posted).count("•") == 300
    assert not [name for _, name in names_of(target) if name not in shown(slack.posted)]
    assert [posted.text.startswith("late: ") for posted in slack.posted[:4]] == [False, False, False, True]
    assert len({posted.thread for posted in slack.posted[1:]}) == 1


def test_a_run_that_has_nothing_to_post_still_sends_what_waits(configure: Configure, slack: SlackStandIn) -> None:
    slack.script += [GONE]
    deliver(configure(), run_of(configure(), deleting(1)))
    settings = configure(post="problems")
    assert deliver(settings, run_of(settings)) == Delivery()
    assert [posted.text[:4] for posted in slack.posted] == ["late"] * 2
    assert waiting(settings) == 0


def test_a_channel_that_cannot_be_reached_is_not_tried_for_every_late_report(
    settings: Settings, slack: SlackStandIn
) -> None:
    for _ in range(5):
        slack.script += [GONE] * 20
        deliver(settings, run_of(settings, deleting(1)))
        slack.script.clear()
    slack.script += [DROPPED] * 100
    slack.requests.clear()
    told = list(resend(settings, []))
    assert [error is not None for _, error in told] == [True] * 5
    assert len(slack.requests) == 4  # one message and its tries
    slack.script.clear()
    assert [error for _, error in resend(settings, [])] == [None] * 5


def test_a_report_that_slack_refuses_does_not_hold_up_the_others(settings: Settings, slack: SlackStandIn) -> None:
    for _ in range(2):
        slack.script += [GONE] * 20
        deliver(settings, run_of(settings, deleting(1)))
        slack.script.clear()
    slack.script += [GONE]
    assert [error is None for _, error in resend(settings, [])] == [False, True]


def test_a_report_begun_in_a_channel_that_is_no_longer_ours_begins_anew(
    configure: Configure, slack: SlackStandIn
) -> None:
    target = deleting(300)
    slack.refuse_after = 3
    deliver(configure(), run_of(configure(), target))
    slack.refuse_after = None
    already = len(slack.posted)
    assert [error for _, error in resend(configure("elsewhere"), [])] == [None]
    assert slack.posted[already].channel == TEAM
    assert not [name for _, name in names_of(target) if name not in shown(slack.posted[already:])]


def test_what_another_version_kept_is_sent(settings: Settings, slack: SlackStandIn) -> None:
    result = run_of(settings, deleting(1))
    with Store.open(settings.database) as store:
        store.add_reports(result.run, [SENTENCE], NOW)
    list(resend(settings, []))
    assert slack.posted[0].text == "late: report of run 1 of 2026-11-23 12:00 KST. A sentence."


def test_nothing_to_resend(settings: Settings, configure: Configure, slack: SlackStandIn) -> None:
    assert list(resend(settings, [])) == []
    assert not settings.database.exists()
    run_of(settings, deleting(1))
    assert list(resend(settings, [])) == []
    assert list(resend(configure("none"), [])) == []


def test_reports_that_wait_without_a_slack_are_an_error(settings: Settings, configure: Configure) -> None:
    with Store.open(settings.database) as store:
        store.add_reports(None, [NewReport("slack", "[]")], NOW)
    with pytest.raises(DeliveryError, match="configure `slack`"):
        list(resend(configure("none"), []))


def test_what_a_run_is_about_to_send_is_not_resent_beside_it(settings: Settings, slack: SlackStandIn) -> None:
    with Store.open(settings.database) as store:
        store.add_reports(None, [SENTENCE], NOW)
    with exclusive(settings.database, "janitor run", NOW), pytest.raises(Busy):
        list(resend(settings, []))
    assert slack.requests == []


def test_a_channel_that_did_not_take_its_part_is_named(
    configure: Configure, slack: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    settings = configure()
    slack.members_of.remove(TEAM)
    deliver(settings, run_of(settings, deleting(1), deleting(1, "web-images", "web")), [WEB, CI])
    assert "report-undelivered run=1 to #team-web: Slack did not accept the message" in caplog.text.replace(
        "message 1 of 2", "the message"
    )
    [(name, _)] = resend(settings, [WEB, CI])
    assert name == "report of run 1 of 2026-11-23 12:00 KST to #team-web"
    assert "report-still-undelivered run=1 to #team-web: " in caplog.text


def test_the_database_says_how_far_a_report_got(settings: Settings, slack: SlackStandIn) -> None:
    slack.refuse_after = 2
    deliver(settings, run_of(settings, deleting(300)))
    with closing(sqlite3.connect(settings.database)) as db:
        [(accepted, delivered_at, error)] = db.execute("SELECT accepted, delivered_at, error FROM reports")
    assert (accepted, delivered_at) == (2, None)
    assert "message 3 of" in error


# Notices


ANNOUNCING = Policy("ci-images", Match(), Expire(timedelta(days=14)), notice=timedelta(days=2))


def announcing_many(count: int, policy: str = "ci-images", **parts: Any) -> TargetResult:
    due = NOW + timedelta(days=2)
    waits = [to_keep(f"{policy}-{number}", policy=policy, due=due) for number in range(count)]
    waits = [replace(wait, verdict=Verdict.WAIT, reason=Reason.NOTICE) for wait in waits]
    return make_target(waits, announced=tuple(waits), **parts)


def on_the_clock(settings: Settings) -> set[str]:
    with Store.open(settings.database) as store:
        return set(store.memory("prod").notices)


@pytest.mark.parametrize("taken", [None, 7], ids=["all-taken", "broken-off"])
def test_no_clock_runs_for_an_image_that_no_accepted_message_names(
    settings: Settings, slack: SlackStandIn, taken: int | None
) -> None:
    target = announcing_many(3_000)
    slack.refuse_after = taken
    told = deliver(settings, run_of(settings, target), [ANNOUNCING], clock=lambda: NOW)
    said = shown(slack.posted)
    named = {decision.image.id for decision in target.notices.announced if f"`{decision.image.id}`" in said}
    assert (told.code, len(named) == 3_000) == ((Exit.OK, True) if taken is None else (Exit.FAILED, False))
    assert on_the_clock(settings) == named


def test_a_message_that_was_taken_but_not_answered_starts_its_clock_when_it_is_answered(
    settings: Settings, slack: SlackStandIn
) -> None:
    target = announcing_many(1)
    [image] = [decision.image.id for decision in target.notices.announced]
    slack.unanswered = 100
    deliver(settings, run_of(settings, target), [ANNOUNCING], clock=lambda: NOW)
    assert (len(slack.posted) > 1, on_the_clock(settings)) == (True, set())
    slack.unanswered = 1
    deliver(settings, run_of(settings, target), [ANNOUNCING], clock=lambda: NOW)
    assert on_the_clock(settings) == {image}


def test_an_image_that_one_channel_mentions_is_not_announced_by_another_that_took_nothing(
    configure: Configure, slack: SlackStandIn
) -> None:
    settings = configure()
    slack.members_of.remove(TEAM)
    target = announcing_many(2, WEB.name)
    settled = make_deletion(to_delete(target.notices.announced[0].image), DeletionOutcome.FAILED, "settled: not done")
    told = deliver(settings, run_of(settings, replace_in(target, settled=(settled,))), [WEB, CI])
    assert target.notices.announced[0].image.id in shown(slack.posted)
    assert told == Delivery(Exit.FAILED, frozenset())


# When we are asked to end


def test_once_asked_to_end_little_is_sent_and_the_rest_is_kept(settings: Settings, slack: SlackStandIn) -> None:
    slack.script += [GONE]
    deliver(settings, run_of(settings, deleting(1)))
    stop = Stop()
    stop.set()
    assert deliver(settings, run_of(settings, deleting(300)), stop=stop).code == Exit.FAILED
    assert [posted.text[:4] for posted in slack.posted] == ["LIVE"] * 2
    assert waiting(settings) == 2
    assert [error for _, error in resend(settings, [])] == [None, None]


def test_once_asked_to_end_nothing_is_tried_again(settings: Settings, slack: SlackStandIn) -> None:
    stop = Stop()
    stop.set()
    slack.script += [DROPPED] * 10
    deliver(settings, run_of(settings, deleting(1)), stop=stop)
    assert len(slack.requests) == 1


# Threads and files


def test_a_bot_posts_one_summary_and_puts_the_details_into_its_thread(
    configure: Configure, slack: SlackStandIn
) -> None:
    target = deleting(2)
    deliver(configure(), run_of(configure(), target))
    summary, *details = slack.posted
    assert (summary.channel, summary.thread) == (CHANNEL, None)
    assert "Deleted: 2 of 2 planned" in summary.shown
    assert not [name for _, name in names_of(target) if name in summary.shown]
    assert {posted.thread for posted in details} == {summary.ts}
    assert not [name for _, name in names_of(target) if name not in shown(details)]


def test_a_webhook_gets_consecutive_messages_and_no_file(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure("webhook")
    deliver(settings, run_of(settings, deleting(60)))
    assert {posted.thread for posted in slack.posted} == {None}
    assert (slack.files, set(slack.paths)) == ([], {"/services/T000/B000/webhook-secret"})


@pytest.mark.parametrize(("count", "files"), [(50, 0), (51, 1)])
def test_above_fifty_images_a_file_lists_all(configure: Configure, slack: SlackStandIn, count: int, files: int) -> None:
    settings = configure()
    target = deleting(count)
    assert deliver(settings, run_of(settings, target)).code == Exit.OK
    assert len(slack.files) == files
    for file in slack.files:
        rows = list(csv.DictReader(io.StringIO(file.content)))
        assert [(row["target"], row["image"], row["outcome"]) for row in rows] == [
            ("prod", decision.image.id, "deleted") for decision in target.to_delete
        ]
        assert (file.name, file.thread) == ("image-janitor-run-1.csv", slack.posted[0].ts)


def test_planned_and_announced_images_count_together(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure()
    announced = tuple(to_keep(f"announced-{number}", policy="ci-images") for number in range(30))
    target = replace_in(deleting(30), announced=announced)
    deliver(settings, run_of(settings, target))
    assert [file.content.count("\n") for file in slack.files] == [61]
    assert slack.files[0].content.count(",announced\r\n") == 30


def test_a_thousand_deletions_are_reported_without_one_refusal(settings: Settings, slack: SlackStandIn) -> None:
    target = deleting(1_000)
    told = deliver(settings, run_of(settings, target))
    assert told == Delivery(Exit.OK, names_of(target))
    assert shown(slack.posted).count("•") == 1_000
    assert not [name for _, name in names_of(target) if name not in shown(slack.posted)]
    assert all(posted.text.startswith("LIVE RUN. Image Janitor run 1: 1,000 of 1,000") for posted in slack.posted)


@pytest.mark.parametrize(
    ("path", "reply", "why"),
    [
        pytest.param(GET_URL, NO_SCOPE, "files:write", id="no-scope"),
        pytest.param(UPLOAD + "F0", Reply(500, "oh"), "the answer to the upload was HTTP 500", id="upload-broken"),
        pytest.param(UPLOAD + "F0", DROPPED, "no", id="upload-dropped"),
        pytest.param(COMPLETE, Reply(200, '{"ok": true}'), "its answer named no file", id="not-complete"),
        pytest.param(GET_URL, Reply(200, '{"ok": true}'), "named no URL", id="no-address"),
        pytest.param(GET_URL, Reply(200, '{"ok": true, "file_id": "F", "upload_url": "oh"}'), "no", id="no-url"),
        pytest.param(GET_URL, Reply(404, "<html>"), "not as Slack answers", id="page"),
    ],
)
def test_a_file_that_is_not_taken_costs_only_the_file(
    path: str, reply: Reply, why: str, configure: Configure, slack: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    settings, target = configure(), deleting(60)
    slack.refusals[path] = reply
    assert deliver(settings, run_of(settings, target)) == Delivery(Exit.OK, names_of(target))
    assert waiting(settings) == 0
    assert "file-not-attached run=1" in caplog.text
    assert (slack.posted[-1].thread, slack.files) == (slack.posted[0].ts, [])
    assert "could not be attached as a file" in slack.posted[-1].text
    assert why in slack.posted[-1].text
    assert TOKEN not in caplog.text + slack.posted[-1].text


def test_a_report_whose_file_alone_was_left_sends_just_that(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure()
    slack.refuse_after = 3
    deliver(settings, run_of(settings, deleting(60)))
    slack.refuse_after = None
    with closing(sqlite3.connect(settings.database)) as db, db:
        [(messages,)] = db.execute("SELECT json_array_length(messages) FROM reports")
        db.execute("UPDATE reports SET accepted = ?", (messages,))
    posted = len(slack.posted)
    list(resend(settings, []))
    assert (len(slack.posted), len(slack.files), waiting(settings)) == (posted, 1, 0)


def test_the_file_is_not_kept_once_it_is_delivered(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure()
    deliver(settings, run_of(settings, deleting(60)))
    with closing(sqlite3.connect(settings.database)) as db:
        assert db.execute("SELECT listing FROM reports").fetchall() == [(None,)]


def test_an_answer_that_is_not_slacks_starts_nothing(configure: Configure, slack: SlackStandIn) -> None:
    settings, target = configure(), deleting(2)
    slack.script += [Reply(200, '{"ok": true}')] * 3
    assert deliver(settings, run_of(settings, target)) == Delivery(Exit.FAILED)
    assert waiting(settings) == 1


def test_an_answer_that_is_not_slacks_counts_where_it_was_asked_for(configure: Configure, slack: SlackStandIn) -> None:
    settings, target = configure(), deleting(2)
    assert settings.slack is not None
    settings = replace(settings, slack=replace(settings.slack, accepts="any-2xx"))
    slack.script += [Reply(200, '{"ok": true}', {"Content-Type": "application/json"})] * 3
    assert deliver(settings, run_of(settings, target)) == Delivery(Exit.OK, names_of(target))


def test_a_delivery_says_when_by_slacks_own_clock(configure: Configure, slack: SlackStandIn) -> None:
    settings, target = configure(), deleting(2)
    yes = '{"ok": true, "channel": "C01", "ts": "1.0"}'
    slack.script += [Reply(200, yes, {"Date": "Mon, 23 Nov 2026 03:00:00 GMT"})] * 9
    ours = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
    told = deliver(settings, run_of(settings, target), clock=lambda: ours)
    assert told.offsets == dict.fromkeys(names_of(target), -timedelta(minutes=7))


@pytest.mark.parametrize(
    ("check", "told", "starts"),
    [
        pytest.param(ClockCheck.TOLD, None, True, id="the-api-told"),
        pytest.param(ClockCheck.TOLD, timedelta(minutes=5), True, id="both-told"),
        pytest.param(ClockCheck.TOLD, -timedelta(days=3), False, id="slack-contradicts"),
        pytest.param(ClockCheck.UNTOLD, None, False, id="nobody-told"),
        pytest.param(ClockCheck.UNTOLD, timedelta(minutes=-4), True, id="slack-told"),
        pytest.param(ClockCheck.UNTOLD, timedelta(days=3), False, id="slack-contradicts-and-the-api-is-silent"),
        pytest.param(ClockCheck.ACCEPTED, None, True, id="a-person-looked"),
        pytest.param(ClockCheck.ACCEPTED, timedelta(days=3), True, id="a-person-looked-and-slack-is-wrong"),
    ],
)
def test_a_notice_starts_only_by_a_clock_that_somebody_bears_out(
    settings: Settings, slack: SlackStandIn, check: ClockCheck, told: timedelta | None, starts: bool
) -> None:
    slack.clock = None if told is None else lambda: NOW + told
    target = replace_in(announcing_many(2), clock=check)
    posted = deliver(settings, run_of(settings, target), [ANNOUNCING], clock=lambda: NOW)
    images = {decision.image.id for decision in target.notices.announced} if starts else set()
    assert on_the_clock(settings) == images
    assert posted.announced == {("prod", image) for image in images}
    assert posted.code is (Exit.OK if starts else Exit.FAILED)
    assert ("notice periods did not start" in posted.trouble) is not starts


def test_a_server_that_tells_of_no_thread_gets_consecutive_messages(configure: Configure, slack: SlackStandIn) -> None:
    settings, target = configure(), deleting(60)
    slack.script += [Reply(200, '{"ok": true, "ts": "1.0"}')] * 3
    assert deliver(settings, run_of(settings, target)) == Delivery(Exit.OK, names_of(target))
    assert [request.get("thread_ts") for request in slack.requests] == [None] * len(slack.requests)


# Channels of policies


def test_a_policys_images_go_to_its_channel_and_count_in_the_main_one(
    configure: Configure, slack: SlackStandIn
) -> None:
    settings = configure()
    ours, web = deleting(2), deleting(3, "web-images")
    both = make_target([*ours.decisions, *web.decisions], [*ours.deletions, *web.deletions])
    told = deliver(settings, run_of(settings, both), [WEB, CI])
    main = [posted for posted in slack.posted if posted.channel in (CHANNEL, slack.id_of(CHANNEL))]
    team = [posted for posted in slack.posted if posted.channel in (TEAM, slack.id_of(TEAM))]
    assert [(posted.channel, posted.thread) for posted in (main[0], team[0])] == [(CHANNEL, None), (TEAM, None)]
    assert "Deleted: 5 of 5 planned" in main[0].shown
    assert f"`{TEAM}`: 3 images" in main[0].shown
    assert "Deleted: 3 of 3 planned" in team[0].shown
    assert "Only images of these policies: web-images." in team[0].shown
    assert all((name in shown(main)) is (("prod", name) in names_of(ours)) for _, name in names_of(both))
    assert all((name in shown(team)) is (("prod", name) in names_of(web)) for _, name in names_of(both))
    assert told == Delivery(Exit.OK, names_of(both))


def test_a_policy_whose_channel_is_the_main_one_has_no_report_of_its_own(
    configure: Configure, slack: SlackStandIn
) -> None:
    settings = configure()
    result = run_of(settings, deleting(2, "web-images"))
    told = deliver(settings, result, [replace(WEB, channel=CHANNEL)])
    assert told == Delivery(Exit.OK, names_of(*result.targets))
    assert [posted.channel for posted in slack.posted if posted.thread is None] == [CHANNEL]
    assert "Listed in other channels" not in shown(slack.posted)


def test_what_one_channel_does_not_take_is_not_announced_there(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure()
    slack.members_of.remove(TEAM)
    ours, web = deleting(2), deleting(3, "web-images", target="dev")
    result = run_of(settings, ours, web)
    assert deliver(settings, result, [WEB, CI]) == Delivery(Exit.FAILED, names_of(ours))
    slack.members_of.add(TEAM)
    already = len(slack.posted)
    assert [error for _, error in resend(settings, [WEB])] == [None]
    assert {posted.channel for posted in slack.posted[already:]} == {TEAM, slack.id_of(TEAM)}


def test_a_channel_that_no_policy_names_any_more_leaves_its_reports_to_the_main_one(
    configure: Configure, slack: SlackStandIn
) -> None:
    settings = configure()
    slack.members_of.remove(TEAM)
    deliver(settings, run_of(settings, deleting(3, "web-images")), [WEB])
    already = len(slack.posted)
    assert [error for _, error in resend(settings, [CI])] == [None]
    assert slack.posted[already].channel == CHANNEL


def test_a_team_without_news_is_left_in_peace(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure(post="changes")
    quiet = to_keep("web-1", policy="web-images")
    deliver(settings, run_of(settings, make_target([quiet]), deleting(1)), [WEB])
    assert {posted.channel for posted in slack.posted} == {CHANNEL, slack.id_of(CHANNEL)}


def test_a_team_without_images_is_told_nothing_even_of_every_run(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure(post="always")
    deliver(settings, run_of(settings, deleting(1)), [WEB])
    assert {posted.channel for posted in slack.posted} == {CHANNEL, slack.id_of(CHANNEL)}


# When there is reason to


@pytest.mark.parametrize(
    ("before", "posts"),
    [
        pytest.param([], False, id="first-run"),
        pytest.param([Outcome.OK], False, id="same"),
        pytest.param([Outcome.FAILED], True, id="recovered"),
        pytest.param([Outcome.FAILED, Outcome.OK], False, id="recovered-before"),
        pytest.param([Outcome.OK, Outcome.PARTIAL], True, id="only-the-last-counts"),
    ],
)
def test_an_outcome_unlike_that_of_the_run_before_is_news(
    before: list[Outcome], posts: bool, configure: Configure, slack: SlackStandIn
) -> None:
    settings = configure(post="changes")
    for outcome in before:
        run_of(settings, outcome=outcome)
    deliver(settings, run_of(settings, make_target([to_keep()])))
    assert bool(slack.posted) is posts


def test_a_refused_deletion_reaches_who_wants_problems_only(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure(post="problems")
    refused = make_deletion(outcome=DeletionOutcome.REFUSED, detail="it is protected")
    deliver(settings, run_of(settings, make_target([refused.decision], [refused]), outcome=Outcome.PARTIAL))
    assert "it is protected" in shown(slack.posted)


# The command


def test_resend_sends_what_waits_and_says_what_it_did(sandbox_desk: Desk) -> None:
    nothing = sandbox_desk.janitor("resend")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "no undelivered reports\n")
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        slack.refuse_after = 0
        assert sandbox_desk.janitor("run").returncode == 1
        failed = sandbox_desk.janitor("resend")
        assert failed.returncode == 1
        assert "report of run 1 of 20" in failed.stdout
        assert "still undelivered: Slack did not accept the message" in failed.stdout
        assert slack.webhook_url not in failed.stdout + failed.stderr
        slack.refuse_after = None
        done = sandbox_desk.janitor("resend")
        assert (done.returncode, slack.posted[0].text[:25]) == (0, "late: report of run 1 of ")
        assert done.stdout.startswith("1. report of run 1 of ")
        assert done.stdout.endswith(": delivered\n")
        posted = len(slack.posted)
        assert (sandbox_desk.janitor("resend").returncode, len(slack.posted)) == (0, posted)


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_undelivered_report_is_the_last_thing_said(sandbox_desk: Desk, form: str) -> None:
    words = ("run", "--dry-run", "--format", form)
    last = "janitor: the report was not delivered to Slack (see above); it is kept, and the next run sends it: exit 1"
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        slack.refuse_after = 0
        failed = sandbox_desk.janitor(*words)
        assert (failed.returncode, failed.stderr.splitlines()[-1]) == (1, last)
        assert failed.stderr.count("delivered to Slack") == 1
        slack.refuse_after = None
        assert "janitor: " not in sandbox_desk.janitor(*words).stderr


def test_what_failed_of_a_delivery_is_a_sentence(settings: Settings, slack: SlackStandIn) -> None:
    slack.script += [GONE]
    assert "it is kept, and the next run sends it" in deliver(settings, run_of(settings, deleting(1))).trouble
    slack.script += [GONE]
    waits = "1 earlier report could still not be delivered to Slack (see above); the next run tries again"
    assert deliver(settings, run_of(settings, deleting(1, "new"))).trouble == waits
    assert deliver(settings, run_of(settings, deleting(1, "newer"))).trouble == ""
    result = run_of(settings, deleting(1, "newest"))
    settings.database.write_bytes(b"this is no database")
    slack.script += [GONE]
    assert (
        "it could not be kept, so it will not be sent"
        in deliver(settings, replace(result, outcome=Outcome.FAILED)).trouble
    )


def test_resend_starts_no_notice(sandbox_desk: Desk) -> None:
    def notices() -> int:
        with closing(sqlite3.connect(sandbox_desk.folder / "sandbox.db")) as db:
            return int(db.execute("SELECT count(*) FROM notices").fetchone()[0])

    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        sandbox_desk.write("policies/old.yaml", POLICY + "    notice: 2d\n")
        slack.refuse_after = 0
        assert sandbox_desk.janitor("run").returncode == 1
        slack.refuse_after = None
        assert sandbox_desk.janitor("resend").returncode == 0
        assert slack.posted
        assert notices() == 0
        assert "Not announced, as this report is late" in shown(slack.posted)
        assert sandbox_desk.janitor("run").returncode == 0
        assert notices() > 1


def test_the_next_run_sends_what_waits(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        slack.refuse_after = 0
        assert sandbox_desk.janitor("run").returncode == 1
        slack.refuse_after = None
        assert sandbox_desk.janitor("run").returncode == 0
        late = [posted.text.startswith("late: report of run 1 ") for posted in slack.posted]
        assert late == sorted(late, reverse=True)
        assert (late[0], late[-1]) == (True, False)


def test_a_channel_beside_a_webhook_is_a_wrong_policy(sandbox_desk: Desk) -> None:
    sandbox_desk.amend("slack: {webhook_url: 'http://127.0.0.1:1/x'}\n")
    sandbox_desk.write("policies/web.yaml", "policies:\n  - name: web\n    match: {name: web}\n    channel: '#web'\n")
    for words in (("check",), ("run", "--dry-run"), ("resend",)):
        done = sandbox_desk.janitor(*words)
        assert done.returncode == 2
        assert "policies/web.yaml:4: web: channel: a webhook posts to one channel only" in done.stderr


def test_check_live_tries_every_channel(sandbox_desk: Desk) -> None:
    sandbox_desk.write(
        "policies/web.yaml", f"policies:\n  - name: web\n    match: {{name: web}}\n    channel: '{TEAM}'\n"
    )
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'}}\n")
        done = sandbox_desk.janitor("check", "--live")
        assert done.returncode == 1
        assert "slack #team-web" in done.stdout
        slack.members_of.add(TEAM)
        assert sandbox_desk.janitor("check", "--live").returncode == 0
        assert {posted.channel for posted in slack.posted} == {CHANNEL, TEAM}
