"""What a delivery puts into threads and files of Slack, and how it takes answers that are not Slack's."""

import csv
import io
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from janitor.config import Settings
from janitor.errors import Exit
from janitor.notify.delivered import Delivery
from janitor.notify.delivery import deliver, resend
from tests.factories import replace_in, to_keep
from tests.notify.deliveries import Configure, deleting, names_of, run_of, shown, waiting
from tests.slack_stand_in import CHANNEL, COMPLETE, DROPPED, GET_URL, TOKEN, UPLOAD, Reply, SlackStandIn

NO_SCOPE = Reply(200, '{"ok": false, "error": "missing_scope", "needed": "files:write"}')


def test_a_bot_posts_one_summary_and_puts_the_details_into_its_thread(
    configure: Configure, slack: SlackStandIn
) -> None:
    target = deleting(2)
    deliver(configure(), run_of(configure(), target))
    summary, *details = slack.posted
    assert (summary.channel, summary.thread) == (CHANNEL, None)
    assert "Deleted: 2 of 2 planned" in summary.shown
    assert summary.text == "Deleted 2 images, 20.0 GiB"
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
    assert shown(slack.posted[1:]).count("•") == 1_000
    assert not [name for _, name in names_of(target) if name not in shown(slack.posted[1:])]
    assert all(posted.text.startswith("Deleted 1,000 images, 9.8 TiB") for posted in slack.posted)


@pytest.mark.parametrize(
    ("path", "reply", "why"),
    [
        pytest.param(GET_URL, NO_SCOPE, "files:write", id="no-scope"),
        pytest.param(UPLOAD + "F00000", Reply(500, "oh"), "the answer to the upload was HTTP 500", id="upload-broken"),
        pytest.param(UPLOAD + "F00000", DROPPED, "no", id="upload-dropped"),
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


def test_a_server_that_tells_of_no_thread_gets_consecutive_messages(configure: Configure, slack: SlackStandIn) -> None:
    settings, target = configure(), deleting(60)
    slack.script += [Reply(200, '{"ok": true, "ts": "1.0"}')] * 3
    assert deliver(settings, run_of(settings, target)) == Delivery(Exit.OK, names_of(target))
    assert [request.get("thread_ts") for request in slack.requests] == [None] * len(slack.requests)
