"""Reading and checking a database: neither changes it, and an unusable one is reported before any sign-in."""

import ctypes
import os
import re
import socket
import subprocess
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from janitor.errors import JanitorError, StoreError
from janitor.sandbox.server import Sandbox
from janitor.store import inspect, inspecting
from tests.conftest import Desk

# Reading


def without_overriding() -> None:
    """Bind root to the permissions of files, too."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability)  # PR_CAPBSET_DROP


READING = [("runs",), ("show", "1"), ("images",), ("explain", "x"), ("waiting",), ("policies",), ("keep", "--list")]


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
    monkeypatch.setattr(inspecting, "space_left", lambda folder: 1000)
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
