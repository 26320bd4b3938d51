"""Delivering a report: kept before it is sent, never falsely called delivered, and only sent if there is a reason."""

from dataclasses import replace
from datetime import timedelta

import pytest

from janitor.config import Settings
from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.errors import Exit
from janitor.notify.channel import Sending
from janitor.notify.delivered import Delivery
from janitor.notify.delivery import deliver, resend
from janitor.shutdown import Stop
from tests.factories import NOW, make_deletion, make_run, make_target, replace_in, to_keep
from tests.notify.deliveries import GONE, Configure, deleting, names_of, run_of, shown, waiting
from tests.slack_stand_in import DROPPED, SlackStandIn

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
    announced = min(target.to_delete, key=lambda decision: decision.image.id)  # deleted ones come in this order
    result = run_of(settings, replace_in(target, announced=(announced,)))
    slack.refuse_after = 3
    first = announced.image.id
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


# When we are asked to end


def test_once_asked_to_end_little_is_sent_and_the_rest_is_kept(settings: Settings, slack: SlackStandIn) -> None:
    slack.script += [GONE]
    deliver(settings, run_of(settings, deleting(1)))
    stop = Stop()
    stop.set()
    assert deliver(settings, run_of(settings, deleting(300)), sending=Sending(stop)).code == Exit.FAILED
    assert [posted.text.partition(" (")[0] for posted in slack.posted] == ["Deleted 300 images, 2.9 TiB"] * 2
    assert waiting(settings) == 2
    assert [error for _, error in resend(settings, [])] == [None, None]


def test_once_asked_to_end_nothing_is_tried_again(settings: Settings, slack: SlackStandIn) -> None:
    stop = Stop()
    stop.set()
    slack.script += [DROPPED] * 10
    deliver(settings, run_of(settings, deleting(1)), sending=Sending(stop))
    assert len(slack.requests) == 1


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
