"""A notice period starts with an accepted message that names the image, and with a confirmed clock."""

from datetime import UTC, datetime, timedelta

import pytest

from janitor.config import Settings
from janitor.core.policy import Expire, Match, Policy
from janitor.core.result import DeletionOutcome, TargetResult
from janitor.core.survey.clock import ClockCheck
from janitor.errors import Exit
from janitor.notify.delivered import Delivery
from janitor.notify.delivery import deliver
from janitor.store import Store
from tests.factories import NOW, make_deletion, replace_in, to_delete
from tests.notify.deliveries import CI, TEAM, WEB, Configure, announcing, deleting, names_of, run_of, shown
from tests.slack_stand_in import Reply, SlackStandIn

ANNOUNCING = Policy("ci-images", Match(), Expire(timedelta(days=14)), notice=timedelta(days=2))


def announcing_many(count: int, policy: str = "ci-images") -> TargetResult:
    return announcing(*(f"{policy}-{number}" for number in range(count)), policy=policy)


def on_the_clock(settings: Settings) -> set[str]:
    with Store.open(settings.database) as store:
        return set(store.memory("prod").notices)


# Messages


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
    slack.leave(TEAM)
    target = announcing_many(2, WEB.name)
    settled = make_deletion(to_delete(target.notices.announced[0].image), DeletionOutcome.FAILED, "settled: not done")
    told = deliver(settings, run_of(settings, replace_in(target, settled=(settled,))), [WEB, CI])
    assert target.notices.announced[0].image.id in shown(slack.posted)
    assert told == Delivery(Exit.FAILED, frozenset())


# Clocks


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
        pytest.param(ClockCheck.CONFIRMED, None, True, id="the-api-told"),
        pytest.param(ClockCheck.CONFIRMED, timedelta(minutes=5), True, id="both-told"),
        pytest.param(ClockCheck.CONFIRMED, -timedelta(days=3), False, id="slack-contradicts"),
        pytest.param(ClockCheck.UNCONFIRMED, None, False, id="nobody-told"),
        pytest.param(ClockCheck.UNCONFIRMED, timedelta(minutes=-4), True, id="slack-told"),
        pytest.param(ClockCheck.UNCONFIRMED, timedelta(days=3), False, id="slack-contradicts-and-the-api-is-silent"),
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
