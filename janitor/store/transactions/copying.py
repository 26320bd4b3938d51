"""A copy of the whole database in a file of its own, as it was at one instant, while others go on writing to it."""

import contextlib
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from janitor.errors import Interrupted, JanitorError, UsageError
from janitor.files import around_temporary, sync
from janitor.shutdown import Stop
from janitor.store.database import DAMAGED, connect, files_beside, translated
from janitor.store.lock import lock_file
from janitor.store.runs import latest_run
from janitor.store.transactions import OnFile
from janitor.store.trust.marks import mark_file, note_copy
from janitor.store.upgrading import Unfit

_OWNER_ONLY = 0o600
_BUSY = "another process holds the whole of it: try again when that has ended"
_EXISTS = "{} exists, and is not overwritten: name another file, or move it away"
_STOPPED = "it was told to stop"
_STEP = 4096
"""So many pages are copied at once: 16 MiB, some milliseconds."""

_LOOK_EVERY = 0.1
_RANDOM = 4
_LEFT = re.compile(rf"\..+\.[0-9a-f]{{{2 * _RANDOM}}}\.tmp(-wal|-shm|-journal)?", re.DOTALL)


class Copying(OnFile):
    """Copies the database."""

    def copy_to(self, path: Path, stop: Stop | None = None) -> int:
        """Write a copy to a new file, which is there only once it is whole and on disk, and readable by its owner only.

        It is one file, and can be read in a folder that cannot be written. Returns its size. Other processes may write
        meanwhile, and are not held up. Raises UsageError for a file that is there, StoreError, and Interrupted as soon
        as it is told to stop; then nothing is left behind.
        """
        stop = stop or Stop()
        _check_free(path, self._file.path)
        _check_length(path)
        try:
            with translated(path), contextlib.ExitStack() as undone:
                new = _new_file(path)
                undone.callback(_remove, new)
                copy = connect(new)
                with _removed_on(stop, new, copy):
                    with contextlib.closing(copy):
                        self._fill(copy, path, stop)
                    sync(new, os.O_RDWR)
                    size = new.stat().st_size
                    _check_going_on(stop)
                _put(new, path)
                sync(path.parent)
        except JanitorError:
            if stop.is_set():
                raise Interrupted(stop.signal_number) from None
            raise
        return size

    def _fill(self, copy: sqlite3.Connection, path: Path, stop: Stop) -> None:
        def look(status: int, _remaining: int, _pages: int) -> None:
            """Raises where a step had to give way to another process: Python would try again without end."""
            if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise Unfit(_BUSY)
            _check_going_on(stop)

        with self._file.reading() as db:
            latest = latest_run(db)  # from here on, this transaction sees one state, so that no step begins anew
            with translated(path):
                copy.execute("PRAGMA synchronous = OFF")  # the whole of it is synced in the end
                db.backup(copy, pages=_STEP, progress=look)
        # So that reading it needs no files beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        note_copy(copy, latest)
        if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            _check_going_on(stop)  # which may have taken the file away
            with translated(self._file.path):
                raise Unfit(DAMAGED)


def left_in(folder: Path) -> list[Path]:
    """What copies may have left in a folder that were killed, or are being made; nothing if it cannot be listed."""
    try:
        return sorted(file for file in folder.iterdir() if _LEFT.fullmatch(file.name) and _is_of_sqlite(file))
    except OSError:
        return []


def _is_of_sqlite(file: Path) -> bool:
    if file.is_symlink() or not file.is_file():
        return False
    if not file.name.endswith(".tmp"):
        return True  # only SQLite names files so
    with contextlib.suppress(OSError), file.open("rb") as opened:
        return opened.read(len(_HEADER)) in (_HEADER, bytes(len(_HEADER)), b"")  # which SQLite may write last
    return False


_HEADER = b"SQLite format 3\0"


@contextlib.contextmanager
def _removed_on(stop: Stop, new: Path, copy: sqlite3.Connection) -> Iterator[None]:
    """Meanwhile, remove the new file as soon as told to stop, and end what SQLite does with it.

    Removed at once, as a slow disk may take longer for what is being done than the program is given.
    """

    def look() -> None:
        while not done.wait(_LOOK_EVERY):
            if stop.is_set():
                _remove(new)
                with contextlib.suppress(sqlite3.ProgrammingError):  # closed
                    copy.interrupt()

    done = threading.Event()
    watching = threading.Thread(target=look, name="copying", daemon=True)
    watching.start()
    try:
        yield
    finally:
        done.set()
        watching.join()


def _check_going_on(stop: Stop) -> None:
    """Raises Unfit if told to stop."""
    if stop.is_set():
        raise Unfit(_STOPPED)


def _check_length(path: Path) -> None:
    """Raises UsageError for a name that leaves no room for those of the files beside the copy while it is made."""
    longest = max((_temporary(path).name, *(file.name for file in files_beside(_temporary(path)))), key=len)
    try:
        room = os.pathconf(path.parent, "PC_NAME_MAX")
    except OSError as error:
        raise UsageError(f"{path.parent}: {error.strerror}") from error
    if (over := len(os.fsencode(longest)) - room) > 0:
        allowed = len(os.fsencode(path.name)) - over
        raise UsageError(f"the name of the copy is too long: give it one of at most {allowed} bytes")


def _check_free(path: Path, database: Path) -> None:
    """Raises UsageError unless nothing is there, nor what SQLite would take for a part of the copy."""
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}: create it, or name a file in another")
    if os.path.lexists(path):
        raise UsageError(_EXISTS.format(path))
    beside = {*files_beside(database), lock_file(database), mark_file(database)}
    if Path(os.path.realpath(path.parent), path.name) in beside:
        raise UsageError(f"{path} belongs to the database itself: name another file")
    for file in (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm", "-journal")):
        if os.path.lexists(file):
            raise UsageError(_EXISTS.format(file))


def _new_file(path: Path) -> Path:
    new = _temporary(path)
    os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _OWNER_ONLY))
    return new


def _temporary(path: Path) -> Path:
    before, after = around_temporary(path)
    return path.with_name(f"{before}{secrets.token_hex(_RANDOM)}{after}")


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
