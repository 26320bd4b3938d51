"""No journal, no delete: a database that cannot be used stops a run before the next deletion, and it is said where."""

import ctypes
import json
import os
import random
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, chdir, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.responses import Response

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.planning.deletion import Answer, Answered
from janitor.core.planning.plan import Limits
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.result import Mode, Outcome, RunResult, TargetResult
from janitor.core.survey import Survey
from janitor.core.usage import Usage, User
from janitor.errors import Exit, JanitorError, StoreError, UsageError
from janitor.run import exit_code
from janitor.run.orders import Site
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import Sandbox, running
from janitor.store import Store, inspect
from janitor.store import database as database_module
from tests.conftest import POLICY, Desk
from tests.factories import make_image
from tests.fakes import RecordingCloud
from tests.runs import run_of
from tests.slack_stand_in import SlackStandIn

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
WAITS = "from janitor.store import database; database._BUSY_SECONDS = 0.2; from janitor.cli.app import main; main()"


def deletes(cloud: Sandbox) -> list[str]:
    return [request.image for request in cloud.requests if request.method == "DELETE" and request.image]


def hurried(desk: Desk, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command, with little patience for a locked database."""
    command = [sys.executable, "-W", "error", "-c", WAITS, *words]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **desk.settings_for_process())


# Before the first deletion


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    path.chmod(0o444)
    yield
    path.chmod(0o600)


@contextmanager
def read_only_folder(path: Path) -> Iterator[None]:
    path.parent.chmod(0o555)
    yield
    path.parent.chmod(0o755)


@contextmanager
def overwritten(path: Path) -> Iterator[None]:
    path.write_text("this is no database, and must not be overwritten\n" * 100)
    yield


@contextmanager
def cut_off(path: Path) -> Iterator[None]:
    os.truncate(path, path.stat().st_size - 4096)
    yield


@contextmanager
def torn(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'image_facts'").fetchone()
    content = path.read_bytes()
    path.write_bytes(content[: (page - 1) * 4096] + b"\xff" * 4096 + content[page * 4096 :])
    yield


@contextmanager
def newer(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('image-janitor', 'x', '')")
        db.commit()
    yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield


FAULTS = {
    "read-only": (read_only, "it cannot be written: allow writing to the file and its folder"),
    "read-only-folder": (read_only_folder, "it cannot be written: allow writing to the file and its folder"),
    "overwritten": (overwritten, "damaged or not a database; it was not overwritten"),
    "cut-off": (cut_off, "damaged or not a database; it was not overwritten"),
    "torn": (torn, "damaged or not a database; it was not overwritten"),
    "newer": (newer, "it was written by a newer version of the janitor: use that version"),
    "locked": (locked, "another process is writing to it: try again when that has ended"),
}


@pytest.fixture
def desk_with_database(desk: Desk, sandbox: Sandbox) -> Desk:
    """A desk whose configuration deletes, with the database of a dry run in a folder of its own."""
    (desk.folder / "var").mkdir()
    desk.write("janitor.yaml", sandbox.configuration(mode="delete", database="var/janitor.db"))
    desk.amend("limits: {max_deletions: 1000, max_share: 100%}\n")
    desk.write("policies/old.yaml", POLICY)
    done = desk.janitor("run", "--dry-run")
    assert done.returncode == 0, done.stderr
    return desk


@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_a_database_that_cannot_be_used_stops_the_run_before_it_deletes(
    desk_with_database: Desk, sandbox: Sandbox, fault: Callable[[Path], AbstractContextManager[None]], words: str
) -> None:
    desk = desk_with_database
    path = desk.folder / "var" / "janitor.db"
    with SlackStandIn() as slack:
        desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: problems}}\n")
        with fault(path):
            # Not looked into while locked: whoever closes a file drops the locks that he has on it.
            before = None if fault is locked else path.read_bytes()
            surveyed = len(sandbox.requests)
            done = hurried(desk, "run")
            checked = hurried(desk, "check")
            assert fault is locked or path.read_bytes() == before
    assert len(sandbox.requests) == surveyed, "there is no need to survey what cannot be recorded"
    assert done.returncode == 1
    assert words in " ".join(done.stdout.split())
    assert "Traceback" not in done.stderr
    assert words in " ".join(slack.posted[0].shown.split())
    assert checked.returncode == 1
    assert re.search(rf"^database +failed: .*{re.escape(words)}", checked.stdout, re.MULTILINE)


def test_a_disk_without_room_stops_the_run_before_it_deletes(desk_with_database: Desk, sandbox: Sandbox) -> None:
    desk = desk_with_database
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1)); from janitor.cli.app import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "run"],
        capture_output=True,
        check=False,
        **desk.settings_for_process(),
    )
    assert (done.returncode, deletes(sandbox)) == (1, [])
    assert "space" in done.stdout
    assert "Traceback" not in done.stderr
    assert desk.janitor("run").returncode == 0


# Midway


@dataclass
class Breaking:
    """A hook that breaks something when the second deletion has been carried out, and before it is answered."""

    fail: Callable[[], None]
    deletions: int = 0

    async def __call__(self, call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        response = await answer()
        if call.name == "delete-image":
            self.deletions += 1
            if self.deletions == 2:
                self.fail()
        return response


MIDWAY = ["locked", "full"]


@pytest.mark.parametrize("how", MIDWAY)
def test_a_database_that_fails_midway_stops_the_run_before_the_next_deletion(desk: Desk, how: str) -> None:
    path = desk.folder / "sandbox.db"
    started: list[subprocess.Popen[str]] = []
    others: list[sqlite3.Connection] = []

    def lock() -> None:
        others.append(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
        others[0].execute("BEGIN IMMEDIATE")

    def fill() -> None:
        resource.prlimit(started[0].pid, resource.RLIMIT_FSIZE, (1, 1))

    breaking = Breaking({"locked": lock, "full": fill}[how])
    with running(Options(images=60), hook=breaking) as cloud, SlackStandIn() as slack:
        desk.write("janitor.yaml", cloud.configuration(mode="delete"))
        desk.amend("limits: {max_deletions: 1000, max_share: 100%}\nconcurrency: {deletions: 1}\n")
        desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: problems}}\n")
        desk.write("policies/old.yaml", POLICY)
        with subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WAITS, "run", "--format", "json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **desk.settings_for_process(),
        ) as process:
            started.append(process)
            output, errors = process.communicate(timeout=60)
        for other in others:
            other.close()
        asked = deletes(cloud)
        result = json.loads(output)
        after = json.loads(desk.janitor("run", "--no-post", "--format", "json").stdout)
    assert (process.returncode, len(asked)) == (1, 2)
    assert "Traceback" not in errors
    (target,) = result["targets"]
    assert [(d["image"], d["outcome"]) for d in target["deletions"]] == [(image, "deleted") for image in asked]
    planned = sum(decision["verdict"] == "delete" for decision in target["decisions"])
    assert f"{planned - 2} of {planned} deletions were not sent" in target["error"]
    assert {"locked": "another process is writing", "full": "space"}[how] in target["error"]
    assert any("deletions were not sent" in message.shown for message in slack.posted)
    assert after["outcome"] == "ok"
    assert [entry["image"] for entry in after["targets"][0]["settled"]] == asked, "nobody wrote down how these ended"


def removed(path: Path) -> None:
    for name in ("", "-wal", "-shm"):
        Path(f"{path}{name}").unlink()


def moved(path: Path) -> None:
    path.rename(f"{path}.old")


def restored(path: Path) -> None:
    copy = Path(f"{path}.copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


def robbed_of_its_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


@pytest.mark.parametrize("fault", [removed, moved, restored, robbed_of_its_log])
def test_a_database_that_is_taken_away_midway_stops_the_run_before_the_next_deletion(
    desk: Desk, fault: Callable[[Path], None]
) -> None:
    path = desk.folder / "sandbox.db"
    with running(Options(images=60), hook=Breaking(lambda: fault(path))) as cloud, SlackStandIn() as slack:
        desk.write("janitor.yaml", cloud.configuration(mode="delete"))
        desk.amend("limits: {max_deletions: 1000, max_share: 100%}\nconcurrency: {deletions: 1}\n")
        desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: problems}}\n")
        desk.write("policies/old.yaml", POLICY)
        done = desk.janitor("run", "--format", "json")
        asked = deletes(cloud)
    assert (done.returncode, len(asked)) == (1, 2)
    assert "Traceback" not in done.stderr
    (target,) = json.loads(done.stdout)["targets"]
    assert [(d["image"], d["outcome"]) for d in target["deletions"]] == [(image, "deleted") for image in asked]
    assert "it was moved, removed or replaced while in use: put it back" in target["error"]
    assert any(asked[0] in message.shown for message in slack.posted)


class Flickering(Store):
    """A database that cannot be written once, and then again."""

    failed = False

    def journal_answer(self, entry: int, said: Answered, at: datetime) -> None:
        if not self.failed:
            self.failed = True
            raise StoreError("the disk is full")
        super().journal_answer(entry, said, at)


def test_a_journal_that_failed_once_is_not_trusted_again_in_this_run(tmp_path: Path) -> None:
    cloud = RecordingCloud(list(IMAGES[:5]))
    policy = Policy("old", Match(name=(Pattern("*"),)), Expire(timedelta(days=14)))
    with Flickering.open(tmp_path / "janitor.db") as store:
        sites = [Site("prod", lambda: cloud)]
        result = run_of(
            sites, [policy], store, Mode.DELETE, Limits(10, 100), clock=lambda: NOW, deletions_at_once=1
        ).perform()
    assert cloud.deleted == ["0000"]
    assert result.targets[0].error == "the disk is full; 4 of 5 deletions were not sent"


class Forgetful(Store):
    """A database in which the end of a target cannot be written."""

    def finish_target(self, run: int, result: TargetResult) -> None:
        raise StoreError("the disk is full")


class Endless(Store):
    """A database in which the end of a run cannot be written."""

    def finish_run(self, result: RunResult) -> None:
        raise StoreError("the disk is full")


@pytest.mark.parametrize("opened", [Forgetful.open, Endless.open])
def test_a_run_whose_end_cannot_be_written_has_failed_and_says_what_it_did(
    tmp_path: Path, opened: Callable[[Path], Store]
) -> None:
    policy = Policy("old", Match(name=(Pattern("*"),)), Expire(timedelta(days=14)))
    with opened(tmp_path / "janitor.db") as store:
        sites = [Site("prod", lambda: RecordingCloud(list(IMAGES[:2])))]
        result = run_of(sites, [policy], store, Mode.DELETE, Limits(10, 100), clock=lambda: NOW).perform()
    assert (result.outcome, exit_code(result)) == (Outcome.FAILED, Exit.FAILED)
    assert "the disk is full" in (result.error or result.targets[0].error or "")
    assert len(result.targets[0].deletions) == 2


@pytest.mark.parametrize("opened", [Store.open, Store.open_existing])
def test_a_file_that_lacks_its_end_is_damaged_whatever_is_asked_of_it(
    tmp_path: Path, opened: Callable[[Path], Store]
) -> None:
    path = tmp_path / "janitor.db"
    fill(path)
    os.truncate(path, path.stat().st_size - 4096)
    with pytest.raises(StoreError, match="damaged or not a database"):
        opened(path)


# Damage, wherever it is


IMAGES = tuple(
    make_image(f"ci-{number}", id=f"{number:04}", created_at=NOW - timedelta(days=30), updated_at=NOW)
    for number in range(400)
)


def fill(path: Path) -> None:
    """Two runs, with something in every table."""
    with Store.open(path) as store:
        for changed in ("queued", "active"):
            images = tuple(replace(image, status=changed) for image in IMAGES)
            decisions = [Decision(i, Verdict.DELETE, "ci", Reason.EXPIRED, f"expired, {changed}") for i in images]
            run = store.begin_run(Mode.DELETE, NOW)
            usage = Usage({image.id: (User("i", "web"),) for image in images[:50]})
            store.record_survey(run, "prod", Survey(images, usage, NOW, NOW))
            store.record_decisions(run, "prod", decisions)
            for decision in decisions[:100]:
                store.journal_request(run, "prod", decision, NOW)


def use(path: Path) -> None:
    """Whatever a run and the commands ask of a database."""
    with Store.open(path) as store:
        run = store.begin_run(Mode.DELETE, NOW)
        for prefix in ("00", "0399"):
            store.find_image(prefix)
            store.image_history("prod", prefix)
        store.load_run(1)
        store.surveys(2)
        store.unsettled("prod")
        store.undelivered()
        survey = Survey(tuple(replace(image, size=7) for image in IMAGES), Usage(), NOW, NOW)
        store.record_survey(run, "prod", survey)
        decision = Decision(survey.images[0], Verdict.DELETE, "ci", Reason.EXPIRED, "expired")
        store.record_decisions(run, "prod", [decision])
        store.journal_answer(store.journal_request(run, "prod", decision, NOW), Answered(Answer.ACCEPTED), NOW)


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_is_a_sentence_and_never_a_crash(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "janitor.db"
    fill(path)
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 3, 30])):
        place = chance.randrange(len(content))
        length = chance.choice([1, 16, 4096])
        content[place : place + length] = chance.randbytes(len(content[place : place + length]))
    path.write_bytes(content)
    for act in (inspect, use):
        with suppress(StoreError, UsageError):
            act(path)


# Killed while it is set up

SET_UP = """
import os, signal, sqlite3, sys
from pathlib import Path
from janitor.store import Store

class Mortal(sqlite3.Connection):
    left = int(sys.argv[2])
    def execute(self, *words):
        Mortal.left -= 1
        if Mortal.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(*words)

connect = sqlite3.connect
sqlite3.connect = lambda *words, **named: connect(*words, factory=Mortal, **named)
Store.open(Path(sys.argv[1])).close()
"""


@pytest.mark.parametrize("statement", [1, 5, 9, 10, 12, 40, 100])
def test_a_database_whose_making_was_killed_is_made_by_the_next_run(tmp_path: Path, statement: int) -> None:
    path = tmp_path / "janitor.db"
    killed = subprocess.run([sys.executable, "-c", SET_UP, path, str(statement)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert inspect(path).startswith("none yet")
    with Store.open(path) as store:
        assert store.latest_run() is None
    assert inspect(path).endswith("0 runs recorded")


# Reading


def without_overriding() -> None:
    """Bind root to the permissions of files, too."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability)  # PR_CAPBSET_DROP


READING = [("runs",), ("show", "1"), ("images",), ("explain", "x"), ("keep", "--list")]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_who_only_reads_is_told_that_reading_needs_the_folder_too(sandbox_desk: Desk, words: tuple[str, ...]) -> None:
    assert sandbox_desk.janitor("run", "--dry-run").returncode == 0
    sandbox_desk.folder.chmod(0o555)
    done = subprocess.run(
        sandbox_desk.command(*words),
        timeout=60,
        check=False,
        capture_output=True,
        preexec_fn=without_overriding,
        **sandbox_desk.settings_for_process(),
    )
    sandbox_desk.folder.chmod(0o755)
    assert (done.returncode, done.stdout) == (1, "")
    assert "sandbox.db: even reading writes to its folder, where SQLite keeps further" in done.stderr
    assert "Traceback" not in done.stderr


# What check says


def test_checking_where_there_is_no_database_yet_creates_none(sandbox_desk: Desk) -> None:
    done = sandbox_desk.janitor("check")
    assert done.returncode == 0
    assert re.search(r"^database +ok: none yet, the first run sets up ", done.stdout, re.MULTILINE)
    assert sorted(path.name for path in sandbox_desk.folder.iterdir()) == ["janitor.yaml", "policies"]


def test_checking_a_folder_that_cannot_be_written_fails(sandbox_desk: Desk) -> None:
    config = sandbox_desk.folder / "janitor.yaml"
    config.write_text(re.sub(r"(?m)^database: .*$", "database: var/janitor.db", config.read_text()))
    (sandbox_desk.folder / "var").mkdir()
    (sandbox_desk.folder / "var").chmod(0o555)
    done = sandbox_desk.janitor("check")
    (sandbox_desk.folder / "var").chmod(0o755)
    assert done.returncode == 1
    assert re.search(r"^database +failed: .*allow writing to the file and its folder", done.stdout, re.MULTILINE)


def test_checking_a_good_database_changes_nothing(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    before = (sandbox_desk.folder / "sandbox.db").read_bytes()
    done = sandbox_desk.janitor("check")
    assert re.search(r"^database +ok: .*1 run recorded$", done.stdout, re.MULTILINE)
    assert (sandbox_desk.folder / "sandbox.db").read_bytes() == before


def test_a_disk_that_is_nearly_full_is_seen_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_left", lambda folder: 1000)
    with pytest.raises(StoreError, match="the disk is full: free some space, then run again") as caught:
        inspect(tmp_path / "janitor.db")
    assert isinstance(caught.value, JanitorError)
    assert list(tmp_path.iterdir()) == []


def link_to(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound, chdir(path.parent):  # the name of a socket may not be long
        bound.bind(path.name)


@pytest.mark.parametrize(
    ("make", "beside", "words"),
    [
        pytest.param(os.mkfifo, "", "it is a named pipe, not a file", id="pipe"),
        pytest.param(a_socket, "", "it is a socket, not a file", id="socket"),
        pytest.param(Path.mkdir, "", "it is a folder", id="folder"),
        pytest.param(link_to("/dev/null"), "", "it is a link to a device, not a file", id="device"),
        pytest.param(link_to("nowhere/x"), "", "it is a link to a file that does not exist, ", id="dangling"),
        pytest.param(
            link_to("nowhere"), "", "it is a link to a file that does not exist, ", id="dangling-in-the-folder"
        ),
        pytest.param(link_to("sandbox.db"), "", "it is a link to itself", id="loop"),
        pytest.param(Path.mkdir, "-wal", "sandbox.db-wal, which SQLite needs as a file, is a folder", id="wal"),
        pytest.param(os.mkfifo, "-shm", "is a named pipe, not a file: move it away", id="shm"),
        pytest.param(link_to("nowhere"), "-journal", "is a link: move it away", id="journal"),
    ],
)
def test_what_is_no_file_is_found_by_check_and_run_alike_before_any_sign_in(
    sandbox_desk: Desk, sandbox: Sandbox, make: Callable[[Path], object], beside: str, words: str
) -> None:
    make(sandbox_desk.folder / f"sandbox.db{beside}")
    commands = ("check", "run --dry-run") if beside else ("check", "run --dry-run", "keep --list")
    told = {command: sandbox_desk.janitor(*command.split()) for command in commands}
    for command, done in told.items():
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), command
        # Wrapped to the width of the terminal, paths too.
        assert words.replace(" ", "") in "".join((done.stdout + done.stderr).split()), command
    assert not sandbox.requests
