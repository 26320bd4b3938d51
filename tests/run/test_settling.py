"""A request of an earlier run whose outcome it did not see is settled by the next one, and reported once."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from janitor.core.image import Image
from janitor.core.planning.deletion import Answer
from janitor.core.planning.reconciling import reconcile
from janitor.core.result import Deletion, DeletionOutcome, Mode, Outcome, RunResult, TargetResult
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.errors import Unavailable
from janitor.report.as_json import json_report
from janitor.report.figures import summary
from janitor.store import Store, migrations
from tests.earlier import database_before
from tests.factories import NOW, to_delete
from tests.fakes import RecordingCloud
from tests.run.stopped_runs import IMAGE, UNFINISHED
from tests.runs import run_over

# The journal


def killed_run(store: Store, *images: Image) -> int:
    """A run that died with a request for each of these images in flight."""
    run = store.begin_run(Mode.DELETE, NOW)
    store.record_survey(run, "t0", Survey(images, Usage(), NOW, NOW))
    store.record_decisions(run, "t0", [to_delete(image) for image in images])
    for image in images:
        store.journal_request(run, "t0", to_delete(image), NOW)
    return run


def settled(result: RunResult) -> dict[str, DeletionOutcome]:
    return {d.decision.image.id: d.outcome for target in result.targets for d in target.earlier.settled}


@pytest.mark.parametrize("mode", list(Mode))
def test_the_next_run_settles_what_a_killed_one_asked_for_and_reports_it_once(store: Store, mode: Mode) -> None:
    others = [IMAGE.replace(id=f"other-{number}") for number in range(9)]
    killed = killed_run(store, IMAGE, IMAGE.replace(id="b"), *others)
    cloud = RecordingCloud([IMAGE.replace(id="b"), *others])
    result = run_over(store, cloud, mode=mode)
    expected = {"a": DeletionOutcome.DELETED, "b": DeletionOutcome.FAILED}
    assert {image: outcome for image, outcome in settled(result).items() if image in expected} == expected
    assert ("b" in cloud.deleted) is (mode is Mode.DELETE), "decided again"
    assert store.load_run(result.run) == result
    assert [d.outcome for d in store.load_run(killed).targets[0].deletions][:2] == list(expected.values())
    assert store.runs(limit=None)[-1].deleted == 1
    assert settled(run_over(store, cloud, mode=mode)) == {}
    assert store.unsettled("t0") == []


def test_what_was_settled_is_told_by_a_run_that_gets_no_further_too(store: Store) -> None:
    killed_run(store, IMAGE)
    cloud = RecordingCloud([], shared=Unavailable("HTTP 504"))
    result = run_over(store, cloud)
    assert (result.outcome, result.targets[0].error) == (Outcome.FAILED, "HTTP 504")
    assert settled(result) == {"a": DeletionOutcome.DELETED}
    assert store.load_run(result.run) == result


def test_a_list_that_looks_wrong_settles_nothing(store: Store) -> None:
    images = [IMAGE.replace(id=f"{number}") for number in range(10)]
    run_over(store, RecordingCloud(images), mode=Mode.DRY_RUN)
    killed_run(store, *images[:1])
    assert settled(run_over(store, RecordingCloud(images[8:]))) == {}
    assert settled(run_over(store, RecordingCloud(images, survey_errors=[Unavailable("HTTP 502")]))) == {}
    assert settled(run_over(store, RecordingCloud(images, used=Unavailable("HTTP 502")))) == {}
    assert settled(run_over(store, RecordingCloud(images[1:]))) == {"0": DeletionOutcome.DELETED}


def test_our_own_deletions_of_a_killed_run_are_no_shrinking_of_the_fleet(store: Store) -> None:
    images = [IMAGE.replace(id=f"{number}") for number in range(10)]
    run_over(store, RecordingCloud(images), mode=Mode.DRY_RUN)
    killed_run(store, *images)
    result = run_over(store, RecordingCloud(images[6:]))
    assert result.outcome is Outcome.OK, result.targets[0].error
    assert list(settled(result).values()).count(DeletionOutcome.DELETED) == 6


def test_what_a_run_knew_and_could_not_report_before_it_was_killed_is_told_by_the_next(store: Store) -> None:
    killed = killed_run(store, IMAGE)
    known = Deletion(to_delete(IMAGE), DeletionOutcome.DELETED, "confirmed gone")
    store.finish_target(killed, TargetResult("t0", Outcome.OK, decisions=(to_delete(IMAGE),), deletions=(known,)))
    assert settled(run_over(store, RecordingCloud([]))) == {"a": DeletionOutcome.DELETED}
    assert settled(run_over(store, RecordingCloud([]))) == {}


def test_what_a_run_settled_and_asked_for_again_before_it_was_killed_is_told_once(store: Store) -> None:
    killed_run(store, IMAGE)
    again = store.begin_run(Mode.DELETE, NOW)
    store.record_survey(again, "t0", Survey((IMAGE,), Usage(), NOW, NOW))
    store.record_settlements(again, reconcile(store.unsettled("t0"), [IMAGE]))
    store.record_decisions(again, "t0", [to_delete(IMAGE)])
    store.journal_request(again, "t0", to_delete(IMAGE), NOW)
    (target,) = run_over(store, RecordingCloud([])).targets
    assert [d.outcome for d in target.earlier.settled] == [DeletionOutcome.FAILED, DeletionOutcome.DELETED]
    assert store.unsettled("t0") == []


def test_another_target_settles_nothing_of_it(store: Store) -> None:
    killed_run(store, IMAGE)
    assert settled(run_over(store, RecordingCloud([], survey_errors=[Unavailable("down")]), RecordingCloud([]))) == {}
    assert settled(run_over(store, RecordingCloud([]))) == {"a": DeletionOutcome.DELETED}


def test_what_no_second_survey_confirmed_is_settled_by_the_next_run(store: Store) -> None:
    images = [IMAGE, *(IMAGE.replace(id=image_id) for image_id in "bcd")]
    cloud = RecordingCloud(images, survey_errors=[None, Unavailable("HTTP 502")], undone={"b"})
    cloud.answers |= {"c": Unavailable("timed out"), "d": Answer.ABSENT}
    first = run_over(store, cloud)
    assert [(d.outcome, d.unsettled) for d in first.targets[0].deletions] == [
        (DeletionOutcome.ACCEPTED, True),
        (DeletionOutcome.ACCEPTED, True),
        (DeletionOutcome.FAILED, True),
        (DeletionOutcome.FAILED, True),
    ]
    second = run_over(store, cloud, mode=Mode.DRY_RUN)
    assert settled(second) == {
        "a": DeletionOutcome.DELETED,
        "b": DeletionOutcome.ACCEPTED,
        "c": DeletionOutcome.FAILED,
        "d": DeletionOutcome.ALREADY_GONE,
    }
    assert "which could not confirm it" in second.targets[0].earlier.settled[0].detail
    assert settled(run_over(store, cloud, mode=Mode.DRY_RUN)) == {}, "once"
    assert store.load_run(first.run) == first, "what was reported stays what it was"
    assert store.load_run(second.run) == second


def test_a_confirmed_deletion_is_not_settled_again(store: Store) -> None:
    cloud = RecordingCloud([IMAGE, IMAGE.replace(id="b")], undone={"b"})
    run_over(store, cloud)
    assert settled(run_over(store, cloud, mode=Mode.DRY_RUN)) == {}


# What was accepted is followed


PENDING = IMAGE.replace(status="pending_delete")


def test_what_was_accepted_is_followed_in_silence_and_told_once_when_it_is_gone(store: Store, tmp_path: Path) -> None:
    cloud = RecordingCloud([IMAGE], undone={"a"}, on_delete=lambda _: setattr(cloud, "listed", [PENDING]))
    first = run_over(store, cloud)
    assert [d.outcome for d in first.targets[0].deletions] == [DeletionOutcome.ACCEPTED]
    for _ in range(3):
        quiet = run_over(store, cloud)
        assert (settled(quiet), quiet.targets[0].deletions, len(cloud.deleted)) == ({}, (), 1)
    cloud.listed = []
    told = run_over(store, cloud)
    [deletion] = told.targets[0].earlier.settled
    assert (deletion.outcome, deletion.detail) == (
        DeletionOutcome.DELETED,
        "confirmed later: requested in run 1; confirmed gone",
    )
    assert settled(run_over(store, cloud)) == {}, "once"
    assert [store.load_run(run.run) for run in (first, quiet, told)] == [first, quiet, told]
    assert store.runs(limit=None)[-1].deleted == 1
    history = [event.text for event in store.image_history("t0", "a") if event.text.startswith("deletion")]
    assert history == [
        "deletion: accepted, accepted; it is listed as pending_delete (the API answered: accepted)",
        "deletion: deleted, confirmed later: requested in run 1; confirmed gone",
    ]
    with closing(sqlite3.connect(tmp_path / "janitor.db")) as db:
        log = db.execute("SELECT answer, outcome, settled_in_run FROM deletion_log").fetchall()
    assert log == [("accepted", "deleted", told.run)]
    words = "1 deletion of earlier runs: 1 deleted"
    assert words in summary(told, None)
    assert json.loads(json_report(told))["targets"][0]["settled"][0]["outcome"] == "deleted"


def test_what_is_accepted_again_and_again_is_told_of_once_when_it_is_gone(store: Store) -> None:
    cloud = RecordingCloud([IMAGE], undone={"a"})
    for run in range(3):
        assert settled(run_over(store, cloud)) == {}
        assert len(cloud.deleted) == run + 1, "listed otherwise, it is decided again"
    cloud.listed = []
    assert settled(run_over(store, cloud)) == {"a": DeletionOutcome.DELETED}
    assert settled(run_over(store, cloud)) == {}
    assert sum(run.deleted for run in store.runs(limit=None)) == 1


def test_what_was_accepted_before_and_gone_when_it_was_asked_for_again_is_not_told_twice(store: Store) -> None:
    cloud = RecordingCloud([IMAGE], undone={"a"})
    run_over(store, cloud)
    cloud.undone.clear()
    assert [d.outcome for d in run_over(store, cloud).targets[0].deletions] == [DeletionOutcome.DELETED]
    assert settled(run_over(store, cloud)) == {}


def test_what_a_killed_run_found_confirmed_is_told_by_the_next(store: Store) -> None:
    cloud = RecordingCloud([IMAGE], undone={"a"})
    run_over(store, cloud)
    killed = store.begin_run(Mode.DELETE, NOW)
    store.record_survey(killed, "t0", Survey((), Usage(), NOW, NOW))
    store.record_settlements(killed, reconcile(store.unsettled("t0"), []))
    assert settled(run_over(store, RecordingCloud([]))) == {"a": DeletionOutcome.DELETED}
    assert settled(run_over(store, RecordingCloud([]))) == {}


def test_what_was_told_unknown_and_then_accepted_is_followed_too(store: Store) -> None:
    cloud = RecordingCloud([IMAGE], survey_errors=[None, Unavailable("HTTP 502")], undone={"a"})
    run_over(store, cloud)
    cloud.listed = [PENDING]
    second = run_over(store, cloud)
    assert settled(second) == {"a": DeletionOutcome.ACCEPTED}
    assert settled(run_over(store, cloud)) == {}
    cloud.listed = []
    third = run_over(store, cloud)
    assert settled(third) == {"a": DeletionOutcome.DELETED}
    assert [store.load_run(run.run) for run in (second, third)] == [second, third], "what was told stays"


def test_the_history_and_the_views_have_the_last_word(store: Store, tmp_path: Path) -> None:
    killed_run(store, IMAGE)
    run_over(store, RecordingCloud([]))
    told = [(event.run, event.text) for event in store.image_history("t0", "a") if event.text.startswith("deletion")]
    assert told == [
        (1, "deletion: requested, no answer was recorded, not confirmed"),
        (2, f"deletion: deleted, {UNFINISHED.replace('7', '1')}no answer was recorded; it is no longer listed"),
    ]
    with closing(sqlite3.connect(tmp_path / "janitor.db")) as db:
        sql = "SELECT outcome, settled_in_run FROM deletion_log"
        assert db.execute(sql).fetchall() == [("deleted", 2)]
        plan = db.execute("EXPLAIN QUERY PLAN SELECT * FROM deletions x WHERE x.target = 't0' AND "
                          "x.settled_in_run IS NULL AND (x.outcome IS NULL OR x.unsettled)").fetchall()  # fmt: skip
        assert "unsettled_deletions" in plan[0][3], "a journal of years is not read through"


def test_the_history_calls_no_deletion_failed_whose_outcome_is_not_known(store: Store) -> None:
    lost = RecordingCloud(
        [IMAGE], answers={"a": Unavailable("HTTP 504")}, survey_errors=[None, Unavailable("HTTP 502")]
    )
    run_over(store, lost)
    [told] = [event.text for event in store.image_history("t0", "a") if event.text.startswith("deletion")]
    words = "no answer: HTTP 504; unconfirmed, the next run checks (no usable answer: HTTP 504)"
    assert told == f"deletion: outcome not known, {words}"


JOURNAL_OF_BEFORE = """
INSERT INTO runs (run, mode, started_at, finished_at, outcome) VALUES (1, 'delete', :at, :at, 'ok');
INSERT INTO surveys (run, target, started_at, finished_at, images, decisions) VALUES (1, 't0', :at, :at, 1, 1)
"""
ENTRIES_OF_BEFORE = [
    # image, still listed, answer, outcome, unsettled; what became of answer and words; what the next run tells
    ("open", 0, "no answer: HTTP 502: bad", "failed", 1, ("none", "HTTP 502: bad"), DeletionOutcome.DELETED),
    ("said", 0, "refused: in use: web", "refused", 0, ("refused", "in use: web"), None),
    ("kept", 1, "accepted", "accepted", 0, ("accepted", None), DeletionOutcome.DELETED),
    ("past", 0, "accepted", "accepted", 0, ("accepted", None), None),
    ("none", 0, None, None, 0, (None, None), DeletionOutcome.DELETED),
    ("gone", 0, "absent", "failed", 1, ("absent", None), DeletionOutcome.ALREADY_GONE),
]


def test_the_journal_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "janitor.db"
    db = database_before(path, migrations.following)
    with db:
        for statement in JOURNAL_OF_BEFORE.split(";\n"):
            db.execute(statement, {"at": "2026-11-22T03:00:00Z"})
        for key, (image, listed, answer, outcome, unsettled, _, _) in enumerate(ENTRIES_OF_BEFORE, start=1):
            db.execute(
                "INSERT INTO images (image_key, target, image, first_seen) VALUES (?, 't0', ?, '')", (key, image)
            )
            facts = "INSERT INTO image_facts (image_key, from_run, until_run, status, public, protected, owned)"
            db.execute(f"{facts} VALUES (?, 1, ?, 'active', 0, 0, 1)", (key, None if listed else 2))
            decided = (
                "INSERT INTO decisions (image_key, from_run, verdict, reason, detail) VALUES (?, 1, 'delete', ?, '')"
            )
            db.execute(decided, (key, "expired"))
            asked = "INSERT INTO deletions (run, target, image, requested_at, answer, outcome, unsettled, detail)"
            row = (image, answer, outcome, unsettled)
            db.execute(f"{asked} VALUES (1, 't0', ?, '2026-11-22T03:00:00Z', ?, ?, ?, 'x')", row)
    db.close()
    with Store.open(path) as store:
        told = settled(run_over(store, RecordingCloud([]), accept_survey=True))
        assert settled(run_over(store, RecordingCloud([]), accept_survey=True)) == {}
    assert told == {entry[0]: entry[6] for entry in ENTRIES_OF_BEFORE if entry[6] is not None}
    with closing(sqlite3.connect(path)) as conn:
        rows = {row[0]: row[1:] for row in conn.execute("SELECT image, answer, answer_words FROM deletion_log")}
    assert rows == {entry[0]: entry[5] for entry in ENTRIES_OF_BEFORE}
