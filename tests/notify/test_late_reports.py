"""Reports that were not delivered: kept, sent late and marked so, resumed where they broke off, never lost."""

import csv
import io
import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from janitor.config import Settings
from janitor.errors import Busy, DeliveryError, Exit
from janitor.notify.delivered import Delivery
from janitor.notify.delivery import deliver, resend
from janitor.store import NewReport, Store, exclusive
from tests.factories import NOW, make_image
from tests.notify.deliveries import (
    CI,
    GONE,
    TEAM,
    WEB,
    Configure,
    announcing,
    deleting,
    names_of,
    run_of,
    shown,
    waiting,
)
from tests.notify.notices import record
from tests.slack_stand_in import DROPPED, SlackStandIn

SENTENCE = NewReport("slack", '[{"text": "A sentence.", "blocks": []}]')


# Sent by the next run


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


# What is late announces nothing


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
    assert "Announced, to be deleted when due: the other 290 of 300 images" in in_time
    assert "Not announced, as this report is late: the other 290 of 300 images* in `prod` (continued)" in late
    assert not re.search("Announced|[0-9] images? announced", late)
    ids = {decision.image.id for decision in target.notices.announced}
    assert {image for image in ids if image in in_time} == told
    assert {image for image in ids if image in late} == ids - told


def test_a_report_that_is_made_up_for_announced_nothing(settings: Settings, slack: SlackStandIn) -> None:
    target = announcing("a")
    lost = run_of(settings, owes_report=True)
    with Store.open(settings.database) as store:
        record(store, lost.run, target)
    list(resend(settings, []))
    assert "Not announced, notice period not started; the next run tries again: 1 image" in shown(slack.posted)
    assert slack.posted[0].text.endswith(". 1 image not announced, the next run tries again")


def test_a_late_file_announces_nothing(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure()
    slack.refuse_after = 1
    deliver(settings, run_of(settings, announcing(*(f"ci-{number}" for number in range(60)))))
    slack.refuse_after = None
    list(resend(settings, []))
    [file] = slack.files
    assert {(row["due"], row["outcome"]) for row in csv.DictReader(io.StringIO(file.content))} == {("", "")}


# What failed again, and what broke off


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
    assert "1 earlier report undelivered since 2026-11-2" in slack.posted[0].shown
    assert deliver(settings, run_of(settings, own)).code == Exit.OK
    assert waiting(settings) == 0


def test_a_report_resumes_at_the_first_message_that_was_not_accepted(settings: Settings, slack: SlackStandIn) -> None:
    target = deleting(300)
    slack.refuse_after = 3
    deliver(settings, run_of(settings, target))
    slack.refuse_after = None
    assert [error for _, error in resend(settings, [])] == [None]
    assert shown(slack.posted[1:]).count("•") == 300, "beside the first ten, which the first message lists"
    assert not [name for _, name in names_of(target) if name not in shown(slack.posted[1:])]
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


def test_a_report_begun_in_a_channel_that_is_no_longer_ours_begins_again(
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
    slack.leave(TEAM)
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
