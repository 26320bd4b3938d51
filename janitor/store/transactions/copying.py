"""A copy of the whole database in a file of its own, as it was at one instant, while others go on writing to it."""

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

from janitor.errors import UsageError
from janitor.files import around_temporary
from janitor.store.database import DAMAGED, connect, files_beside, translated
from janitor.store.lock import lock_file
from janitor.store.runs import latest_run
from janitor.store.transactions import OnFile
from janitor.store.trust.marks import mark_file, note_copy
from janitor.store.upgrading import Unfit

_OWNER_ONLY = 0o600
_BUSY = "another process holds the whole of it: try again when that has ended"


class Copying(OnFile):
    """Copies the database."""

    def copy_to(self, path: Path) -> None:
        """Write a copy to a new file, which is there only once it is whole and on disk, and readable by its owner only.

        It is one file, and can be read in a folder that cannot be written. Other processes may write meanwhile, and are
        not held up. Raises UsageError for a file that is there, and StoreError; then nothing is left behind.
        """
        _check_free(path, self._file.path)
        with translated(path), contextlib.ExitStack() as undone:
            new = _new_file(path)
            undone.callback(_remove, new)
            with contextlib.closing(connect(new)) as copy:
                self._fill(copy, path)
            _sync(new, os.O_RDWR)
            _put(new, path)
            _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)

    def _fill(self, copy: sqlite3.Connection, path: Path) -> None:
        with self._file.reading() as db:
            latest = latest_run(db)  # from here on, this transaction sees one state
            with translated(path):
                copy.execute("PRAGMA synchronous = OFF")  # the whole of it is synced in the end
                # In one step: one that begins anew whenever another process has written might never end.
                db.backup(copy, progress=_once)
        # So that reading it needs no files beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        note_copy(copy, latest)
        if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            with translated(self._file.path):
                raise Unfit(DAMAGED)


def _once(status: int, _remaining: int, _pages: int) -> None:
    """Raises where a step had to give way to another process: Python would try again without end."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise Unfit(_BUSY)


def _check_free(path: Path, database: Path) -> None:
    """Raises UsageError unless nothing is there, nor what SQLite would take for a part of the copy."""
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}: create it, or name a file in another")
    beside = {*files_beside(database), lock_file(database), mark_file(database)}
    if Path(os.path.realpath(path.parent), path.name) in beside:
        raise UsageError(f"{path} belongs to the database itself: name another file")
    for file in (path, *(path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm", "-journal"))):
        if os.path.lexists(file):
            raise UsageError(f"{file} exists, and is not overwritten: name another file, or move it away")


def _new_file(path: Path) -> Path:
    before, after = around_temporary(path)
    new = path.with_name(f"{before}{secrets.token_hex(4)}{after}")
    os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _OWNER_ONLY))
    return new


def _put(new: Path, path: Path) -> None:
    """Give the file its name. Raises UsageError where another process has made such a file meanwhile."""
    try:
        path.hardlink_to(new)
    except FileExistsError:
        raise UsageError(f"{path} exists by now, and is not overwritten: name another file") from None
    except OSError:  # a file system without links
        _check_free(path, new)
        new.rename(path)


def _remove(new: Path) -> None:
    for file in (new, *files_beside(new)):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
