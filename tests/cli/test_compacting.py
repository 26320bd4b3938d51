"""`janitor db vacuum` gives unused space back, alone on the database, and says how much."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from janitor.clock import utc_now
from janitor.errors import Exit, StoreError
from janitor.store import Store, database, exclusive, size_of
from tests.conftest import Desk

CONFIGURATION = "targets: [{name: prod, appkey: k, username: u, password: p}]\n"


def bloated(path: Path) -> None:
    """A database most of whose pages hold nothing any more."""
    with Store.open(path):
        pass
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE much (text TEXT)")
        db.executemany("INSERT INTO much VALUES (?)", [("x" * 1000,) for _ in range(2000)])
        db.execute("DROP TABLE much")


def test_the_file_shrinks_and_its_sizes_are_told(desk: Desk) -> None:
    path = desk.folder / "janitor.db"
    desk.write("janitor.yaml", CONFIGURATION)
    bloated(path)
    before = size_of(path)
    done = desk.janitor("db", "vacuum")
    assert done.returncode == Exit.OK, done.stderr
    assert done.stdout.startswith(f"{path}: ")
    assert " MiB before, " in done.stdout
    assert size_of(path) < before / 2
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_needs_a_database_and_no_run_under_way(desk: Desk) -> None:
    desk.write("janitor.yaml", CONFIGURATION)
    assert desk.janitor("db", "vacuum").returncode == Exit.USAGE
    path = desk.folder / "janitor.db"
    bloated(path)
    before = size_of(path)
    with exclusive(path, "janitor run", utc_now()):
        done = desk.janitor("db", "vacuum")
    assert done.returncode == Exit.BUSY
    assert "another run holds the database: janitor run on " in done.stderr
    assert size_of(path) == before


def test_without_room_for_the_new_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "janitor.db"
    bloated(path)
    before = size_of(path)
    monkeypatch.setattr(database, "space_left", lambda _folder: before // 2)
    with Store.open(path) as store, pytest.raises(StoreError, match="as much free space as the file has"):
        store.compact()
    assert size_of(path) == before
