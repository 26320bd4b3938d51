"""No journal, no delete: a database that cannot be used stops a run before the next deletion, with a message."""

import json
import os
import re
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from starlette.responses import Response

from janitor.core.planning.deletion import Answered
from janitor.core.planning.plan import Limits
from janitor.core.result import Mode, Outcome, RunResult, TargetResult
from janitor.errors import Exit, StoreError
from janitor.run import exit_code
from janitor.run.orders import Site
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import Sandbox, running
from janitor.store import Store
from tests.conftest import POLICY, Desk
from tests.factories import OLD
from tests.fakes import RecordingCloud
from tests.runs import run_of
from tests.slack_stand_in import SlackStandIn
from tests.store.filled import IMAGES
from tests.store.recorded import NOW

WAITS = "from janitor.store import database; database._BUSY_SECONDS = 0.2"


def deletes(cloud: Sandbox) -> list[str]:
    return [request.image for request in cloud.requests if request.method == "DELETE" and request.image]


def hurried(desk: Desk, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command, with little patience for a locked database."""
    return desk.janitor(*words, before=WAITS)


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
RUN = ["run", "--format", "json"]


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
        # What a forked one writes goes to a file, for which there would be no room either.
        with subprocess.Popen(
            [sys.executable, "-W", "error", "-c", f"{WAITS}; from janitor.cli.app import main; main()", *RUN],
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
    with Flickering.open(tmp_path / "janitor.db") as store:
        sites = [Site("prod", lambda: cloud)]
        result = run_of(
            sites, [OLD], store, Mode.DELETE, Limits(10, 100), clock=lambda: NOW, deletions_at_once=1
        ).perform()
    assert cloud.deleted == ["0000"]
    assert result.targets[0].error == "the disk is full; 4 of 5 deletions were not sent"


class Forgetful(Store):
    """A database in which the end of a target cannot be written."""

    def finish_target(self, run: int, result: TargetResult) -> None:
        raise StoreError("the disk is full")


class Endless(Store):
    """A database in which the end of a run cannot be written."""

    def finish_run(self, result: RunResult) -> RunResult:
        raise StoreError("the disk is full")


@pytest.mark.parametrize("opened", [Forgetful.open, Endless.open])
def test_a_run_whose_end_cannot_be_written_has_failed_and_says_what_it_did(
    tmp_path: Path, opened: Callable[[Path], Store]
) -> None:
    with opened(tmp_path / "janitor.db") as store:
        sites = [Site("prod", lambda: RecordingCloud(list(IMAGES[:2])))]
        result = run_of(sites, [OLD], store, Mode.DELETE, Limits(10, 100), clock=lambda: NOW).perform()
    assert (result.outcome, exit_code(result)) == (Outcome.FAILED, Exit.FAILED)
    assert "the disk is full" in (result.error or result.targets[0].error or "")
    assert len(result.targets[0].deletions) == 2
