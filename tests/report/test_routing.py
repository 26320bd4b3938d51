"""Each image is listed in the channel of its policy, and counted in the main one."""

from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core.decision import Reason, Spared
from janitor.core.policy import Match, Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.result import DeletionOutcome, Outcome, RunResult
from janitor.notify.slack.blocks import slack_messages
from janitor.report.routing import Share, shares_of
from tests.factories import live_run, make_deletion, make_target, to_delete, to_keep

WEB, DB = "#team-web", "#team-db"
CHANNELS = Destinations.under(
    [
        Policy(name, Match(), channel=channel)
        for name, channel in {"web-images": WEB, "web-snapshots": WEB, "db-images": DB}.items()
    ],
    None,
    None,
)


def names_in(result: RunResult) -> set[str]:
    return {str(decision.image.name) for target in result.targets for decision in target.decisions}


def test_without_channels_the_main_one_gets_all() -> None:
    result = live_run(make_target([to_delete("a"), to_keep("b")]))
    assert shares_of(result, Destinations()) == [Share(None, result, result)]


def test_every_image_is_listed_in_the_channel_of_its_policy_and_counted_in_the_main_one() -> None:
    policies = ("web-images", "web-snapshots", "db-images", "ci-images", None)
    result = live_run(make_target([to_delete(f"of-{policy}", policy=policy) for policy in policies]))
    main, web, db = shares_of(result, CHANNELS)
    assert [share.channel for share in (main, web, db)] == [None, WEB, DB]
    assert main.totals == result
    assert names_in(main.listed) == {"of-ci-images", "of-None"}
    assert names_in(web.listed) == {"of-web-images", "of-web-snapshots"}
    assert names_in(db.listed) == {"of-db-images"}
    assert (web.totals, main.elsewhere) == (web.listed, (web, db))


@pytest.mark.parametrize("part", ["announced", "reminded"])
def test_what_a_team_was_told_of_its_images_goes_to_the_team(part: str) -> None:
    theirs, others = to_keep("theirs", policy="web-images"), to_keep("others", policy="ci-images")
    parts: dict[str, Any] = {part: (theirs, others)}
    main, web, _ = shares_of(live_run(make_target(**parts)), CHANNELS)
    assert getattr(web.listed.targets[0].notices, part) == (theirs,)
    assert getattr(main.listed.targets[0].notices, part) == (others,)


def test_who_was_warned_is_told_that_somebody_else_deleted_an_image() -> None:
    decision = to_keep(policy="web-images")
    main, web, _ = shares_of(live_run(make_target([], gone=(decision,))), CHANNELS)
    assert web.listed.targets[0].notices.gone == (decision,)
    assert main.listed.targets[0].notices.gone == ()
    assert main.totals.targets[0].notices.gone == (decision,)


@pytest.mark.parametrize("keeper", [None, "ci-images", "web-images"])
def test_who_was_warned_is_told_that_an_image_is_spared_whatever_keeps_it_now(keeper: str | None) -> None:
    decision = to_keep("theirs", Reason.IN_USE, policy=keeper)
    main, web, _ = shares_of(live_run(make_target([decision], spared=(Spared(decision, "web-images"),))), CHANNELS)
    assert [saved.decision for saved in web.listed.targets[0].notices.spared] == [decision]
    assert main.listed.targets[0].notices.spared == ()
    assert len(main.totals.targets[0].notices.spared) == 1


def test_deletions_and_settled_ones_follow_their_policy() -> None:
    theirs, others = (make_deletion(to_delete(name, policy=name)) for name in ("web-images", "ci-images"))
    result = live_run(make_target([theirs.decision, others.decision], [theirs, others], settled=(theirs, others)))
    main, web, _ = shares_of(result, CHANNELS)
    assert (web.listed.targets[0].deletions, web.listed.targets[0].earlier.settled) == ((theirs,), (theirs,))
    assert (main.listed.targets[0].deletions, main.listed.targets[0].earlier.settled) == ((others,), (others,))


def test_a_share_counts_its_own() -> None:
    target = make_target([to_delete("a", policy="web-images"), to_keep("b")], images=512, owned=480)
    _, web, _ = shares_of(live_run(target), CHANNELS)
    assert (web.totals.targets[0].survey.images, web.totals.targets[0].survey.owned) == (1, 1)


def test_a_target_without_images_of_a_team_is_not_in_its_share() -> None:
    result = live_run(make_target([to_delete("a", policy="web-images")]), make_target([to_keep("b")], name="dev"))
    assert [target.target for target in shares_of(result, CHANNELS)[1].listed.targets] == ["prod"]


@pytest.mark.parametrize(
    ("whose", "outcome", "expected"),
    [
        pytest.param("ci-images", Outcome.PARTIAL, Outcome.OK, id="refused-of-others"),
        pytest.param("web-images", Outcome.PARTIAL, Outcome.PARTIAL, id="refused-of-ours"),
        pytest.param("ci-images", Outcome.REFUSED, Outcome.REFUSED, id="a-limit-holds-ours-back"),
        pytest.param("web-images", Outcome.FAILED, Outcome.FAILED, id="failed-amid-ours"),
    ],
)
def test_what_went_wrong_is_told_to_whom_it_concerns(whose: str, outcome: Outcome, expected: Outcome) -> None:
    refused = make_deletion(to_delete("refused", policy=whose), DeletionOutcome.REFUSED)
    fine = make_deletion(to_delete("fine", policy="web-images"))
    target = make_target([refused.decision, fine.decision], [refused, fine], outcome=outcome, error="it went wrong")
    _, web, _ = shares_of(live_run(target, outcome=outcome), CHANNELS)
    told = web.totals.targets[0]
    assert (web.totals.outcome, told.outcome, told.error is None) == (expected, expected, expected is Outcome.OK)


def test_a_failure_in_a_target_of_which_a_team_plans_nothing_is_not_theirs() -> None:
    target = make_target([to_keep("a", policy="web-images")], outcome=Outcome.FAILED, error="oh")
    assert shares_of(live_run(target, outcome=Outcome.FAILED), CHANNELS)[1].totals.outcome is Outcome.OK


POLICIES = st.sampled_from(["web-images", "web-snapshots", "db-images", "ci-images", None])


@given(policies=st.lists(POLICIES, max_size=30))
def test_every_image_is_listed_in_exactly_one_channel(policies: list[str | None]) -> None:
    decisions = [to_delete(f"image-{number}", policy=policy) for number, policy in enumerate(policies)]
    deletions = [make_deletion(decision) for decision in decisions]
    named = [
        name
        for share in shares_of(live_run(make_target(decisions, deletions)), CHANNELS)
        for name in {n for message in slack_messages(share, None, UTC, threaded=True) for n in message.names}
    ]
    assert sorted(named) == sorted(("prod", decision.image.id) for decision in decisions)
