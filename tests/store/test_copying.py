"""A copy of the database is whole, of one instant, one file, and there only once it is all that."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from janitor.errors import Interrupted, StoreError, UsageError
from janitor.shutdown import Stop
from janitor.store import Store
from janitor.store.transactions import copying
from janitor.store.trust.marks import mark_file
from tests.store.filled import fill

WRITER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
print("begun", flush=True)
while True:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO first_half VALUES (zeroblob(20000))")
    db.execute("INSERT INTO second_half VALUES (zeroblob(20000))")
    db.execute("COMMIT")
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from janitor.store import Store
from janitor.store.transactions import copying
setattr(copying, sys.argv[3], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
with Store.open_existing(Path(sys.argv[1])) as store:
    store.copy_to(Path(sys.argv[2]))
"""
LIMITED = """
import resource, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from janitor.store import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
with Store.open_existing(Path(sys.argv[1])) as store:
    store.copy_to(Path(sys.argv[2]))
"""
NOBODY = 65534
READING = """
import os, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from janitor.store import Store
if os.geteuid() == 0:
    os.setgid({nobody}); os.setuid({nobody})
assert not os.access(Path(sys.argv[1]).parent, os.W_OK)
with Store.open_existing(Path(sys.argv[1])) as store:
    print(store.latest_run(), len(store.surveys(2)["prod"].images))
"""


def copied(path: Path, to: Path) -> Path:
    with Store.open_existing(path) as store:
        store.copy_to(to)
    return to


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def files_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def script(text: str, *words: object) -> list[str]:
    return [sys.executable, "-W", "error", "-c", text, *map(str, words)]


@pytest.fixture
def source(path: Path) -> Path:
    fill(path)
    return path


def test_a_copy_has_everything_in_one_file_of_its_owner(source: Path, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    copy = copied(source, tmp_path / "copies/copy.db")
    assert content(copy) == content(source)
    assert files_in(copy.parent) == {"copy.db"}
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.stat().st_nlink == 1


def test_reading_a_copy_leaves_nothing_beside_it(source: Path, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    copy = copied(source, tmp_path / "copies/copy.db")
    before = copy.read_bytes()
    with Store.open_existing(copy) as store:
        assert store.latest_run() == 2
        assert len(store.surveys(2)["prod"].images) == 400
        assert files_in(copy.parent) == {"copy.db"}
    assert copy.read_bytes() == before


def test_what_is_only_in_the_log_of_the_database_is_copied_too(source: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(source, isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE runs SET begun_by = 'in the log'")
        assert Path(f"{source}-wal").stat().st_size > 0
        copy = copied(source, tmp_path / "copy.db")
    with closing(sqlite3.connect(copy)) as db:
        assert {by for (by,) in db.execute("SELECT begun_by FROM runs")} == {"in the log"}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Another process writes all the time, in transactions that write to two tables."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE first_half (x)")
        db.execute("CREATE TABLE second_half (x)")
    with subprocess.Popen(script(WRITER, path), stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "begun\n"
            yield
        finally:
            writer.kill()


def halves(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as db:
        return [db.execute(f"SELECT count(*) FROM {half}_half").fetchone()[0] for half in ("first", "second")]


def test_a_copy_is_of_one_instant_while_another_process_writes_all_the_time(source: Path, tmp_path: Path) -> None:
    with writing(source):
        copies = [copied(source, tmp_path / f"copy-{number}.db") for number in range(10)]
        counts = [halves(copy) for copy in copies]
    assert all(first == second for first, second in counts)
    assert sorted(counts) == counts
    assert counts[0] < counts[-1], "it wrote meanwhile"


def test_a_copy_of_a_copy_is_a_copy(source: Path, tmp_path: Path) -> None:
    again = copied(copied(source, tmp_path / "copy.db"), tmp_path / "again.db")
    assert content(again) == content(source)


# What is not overwritten


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


TAKEN: dict[str, Callable[[Path], object]] = {
    "a-file": lambda path: path.write_text("precious"),
    "empty": Path.touch,
    "a-folder": Path.mkdir,
    "link-to-the-database": lambda path: path.symlink_to("janitor.db"),
    "hard-link-to-it": lambda path: path.hardlink_to(path.with_name("janitor.db")),
    "link-to-nowhere": dangling,
    "a-log-beside-it": lambda path: path.with_name(f"{path.name}-wal").write_text("of another"),
    "a-journal-beside-it": lambda path: path.with_name(f"{path.name}-journal").write_text("of another"),
}


@pytest.mark.parametrize("take", TAKEN.values(), ids=TAKEN)
def test_what_is_there_is_not_overwritten(source: Path, tmp_path: Path, take: Callable[[Path], object]) -> None:
    take(tmp_path / "copy.db")
    before = {file.name: file.lstat() for file in tmp_path.iterdir() if file.suffix != ".db-shm"}
    with pytest.raises(UsageError, match="exists, and is not overwritten"):
        copied(source, tmp_path / "copy.db")
    after = {file.name: file.lstat() for file in tmp_path.iterdir()}
    assert {name: (status.st_ino, status.st_size) for name, status in after.items()} == {
        name: (status.st_ino, status.st_size) for name, status in before.items()
    }


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal", ".lock", ".mark"])
def test_the_database_and_the_files_beside_it_are_refused(source: Path, tmp_path: Path, ending: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError):
        copied(source, tmp_path / f"link/janitor.db{ending}")
    assert Path(f"{source}{ending}").exists() == (ending == "")


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.db"
    monkeypatch.setattr(os, "fsync", lambda _descriptor: copy.write_text("precious"))
    with pytest.raises(UsageError, match="exists by now"):
        copied(source, copy)
    assert copy.read_text() == "precious"
    assert files_in(tmp_path) == {"janitor.db", "copy.db"}


def test_a_file_system_without_links_will_do(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_words: object, **_more: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert content(copied(source, tmp_path / "copy.db")) == content(source)
    assert files_in(tmp_path) == {"janitor.db", "copy.db"}


# What goes wrong


@pytest.mark.parametrize("step", ["note_copy", "sync", "_put"])
def test_a_kill_leaves_no_file_of_that_name(source: Path, tmp_path: Path, step: str) -> None:
    done = subprocess.run(script(KILLED, source, tmp_path / "copy.db", step), check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "copy.db").exists()
    assert content(copied(source, tmp_path / "copy.db")) == content(source)


@pytest.mark.parametrize("step", ["note_copy", "sync"])
def test_told_to_stop_it_leaves_nothing_behind(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    stop, before = Stop(), files_in(tmp_path)

    def stopped(*_words: object) -> None:
        stop.signal_number = signal.SIGHUP
        stop.set()

    monkeypatch.setattr(copying, step, stopped)
    with Store.open_existing(source) as store, pytest.raises(Interrupted) as caught:
        store.copy_to(tmp_path / "copy.db", stop)
    assert caught.value.exit_code == 129
    assert files_in(tmp_path) == before


def test_told_to_stop_it_ends_what_sqlite_does(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop()

    def takes_for_ever(copy: sqlite3.Connection, _latest: int) -> None:
        stop.set()
        copy.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")

    monkeypatch.setattr(copying, "note_copy", takes_for_ever)
    with Store.open_existing(source) as store, pytest.raises(Interrupted):
        store.copy_to(tmp_path / "copy.db", stop)
    assert not list(tmp_path.glob(".copy.db*"))


def test_what_a_kill_leaves_is_known(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    for name in (".copy.db.0123abcd.tmp-journal", ".copy.db.0123abcd.tmp-wal", "copy.db", ".copy.db.tmp", ".x.tmp"):
        (folder / name).write_bytes(b"SQLite format 3\0")
    (folder / ".janitor.prom.89abcdef.tmp").write_text("# HELP janitor_last_run")
    (folder / ".linked.89abcdef.tmp").symlink_to(source)
    (folder / ".folder.89abcdef.tmp").mkdir()
    done = subprocess.run(script(KILLED, source, folder / "copy-2.db", "note_copy"), check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    names = [file.name for file in copying.left_in(folder)]
    [new] = [name for name in names if re.fullmatch(r"\.copy-2\.db\.[0-9a-f]{8}\.tmp", name)]
    assert {name for name in names if not name.startswith(new)} == {
        ".copy.db.0123abcd.tmp-journal",
        ".copy.db.0123abcd.tmp-wal",
    }
    assert copying.left_in(tmp_path / "nowhere") == []


def test_the_longest_name_that_a_copy_can_have(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too long: give it one of at most") as caught:
        copied(source, tmp_path / ("é" * 120))
    [longest] = re.findall(r"at most (\d+) bytes", str(caught.value))
    assert content(copied(source, tmp_path / ("c" * int(longest)))) == content(source)
    with pytest.raises(UsageError, match=f"at most {longest} bytes"):
        copied(source, tmp_path / ("c" * (int(longest) + 1)))


def test_a_full_disk_leaves_nothing_behind(source: Path, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    command = script(LIMITED, source, tmp_path / "copies/copy.db")
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert "StoreError: database " in done.stderr
    assert "copy.db: the disk " in done.stderr
    assert files_in(tmp_path / "copies") == set()


def test_a_damaged_database_is_not_copied(source: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(source)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'image_facts'").fetchone()
    whole = source.read_bytes()
    source.write_bytes(whole[: (page - 1) * 4096] + b"\xff" * 4096 + whole[page * 4096 :])
    with pytest.raises(StoreError, match=r"janitor\.db: the file is damaged"):
        copied(source, tmp_path / "copy.db")
    assert files_in(tmp_path) == {"janitor.db"}


def test_a_missing_folder_is_said_and_not_made(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        copied(source, tmp_path / "nowhere/copy.db")


# Reading a copy where nothing may be written


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with TemporaryDirectory(prefix="janitor-", dir="/tmp") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_a_copy_can_be_read_in_a_folder_that_cannot_be_written(source: Path, public: Path) -> None:
    copy = copied(source, public / "copy.db")
    copy.chmod(0o444)
    public.chmod(0o555)
    command = script(READING.format(nobody=NOBODY), copy)
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("2 400\n", "")
    assert files_in(public) == {"copy.db"}


def test_the_database_itself_cannot_and_a_copy_is_advised(source: Path, public: Path) -> None:
    (public / "copy.db").write_bytes(source.read_bytes())
    (public / "copy.db").chmod(0o444)
    public.chmod(0o555)
    command = script(READING.format(nobody=NOBODY), public / "copy.db")
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert "unless it is a copy that this version made with `janitor db copy`" in done.stderr


# A copy is not the original


def test_a_copy_knows_after_which_run_it_was_made(source: Path, tmp_path: Path) -> None:
    copy = copied(source, tmp_path / "copy.db")
    with Store.open_existing(source) as store:
        assert store.unknown_mark() is None
    with Store.open_existing(copy) as store:
        unknown = store.unknown_mark()
    assert unknown is not None
    assert unknown.run == 2
    assert not mark_file(copy).exists()
