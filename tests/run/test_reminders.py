"""Runs that send reminders: no image is deleted before its reminder was accepted, and the wait after that."""

from dataclasses import replace

from janitor.core.decision import Reason, Verdict
from janitor.core.result import Mode
from tests.factories import DAY, OLD
from tests.factories import NOW as START
from tests.run.nights import LONG, Nights, due_of, given, reminders
from tests.run.world import announced


def test_a_janitor_that_was_down_on_the_last_day_reminds_first(nights: Nights) -> None:
    nights.policies = [LONG]
    for day in (0, 1, 2, 3):
        nights.at(day).night(posted=["slack"] if day == 0 else [])
    late = nights.at(5.5).night()
    [target] = late.targets
    [decision] = target.notices.reminded
    assert (announced(late), set(target.notices.overdue), nights.cloud.deleted) == ([], {"a"}, [])
    assert (decision.verdict, decision.reason, decision.due) == (Verdict.WAIT, Reason.NOTICE, START + 6.5 * DAY)
    assert decision.detail.endswith("due for deletion no earlier than 2026-11-29 15:00Z, a day after a reminder of it")
    assert nights.store.load_run(late.run) == late
    assert nights.store.memory("prod").notices["a"].due == START + 6.5 * DAY
    told = nights.at(6.4).night(posted=[])
    assert (reminders(told), nights.cloud.deleted) == ([], [])
    assert told.targets[0].decisions[0].detail.endswith("due for deletion 2026-11-29 15:00Z")
    nights.at(6.5).night()
    assert nights.cloud.deleted == ["a"]
    nights.check()


def test_reminders_that_nobody_accepts_are_given_until_one_is(nights: Nights) -> None:
    nights.policies = [LONG]
    nights.night()
    for day in range(1, 8):
        nights.at(day).night(accepted=day < 4, posted=["slack"] if day >= 4 else [])
    assert nights.cloud.deleted == []
    assert reminders(nights.at(8).night()) == ["a"]
    nights.at(8.9).night(posted=[])
    assert nights.cloud.deleted == []
    nights.at(9).night()
    assert nights.cloud.deleted == ["a"]
    nights.check()


def test_a_reminder_that_is_accepted_at_the_second_try_is_a_day_before_the_deletion(nights: Nights) -> None:
    nights.policies = [LONG]
    for day in range(4):
        nights.at(day).night(posted=["slack"] if day == 0 else [])
    nights.at(4).night(accepted=False)
    second = nights.at(4.5).night()
    overdue = set(second.targets[0].notices.overdue)
    assert (reminders(second), overdue, due_of(second)) == (["a"], {"a"}, START + 5.5 * DAY)
    nights.at(5).night(posted=[])
    assert nights.cloud.deleted == []
    nights.at(5.5).night()
    assert nights.cloud.deleted == ["a"]
    nights.check()


def test_a_reminder_that_was_accepted_and_not_written_down_is_given_again(nights: Nights) -> None:
    """The process died in between, and its report stays undelivered as far as the database knows."""
    nights.policies = [LONG]
    for day in range(4):
        nights.at(day).night(posted=["slack"] if day == 0 else [])
    nights.at(4.5).night(accepted=False)
    again = nights.at(5.5).night()
    assert (reminders(again), nights.cloud.deleted) == (["a"], [])


def test_a_dry_run_promises_and_moves_nothing(nights: Nights) -> None:
    nights.policies = [LONG]
    for day in range(4):
        nights.at(day).night(posted=["slack"] if day == 0 else [])
    dry = nights.at(5.5).night(Mode.DRY_RUN)
    assert (reminders(dry), dry.targets[0].to_delete) == (["a"], ())
    assert nights.store.memory("prod").notices["a"] == replace(given(5 * DAY), name="a")
    assert due_of(nights.at(5.6).night()) == START + 6.6 * DAY


def test_where_nobody_can_be_told_no_reminder_is_waited_for(nights: Nights) -> None:
    nights.policies = [LONG]
    nights.night()
    nights.at(3).night(posted=[])
    nights.policies = [OLD]
    nights.at(5.5).night(destinations=None, posted=[])
    assert nights.cloud.deleted == ["a"]


def test_the_history_of_an_image_keeps_the_date_that_was_announced(nights: Nights) -> None:
    nights.policies = [LONG]
    nights.night()
    nights.at(3).night(posted=[])
    nights.at(5).night()
    told = [event.text for event in nights.store.image_history("prod", "a") if event.text.startswith(("ann", "late"))]
    assert told == [
        "announced under policy old: due for deletion 2026-11-28 03:00Z",
        "late reminder: due for deletion 2026-11-29 03:00Z",
    ]
