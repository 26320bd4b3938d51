"""The database file: opened with care, written in transactions. SQLite's errors become sentences here alone."""

import contextlib
import errno
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Self

from janitor.commands import command
from janitor.errors import StoreError, UsageError
from janitor.store.connection import Connection
from janitor.store.together import Together
from janitor.store.upgrading import Unfit, check_ours, is_current, set_up

_BUSY_SECONDS = 10.0
_OWNER_ONLY = 0o600
LEAST_SPACE = 2**20
_ANALYSED = 400
"""How many rows of an index are looked at: what SQLite's documentation recommends, so that it takes milliseconds."""

_BUSY = "another process is writing to it: try again when that has ended"
_READ_ONLY = "it cannot be written: allow writing to the file and its folder, or set `database` to another path"
_READING_WRITES = (
    "even reading writes to its folder, where SQLite keeps further files, unless it is a copy that this version made "
    "with `janitor db copy`: allow that, or make a copy where it can be written, and set `database` to that"
)
DAMAGED = (
    "the file is damaged or not a database; it was not overwritten. Restore a copy, or move it away to start with none"
)
FULL = "the disk is full: free some space, then run again"
_NO_ROOM = "it is copied without unused space, for which its folder needs as much free space as the file has: free some"
_REPLACED = "it was moved, removed or replaced while in use: put it back, and do not move it during a run"
_ADVICE = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check the permissions of the file and its folder",
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: "the disk reports an error: check it and the space that is left, then run again",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}
_ADVICE_OF_SYSTEM = {
    errno.ENAMETOOLONG: "give it a shorter one",
    errno.ENOSPC: "free some space, then run again",
    errno.EDQUOT: "free some space, then run again",
    errno.EIO: "check the disk, then run again",
}
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe, not a file", stat.S_IFSOCK: "a socket, not a file"}
_MEND_LINK = "repair or remove the link, or set `database` to a file"
_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN)
# What reading a value of a damaged file raises if SQLite itself does not notice.
_UNREADABLE = (ValueError, OverflowError, LookupError, TypeError)


class DatabaseFile:
    """One open database. Safe to use from several threads; each block below is one transaction."""

    def __init__(self, path: Path, db: Connection, patience: timedelta | None = None) -> None:
        self._path = path
        self._db = db
        self._busy_seconds = _seconds(patience)
        self._lock = threading.RLock()
        self._written_to: list[tuple[int, int]] = []
        self.together = Together(self.writing)

    @classmethod
    def open(cls, path: Path, *, create: bool, patience: timedelta | None = None) -> Self:
        """Open and migrate. Raises StoreError, and UsageError where nothing was recorded and not `create`.

        `patience`: how long each transaction waits while another process writes; without it ten seconds.
        """
        with translated(path):
            _prepare(path, create)
            opened = cls(path, connect(path, patience), patience)
            try:
                with contextlib.nullcontext() if create else _needing_the_folder(path):
                    opened._set_up(write=create)
            except BaseException:
                opened._db.close()
                raise
            return opened

    def _set_up(self, *, write: bool) -> None:
        # FULL: a requested deletion is recorded even after a power failure.
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        check_ours(self._db)
        if write or not is_current(self._db):
            self._db.execute("PRAGMA journal_mode = WAL")
            with self.writing() as db:
                check_ours(db)
                if not is_current(db):
                    set_up(db)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that may write: all of it or nothing. Raises StoreError, also for a file that is gone."""
        with self._transaction("BEGIN IMMEDIATE") as db:
            yield db
        with translated(self._path):
            self._check_place_of_writing()

    def _check_place_of_writing(self) -> None:
        # What is written to a file that has been removed is lost, and SQLite does not notice.
        now = _identities(self._path)
        self._written_to = self._written_to or now
        if now != self._written_to:
            raise Unfit(_REPLACED)

    def reading(self) -> contextlib.AbstractContextManager[Connection]:
        """One transaction that sees one state throughout. Raises StoreError."""
        return self._transaction("BEGIN")

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        with self._lock, translated(self._path):
            self._db.execute(begin)
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._db.rollback()
                raise

    @contextlib.contextmanager
    def not_waiting(self) -> Iterator[None]:
        """What is done within fails at once where another process writes, instead of waiting for it."""
        with self._lock, translated(self._path):
            self._db.execute("PRAGMA busy_timeout = 0")
            try:
                yield
            finally:
                self._db.execute(f"PRAGMA busy_timeout = {int(self._busy_seconds * 1000)}")

    def optimize(self) -> None:
        """Let SQLite analyse what has changed much, as its documentation advises before a connection is closed."""
        with self._lock, translated(self._path):
            self._db.execute(f"PRAGMA analysis_limit = {_ANALYSED}")
            self._db.execute("PRAGMA optimize").fetchall()

    def compact(self) -> None:
        """Copy the file without the space of what was deleted. Raises StoreError, where space lacks too."""
        with self._lock, translated(self._path):
            if space_left(self._path.parent) < self._path.stat().st_size:
                raise Unfit(_NO_ROOM)
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close; the last one to do so folds the write-ahead log into the file."""
        with self._lock, translated(self._path):
            self._db.close()


def check_place(path: Path) -> None:
    """Raises StoreError where no database can be written. Changes nothing."""
    with translated(path):
        _check_place(path)


def _seconds(patience: timedelta | None) -> float:
    return _BUSY_SECONDS if patience is None else patience.total_seconds()


def connect(path: Path, patience: timedelta | None = None) -> Connection:
    """A connection to a database that exists."""
    # mode=rw: a file that vanishes in between is an error, not a new database with everybody's permissions.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=_seconds(patience), isolation_level=None, check_same_thread=False)


def _prepare(path: Path, create: bool) -> None:
    if create:
        _check_place(path)
        if not path.exists():
            _create(path)
        return
    _check_folder(path)
    if not path.exists() or path.stat().st_size == 0:
        raise UsageError(f"nothing recorded yet: run `{command('run --dry-run')}` first")


def _check_folder(path: Path) -> None:
    if (kind := _kind(path)) is not None:
        raise Unfit(f"it is {'a link to ' if path.is_symlink() else ''}{kind}: set `database` to a file")
    if not path.parent.is_dir():
        raise Unfit(f"there is no folder {path.parent}: create it, or set `database` to another path")
    for beside in files_beside(path):
        # SQLite follows no links to these.
        if (kind := "a link" if beside.is_symlink() else _kind(beside)) is not None:
            raise Unfit(f"{beside}, which SQLite needs as a file, is {kind}: move it away")


def _kind(path: Path) -> str | None:
    """The kind of file at a path, or at the end of a link, in words; None for a regular file, and for no file.

    Raises Unfit for a broken link, and OSError.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.is_symlink():
            raise Unfit(
                f"it is a link to a file that does not exist, {os.path.realpath(path)}: {_MEND_LINK}"
            ) from error
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Unfit(f"it is a link to itself: {_MEND_LINK}") from error
        raise
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "a device, not a file")


def files_beside(path: Path) -> list[Path]:
    """The files that SQLite keeps beside a database, whether they exist or not."""
    whole = os.path.realpath(path)
    return [Path(f"{whole}{suffix}") for suffix in ("-wal", "-shm", "-journal")]


def _check_place(path: Path) -> None:
    _check_folder(path)
    # The folder too: SQLite keeps a log beside the file.
    if not all(_writable(place) for place in (path, path.parent) if place.exists()):
        raise Unfit(_READ_ONLY)


def _writable(place: Path) -> bool:
    # Root may write to any file; that nobody else may was intended nevertheless.
    return os.access(place, os.W_OK) and bool(place.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


@contextlib.contextmanager
def _needing_the_folder(path: Path) -> Iterator[None]:
    """Explains the failure of a reader that may not write to the folder."""
    try:
        yield
    except sqlite3.Error as error:
        if _code(error) in _FORBIDDEN and os.access(path, os.R_OK) and not os.access(path.parent, os.W_OK):
            raise Unfit(_READING_WRITES) from error
        raise


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the rest of the code is detail


def _identities(path: Path) -> list[tuple[int, int]]:
    """The identities of the files of a database and its log."""
    whole = os.path.realpath(path)
    found = []
    for place in (whole, f"{whole}-wal"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            status = os.stat(place)  # noqa: PTH116 - after every transaction, and five times as fast
            found.append((status.st_dev, status.st_ino))
    return found


def space_left(folder: Path) -> int:
    """How many bytes may still be written there."""
    free = os.statvfs(folder)
    return free.f_bavail * free.f_frsize


def _create(path: Path) -> None:
    # Opened only to create it: closing any descriptor of a database drops the locks that SQLite holds on it.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns what SQLite and the system raise into StoreError, with what to do."""
    try:
        yield
    except Unfit as error:
        raise StoreError(f"database {path}: {error}") from error
    except sqlite3.Error as error:
        raise StoreError(f"database {path}: {_ADVICE.get(_code(error), error)}") from error
    except OSError as error:
        advice = _ADVICE_OF_SYSTEM.get(error.errno or 0, "check the permissions of the folder")
        raise StoreError(f"database {path}: {error.strerror}: {advice}") from error
    except _UNREADABLE as error:
        raise StoreError(f"database {path}: a value cannot be stored or read back: {error}") from error
