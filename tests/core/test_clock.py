"""Our clock: nothing is deleted if nothing confirms it, or if it has gone back."""

from datetime import datetime, timedelta

import pytest

from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.result import Mode, Outcome, RunResult
from janitor.core.survey.clock import ClockCheck, agrees, behind, may_start
from janitor.errors import Exit
from janitor.notify.announcing import start_notices
from janitor.run import exit_code
from janitor.run.orders import Site
from janitor.store import Store
from tests.factories import AMPLE, NOW, make_image
from tests.fakes import RecordingCloud
from tests.runs import run_of

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
OLD = Policy("old", Match(name=(Pattern("old-*"),)), Expire(14 * DAY))
ANNOUNCED = Policy("announced", Match(name=(Pattern("told-*"),)), Expire(14 * DAY), notice=2 * DAY)
KEPT = [make_image(f"kept-{number}") for number in range(9)]


def cloud(offset: timedelta | None = timedelta()) -> RecordingCloud:
    return RecordingCloud([*KEPT, make_image("old-1"), make_image("told-1")], offset=offset)


def perform(
    store: Store, reached: RecordingCloud, now: datetime = NOW, mode: Mode = Mode.DELETE, *, accept: bool = False
) -> RunResult:
    return run_of(
        [Site("prod", lambda: reached)],
        [OLD, ANNOUNCED],
        store,
        mode,
        AMPLE,
        clock=lambda: now,
        accept_survey=accept,
    ).perform()


@pytest.mark.parametrize(
    ("check", "offset", "may"),
    [
        (ClockCheck.CONFIRMED, None, True),
        (ClockCheck.CONFIRMED, 5 * MINUTE, True),
        (ClockCheck.CONFIRMED, -6 * MINUTE, False),
        (ClockCheck.UNCONFIRMED, None, False),
        (ClockCheck.UNCONFIRMED, -5 * MINUTE, True),
        (ClockCheck.UNCONFIRMED, 6 * MINUTE, False),
        (ClockCheck.ACCEPTED, None, True),
        (ClockCheck.ACCEPTED, 400 * DAY, True),
    ],
)
def test_when_a_notice_may_start(check: ClockCheck, offset: timedelta | None, may: bool) -> None:
    assert may_start(check, offset) is may


@pytest.mark.parametrize(
    ("offset", "does"),
    [(5 * MINUTE, True), (-5 * MINUTE, True), (5 * MINUTE + timedelta(seconds=1), False), (-6 * MINUTE, False)],
)
def test_how_far_clocks_may_be_apart(offset: timedelta, does: bool) -> None:
    assert agrees(offset) is does


def test_a_clock_may_go_back_by_five_minutes() -> None:
    assert behind(NOW, 7, NOW + 5 * MINUTE) is None
    assert behind(NOW, 7, NOW - DAY) is None
    words = "our clock is 4320 minutes behind that of run 7, which an answer of the API confirmed"
    assert behind(NOW, 7, NOW + 3 * DAY) == words


@pytest.mark.parametrize("mode", list(Mode))
def test_where_nobody_tells_the_time_nothing_is_deleted(store: Store, mode: Mode) -> None:
    silent = cloud(None)
    result = perform(store, silent, mode=mode)
    [target] = result.targets
    assert (exit_code(result), silent.deleted, target.survey.clock) == (Exit.LIMIT, [], ClockCheck.UNCONFIRMED)
    assert "no answer of the API tells the time" in (target.error or "")
    assert "--accept-survey" in (target.error or "")
    # Notices that the channel's own clock may start.
    assert [decision.image.name for decision in target.notices.announced] == ["told-1"]


def test_a_person_who_looked_lifts_it_for_one_run(store: Store) -> None:
    silent = cloud(None)
    accepted = perform(store, silent, accept=True)
    assert (accepted.outcome, len(silent.deleted)) == (Outcome.OK, 1)
    assert accepted.targets[0].survey.clock is ClockCheck.ACCEPTED
    silent.listed.append(make_image("old-2"))
    assert perform(store, silent).outcome is Outcome.REFUSED


def test_no_notice_ends_by_a_clock_that_nobody_bears_out(store: Store) -> None:
    seen = cloud()
    result = perform(store, seen)
    told = {("prod", decision.image.id) for decision in result.targets[0].notices.announced}
    start_notices(store, result, [OLD, ANNOUNCED], told, NOW)
    seen.listed = [image for image in seen.listed if image.name != "told-1"]
    perform(store, seen, NOW + DAY)
    seen.offset = None
    perform(store, seen, NOW + 400 * DAY)
    assert len(store.memory("prod").notices) == 1
    seen.offset = timedelta()
    perform(store, seen, NOW + 9 * DAY)
    assert len(store.memory("prod").notices) == 0


@pytest.mark.parametrize("offset", [timedelta(), None], ids=["borne-out-now", "not-borne-out-now"])
@pytest.mark.parametrize(("back", "believed"), [(5 * MINUTE, True), (6 * MINUTE, False), (3 * DAY, False)])
def test_a_clock_that_went_back_deletes_nothing(
    store: Store, back: timedelta, believed: bool, offset: timedelta | None
) -> None:
    perform(store, cloud(), NOW, Mode.DRY_RUN)
    later = cloud(offset)
    result = perform(store, later, NOW - back)
    deletes = believed and offset is not None
    assert (bool(later.deleted), result.outcome is Outcome.REFUSED) == (deletes, not deletes)
    assert ("behind that of run 1" in (result.targets[0].error or "")) is not believed
    assert bool(result.targets[0].notices.announced) is believed


def test_only_a_clock_that_was_borne_out_is_gone_by(store: Store) -> None:
    for offset in (None, 7 * MINUTE):
        perform(store, cloud(offset), NOW + 400 * DAY, Mode.DRY_RUN)
    assert perform(store, cloud()).outcome is Outcome.OK


def test_a_clock_that_was_put_right_is_gone_by_once_a_person_has_said_so(store: Store) -> None:
    perform(store, cloud(), NOW + 400 * DAY, Mode.DRY_RUN)
    outcomes = [perform(store, cloud(), NOW + n * DAY, accept=n == 2).outcome for n in range(4)]
    assert outcomes == [Outcome.REFUSED, Outcome.REFUSED, Outcome.OK, Outcome.OK]
