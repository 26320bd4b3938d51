"""What a backtest answers: "no regrets" only where images were watched for long enough, with their uses."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from janitor.core.decision import Reason, Verdict
from janitor.core.replay.afterwards import Moment
from janitor.core.replay.outcomes.answers import Answer, Evidence, answer_of, answers_by_target, tells
from janitor.core.replay.regrets import Doubt, Hindsight, Regret, RegretKind, Watched
from janitor.core.replay.replayed import NightDeletion, ReplayedNight
from janitor.core.result import Mode
from janitor.report.rehearsals.backtests.regrets import answer_words
from tests.factories import DAY, NOW, image_called, to_delete, to_keep

WEEK = 7 * DAY


def deletion(number: int) -> NightDeletion:
    return NightDeletion(3, NOW, "prod", to_delete(image_called(f"i{number}")))


def watched(number: int, span: timedelta | None, uses: timedelta | None = None, *, nights: int = 10) -> Watched:
    """An image that was seen for so long, and its uses for so long, or as long."""
    until = span if uses is None else uses
    last = None if span is None else Moment(NOW + span, 9)
    return Watched(deletion(number), nights, nights, last, False, False, None if until is None else Moment(NOW + until))


def gone(number: int, span: timedelta = DAY) -> Watched:
    """One that later nights no longer list."""
    return replace(watched(number, span), over=True)


def really(number: int) -> Watched:
    """One that our own run deleted."""
    return replace(gone(number), by_us=True)


def found(*images: Watched, used: bool | None = None, **more: Any) -> Evidence:
    evidence = Evidence(nights={1, 2}, used=used)
    evidence.add_hindsight(Hindsight(watched=images, **more))
    return evidence


REGRETTED = Regret(deletion(1), RegretKind.USED, "used", "", Moment(NOW + DAY, 4))
DOUBTED = Doubt(deletion(1), RegretKind.SHARED, "?", Moment(NOW + DAY, 4))


@pytest.mark.parametrize(
    ("evidence", "answer"),
    [
        pytest.param(found(watched(1, WEEK)), Answer.NO_REGRETS, id="a-week"),
        pytest.param(found(watched(1, WEEK - DAY)), Answer.TOO_EARLY, id="a-day-less"),
        pytest.param(found(watched(1, WEEK - DAY / 24)), Answer.NO_REGRETS, id="an-hour-less"),
        pytest.param(found(watched(1, WEEK, nights=1)), Answer.TOO_EARLY, id="seen-in-one-later-night-only"),
        pytest.param(found(replace(watched(1, WEEK), uses_unseen=DAY)), Answer.USES_UNREAD, id="too-long-a-gap"),
        pytest.param(found(watched(1, None)), Answer.TOO_EARLY, id="never-seen"),
        pytest.param(found(watched(1, WEEK), watched(2, None)), Answer.NO_REGRETS, id="half-of-them"),
        pytest.param(
            found(watched(1, WEEK), watched(2, None), watched(3, DAY)), Answer.TOO_EARLY, id="fewer-than-half"
        ),
        pytest.param(found(watched(1, 3 * WEEK, DAY)), Answer.USES_UNREAD, id="uses-read-at-first-only"),
        pytest.param(found(replace(watched(1, WEEK), uses_seen=4)), Answer.USES_UNREAD, id="uses-read-too-seldom"),
        pytest.param(found(replace(watched(1, WEEK), uses_seen=5)), Answer.NO_REGRETS, id="uses-read-half-of-the-time"),
        pytest.param(found(watched(1, None), regrets=(REGRETTED,)), Answer.REGRETS, id="one-regret-is-enough"),
        pytest.param(found(watched(1, WEEK), doubts=(DOUBTED,)), Answer.PERHAPS, id="a-doubt-is-no-regret"),
        pytest.param(found(watched(1, WEEK), used=True), Answer.NO_REGRETS, id="where-something-was-in-use"),
        pytest.param(found(watched(1, WEEK), used=False), Answer.USES_UNREAD, id="where-nothing-ever-was-in-use"),
        pytest.param(found(really(1), really(2), watched(3, DAY)), Answer.GONE, id="mostly-really-deleted"),
        pytest.param(found(really(1), gone(2), watched(3, DAY)), Answer.GONE, id="really-deleted-or-gone"),
        pytest.param(found(really(1), watched(2, DAY)), Answer.TOO_EARLY, id="half-may-yet-be-watched"),
        pytest.param(found(really(1), watched(2, WEEK)), Answer.NO_REGRETS, id="half-were-watched-nevertheless"),
        pytest.param(found(gone(1, WEEK)), Answer.NO_REGRETS, id="gone-after-long-enough"),
        pytest.param(found(really(1), regrets=(REGRETTED,)), Answer.REGRETS, id="regretted-before-it-was-deleted"),
        pytest.param(found(), Answer.NOTHING_DELETED, id="nothing"),
        pytest.param(Evidence(), Answer.NOTHING_DECIDED, id="no-night"),
        pytest.param(Evidence(nights={1}, waiting=1), Answer.NOTHING_DUE, id="waiting"),
        pytest.param(Evidence(waiting=1), Answer.NOTHING_DECIDED, id="waiting-where-nothing-could-be-deleted"),
    ],
)
def test_the_answer(evidence: Evidence, answer: Answer) -> None:
    assert answer_of(evidence) is answer


def test_uses_tell_as_long_as_they_could_be_read() -> None:
    assert tells(watched(1, 3 * WEEK, WEEK))
    assert not tells(watched(1, 3 * WEEK, WEEK - DAY))


def test_an_image_counts_once_for_each_way_in_which_it_is_regretted_and_no_doubt_besides() -> None:
    twice = (REGRETTED, replace(REGRETTED, who="b"), replace(REGRETTED, kind=RegretKind.RENAMED))
    evidence = found(watched(1, WEEK), watched(2, WEEK), regrets=twice, doubts=(DOUBTED,))
    assert (evidence.regretted, dict(evidence.kinds), evidence.perhaps) == (
        1,
        {RegretKind.USED: 1, RegretKind.RENAMED: 1},
        0,
    )


def test_another_image_of_the_same_id_is_not_regretted_with_the_first() -> None:
    later = replace(watched(1, WEEK), deletion=replace(deletion(1), run=8))
    assert found(watched(1, WEEK), later, regrets=(REGRETTED,)).regretted == 1


def test_one_policy_alone_can_be_asked_about() -> None:
    evidence = Evidence()
    evidence.add_hindsight(Hindsight((REGRETTED,), (), (watched(1, WEEK),)), "another")
    assert (evidence.deleted, evidence.regretted, evidence.told) == (0, 0, 0)


def night(run: int, *waiting: str, **facts: Any) -> ReplayedNight:
    """A night in which these wait, and are announced if it is the first."""
    decisions = tuple(to_keep(image_called(name), Reason.NOTICE, verdict=Verdict.WAIT) for name in waiting)
    usual = {"waiting": decisions, "announced": decisions if run == 1 else ()}
    return ReplayedNight(run, Mode.DELETE, NOW + run * DAY, "prod", UTC, **{**usual, **facts})


def test_nights_count_once_for_all_targets_and_what_waits_is_that_of_the_last_one() -> None:
    evidence = Evidence()
    nights = [night(1, "a", "b", "c"), night(2, "a", "b"), night(3, undecided="503"), night(4, counts=False)]
    evidence.add_nights([*nights, night(5, "a", "b", withheld="two accounts")])
    evidence.add_nights([night(2, "a")])
    assert (evidence.nights, evidence.used) == ({1, 2}, False)
    assert (evidence.announced, evidence.waiting) == (3, 3)


def test_a_use_of_any_image_in_any_target_shows_that_uses_are_seen() -> None:
    evidence = Evidence()
    for nights in ([night(1), night(2, used=1)], [night(1)]):
        evidence.add_nights(nights)
    assert evidence.used
    assert Evidence().used is None


def test_of_several_targets_the_least_is_known_and_one_without_deletions_says_nothing() -> None:
    evidence = Evidence()
    evidence.add_target("a", Hindsight(watched=tuple(watched(number, WEEK) for number in range(9))), [night(1, used=1)])
    assert answer_of(evidence) is Answer.NO_REGRETS
    evidence.add_target("c", Hindsight(), [night(1)])
    assert answer_of(evidence) is Answer.NO_REGRETS
    evidence.add_target("b", Hindsight(watched=(watched(1, DAY),)), [night(1)])
    assert answer_of(evidence) is Answer.TOO_EARLY
    assert answers_by_target(evidence) == {"b": Answer.TOO_EARLY, "a": Answer.NO_REGRETS}
    said = answer_words(evidence)
    assert said.startswith("b: Too early to tell: ")
    assert " a: No regrets, as far as history can tell: 9 images were watched for 7 days; " in said
