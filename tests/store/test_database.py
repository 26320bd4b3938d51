"""The file of the database: opened with care, never overwritten, and an unusable one is reported with what to do."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from janitor.core.result import (
    Mode,
)
from janitor.errors import Exit, StoreError, UsageError
from janitor.store import Store, upgrading
from janitor.store import database as database_module
from tests.store.recorded import IMAGES, NOW, surveyed


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
        surveyed(store, *(IMAGES[0].replace(id=f"{number}") for number in range(2000)))
    pages = path.read_bytes()
    path.write_bytes(pages[: 4096 * 80] + b"\xff" * (len(pages) - 4096 * 80))
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
    many = tuple(IMAGES[0].replace(id=f"{number}") for number in range(2000))
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


def test_a_new_database_is_as_all_steps_leave_one(path: Path) -> None:
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as made, closing(sqlite3.connect(":memory:", isolation_level=None)) as stepwise:
        stepwise.execute("BEGIN")
        upgrading.apply_migrations(stepwise)
        stepwise.execute("COMMIT")
        assert everything_in(made) == everything_in(stepwise)


def everything_in(db: sqlite3.Connection) -> list[str]:
    """All that makes it, but for when; in any order."""
    statements = (re.sub(r"'\d{4}-\d\d-\d\d[^']*'", "'when'", statement) for statement in db.iterdump())
    return sorted(
        [*statements, *(str(db.execute(f"PRAGMA {name}").fetchone()) for name in ("user_version", "encoding"))]
    )
