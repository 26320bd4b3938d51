"""The database: everything that a run wrote is read back as it was reported, however the run ended."""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.memory import History
from janitor.core.planning.deletion import Answer, Answered
from janitor.core.result import (
    Deletion,
    DeletionOutcome,
    Event,
    Mode,
    Outcome,
    RunResult,
    RunSummary,
    SurveySummary,
    TargetResult,
)
from janitor.core.survey import Survey
from janitor.core.usage import Usage, User
from janitor.errors import StoreError, UsageError
from janitor.store import KeptReport, NewReport, Store
from tests.factories import DAY, usage_of
from tests.store.recorded import IMAGES, MINUTE, NOW, finished, plan_of, surveyed

# Runs


def test_a_run_reads_back_as_it_was_reported(store: Store) -> None:
    run = surveyed(store, *IMAGES)
    decisions = plan_of(*IMAGES)
    deletions = (
        Deletion(decisions[1], DeletionOutcome.DELETED, "confirmed gone"),
        Deletion(decisions[0], DeletionOutcome.REFUSED, "in use (-25)"),
        Deletion(decisions[2], DeletionOutcome.FAILED, "not sent"),  # the journal knows of no request for this one
    )
    for decision in decisions[:2]:
        store.journal_request(run, "prod", decision, NOW)
    prod = TargetResult("prod", Outcome.PARTIAL, None, SurveySummary(3, 2), decisions, deletions)
    lab = TargetResult("lab", Outcome.FAILED, "the API gave no answer")
    result = RunResult(run, Mode.DELETE, Outcome.FAILED, NOW, NOW + MINUTE, (prod, lab), "words")
    store.finish_target(run, lab)
    store.finish_target(run, prod)
    store.finish_run(result)
    surveyed(store, IMAGES[0], at=NOW + MINUTE)
    assert store.load_run(run) == result


def test_a_target_that_did_not_record_its_end_is_recorded_with_the_run(store: Store) -> None:
    run = store.begin_run(Mode.DRY_RUN, NOW)
    result = RunResult(run, Mode.DRY_RUN, Outcome.FAILED, NOW, NOW, (TargetResult("lab", Outcome.FAILED, "why"),))
    store.finish_run(result)
    assert store.load_run(run) == result


def test_a_target_that_failed_after_its_survey_reports_no_decisions_of_an_earlier_run(store: Store) -> None:
    finished(store, surveyed(store, *IMAGES))
    run = store.begin_run(Mode.DRY_RUN, NOW)
    store.record_survey(run, "prod", Survey(IMAGES, Usage(), NOW, NOW))
    target = TargetResult("prod", Outcome.FAILED, "why")
    store.finish_target(run, target)
    assert store.load_run(run).targets == (target,)
    assert store.surveys(run)["prod"].images == IMAGES


UNFINISHED = "did not finish, or is still in progress"
ANSWERS = {
    "accepted": (Answered(Answer.ACCEPTED), DeletionOutcome.ACCEPTED, "accepted; the run has not confirmed"),
    "absent": (
        Answered(Answer.ABSENT),
        DeletionOutcome.FAILED,
        "the API knew no such image; the run has not",
    ),
    "refused": (Answered(Answer.REFUSED, "in use (-25)"), DeletionOutcome.REFUSED, "in use (-25)"),
    "no-answer": (Answered(Answer.NONE, "timed out"), DeletionOutcome.FAILED, "no answer: timed out; the run has not"),
    "killed-in-between": (
        None,
        DeletionOutcome.FAILED,
        "no answer was recorded; the run has not",
    ),
}


@pytest.mark.parametrize(("answer", "outcome", "words"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_run_that_never_finished_has_failed_and_claims_nothing(
    store: Store, answer: Answered | None, outcome: DeletionOutcome, words: str
) -> None:
    run = surveyed(store, *IMAGES)
    entry = store.journal_request(run, "prod", plan_of(IMAGES[1])[0], NOW + MINUTE)
    if answer is not None:
        store.journal_answer(entry, answer, NOW + 2 * MINUTE)
    loaded = store.load_run(run)
    assert (loaded.outcome, loaded.error) == (Outcome.FAILED, UNFINISHED)
    assert loaded.finished_at == NOW + (MINUTE if answer is None else 2 * MINUTE)
    (target,) = loaded.targets
    assert (target.outcome, target.error, target.decisions) == (
        Outcome.FAILED,
        "did not finish, or is still in progress",
        plan_of(*IMAGES),
    )
    (deletion,) = target.deletions
    assert (deletion.decision.image, deletion.outcome) == (IMAGES[1], outcome)
    assert deletion.detail.startswith(words)
    assert store.runs()[0].outcome is None


def test_past_runs_come_newest_first_with_their_counts(store: Store) -> None:
    first = surveyed(store, *IMAGES)
    finished(store, first, Deletion(plan_of(IMAGES[0])[0], DeletionOutcome.DELETED, "confirmed gone"))
    second = store.begin_run(Mode.DRY_RUN, NOW + MINUTE)
    done = RunSummary(first, Mode.DELETE, Outcome.OK, NOW, NOW + MINUTE, images=3, to_delete=3, deleted=1)
    begun = RunSummary(second, Mode.DRY_RUN, None, NOW + MINUTE, None, images=0, to_delete=0, deleted=0)
    assert store.runs() == [begun, done]
    assert store.runs(limit=1) == [begun]
    assert store.runs(limit=None) == [begun, done]
    assert store.latest_run() == second


@pytest.mark.parametrize("run", [0, -1, 3, 2**70])
def test_an_unknown_run_is_wrong_usage_that_names_the_latest(store: Store, run: int) -> None:
    with pytest.raises(UsageError, match="no run is recorded yet"):
        store.load_run(run)
    surveyed(store, *IMAGES)
    surveyed(store, *IMAGES)
    for read in (store.load_run, store.surveys):
        with pytest.raises(UsageError, match=f"there is no run {run}: the latest is 2"):
            read(run)


def test_decisions_come_oldest_image_first_to_the_microsecond(store: Store) -> None:
    undated = IMAGES[0].replace(id="undated", created_at=None)
    whole = IMAGES[0].replace(id="z", created_at=NOW)
    later = IMAGES[0].replace(id="a", created_at=NOW + timedelta(microseconds=500))
    run = surveyed(store, later, whole, undated)
    assert [decision.image.id for decision in store.load_run(run).targets[0].decisions] == ["undated", "z", "a"]


# The journal


def test_a_request_is_on_disk_before_it_is_sent_even_if_the_process_is_killed(path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from tests.store.recorded import IMAGES, NOW, plan_of, surveyed
from janitor.store import Store
store = Store.open(Path({str(path)!r}))
run = surveyed(store, *IMAGES)
store.journal_request(run, "prod", plan_of(IMAGES[0])[0], NOW)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    with Store.open(path) as store:
        (deletion,) = store.load_run(1).targets[0].deletions
        assert deletion.decision == plan_of(IMAGES[0])[0]


def test_only_what_was_reported_reads_back_from_a_target_that_finished(store: Store) -> None:
    run = surveyed(store, *IMAGES)
    store.journal_request(run, "prod", plan_of(IMAGES[2])[0], NOW)
    result = finished(store, run, Deletion(plan_of(IMAGES[0])[0], DeletionOutcome.DELETED, "confirmed gone"))
    assert store.load_run(run) == result


def test_many_threads_write_one_journal(store: Store) -> None:
    images = tuple(IMAGES[0].replace(id=f"{number:03}") for number in range(120))
    run = surveyed(store, *images)

    def delete(decision: Decision) -> Deletion:
        entry = store.journal_request(run, "prod", decision, NOW)
        store.journal_answer(entry, Answered(Answer.REFUSED, decision.image.id), NOW)
        assert store.latest_run() == run
        return Deletion(decision, DeletionOutcome.REFUSED, decision.image.id)

    with ThreadPoolExecutor(8) as pool:
        deletions = tuple(pool.map(delete, plan_of(*images)))
    unfinished = store.load_run(run).targets[0].deletions
    assert sorted(deletion.detail for deletion in unfinished) == [image.id for image in images]
    assert all(deletion.detail == deletion.decision.image.id for deletion in unfinished)
    assert store.load_run(finished(store, run, *deletions, images=images).run).targets[0].deletions == deletions


def test_each_image_whose_deletion_was_requested_since_has_one_outcome(store: Store) -> None:
    refused, deleted, unknown = plan_of(*IMAGES[:3])
    first = surveyed(store, *IMAGES)
    store.journal_request(first, "prod", refused, NOW - DAY)
    store.journal_answer(store.journal_request(first, "prod", deleted, NOW), Answered(Answer.ACCEPTED), NOW)
    finished(store, first, Deletion(deleted, DeletionOutcome.DELETED, "confirmed gone"))
    second = surveyed(store, *IMAGES)
    store.journal_answer(store.journal_request(second, "prod", refused, NOW), Answered(Answer.REFUSED), NOW)
    store.journal_answer(store.journal_request(second, "prod", deleted, NOW), Answered(Answer.ABSENT), NOW)
    store.journal_request(second, "prod", unknown, NOW)
    assert [each.outcome for each in store.outcomes_since(NOW)] == [
        DeletionOutcome.DELETED,
        DeletionOutcome.REFUSED,
        None,
    ]
    assert [each.size for each in store.outcomes_since(NOW)] == [
        each.image.size for each in (deleted, refused, unknown)
    ]
    assert store.outcomes_since(NOW + MINUTE) == []


def test_a_transaction_that_fails_midway_leaves_nothing(store: Store) -> None:
    run = surveyed(store, *IMAGES)
    stranger = Deletion(plan_of(IMAGES[0])[0], DeletionOutcome.DELETED, "\ud800")  # text that no file can hold
    with pytest.raises(StoreError, match="cannot be stored"):
        finished(store, run, Deletion(plan_of(IMAGES[1])[0], DeletionOutcome.DELETED, "gone"), stranger)
    assert store.load_run(run).error == UNFINISHED
    assert store.runs()[0].deleted == 0


# One image


def test_an_image_is_found_by_the_start_of_its_id_and_nothing_else(store: Store) -> None:
    odd = [IMAGES[0].replace(id=name) for name in ("ab%c", "ab_c", "abxc", "ab*c", "ab", "AB-2")]
    surveyed(store, *odd)
    assert store.find_image("ab%") == [("prod", "ab%c")]
    assert store.find_image("ab_") == [("prod", "ab_c")]
    assert store.find_image("ab*") == [("prod", "ab*c")]
    assert store.find_image("ab") == [("prod", "ab")], "a whole id beats all that start with it"
    assert store.find_image("ab-") == [("prod", "AB-2")]
    assert store.find_image("b") == store.find_image("") == store.find_image("?") == []


def test_an_image_is_found_by_its_whole_id_in_any_spelling_as_it_was_listed_last(store: Store) -> None:
    dashed = "05b116a0-1111-4222-8333-444455556666"
    spellings = [dashed, dashed.upper(), dashed.replace("-", "")]
    for spelled in spellings:
        surveyed(store, IMAGES[0].replace(id=spelled))
    for word in (*spellings, dashed[:8]):
        assert store.find_image(word) == [("prod", spellings[-1])]


@pytest.mark.parametrize("listed", ["05b116a0-1111-4222-8333-444455556666", "05B116A0111142228333444455556666"])
def test_an_image_is_found_by_the_start_of_its_uuid_with_dashes_or_without(store: Store, listed: str) -> None:
    surveyed(store, IMAGES[0].replace(id=listed))
    for word in ("05b116a01", "05B116A0-1", "05b116a0-", "05b116a0-1111-4222-8", "05b116a0111142228333"):
        assert store.find_image(word) == [("prod", listed)]
    assert store.find_image("05b1-16a0") == store.find_image("5b116a0") == store.find_image("05b116a02") == []


def test_images_that_were_seen_latest_are_found_first(store: Store) -> None:
    surveyed(store, *(IMAGES[0].replace(id=f"x{number}") for number in range(3)))
    surveyed(store, *(IMAGES[0].replace(id=f"x{number}") for number in range(1, 3)))
    surveyed(store, IMAGES[0].replace(id="x2"))
    assert store.find_image("x") == [("prod", "x2"), ("prod", "x1"), ("prod", "x0")]


def test_images_are_found_by_their_latest_name_and_nothing_else(store: Store) -> None:
    def named(number: int, name: str | None) -> Image:
        return IMAGES[0].replace(id=f"x{number}", name=name)

    surveyed(store, named(0, "web"), named(1, "web"), named(2, "web"), named(3, "Web"), named(4, None))
    surveyed(store, named(1, "renamed"), named(2, "web"), named(3, "Web"), named(5, "web"))
    assert store.find_named("web") == [("prod", "x5", True), ("prod", "x2", True), ("prod", "x0", False)]
    assert store.find_named("renamed") == [("prod", "x1", True)]
    assert store.find_named("we") == store.find_named("w%") == store.find_named("") == []


def test_the_history_of_an_image_tells_what_happened_in_order(store: Store) -> None:
    image, nights = IMAGES[0], [NOW + timedelta(days=night) for night in range(5)]
    used = usage_of({"a-1": (User("i-1", "web"),)})
    surveyed(store, image, at=nights[0], usage=used)
    changed = image.replace(status="deactivated", protected=True, name=None, properties={"os": "x"})
    surveyed(store, changed, at=nights[1])
    surveyed(store, at=nights[2])
    run = surveyed(store, changed, at=nights[3])
    entry = store.journal_request(run, "prod", plan_of(changed)[0], nights[3])
    store.journal_answer(entry, Answered(Answer.ACCEPTED), nights[3])
    finished(store, run, Deletion(plan_of(changed)[0], DeletionOutcome.DELETED, "confirmed gone"), images=(changed,))
    surveyed(store, at=nights[4])
    decided = "decision: delete by ci [expired] expired 2026-11-20"
    told = [
        (0, 'first seen: "ci-a", active'),
        (0, "in use by instance web"),
        (0, decided),
        (1, 'name "ci-a" -> unknown'),
        (1, "status active -> deactivated"),
        (1, "protected false -> true"),
        (1, "property os none -> x"),
        (1, "no longer in use by instance web, last seen 2026-11-22 03:00Z"),
        (2, "no longer listed"),
        (3, "listed again"),
        (3, decided),
        (3, "deletion: deleted, confirmed gone (the API answered: accepted)"),
        (4, "no longer listed"),
    ]
    assert store.image_history("prod", "a-1") == [Event(nights[night], night + 1, text) for night, text in told]
    assert store.history_of("prod", "a-1") == History(nights[0], nights[0], nights[1], nights[0], nights[0])
    assert (store.image_history("lab", "a-1"), store.history_of("lab", "a-1")) == ([], None)


# Reports


def test_a_report_stays_until_its_channel_accepted_it(store: Store) -> None:
    run = store.begin_run(Mode.DRY_RUN, NOW)
    report = NewReport("slack", '["<b>"]')
    first, second = store.add_reports(run, [report, report], NOW)
    [early] = store.add_reports(None, [report], NOW)
    store.mark_delivered(second, NOW)
    store.mark_undelivered(first, "no answer", NOW)
    assert store.undelivered() == [
        KeptReport(first, run, "slack", '["<b>"]', NOW, "no answer", NOW),
        KeptReport(early, None, "slack", '["<b>"]', NOW, None, NOW),
    ]
    store.mark_delivered(first, NOW)
    store.mark_delivered(early, NOW)
    assert store.undelivered() == []


# By hand


def test_the_file_is_pleasant_to_query_by_hand(path: Path) -> None:
    with Store.open(path) as store:
        run = surveyed(store, *IMAGES)
        store.journal_answer(
            store.journal_request(run, "prod", plan_of(IMAGES[0])[0], NOW), Answered(Answer.ACCEPTED), NOW
        )
        finished(store, run, Deletion(plan_of(IMAGES[0])[0], DeletionOutcome.DELETED, "confirmed gone"))
        surveyed(store, *IMAGES[1:], at=NOW + MINUTE)
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    queries = {
        "SELECT image, name, status, protected, created_at, verdict, reason, first_seen FROM current_images": [
            (f"{x}-1", f"ci-{x}", "active", 0, "2026-11-22T02:59:00Z", "delete", "expired", "2026-11-22T03:00:00Z")
            for x in "bc"
        ],
        "SELECT run, image, verdict FROM snapshots WHERE run = 1 AND name = 'ci-a'": [(1, "a-1", "delete")],
        "SELECT requested_at, run, name, size, policy, why, answer, outcome, detail FROM deletion_log": [
            (
                "2026-11-22T03:00:00Z",
                1,
                "ci-a",
                100,
                "ci",
                "expired 2026-11-20",
                "accepted",
                "deleted",
                "confirmed gone",
            )
        ],
        "SELECT * FROM deletions_by_day": [("2026-11-22", "prod", "deleted", 1, 100)],
        "PRAGMA foreign_key_check": [],
        "PRAGMA journal_mode": [("wal",)],
    }
    try:
        assert {query: conn.execute(query).fetchall() for query in queries} == queries
    finally:
        conn.close()
