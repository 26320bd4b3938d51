"""Dying well: what a killed run asked for is settled by the next one, and a run that is told to end does so in time."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from types import EllipsisType
from typing import Any

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations
from starlette.responses import Response

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.planning.deletion import Answer
from janitor.core.planning.deletion import Answered as Said
from janitor.core.planning.reconciling import Unsettled, reconcile
from janitor.core.result import Deletion, DeletionOutcome, Mode, Outcome, RunResult, TargetResult
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.errors import Unavailable
from janitor.redaction import Redaction
from janitor.report.as_json import json_report
from janitor.report.figures import summary
from janitor.run.orders import Site
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import Sandbox, running
from janitor.shutdown import Stop, within
from janitor.store import Store, migrations
from janitor.transport import Call as Request
from janitor.transport import HttpOptions, Transient, deadline
from janitor.transport.http import Transport
from tests.conftest import POLICY, Desk
from tests.factories import AMPLE, NOW, OLD, make_image
from tests.fakes import RecordingCloud
from tests.loopback import Answered, Loopback
from tests.runs import run_of
from tests.slack_stand_in import SlackStandIn

IMAGE = make_image("ci-a", id="a")


def doom(image: Image = IMAGE) -> Decision:
    return Decision(image, Verdict.DELETE, "ci", Reason.EXPIRED, "expired 2026-11-07")


# What became of a request


UNFINISHED = "settled: requested in run 7, which did not finish; "
UNKNOWN, YES, ABSENT = Said(Answer.NONE), Said(Answer.ACCEPTED), Said(Answer.ABSENT)
LOST, NO = Said(Answer.NONE, "HTTP 502"), Said(Answer.REFUSED, "in use")
SETTLED = [
    pytest.param(UNKNOWN, None, DeletionOutcome.DELETED, "no answer was recorded; it is no", id="no-answer-and-gone"),
    pytest.param(UNKNOWN, "active", DeletionOutcome.FAILED, "no answer was recorded; it is still", id="no-answer"),
    pytest.param(YES, None, DeletionOutcome.DELETED, "confirmed gone", id="yes-and-gone"),
    pytest.param(YES, "active", DeletionOutcome.ACCEPTED, "accepted; it is still listed", id="yes-and-listed"),
    pytest.param(LOST, None, DeletionOutcome.DELETED, "no answer: HTTP 502; it is no longer", id="lost-and-gone"),
    pytest.param(LOST, "active", DeletionOutcome.FAILED, "no answer: HTTP 502; it is still", id="lost-and-listed"),
    pytest.param(ABSENT, None, DeletionOutcome.ALREADY_GONE, "the API knew no such image", id="absent-and-gone"),
    pytest.param(ABSENT, "active", DeletionOutcome.FAILED, "the API knew no such image; it", id="absent-and-listed"),
    pytest.param(NO, None, DeletionOutcome.ALREADY_GONE, "rejected: in use; it is no longer", id="no-and-gone"),
    pytest.param(NO, "active", DeletionOutcome.REFUSED, "in use; re-evaluated in this run", id="no-and-listed"),
    pytest.param(UNKNOWN, "pending_delete", DeletionOutcome.ACCEPTED, "no answer was recorded; it is", id="on-its-way"),
    pytest.param(NO, "pending_delete", DeletionOutcome.ALREADY_GONE, "rejected: in use; it is", id="no-on-its-way"),
]


@pytest.mark.parametrize(("answer", "status", "outcome", "words"), SETTLED)
def test_a_request_is_settled_by_its_answer_and_the_survey(
    answer: Said, status: str | None, outcome: DeletionOutcome, words: str
) -> None:
    listed = [] if status is None else [replace(IMAGE, status=status)]
    (settlement,) = reconcile([Unsettled(3, 7, False, doom(), answer)], [*listed, replace(IMAGE, id="b")])
    assert settlement.entry == 3
    assert settlement.deletion.decision == doom()
    assert settlement.deletion.outcome is outcome
    assert settlement.deletion.detail.startswith(UNFINISHED + words)


def test_of_several_requests_for_an_image_the_last_one_tells_what_became_of_it() -> None:
    asked = [Unsettled(entry, 7 + entry, False, doom(), answer) for entry, answer in enumerate((YES, UNKNOWN))]
    first, last = (settlement.deletion for settlement in reconcile(asked, []))
    assert (first.outcome, last.outcome) == (DeletionOutcome.FAILED, DeletionOutcome.DELETED)
    assert first.detail == "settled: requested in run 7; superseded by a later request"


@pytest.mark.parametrize("followed", [False, True])
def test_of_an_image_that_may_exist_nothing_is_settled(followed: bool) -> None:
    assert reconcile([Unsettled(3, 7, True, doom(), YES, followed)], [], untold={"a"}) == []


# The journal


def killed_run(store: Store, *images: Image) -> int:
    """A run that died with a request for each of these images in flight."""
    run = store.begin_run(Mode.DELETE, NOW)
    store.record_survey(run, "t0", Survey(images, Usage(), NOW, NOW))
    store.record_decisions(run, "t0", [doom(image) for image in images])
    for image in images:
        store.journal_request(run, "t0", doom(image), NOW)
    return run


def perform(store: Store, *clouds: RecordingCloud, mode: Mode = Mode.DELETE, **rest: Any) -> RunResult:
    sites = [Site(f"t{number}", lambda cloud=cloud: cloud) for number, cloud in enumerate(clouds)]  # type: ignore[misc]
    return run_of(sites, [OLD], store, mode, AMPLE, clock=lambda: NOW, **rest).perform()


def settled(result: RunResult) -> dict[str, DeletionOutcome]:
    return {d.decision.image.id: d.outcome for target in result.targets for d in target.earlier.settled}


@pytest.mark.parametrize("mode", list(Mode))
def test_the_next_run_settles_what_a_killed_one_asked_for_and_reports_it_once(store: Store, mode: Mode) -> None:
    others = [replace(IMAGE, id=f"other-{number}") for number in range(9)]
    killed = killed_run(store, IMAGE, replace(IMAGE, id="b"), *others)
    cloud = RecordingCloud([replace(IMAGE, id="b"), *others])
    result = perform(store, cloud, mode=mode)
    expected = {"a": DeletionOutcome.DELETED, "b": DeletionOutcome.FAILED}
    assert {image: outcome for image, outcome in settled(result).items() if image in expected} == expected
    assert ("b" in cloud.deleted) is (mode is Mode.DELETE), "decided anew"
    assert store.load_run(result.run) == result
    assert [d.outcome for d in store.load_run(killed).targets[0].deletions][:2] == list(expected.values())
    assert store.runs(limit=None)[-1].deleted == 1
    assert settled(perform(store, cloud, mode=mode)) == {}
    assert store.unsettled("t0") == []


def test_what_was_settled_is_told_by_a_run_that_gets_no_further_too(store: Store) -> None:
    killed_run(store, IMAGE)
    cloud = RecordingCloud([], shared=Unavailable("HTTP 504"))
    result = perform(store, cloud)
    assert (result.outcome, result.targets[0].error) == (Outcome.FAILED, "HTTP 504")
    assert settled(result) == {"a": DeletionOutcome.DELETED}
    assert store.load_run(result.run) == result


def test_a_list_that_looks_wrong_settles_nothing(store: Store) -> None:
    images = [replace(IMAGE, id=f"{number}") for number in range(10)]
    perform(store, RecordingCloud(images), mode=Mode.DRY_RUN)
    killed_run(store, *images[:1])
    assert settled(perform(store, RecordingCloud(images[8:]))) == {}
    assert settled(perform(store, RecordingCloud(images, survey_errors=[Unavailable("HTTP 502")]))) == {}
    assert settled(perform(store, RecordingCloud(images, used=Unavailable("HTTP 502")))) == {}
    assert settled(perform(store, RecordingCloud(images[1:]))) == {"0": DeletionOutcome.DELETED}


def test_our_own_deletions_of_a_killed_run_are_no_shrinking_of_the_fleet(store: Store) -> None:
    images = [replace(IMAGE, id=f"{number}") for number in range(10)]
    perform(store, RecordingCloud(images), mode=Mode.DRY_RUN)
    killed_run(store, *images)
    result = perform(store, RecordingCloud(images[6:]))
    assert result.outcome is Outcome.OK, result.targets[0].error
    assert list(settled(result).values()).count(DeletionOutcome.DELETED) == 6


def test_what_a_run_knew_and_could_not_report_before_it_was_killed_is_told_by_the_next(store: Store) -> None:
    killed = killed_run(store, IMAGE)
    known = Deletion(doom(), DeletionOutcome.DELETED, "confirmed gone")
    store.finish_target(killed, TargetResult("t0", Outcome.OK, decisions=(doom(),), deletions=(known,)))
    assert settled(perform(store, RecordingCloud([]))) == {"a": DeletionOutcome.DELETED}
    assert settled(perform(store, RecordingCloud([]))) == {}


def test_what_a_run_settled_and_asked_for_again_before_it_was_killed_is_told_once(store: Store) -> None:
    killed_run(store, IMAGE)
    again = store.begin_run(Mode.DELETE, NOW)
    store.record_survey(again, "t0", Survey((IMAGE,), Usage(), NOW, NOW))
    store.record_settlements(again, reconcile(store.unsettled("t0"), [IMAGE]))
    store.record_decisions(again, "t0", [doom()])
    store.journal_request(again, "t0", doom(), NOW)
    (target,) = perform(store, RecordingCloud([])).targets
    assert [d.outcome for d in target.earlier.settled] == [DeletionOutcome.FAILED, DeletionOutcome.DELETED]
    assert store.unsettled("t0") == []


def test_another_target_settles_nothing_of_it(store: Store) -> None:
    killed_run(store, IMAGE)
    assert settled(perform(store, RecordingCloud([], survey_errors=[Unavailable("down")]), RecordingCloud([]))) == {}
    assert settled(perform(store, RecordingCloud([]))) == {"a": DeletionOutcome.DELETED}


def test_what_no_second_survey_confirmed_is_settled_by_the_next_run(store: Store) -> None:
    images = [IMAGE, *(replace(IMAGE, id=image_id) for image_id in "bcd")]
    cloud = RecordingCloud(images, survey_errors=[None, Unavailable("HTTP 502")], undone={"b"})
    cloud.answers |= {"c": Unavailable("timed out"), "d": Answer.ABSENT}
    first = perform(store, cloud)
    assert [(d.outcome, d.unsettled) for d in first.targets[0].deletions] == [
        (DeletionOutcome.ACCEPTED, True),
        (DeletionOutcome.ACCEPTED, True),
        (DeletionOutcome.FAILED, True),
        (DeletionOutcome.FAILED, True),
    ]
    second = perform(store, cloud, mode=Mode.DRY_RUN)
    assert settled(second) == {
        "a": DeletionOutcome.DELETED,
        "b": DeletionOutcome.ACCEPTED,
        "c": DeletionOutcome.FAILED,
        "d": DeletionOutcome.ALREADY_GONE,
    }
    assert "which could not confirm it" in second.targets[0].earlier.settled[0].detail
    assert settled(perform(store, cloud, mode=Mode.DRY_RUN)) == {}, "once"
    assert store.load_run(first.run) == first, "what was reported stays what it was"
    assert store.load_run(second.run) == second


def test_a_confirmed_deletion_is_not_settled_again(store: Store) -> None:
    cloud = RecordingCloud([IMAGE, replace(IMAGE, id="b")], undone={"b"})
    perform(store, cloud)
    assert settled(perform(store, cloud, mode=Mode.DRY_RUN)) == {}


# What was accepted is followed


PENDING = replace(IMAGE, status="pending_delete")


def test_what_was_accepted_is_followed_in_silence_and_told_once_when_it_is_gone(store: Store, tmp_path: Path) -> None:
    cloud = RecordingCloud([IMAGE], undone={"a"}, on_delete=lambda _: setattr(cloud, "listed", [PENDING]))
    first = perform(store, cloud)
    assert [d.outcome for d in first.targets[0].deletions] == [DeletionOutcome.ACCEPTED]
    for _ in range(3):
        quiet = perform(store, cloud)
        assert (settled(quiet), quiet.targets[0].deletions, len(cloud.deleted)) == ({}, (), 1)
    cloud.listed = []
    told = perform(store, cloud)
    [deletion] = told.targets[0].earlier.settled
    assert (deletion.outcome, deletion.detail) == (
        DeletionOutcome.DELETED,
        "confirmed later: requested in run 1; confirmed gone",
    )
    assert settled(perform(store, cloud)) == {}, "once"
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
        assert settled(perform(store, cloud)) == {}
        assert len(cloud.deleted) == run + 1, "listed otherwise, it is decided anew"
    cloud.listed = []
    assert settled(perform(store, cloud)) == {"a": DeletionOutcome.DELETED}
    assert settled(perform(store, cloud)) == {}
    assert sum(run.deleted for run in store.runs(limit=None)) == 1


def test_what_was_accepted_before_and_gone_when_it_was_asked_for_again_is_not_told_twice(store: Store) -> None:
    cloud = RecordingCloud([IMAGE], undone={"a"})
    perform(store, cloud)
    cloud.undone.clear()
    assert [d.outcome for d in perform(store, cloud).targets[0].deletions] == [DeletionOutcome.DELETED]
    assert settled(perform(store, cloud)) == {}


def test_what_a_killed_run_found_confirmed_is_told_by_the_next(store: Store) -> None:
    cloud = RecordingCloud([IMAGE], undone={"a"})
    perform(store, cloud)
    killed = store.begin_run(Mode.DELETE, NOW)
    store.record_survey(killed, "t0", Survey((), Usage(), NOW, NOW))
    store.record_settlements(killed, reconcile(store.unsettled("t0"), []))
    assert settled(perform(store, RecordingCloud([]))) == {"a": DeletionOutcome.DELETED}
    assert settled(perform(store, RecordingCloud([]))) == {}


def test_what_was_told_unknown_and_then_accepted_is_followed_too(store: Store) -> None:
    cloud = RecordingCloud([IMAGE], survey_errors=[None, Unavailable("HTTP 502")], undone={"a"})
    perform(store, cloud)
    cloud.listed = [PENDING]
    second = perform(store, cloud)
    assert settled(second) == {"a": DeletionOutcome.ACCEPTED}
    assert settled(perform(store, cloud)) == {}
    cloud.listed = []
    third = perform(store, cloud)
    assert settled(third) == {"a": DeletionOutcome.DELETED}
    assert [store.load_run(run.run) for run in (second, third)] == [second, third], "what was told stays"


def test_the_history_and_the_views_have_the_last_word(store: Store, tmp_path: Path) -> None:
    killed_run(store, IMAGE)
    perform(store, RecordingCloud([]))
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
    earlier, path = Migrations("image-janitor"), tmp_path / "janitor.db"
    for step in takewhile(lambda step: step is not migrations.following, migrations.STEPS):
        earlier()(step)
    db = Database(path)
    earlier.apply(db)
    with db.conn:
        for statement in JOURNAL_OF_BEFORE.split(";\n"):
            db.conn.execute(statement, {"at": "2026-11-22T03:00:00Z"})
        for key, (image, listed, answer, outcome, unsettled, _, _) in enumerate(ENTRIES_OF_BEFORE, start=1):
            db.conn.execute(
                "INSERT INTO images (image_key, target, image, first_seen) VALUES (?, 't0', ?, '')", (key, image)
            )
            facts = "INSERT INTO image_facts (image_key, from_run, until_run, status, public, protected, owned)"
            db.conn.execute(f"{facts} VALUES (?, 1, ?, 'active', 0, 0, 1)", (key, None if listed else 2))
            decided = (
                "INSERT INTO decisions (image_key, from_run, verdict, reason, detail) VALUES (?, 1, 'delete', ?, '')"
            )
            db.conn.execute(decided, (key, "expired"))
            asked = "INSERT INTO deletions (run, target, image, requested_at, answer, outcome, unsettled, detail)"
            row = (image, answer, outcome, unsettled)
            db.conn.execute(f"{asked} VALUES (1, 't0', ?, '2026-11-22T03:00:00Z', ?, ?, ?, 'x')", row)
    db.close()
    with Store.open(path) as store:
        told = settled(perform(store, RecordingCloud([]), accept_survey=True))
        assert settled(perform(store, RecordingCloud([]), accept_survey=True)) == {}
    assert told == {entry[0]: entry[6] for entry in ENTRIES_OF_BEFORE if entry[6] is not None}
    with closing(sqlite3.connect(path)) as conn:
        rows = {row[0]: row[1:] for row in conn.execute("SELECT image, answer, answer_words FROM deletion_log")}
    assert rows == {entry[0]: entry[5] for entry in ENTRIES_OF_BEFORE}


# Killed at a point


@dataclass
class FaultInjector:
    """A hook for a sandbox that does something to the janitor at a call of that name, before or after it is carried
    out."""

    at: str
    ordinal: int = 1
    first_answer: bool = False
    act: Callable[[], object] = lambda: None
    hang: bool = False
    seen: threading.Event = field(default_factory=threading.Event)

    def anew(self) -> "FaultInjector":
        """The same, not seen yet: parameters outlive their test."""
        return replace(self, seen=threading.Event())

    async def __call__(self, call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        if (call.name, call.ordinal) != (self.at, self.ordinal):
            return await answer()
        response = await answer() if self.first_answer else Response(b"")
        self.act()
        self.seen.set()
        if self.hang:
            await asyncio.sleep(60)
        return response


@contextmanager
def account(desk: Desk, injector: FaultInjector, *, images: int = 60, more: str = "") -> Iterator[Sandbox]:
    with running(Options(images=images), hook=injector) as cloud:
        desk.write("janitor.yaml", cloud.configuration(mode="delete"))
        desk.amend("limits: {max_deletions: 1000, max_share: 100%}\nconcurrency: {deletions: 1}\n" + more)
        desk.write("policies/old.yaml", POLICY)
        yield cloud


KILLED = [
    pytest.param(FaultInjector("list-images"), [], id="in-the-survey"),
    pytest.param(FaultInjector("delete-image"), ["failed"], id="asked-and-not-done"),
    pytest.param(FaultInjector("delete-image", first_answer=True), ["deleted"], id="done-and-not-answered"),
    pytest.param(FaultInjector("delete-image", 3, True), ["deleted"] * 3, id="in-the-third-deletion"),
    pytest.param(FaultInjector("list-images", 2), ..., id="before-anything-is-confirmed"),
]


@pytest.mark.parametrize(("injector", "expected"), KILLED)
def test_what_a_killed_run_asked_for_is_settled_by_the_next(
    desk: Desk, injector: FaultInjector, expected: list[str] | EllipsisType
) -> None:
    injector = injector.anew()
    with account(desk, injector) as cloud:
        assert killed(desk, injector) == ""
        asked = [request.image for request in cloud.requests if request.method == "DELETE"]
        done = json.loads(desk.janitor("run", "--format", "json").stdout)
        again = json.loads(desk.janitor("run", "--format", "json").stdout)
        in_all = [request.image for request in cloud.requests if request.method == "DELETE"]
    (target,) = done["targets"]
    assert [entry["image"] for entry in target["settled"]] == asked
    outcomes = [entry["outcome"] for entry in target["settled"]]
    assert outcomes == (expected if isinstance(expected, list) else ["deleted"] * len(asked))
    assert (done["outcome"], again["outcome"]) == ("ok", "ok")
    assert (again["targets"][0]["settled"], again["targets"][0]["deletions"]) == ([], [])
    with closing(sqlite3.connect(desk.folder / "sandbox.db")) as db:
        journal = [row[0] for row in db.execute("SELECT image FROM deletions ORDER BY deletion")]
        assert journal == in_all, "every request is in the journal, and the reverse"
        assert db.execute("SELECT count(*) FROM deletions WHERE outcome IS NULL").fetchone() == (0,)


def killed(desk: Desk, injector: FaultInjector) -> str:
    """What a run says that is killed at that point."""
    with subprocess.Popen(
        desk.command("run"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **desk.settings_for_process()
    ) as process:
        injector.act = process.kill
        output, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return str(output)


def test_settled_deletions_stand_in_every_report(desk: Desk) -> None:
    injector = FaultInjector("delete-image", first_answer=True)
    with account(desk, injector), SlackStandIn() as slack:
        desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        killed(desk, injector)
        shown = desk.janitor("run", "--dry-run").stdout
        assert "Settled, requested in an earlier run: 1 image" in shown
        assert "requested in run 1, which did not finish; no answer was recorded; it is no longer listed" in " ".join(
            shown.split()
        )
        posted = "\n".join(message.shown for message in slack.posted)
        assert "Settled, requested in an earlier run: 1 image" in posted
        assert desk.janitor("show", "2").stdout == shown


# Told to end


def impatient(desk: Desk, grace: float = 0.5) -> list[str]:
    """The command, with less grace than a container gives it: what is tested does not depend on how much there is."""
    code = (
        f"from janitor.transport import deadline; deadline._GRACE = {grace}; from janitor.cli.app import main; main()"
    )
    return [sys.executable, "-W", "error", "-c", code]


def ended(
    desk: Desk, command: list[str], injector: FaultInjector, *signals: signal.Signals, within_seconds: float = 10
) -> "subprocess.CompletedProcess[str]":
    """What the command says when it gets these signals at that point, one shortly after the other."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **desk.settings_for_process()
    ) as process:
        assert injector.seen.wait(60)
        for number in signals:
            process.send_signal(number)
            threading.Event().wait(0.1)
        try:
            output, errors = process.communicate(timeout=within_seconds)
        finally:
            process.kill()
    assert "Traceback" not in errors
    assert "Error" not in errors
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


HANGING = [
    pytest.param(FaultInjector("issue-token", hang=True), id="token"),
    pytest.param(FaultInjector("list-images", hang=True), id="survey"),
    pytest.param(FaultInjector("detail-instances", hang=True), id="instances"),
    pytest.param(FaultInjector("delete-image", hang=True), id="deletion"),
    pytest.param(FaultInjector("delete-image", 2, first_answer=True, hang=True), id="second-deletion-done-unanswered"),
    pytest.param(FaultInjector("list-images", 2, hang=True), id="confirmation"),
]


@pytest.mark.usefixtures("hangup_as_usual")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("injector", HANGING)
def test_a_run_that_hangs_ends_in_time_with_its_report(
    desk: Desk, injector: FaultInjector, number: signal.Signals
) -> None:
    injector = injector.anew()
    with account(desk, injector) as cloud:
        done = ended(desk, [*impatient(desk), "run", "--format", "json"], injector, number)
        asked = [request.image for request in cloud.requests if request.method == "DELETE"]
        assert done.returncode == 128 + number
        report = json.loads(done.stdout)
        assert report["outcome"] == "failed"
        assert report["targets"][0]["error"]
        outcomes = {entry["image"]: entry["outcome"] for entry in report["targets"][0]["deletions"]}
        assert set(asked) <= set(outcomes)
        assert "deleted" not in outcomes.values(), "nothing was confirmed"
        after = json.loads(desk.janitor("run", "--format", "json").stdout)
        assert after["outcome"] == "ok"
        assert [entry["image"] for entry in after["targets"][0]["settled"]] == list(outcomes)


def test_requests_in_flight_are_finished_and_what_was_done_is_confirmed(desk: Desk) -> None:
    injector = FaultInjector("delete-image", 2, first_answer=True)
    with account(desk, injector) as cloud:
        started: list[subprocess.Popen[str]] = []
        answering = threading.Event()

        def terminate() -> None:
            started[0].send_signal(signal.SIGTERM)
            answering.wait(0.3)  # answered only when the stop has arrived for certain

        injector.act = terminate
        with subprocess.Popen(
            desk.command("run", "--format", "json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **desk.settings_for_process(),
        ) as process:
            started.append(process)
            output, _ = process.communicate(timeout=10)
        asked = [request.image for request in cloud.requests if request.method == "DELETE"]
    target = json.loads(output)["targets"][0]
    assert process.returncode == 143
    assert [(entry["image"], entry["outcome"]) for entry in target["deletions"]] == [(i, "deleted") for i in asked]
    assert len(asked) == 2
    planned = sum(decision["verdict"] == "delete" for decision in target["decisions"])
    assert target["error"] == f"interrupted: {planned - 2} of {planned} deletions were not sent"


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_further_signals_change_nothing(desk: Desk, second: signal.Signals) -> None:
    injector = FaultInjector("delete-image", hang=True)
    with account(desk, injector):
        done = ended(desk, [*impatient(desk), "run"], injector, signal.SIGTERM, second, second, second)
    assert done.returncode == 143
    assert "Failed, not confirmed gone" in done.stdout


def test_a_hangup_that_is_ignored_changes_nothing(desk: Desk) -> None:
    injector = FaultInjector("list-images", first_answer=True)
    with account(desk, injector):
        command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *desk.command("run")]
        done = ended(desk, command, injector, signal.SIGHUP, signal.SIGHUP)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Deleted, confirmed gone" in done.stdout


def test_slack_that_hangs_holds_nobody_and_loses_nothing(desk: Desk) -> None:
    injector = FaultInjector("list-images", first_answer=True)
    posting, over = threading.Event(), threading.Event()

    def hang() -> None:
        posting.set()
        over.wait(60)

    with account(desk, injector), SlackStandIn() as slack:
        slack.before = hang
        desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        *python, code = impatient(desk)
        hurry = "from datetime import timedelta; from janitor.cli.commands import reporting; "
        hurry += "reporting._TIME_TO_POST = timedelta(seconds=0.2); "
        command = [*python, hurry + code, "run"]
        done = ended(desk, command, replace(injector, seen=posting), signal.SIGTERM, within_seconds=6)
        over.set()
        assert done.returncode == 143
        assert "Deleted, confirmed gone" in done.stdout
        slack.before = lambda: None
        slack.posted.clear()
        assert desk.janitor("run").returncode == 0
        assert any("late" in message.shown and "run 1" in message.shown for message in slack.posted)


@pytest.mark.usefixtures("hangup_as_usual")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_service_that_is_told_to_end_in_a_run_ends_it_likewise(desk: Desk, number: signal.Signals) -> None:
    injector = FaultInjector("delete-image", hang=True)
    soon = "from datetime import timedelta; from janitor.core.cron import Cron; "
    soon += "Cron.next_after = lambda cron, instant, zone: instant + timedelta(seconds=0.2); "
    with account(desk, injector, more='schedule: "* * * * *"\n'):
        *python, code = impatient(desk)
        done = ended(desk, [*python, soon + code, "serve"], injector, number, number)
    assert done.returncode == 128 + number
    assert "Failed, not confirmed gone" in done.stdout


def test_a_target_that_cannot_be_left_is_left_behind(store: Store) -> None:
    stop, over = Stop(), threading.Event()

    def hang(_: str) -> None:
        stop.set()
        over.wait(60)

    cloud = RecordingCloud([IMAGE, replace(IMAGE, id="b")], on_delete=hang)
    try:
        result = perform(store, cloud, stop=stop, deletions_at_once=1, patience=timedelta(seconds=0.1))
        left = store.unsettled("t0")
    finally:
        over.set()
    assert result.outcome is Outcome.FAILED
    assert (result.targets[0].error or "").startswith("interrupted")
    assert [asked.decision.image.id for asked in left] == ["a"]


def test_whatever_else_hangs_the_process_ends_within_its_grace() -> None:
    hanging = (
        "import os, signal, threading; from datetime import timedelta; from janitor import shutdown; "
        "shutdown.GRACE = timedelta(seconds=0.2)\n"
        "with shutdown.stopping_on_signals(shutdown.Stop()): "
        "os.kill(os.getpid(), signal.SIGINT); threading.Event().wait(60)"
    )
    done = subprocess.run([sys.executable, "-c", hanging], capture_output=True, timeout=20, text=True)
    assert (done.returncode, done.stderr) == (130, "")


def test_a_request_that_nothing_can_end_does_not_keep_the_process(desk: Desk) -> None:
    hanging = (
        "import os, signal, threading; from datetime import timedelta; from janitor import run, shutdown; "
        "from janitor.cloud.toast.client import ToastClient; "
        "run.wait_for = lambda work, stop, _: shutdown.wait_for(work, stop, timedelta(seconds=0.2)); "
        "ToastClient.delete = lambda *_: os.kill(os.getpid(), signal.SIGTERM) or threading.Event().wait(60); "
        "from janitor.cli.app import main; main()"
    )
    with account(desk, FaultInjector("nothing")):
        done = subprocess.run(
            [sys.executable, "-c", hanging, "run"], capture_output=True, timeout=8, **desk.settings_for_process()
        )
        assert done.returncode == 143
        assert "a request unanswered" in " ".join(done.stdout.split())
        after = json.loads(desk.janitor("run", "--format", "json").stdout)
    assert [entry["outcome"] for entry in after["targets"][0]["settled"]] == ["failed"]
    assert after["outcome"] == "ok"


# Requests


@pytest.fixture
def _little_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "_GRACE", 0.05)


@pytest.mark.usefixtures("_little_grace")
def test_a_stop_bounds_an_answer_that_is_awaited() -> None:
    stop, over = threading.Event(), threading.Event()

    def hold(_: object) -> Answered:
        stop.set()
        return Answered(held=over)

    with Loopback(hold) as server:
        sender = Transport(HttpOptions(), Redaction(), stop)
        try:
            with pytest.raises(Transient, match="no complete answer before the program had to stop") as caught:
                sender.request(Request("GET /images", "GET", server.url), 30)
            assert caught.value.lost
            with pytest.raises(Transient, match="not sent") as caught:
                sender.request(Request("GET /images", "GET", server.url), 30)
            assert not caught.value.lost
        finally:
            over.set()
            sender.close()
    assert len(server.asked) == 1, "afterwards nothing is sent"


def test_without_a_stop_a_slow_answer_is_waited_for_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "_LOOK_EVERY", 0.01)
    held = threading.Event()
    threading.Timer(0.1, held.set).start()
    with Loopback(lambda _: Answered({"a": 1}, held=held)) as server:
        sender = Transport(HttpOptions(), Redaction())
        try:
            assert sender.request(Request("GET /images", "GET", server.url), 30).body == b'{"a": 1}'
        finally:
            sender.close()


def test_a_pause_between_tries_ends_with_the_stop() -> None:
    stop = threading.Event()
    sender = Transport(HttpOptions(), Redaction(), stop)

    def fail(_: float) -> None:
        threading.Timer(0.05, stop.set).start()
        raise Transient("HTTP 503", retry_after=60)

    with pytest.raises(Unavailable, match="tried once, and the program was told to stop"):
        sender.persist("GET /images", fail)
    sender.close()


def test_what_is_done_within_a_stop_s_patience_counts() -> None:
    stop = Stop()
    assert within(lambda: 3, stop, timedelta(seconds=5)) == 3
    stop.set()
    assert within(lambda: 3, stop, timedelta(seconds=5)) == 3
    over = threading.Event()
    assert within(lambda: over.wait(60), stop, timedelta()) is None
    over.set()
    with pytest.raises(ZeroDivisionError):
        within(lambda: 1 / 0, stop, timedelta(seconds=5))
