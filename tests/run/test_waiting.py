"""What waits, by what is recorded: the date that people were told, or why they were told none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from janitor.core.explaining.waiting import Cause, State, Waiting, waiting_in
from janitor.core.recipients.destinations import Destinations
from janitor.core.result import Mode, Outcome
from janitor.core.usage import Usage
from janitor.errors import Refused, Unavailable
from tests.factories import DAY, OLD, exempt, image_called
from tests.factories import NOW as START
from tests.run.nights import LONG, TEAM, Nights
from tests.run.world import HOUR


def waiting(nights: Nights) -> list[Waiting]:
    snapshot = nights.store.latest_snapshot("prod")
    assert snapshot is not None
    return waiting_in(snapshot)


def standing(nights: Nights) -> tuple[State, datetime | None]:
    [one] = waiting(nights)
    assert (one.image.id, one.cause) == ("a", None)
    return one.state, one.due


def test_nothing_is_known_before_the_first_run(nights: Nights) -> None:
    assert nights.store.latest_snapshot("prod") is None


def test_an_announced_image_waits_for_the_announced_date_also_once_that_has_passed(nights: Nights) -> None:
    nights.night()
    assert standing(nights) == (State.ANNOUNCED, START + 2 * DAY)
    nights.at(1).night(Mode.DRY_RUN)
    assert standing(nights) == (State.ANNOUNCED, START + 2 * DAY)
    nights.at(2).night(Mode.DRY_RUN)
    assert standing(nights) == (State.ANNOUNCED, START + 2 * DAY), "a dry run deleted nothing"
    nights.at(2).night()
    assert nights.cloud.deleted == ["a"]
    assert waiting(nights) == []


def test_what_waits_is_still_known_after_a_run_that_could_not_decide(nights: Nights) -> None:
    nights.night()
    nights.cloud.shared = Unavailable("no answer")
    assert nights.at(1).night().outcome is Outcome.FAILED
    assert standing(nights) == (State.ANNOUNCED, START + 2 * DAY)


def _undelivered(nights: Nights) -> None:
    nights.night(accepted=False)


def _undelivered_before_a_dry_run(nights: Nights) -> None:
    nights.night(accepted=False)
    nights.night(Mode.DRY_RUN)


def _silent(nights: Nights) -> None:
    nights.night()
    nights.at(9).night(Mode.DRY_RUN)


def _renamed(nights: Nights) -> None:
    nights.night()
    nights.cloud.listed[0] = image_called("a").replace(name="b")
    nights.at(1).night(Mode.DRY_RUN)


def _other_place(nights: Nights) -> None:
    nights.night(destinations=Destinations.under(nights.policies, "#main", None))
    nights.policies = [replace(nights.policies[0], channel=TEAM)]
    nights.at(1).night(Mode.DRY_RUN, destinations=Destinations.under(nights.policies, "#main", None))


def _back_in_the_main_channel(nights: Nights) -> None:
    nights.policies = [replace(nights.policies[0], channel=TEAM)]
    nights.night(destinations=Destinations.under(nights.policies, "#main", None))
    nights.policies = [replace(nights.policies[0], channel=None)]
    nights.at(1).night(Mode.DRY_RUN, destinations=Destinations.under(nights.policies, "#main", None))


def _other_policy(nights: Nights) -> None:
    nights.night()
    nights.policies = [replace(nights.policies[0], name="new")]
    nights.at(1).night(Mode.DRY_RUN)


def _longer_notice(nights: Nights) -> None:
    nights.night()
    nights.policies = [replace(nights.policies[0], notice=3 * DAY)]
    nights.at(1).night(Mode.DRY_RUN)


def _dying(nights: Nights) -> None:
    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as dying:
        dying.setattr(type(nights.store), "finish_run", crash)
        with pytest.raises(Crash):
            nights.night()


@pytest.mark.parametrize(
    ("act", "cause", "said", "since"),
    [
        pytest.param(_undelivered, Cause.UNDELIVERED, "no answer", None, id="undelivered"),
        pytest.param(_undelivered_before_a_dry_run, Cause.UNDELIVERED, "no answer", None, id="undelivered-before"),
        pytest.param(lambda nights: nights.night(Mode.DRY_RUN), Cause.DRY_RUN, None, None, id="a-dry-run"),
        pytest.param(
            lambda nights: nights.run(deliver=False, unposted=True), Cause.NOT_POSTED, None, None, id="not-posted"
        ),
        pytest.param(lambda nights: nights.run(deliver=False), Cause.NOT_STARTED, None, None, id="not-started"),
        pytest.param(_silent, Cause.SILENCE, None, START, id="a-silence"),
        pytest.param(_renamed, Cause.RENAMED, "a", None, id="renamed"),
        pytest.param(_other_place, Cause.OTHER_PLACE, "the main channel", None, id="another-place"),
        pytest.param(_back_in_the_main_channel, Cause.OTHER_PLACE, TEAM, None, id="no-place-of-its-own-any-more"),
        pytest.param(_other_policy, Cause.OTHER_POLICY, "old", None, id="another-policy"),
        pytest.param(_longer_notice, Cause.OTHER_DATE, None, START + 2 * DAY, id="a-longer-notice"),
        pytest.param(_dying, Cause.IN_PROGRESS, None, None, id="killed-or-in-progress"),
    ],
)
def test_why_an_image_is_not_announced(
    nights: Nights, act: Callable[[Nights], object], cause: Cause, said: str | None, since: datetime | None
) -> None:
    act(nights)
    [one] = waiting(nights)
    assert (one.state, one.cause, one.said, one.since) == (State.NOT_ANNOUNCED, cause, said, since)


def test_an_image_whose_reminder_nobody_accepted_has_no_date(nights: Nights) -> None:
    nights.policies = [LONG]
    for day in range(5):
        nights.at(day).night(accepted=day < 4, posted=["slack"] if day in (0, 4) else [])
    assert standing(nights) == (State.AWAITS_REMINDER, START + 5 * DAY)
    nights.at(5).night(accepted=False)
    assert standing(nights) == (State.AWAITS_REMINDER, START + 6 * DAY)
    nights.at(5.5).night()
    assert standing(nights) == (State.ANNOUNCED, START + 6.5 * DAY)


def test_a_rejected_image_waits_for_its_next_try(nights: Nights) -> None:
    nights.policies = [OLD]
    nights.cloud.answers["a"] = Refused("in use", code=409)
    nights.night(posted=[])
    nights.at(0.5).night(Mode.DRY_RUN, posted=[])
    [one] = waiting(nights)
    assert (one.state, one.due) == (State.REFUSED, START + DAY - HOUR)


def test_an_announced_image_is_kept_for_the_moment_where_what_is_in_use_is_unknown(nights: Nights) -> None:
    nights.night()
    nights.cloud.used = Usage(problem="no answer")
    nights.at(1).night(posted=[])
    [one] = waiting(nights)
    assert (one.state, one.due) == (State.HELD, START + 2 * DAY)
    assert one.said == "what is in use could not be read, so any image may be in use"


def test_an_announced_image_that_is_no_longer_listed_waits_apart(nights: Nights) -> None:
    nights.cloud.listed += [image_called(f"other-{number}", days=1) for number in range(9)]
    nights.night()
    nights.cloud.listed = nights.cloud.listed[1:]
    nights.at(1).night(posted=[])
    [one] = waiting(nights)
    assert (one.image, one.state, one.since) == (image_called("a"), State.UNLISTED, START + DAY)


def test_an_image_that_is_spared_does_not_wait(nights: Nights) -> None:
    nights.night()
    nights.cloud.listed[0] = image_called("a", protected=True)
    nights.at(1).night(Mode.DRY_RUN)
    assert waiting(nights) == []


def test_what_is_due_first_comes_first(nights: Nights) -> None:
    nights.cloud.listed += [image_called("b", days=13.5), image_called("c")]
    nights.night()
    nights.cloud.listed.append(image_called("d"))
    nights.at(1).night(accepted=False)
    assert [(one.image.id, one.state.value) for one in waiting(nights)] == [
        ("a", "announced"),
        ("c", "announced"),
        ("b", "not-announced"),
        ("d", "not-announced"),
    ]


def test_what_a_person_exempts_is_kept_if_announced_and_else_no_longer_waits(nights: Nights) -> None:
    nights.cloud.listed.append(image_called("b"))
    nights.night()
    nights.cloud.listed.append(image_called("c"))
    nights.at(1).night(accepted=False)
    snapshot = nights.store.latest_snapshot("prod")
    assert snapshot is not None
    kept = replace(snapshot, exempt={image: exempt(image, START + 9 * DAY) for image in "ac"})
    assert [(one.image.id, one.state, one.since) for one in waiting_in(kept)] == [
        ("b", State.ANNOUNCED, START),
        ("a", State.HELD, START + 9 * DAY),
    ]


def test_nothing_is_known_of_a_target_that_was_bound_anew(nights: Nights) -> None:
    nights.night()
    nights.store.rebind("prod", "kim", nights.now)
    assert nights.store.latest_snapshot("prod") is None
