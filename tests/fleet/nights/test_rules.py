"""Every rule of the nights finds what it is for: a record that holds, and the same with one thing wrong."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.fleet.nights.record import Deletion, Ended, Entry, Mishap, Record, Reported, Said, Taking, Written
from tests.fleet.nights.rules import RULES, breaches

NIGHT = "2026-03-01"


def held() -> Record:
    """A worker is stopped while it deletes, another takes the account, and all is as it has to be."""
    return Record(
        nights=[NIGHT],
        accounts=["lab"],
        deletions=[
            Deletion("lab", "a", "one", 100.0),
            Deletion("lab", "b", "one", 106.1),
            Deletion("lab", "c", "two", 107.0),
        ],
        takings=[Taking("lab", 1, "one", 99.0), Taking("lab", 2, "two", 104.0)],
        written=[
            Written(NIGHT, "lab", 0, "queued", "enqueue", 90.0),
            Written(NIGHT, "lab", 1, "running", "one", 99.1),
            Written(NIGHT, "lab", 2, "running", "two", 104.1),
            Written(NIGHT, "lab", 2, "done", "two", 108.0),
        ],
        rows=[(NIGHT, "lab", "done")],
        reported=[Reported(NIGHT, ("lab",), 3)],
        ended=[Ended("lab", "two", "two", 108.1)],
        journal=[Entry("lab", "a", True), Entry("lab", "b", True), Entry("lab", "c", True), Entry("lab", "d", False)],
        said=[said(number, image, fate) for number, fate in enumerate(("ANNOUNCED", "DELETED")) for image in "abc"],
        mishaps=[Mishap("stopped", "one", 101.0, 106.0), Mishap("killed", "three", 98.0, 98.0)],
        expired={("lab", "a"), ("lab", "b")},
        guarded={("lab", "z")},
        left={("lab", "z"), ("lab", "d")},
    )


def said(message: int, image: str, fate: str, run: int = 1, page: int = 1, at: float = 107.5) -> Said:
    return Said(message, "lab", run, image, fate, page, False, at)


def an_expired_image_is_left(record: Record) -> None:
    record.left.add(("lab", "b"))
    record.reported[0] = Reported(NIGHT, ("lab",), 2)


def what_must_stay_is_deleted(record: Record) -> None:
    record.deletions.append(Deletion("lab", "z", "two", 107.1))
    record.journal.append(Entry("lab", "z", True))
    record.said += [said(0, "z", "ANNOUNCED"), said(1, "z", "DELETED")]


def a_worker_goes_on_long_after_it_was_superseded(record: Record) -> None:
    record.deletions[1] = Deletion("lab", "b", "one", 109.0)


def a_worker_goes_on_though_it_was_not_stopped(record: Record) -> None:
    record.deletions[1] = Deletion("lab", "b", "one", 106.5)
    record.mishaps[0] = Mishap("stopped", "two", 101.0, 106.0)


def a_worker_sends_more_than_it_had_in_flight(record: Record) -> None:
    record.reported[0] = Reported(NIGHT, ("lab",), 5)
    for image in ("e", "f"):
        record.deletions.append(Deletion("lab", image, "one", 106.1))
        record.journal.append(Entry("lab", image, True))
        record.said += [said(0, image, "ANNOUNCED"), said(1, image, "DELETED")]


def a_worker_deletes_that_never_had_the_account(record: Record) -> None:
    record.deletions[2] = Deletion("lab", "c", "three", 107.0)


def a_deletion_is_not_in_the_journal(record: Record) -> None:
    record.journal.pop(0)


def the_journal_has_an_answer_that_nobody_gave(record: Record) -> None:
    record.journal[3] = Entry("lab", "d", True)


def more_is_journalled_than_deaths_explain(record: Record) -> None:
    record.journal += [Entry("lab", f"never-{number}", False) for number in range(4)]


def an_account_has_no_outcome(record: Record) -> None:
    record.rows.clear()


def an_account_has_two_outcomes(record: Record) -> None:
    record.rows *= 2


def an_account_is_left_running(record: Record) -> None:
    record.rows[0] = (NIGHT, "lab", "running")


def a_report_leaves_an_account_out(record: Record) -> None:
    record.reported[0] = Reported(NIGHT, (), 3)


def a_report_tells_of_less_than_was_deleted(record: Record) -> None:
    record.reported[0] = Reported(NIGHT, ("lab",), 2)


def who_was_superseded_writes_the_outcome(record: Record) -> None:
    record.written[3] = Written(NIGHT, "lab", 2, "done", "one", 108.0)


def an_outcome_goes_back_to_an_earlier_epoch(record: Record) -> None:
    record.written[3] = Written(NIGHT, "lab", 1, "done", "one", 108.0)


def an_account_is_run_again_after_its_night_ended(record: Record) -> None:
    record.takings.append(Taking("lab", 3, "three", 109.0))
    record.written.append(Written(NIGHT, "lab", 3, "running", "three", 109.0))


def a_job_is_ended_by_another_worker(record: Record) -> None:
    record.ended[0] = Ended("lab", "one", "two", 108.1)


def a_job_is_ended_that_waits(record: Record) -> None:
    record.ended[0] = Ended("lab", "one", None, 108.1)


def an_announcement_is_sent_twice(record: Record) -> None:
    record.said.append(said(2, "a", "ANNOUNCED", at=109.0))


def two_runs_say_that_an_image_is_deleted(record: Record) -> None:
    record.said.append(said(2, "a", "DELETED", run=2))


def nobody_is_told_of_a_deletion(record: Record) -> None:
    record.said = [each for each in record.said if (each.image, each.fate) != ("c", "DELETED")]


def a_worker_ends_by_itself(record: Record) -> None:
    record.crashed.append("one")


WRONG: dict[Callable[[Record], None], str] = {
    an_expired_image_is_left: "the_expired_are_gone",
    what_must_stay_is_deleted: "the_expired_are_gone",
    a_worker_goes_on_long_after_it_was_superseded: "nobody_deletes_who_was_superseded",
    a_worker_goes_on_though_it_was_not_stopped: "nobody_deletes_who_was_superseded",
    a_worker_sends_more_than_it_had_in_flight: "nobody_deletes_who_was_superseded",
    a_worker_deletes_that_never_had_the_account: "nobody_deletes_who_was_superseded",
    a_deletion_is_not_in_the_journal: "journals_are_what_was_requested",
    the_journal_has_an_answer_that_nobody_gave: "journals_are_what_was_requested",
    more_is_journalled_than_deaths_explain: "journals_are_what_was_requested",
    an_account_has_no_outcome: "every_account_has_an_outcome",
    an_account_has_two_outcomes: "every_account_has_an_outcome",
    an_account_is_left_running: "every_account_has_an_outcome",
    a_report_leaves_an_account_out: "reports_of_nights_are_true",
    a_report_tells_of_less_than_was_deleted: "reports_of_nights_are_true",
    who_was_superseded_writes_the_outcome: "outcomes_are_written_by_the_owner",
    an_outcome_goes_back_to_an_earlier_epoch: "outcomes_are_written_by_the_owner",
    an_account_is_run_again_after_its_night_ended: "outcomes_are_written_by_the_owner",
    a_job_is_ended_by_another_worker: "jobs_are_ended_by_who_has_them",
    a_job_is_ended_that_waits: "jobs_are_ended_by_who_has_them",
    an_announcement_is_sent_twice: "nobody_is_told_twice",
    two_runs_say_that_an_image_is_deleted: "nobody_is_told_twice",
    nobody_is_told_of_a_deletion: "all_is_told",
    a_worker_ends_by_itself: "no_worker_ends_by_itself",
}


def test_what_has_to_be_breaks_no_rule() -> None:
    counts: Counter[str] = Counter()
    assert breaches(held(), counts) == []
    assert counts["deletions in flight when their epoch ended"] == 1
    assert counts["entries whose request was never sent"] == 1


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__)
def test_what_is_wrong_breaks_its_rule_alone(spoil: Callable[[Record], None]) -> None:
    record = held()
    spoil(record)
    assert {breach.partition(":")[0] for breach in breaches(record, Counter())} == {WRONG[spoil]}


def test_every_rule_is_broken_by_something() -> None:
    assert set(WRONG.values()) == {rule.__name__ for rule in RULES}


def test_what_is_announced_again_after_a_death_is_no_breach() -> None:
    record = held()
    record.said.append(said(2, "a", "ANNOUNCED", run=2, at=109.0))
    assert breaches(record, Counter()) != []
    record.mishaps.append(Mishap("killed", "two", 107.6, 107.6))
    counts: Counter[str] = Counter()
    assert breaches(record, counts) == []
    assert counts["announced again after a death"] == 1


def test_what_was_sent_again_after_a_death_is_no_breach() -> None:
    record = held()
    record.said.append(said(2, "a", "ANNOUNCED", at=109.0))
    record.mishaps.append(Mishap("killed", "two", 107.6, 107.6))
    counts: Counter[str] = Counter()
    assert breaches(record, counts) == []
    assert counts["messages that were sent again"] == 1
