"""One run at a time: the lock beside the database, held by a run and by nobody else, and free when its holder dies."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from starlette.responses import Response

from janitor.cli.commands.scheduled_run import scheduled_run
from janitor.config import load_settings
from janitor.core.result import Mode, Outcome, RunResult
from janitor.errors import Busy, Exit, StoreError
from janitor.monitoring.watch import Watch
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import Sandbox, running
from janitor.shutdown import Stop
from janitor.store import NewReport, Store, exclusive, holder
from janitor.store.lock import lock_file
from tests.conftest import POLICY, Desk
from tests.slack_stand_in import SlackStandIn

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
AS_NOBODY = 65534

HOLD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from janitor.store import exclusive
with exclusive(Path(sys.argv[1]), "janitor run", datetime(2026, 11, 23, 3, tzinfo=UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "janitor.db"


@contextmanager
def held(database: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the database, until the block ends or somebody kills it."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(database)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def take(database: Path) -> None:
    with exclusive(database, "janitor run", NOW):
        pass


def test_the_lock_says_who_holds_it_and_is_for_its_owner_only(database: Path) -> None:
    before = os.umask(0)
    try:
        with exclusive(database, "janitor run", NOW):
            lock = Path(f"{database}.lock")
            note = json.loads(lock.read_text())
            assert oct(lock.stat().st_mode & 0o777) == "0o600"
    finally:
        os.umask(before)
    assert note == {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": "2026-11-23T03:00:00Z",
        "command": "janitor run",
    }


def test_a_second_holder_is_told_of_the_first_at_once(database: Path) -> None:
    with held(database) as first, pytest.raises(Busy) as caught:
        take(database)
    assert caught.value.exit_code == Exit.BUSY
    for words in ("janitor run", socket.gethostname(), f"pid {first.pid}", "since 2026-11-23 03:00Z"):
        assert words in str(caught.value)


def test_one_process_does_not_hold_it_twice_either(database: Path) -> None:
    with exclusive(database, "janitor serve", NOW), pytest.raises(Busy, match="janitor serve on"):
        take(database)


def test_it_is_free_afterwards_and_the_file_stays(database: Path) -> None:
    take(database)
    assert lock_file(database).read_bytes() == b""
    assert holder(database) is None
    take(database)


def test_a_lock_whose_holder_was_killed_is_free(database: Path) -> None:
    with held(database) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert f'"pid": {first.pid}' in lock_file(database).read_text(), "the note of the dead stays, and binds nobody"
        assert holder(database) is None
        take(database)


def test_a_note_that_cannot_be_wiped_off_stays_and_binds_nobody(database: Path) -> None:
    with exclusive(database, "janitor run", NOW):
        (lock,) = (int(fd.name) for fd in Path("/proc/self/fd").iterdir() if fd.resolve() == lock_file(database))
        reading = os.open(lock_file(database), os.O_RDONLY)
        os.dup2(reading, lock)  # as on a disk that has become read-only
        os.close(reading)
    assert holder(database) is None
    take(database)


def test_looking_takes_and_creates_nothing(database: Path) -> None:
    assert holder(database) is None
    assert list(database.parent.iterdir()) == []
    with held(database) as first:
        assert holder(database) == (f"janitor run on {socket.gethostname()}, pid {first.pid}, since 2026-11-23 03:00Z")
        with pytest.raises(Busy):
            take(database)


@pytest.mark.parametrize("note", ["", "{", "[]", '{"host": "h"}', "\x00" * 50], ids=repr)
def test_a_holder_that_does_not_say_who_it_is_holds_all_the_same(database: Path, note: str) -> None:
    with held(database):
        lock_file(database).write_text(note)
        with pytest.raises(Busy, match="left no name"):
            take(database)
        assert "left no name" in (holder(database) or "")


def test_every_way_to_one_database_leads_to_one_lock(database: Path, tmp_path: Path) -> None:
    Store.open(database).close()
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(database)
    with exclusive(database, "janitor run", NOW):
        for way in (link, tmp_path / "elsewhere" / ".." / "janitor.db"):
            with pytest.raises(Busy):
                take(way)


def test_databases_have_locks_of_their_own(tmp_path: Path) -> None:
    with exclusive(tmp_path / "a.db", "janitor run", NOW):
        take(tmp_path / "b.db")


def unwritable(database: Path) -> None:
    database.parent.chmod(0o555)


def no_folder(database: Path) -> None:
    database.parent.rmdir()


def folder_in_its_place(database: Path) -> None:
    database.mkdir()


def link_in_its_place(database: Path) -> None:
    Path(f"{database}.lock").symlink_to("/etc/hostname")


def lock_is_a_folder(database: Path) -> None:
    Path(f"{database}.lock").mkdir()


def lock_is_a_fifo(database: Path) -> None:
    os.mkfifo(f"{database}.lock")


UNFIT = {
    "folder-that-nobody-may-write-to": (unwritable, "it cannot be written: allow writing to the file and its folder"),
    "no-folder": (no_folder, "create it, or set `database` to another path"),
    "the-database-is-a-folder": (folder_in_its_place, "it is a folder: set `database` to a file"),
    "lock-is-a-link": (
        link_in_its_place,
        "janitor.db.lock: it is a link: remove the link: the lock must be a regular file",
    ),
    "lock-is-a-folder": (
        lock_is_a_folder,
        "janitor.db.lock: Is a directory: move away what is there: the lock must be",
    ),
    "lock-is-a-fifo": (lock_is_a_fifo, "janitor.db.lock: it is not a regular file: move away what is there: the lock"),
}


@pytest.mark.parametrize(("make", "words"), UNFIT.values(), ids=UNFIT.keys())
def test_a_lock_that_cannot_be_had_says_what_to_do(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    database = tmp_path / "var" / "janitor.db"
    database.parent.mkdir()
    make(database)
    try:
        with pytest.raises(StoreError, match=re.escape(words)) as taking:
            take(database)
        with pytest.raises(StoreError) as looking:
            holder(database)
        assert str(looking.value) == str(taking.value), "who only looks finds what a run finds"
    finally:
        if database.parent.exists():
            database.parent.chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_lock_of_another_user_is_said_to_be() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        take(folder / "janitor.db")
        told, seen = (by_nobody(folder / "janitor.db", how) for how in (TAKING, LOOKING))
    assert told == seen
    assert "Permission denied: allow this user to write to it and to its folder, or run as its owner" in told


TAKING = 'exclusive(Path({!r}), "janitor run", datetime.now(UTC)).__enter__()'
LOOKING = "holder(Path({!r}))"


def by_nobody(database: Path, how: str) -> str:
    code = f"""
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from janitor.errors import StoreError
from janitor.store import exclusive, holder
os.setgid({AS_NOBODY}); os.setuid({AS_NOBODY})
try:
    {how.format(str(database))}
    print("had it")
except StoreError as error:
    print(error)
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


# The command


@pytest.mark.parametrize("words", [("run",), ("run", "--dry-run"), ("run", "--format", "json")], ids=" ".join)
def test_a_second_run_ends_at_once_with_exit_5(sandbox_desk: Desk, sandbox: Sandbox, words: tuple[str, ...]) -> None:
    with held(sandbox_desk.folder / "sandbox.db") as first:
        done = sandbox_desk.janitor(*words)
    assert (done.returncode, done.stdout, sandbox.requests) == (5, "", ())
    assert f"pid {first.pid}, since 2026-11-23 03:00Z" in done.stderr
    assert "Traceback" not in done.stderr
    assert sandbox_desk.janitor("run", "--dry-run").returncode == 0


def test_checking_finds_the_lock_that_a_run_finds(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    lock = sandbox_desk.folder / "sandbox.db.lock"
    lock.unlink()
    lock.mkdir()
    done, checked = sandbox_desk.janitor("run", "--dry-run"), sandbox_desk.janitor("check")
    assert (done.returncode, checked.returncode) == (1, 1)
    found = re.search(r"^database +failed: (database lock .*)$", checked.stdout, re.MULTILINE)
    assert found is not None
    assert "".join(found[1].split()) in "".join(done.stdout.split()), "the report is wrapped"


def test_reading_goes_on_while_a_run_holds_the_database(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    with held(sandbox_desk.folder / "sandbox.db") as first:
        for words in (("images",), ("runs",), ("show", "1")):
            assert sandbox_desk.janitor(*words).returncode == 0
        checked = sandbox_desk.janitor("check")
    assert checked.returncode == 0, checked.stdout
    assert f"pid {first.pid}" in checked.stdout


@pytest.mark.parametrize("words", [("run",), ("run", "--dry-run")], ids=" ".join)
def test_a_run_holds_the_database_from_the_survey_until_its_report_is_posted(
    desk: Desk, words: tuple[str, ...]
) -> None:
    seen: dict[str, str | None] = {}
    database = desk.folder / "sandbox.db"

    async def look(call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        seen[call.name] = holder(database)
        return await answer()

    with running(Options(images=40), hook=look) as cloud, SlackStandIn() as slack:
        slack.before = lambda: seen.update(post=holder(database))
        desk.write("janitor.yaml", cloud.configuration(mode="delete"))
        desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\nlimits: {{max_share: 100%}}\n")
        desk.write("policies/old.yaml", POLICY)
        assert desk.janitor(*words).returncode == 0
    assert set(seen) == {"issue-token", "list-images", "detail-instances", "post"} | (
        {"delete-image"} if "--dry-run" not in words else set()
    )
    assert all((who or "").startswith("janitor run on ") for who in seen.values())
    assert holder(database) is None


def test_the_service_reports_a_run_that_found_the_database_held_and_goes_on(
    sandbox_desk: Desk, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: problems}}\n")
        settings = load_settings(sandbox_desk.folder / "janitor.yaml")
        with ExitStack() as others:
            first = others.enter_context(held(settings.database))
            scheduled_run(settings, Mode.DELETE, Stop(), Watch(settings, Stop()))
        assert sandbox.requests == ()
        assert f"pid {first.pid}" in slack.posted[0].shown
        assert f"pid {first.pid}" in "".join(capsys.readouterr().out.split()).replace("pid", "pid ")
        assert "run-skipped" in caplog.text
        scheduled_run(settings, Mode.DRY_RUN, Stop(), Watch(settings, Stop()))
        assert sandbox.requests != ()


@pytest.mark.parametrize("why", ["busy", "wrong-policies"])
def test_a_run_that_could_not_begin_leaves_to_the_holder_what_he_may_be_sending(sandbox_desk: Desk, why: str) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: problems}}\n")
        settings = load_settings(sandbox_desk.folder / "janitor.yaml")
        with held(settings.database):
            with Store.open(settings.database) as store:
                store.add_reports(None, [NewReport("slack", '[{"text": "Being sent.", "blocks": []}]')], NOW)
                owing = store.begin_run(Mode.DELETE, NOW, owes_report=True)
                store.finish_run(RunResult(owing, Mode.DELETE, Outcome.FAILED, NOW, NOW, error="about to be reported"))
            if why == "wrong-policies":
                sandbox_desk.write("policies/old.yaml", "policies: []\n")
            scheduled_run(settings, Mode.DELETE, Stop(), Watch(settings, Stop()))
        assert [message.text for message in slack.posted] == ["ACTION: the run could not begin"]
        sandbox_desk.write("policies/old.yaml", POLICY)
        scheduled_run(settings, Mode.DRY_RUN, Stop(), Watch(settings, Stop()))
        assert "Being sent." in slack.posted[1].text
        assert "about to be reported" in slack.posted[2].shown
