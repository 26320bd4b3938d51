"""The database: opened with care, never overwritten, and everything that a run wrote read back as it was reported."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from janitor.core.decision import Decision, Reason, Verdict
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
from janitor.errors import Exit, StoreError, UsageError
from janitor.store import KeptReport, NewReport, Store
from janitor.store import database as database_module
from tests.factories import make_image

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
IMAGES = tuple(
    make_image(f"ci-{letter}", id=f"{letter}-1", created_at=NOW - MINUTE, updated_at=NOW, size=100) for letter in "abc"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "janitor.db"


def doom(*images: Image) -> tuple[Decision, ...]:
    return tuple(Decision(image, Verdict.DELETE, "ci", Reason.EXPIRED, "expired 2026-11-20") for image in images)


def surveyed(
    store: Store, *images: Image, at: datetime = NOW, usage: Usage | None = None, mode: Mode = Mode.DELETE
) -> int:
    """A run up to where its plan is made."""
    run = store.begin_run(mode, at)
    store.record_survey(run, "prod", Survey(images, usage or Usage(), at, at))
    store.record_decisions(run, "prod", doom(*images))
    return run


def finished(store: Store, run: int, *deletions: Deletion, images: tuple[Image, ...] = IMAGES) -> RunResult:
    target = TargetResult("prod", Outcome.OK, None, SurveySummary(len(images), len(images)), doom(*images), deletions)
    result = RunResult(run, Mode.DELETE, Outcome.OK, NOW, NOW + MINUTE, (target,))
    store.finish_target(run, target)
    store.finish_run(result)
    return result


# The file


def test_what_is_written_is_on_disk_before_anything_else_happens(store: Store) -> None:
    with store._file.reading() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: a power cut loses no entry of the journal"


def test_a_new_database_is_for_its_owner_only_from_the_first_byte(path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(path) as store:
            surveyed(store, *IMAGES)
            modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"janitor.db": "0o600", "janitor.db-wal": "0o600", "janitor.db-shm": "0o600"}
    assert [file.name for file in path.parent.iterdir()] == ["janitor.db"], "closing folds the log into the file"


def test_permissions_that_somebody_gave_are_left_alone(path: Path) -> None:
    Store.open(path).close()
    path.chmod(0o640)
    Store.open(path).close()
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["a b?c#d%41.db", "이미지.db", "'quoted\".db"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    with Store.open(tmp_path / name) as store:
        assert store.begin_run(Mode.DRY_RUN, NOW) == 1
    assert [file.name for file in tmp_path.iterdir()] == [name]


def make_folder(path: Path) -> None:
    path.mkdir()


def make_text(path: Path) -> None:
    path.write_text("mode: delete\n" * 100)


def make_cut_off(path: Path) -> None:
    with Store.open(path) as store:
        surveyed(store, *IMAGES)
    path.write_bytes(path.read_bytes()[:5000])


def make_torn(path: Path) -> None:
    with Store.open(path) as store:
        surveyed(store, *IMAGES)
    path.write_bytes(path.read_bytes()[:100] + os.urandom(path.stat().st_size - 100))


def make_read_only(path: Path) -> None:
    Store.open(path).close()
    path.chmod(0o444)


def make_newer(path: Path) -> None:
    Store.open(path).close()
    with sqlite3.connect(path) as conn:
        conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('image-janitor', 'next', '')"
        )
    conn.close()


def make_foreign(path: Path) -> None:
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE customers (name TEXT)")
    conn.close()


UNFIT = {
    "folder": (make_folder, "it is a folder"),
    "not-a-database": (make_text, "damaged or not a database; it was not overwritten"),
    "cut-off": (make_cut_off, "damaged or not a database; it was not overwritten"),
    "torn": (make_torn, "damaged or not a database; it was not overwritten"),
    "read-only": (make_read_only, "it cannot be written: allow writing"),
    "newer": (make_newer, "written by a newer version of the janitor"),
    "another-program's": (make_foreign, "the database of another program"),
}


@pytest.mark.parametrize(("make", "words"), UNFIT.values(), ids=UNFIT.keys())
def test_a_file_that_cannot_serve_is_named_with_what_to_do_and_not_touched(
    path: Path, make: Callable[[Path], None], words: str
) -> None:
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=re.escape(words)) as caught:
        Store.open(path)
    assert str(caught.value).startswith(f"database {path}: ")
    assert (path.read_bytes() if path.is_file() else None) == before
    assert [file.name for file in path.parent.iterdir()] == ["janitor.db"]


def test_damage_that_shows_later_is_said_and_not_written_over(path: Path) -> None:
    with Store.open(path) as store:
        surveyed(store, *(replace(IMAGES[0], id=f"{number}") for number in range(2000)))
    pages = path.read_bytes()
    path.write_bytes(pages[: 4096 * 40] + b"\xff" * (len(pages) - 4096 * 40))
    with Store.open(path) as store, pytest.raises(StoreError, match="the file is damaged"):
        surveyed(store, *IMAGES)


def test_a_missing_folder_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*/var: create it"):
        Store.open(tmp_path / "var" / "janitor.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b""], ids=["no-file", "empty-file"])
def test_reading_where_nothing_was_recorded_creates_nothing(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="nothing recorded yet: run `janitor run --dry-run` first") as caught:
        Store.open_existing(path)
    assert caught.value.exit_code == Exit.USAGE
    assert path.exists() == (content is not None)


def test_reading_works_where_writing_is_not_allowed(path: Path) -> None:
    with Store.open(path) as store:
        run = surveyed(store, *IMAGES)
    path.chmod(0o444)
    with Store.open_existing(path) as store:
        assert store.surveys(run)["prod"].images == IMAGES


def test_a_database_that_another_process_writes_to_is_waited_for_and_then_said(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0.05)
    with Store.open(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process is writing to it: try again"):
            store.begin_run(Mode.DRY_RUN, NOW)
        assert store.latest_run() is None, "reading goes on meanwhile"
        other.execute("ROLLBACK")
        other.close()
        assert store.begin_run(Mode.DRY_RUN, NOW) == 1


def test_a_full_disk_is_said_and_costs_nothing_that_was_recorded(store: Store) -> None:
    run = surveyed(store, *IMAGES)
    store._file._db.execute("PRAGMA max_page_count = 1")  # SQLite does not go below what is there: no page more
    many = tuple(replace(IMAGES[0], id=f"{number}") for number in range(2000))
    with pytest.raises(StoreError, match="the disk is full: free some space"):
        surveyed(store, *many)
    assert store.surveys(run)["prod"].images == IMAGES


def test_many_processes_may_open_a_new_database_at_once(path: Path) -> None:
    code = f"from janitor.store import Store; from pathlib import Path; Store.open(Path({str(path)!r})).close()"
    processes = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(6)]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0)] * 6


def test_a_closed_store_says_so_rather_than_crash(path: Path) -> None:
    store = Store.open(path)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.latest_run()


# Runs


def test_a_run_reads_back_as_it_was_reported(store: Store) -> None:
    run = surveyed(store, *IMAGES)
    decisions = doom(*IMAGES)
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


ANSWERS = {
    "accepted": (Answered(Answer.ACCEPTED), DeletionOutcome.ACCEPTED, "accepted; the run ended before"),
    "absent": (Answered(Answer.ABSENT), DeletionOutcome.FAILED, "the API knew no such image; the run ended before"),
    "refused": (Answered(Answer.REFUSED, "in use (-25)"), DeletionOutcome.REFUSED, "in use (-25)"),
    "no-answer": (Answered(Answer.NONE, "timed out"), DeletionOutcome.FAILED, "no answer: timed out; the run ended"),
    "killed-in-between": (None, DeletionOutcome.FAILED, "no answer was recorded; the run ended before the outcome"),
}


@pytest.mark.parametrize(("answer", "outcome", "words"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_run_that_never_finished_has_failed_and_claims_nothing(
    store: Store, answer: Answered | None, outcome: DeletionOutcome, words: str
) -> None:
    run = surveyed(store, *IMAGES)
    entry = store.journal_request(run, "prod", doom(IMAGES[1])[0], NOW + MINUTE)
    if answer is not None:
        store.journal_answer(entry, answer, NOW + 2 * MINUTE)
    loaded = store.load_run(run)
    assert (loaded.outcome, loaded.error) == (Outcome.FAILED, "did not finish")
    assert loaded.finished_at == NOW + (MINUTE if answer is None else 2 * MINUTE)
    (target,) = loaded.targets
    assert (target.outcome, target.error, target.decisions) == (Outcome.FAILED, "did not finish", doom(*IMAGES))
    (deletion,) = target.deletions
    assert (deletion.decision.image, deletion.outcome) == (IMAGES[1], outcome)
    assert deletion.detail.startswith(words)
    assert store.runs()[0].outcome is None


def test_past_runs_come_newest_first_with_their_counts(store: Store) -> None:
    first = surveyed(store, *IMAGES)
    finished(store, first, Deletion(doom(IMAGES[0])[0], DeletionOutcome.DELETED, "confirmed gone"))
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
    undated = replace(IMAGES[0], id="undated", created_at=None)
    whole = replace(IMAGES[0], id="z", created_at=NOW)
    later = replace(IMAGES[0], id="a", created_at=NOW + timedelta(microseconds=500))
    run = surveyed(store, later, whole, undated)
    assert [decision.image.id for decision in store.load_run(run).targets[0].decisions] == ["undated", "z", "a"]


# The journal


def test_a_request_is_on_disk_before_it_is_sent_even_if_the_process_is_killed(path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from tests.store.test_store import IMAGES, NOW, doom, surveyed
from janitor.store import Store
from tests.factories import make_image
store = Store.open(Path({str(path)!r}))
run = surveyed(store, *IMAGES)
store.journal_request(run, "prod", doom(IMAGES[0])[0], NOW)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    with Store.open(path) as store:
        (deletion,) = store.load_run(1).targets[0].deletions
        assert deletion.decision == doom(IMAGES[0])[0]


def test_only_what_was_reported_reads_back_from_a_target_that_finished(store: Store) -> None:
    run = surveyed(store, *IMAGES)
    store.journal_request(run, "prod", doom(IMAGES[2])[0], NOW)
    result = finished(store, run, Deletion(doom(IMAGES[0])[0], DeletionOutcome.DELETED, "confirmed gone"))
    assert store.load_run(run) == result


def test_many_threads_write_one_journal(store: Store) -> None:
    images = tuple(replace(IMAGES[0], id=f"{number:03}") for number in range(120))
    run = surveyed(store, *images)

    def delete(decision: Decision) -> Deletion:
        entry = store.journal_request(run, "prod", decision, NOW)
        store.journal_answer(entry, Answered(Answer.REFUSED, decision.image.id), NOW)
        assert store.latest_run() == run
        return Deletion(decision, DeletionOutcome.REFUSED, decision.image.id)

    with ThreadPoolExecutor(8) as pool:
        deletions = tuple(pool.map(delete, doom(*images)))
    unfinished = store.load_run(run).targets[0].deletions
    assert sorted(deletion.detail for deletion in unfinished) == [image.id for image in images]
    assert all(deletion.detail == deletion.decision.image.id for deletion in unfinished)
    assert store.load_run(finished(store, run, *deletions, images=images).run).targets[0].deletions == deletions


def test_a_transaction_that_fails_midway_leaves_nothing(store: Store) -> None:
    run = surveyed(store, *IMAGES)
    stranger = Deletion(doom(IMAGES[0])[0], DeletionOutcome.DELETED, "\ud800")  # text that no file can hold
    with pytest.raises(StoreError, match="cannot be stored"):
        finished(store, run, Deletion(doom(IMAGES[1])[0], DeletionOutcome.DELETED, "gone"), stranger)
    assert store.load_run(run).error == "did not finish"
    assert store.runs()[0].deleted == 0


# One image


def test_an_image_is_found_by_the_start_of_its_id_and_nothing_else(store: Store) -> None:
    odd = [replace(IMAGES[0], id=name) for name in ("ab%c", "ab_c", "abxc", "ab*c", "ab", "AB-2")]
    surveyed(store, *odd)
    assert store.find_image("ab%") == [("prod", "ab%c")]
    assert store.find_image("ab_") == [("prod", "ab_c")]
    assert store.find_image("ab*") == [("prod", "ab*c")]
    assert store.find_image("ab") == [("prod", "ab")], "a whole id beats all that start with it"
    assert store.find_image("ab-") == [("prod", "AB-2")]
    assert store.find_image("b") == store.find_image("") == store.find_image("?") == []


def test_images_that_were_seen_latest_are_found_first(store: Store) -> None:
    surveyed(store, *(replace(IMAGES[0], id=f"x{number}") for number in range(3)))
    surveyed(store, *(replace(IMAGES[0], id=f"x{number}") for number in range(1, 3)))
    surveyed(store, replace(IMAGES[0], id="x2"))
    assert store.find_image("x") == [("prod", "x2"), ("prod", "x1"), ("prod", "x0")]


def test_images_are_found_by_their_latest_name_and_nothing_else(store: Store) -> None:
    def named(number: int, name: str | None) -> Image:
        return replace(IMAGES[0], id=f"x{number}", name=name)

    surveyed(store, named(0, "web"), named(1, "web"), named(2, "web"), named(3, "Web"), named(4, None))
    surveyed(store, named(1, "renamed"), named(2, "web"), named(3, "Web"), named(5, "web"))
    assert store.find_named("web") == [("prod", "x5", True), ("prod", "x2", True), ("prod", "x0", False)]
    assert store.find_named("renamed") == [("prod", "x1", True)]
    assert store.find_named("we") == store.find_named("w%") == store.find_named("") == []


def test_the_history_of_an_image_tells_what_happened_in_order(store: Store) -> None:
    image, nights = IMAGES[0], [NOW + timedelta(days=night) for night in range(5)]
    used = Usage({"a-1": (User("i-1", "web"),)})
    surveyed(store, image, at=nights[0], usage=used)
    changed = replace(image, status="deactivated", protected=True, name=None, properties={"os": "x"})
    surveyed(store, changed, at=nights[1])
    surveyed(store, at=nights[2])
    run = surveyed(store, changed, at=nights[3])
    entry = store.journal_request(run, "prod", doom(changed)[0], nights[3])
    store.journal_answer(entry, Answered(Answer.ACCEPTED), nights[3])
    finished(store, run, Deletion(doom(changed)[0], DeletionOutcome.DELETED, "confirmed gone"), images=(changed,))
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
        (1, "no longer in use by instance web, last seen 2026-11-22T03:00:00Z"),
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
            store.journal_request(run, "prod", doom(IMAGES[0])[0], NOW), Answered(Answer.ACCEPTED), NOW
        )
        finished(store, run, Deletion(doom(IMAGES[0])[0], DeletionOutcome.DELETED, "confirmed gone"))
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
