"""One run at a time: a lock beside the database, which the operating system releases when its holder dies."""

import contextlib
import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from janitor.core.units import format_minute, iso
from janitor.errors import Busy, StoreError
from janitor.files import check_regular
from janitor.store.database import check_place

_OWNER_ONLY = 0o600
_LARGEST_NOTE = 4096
_LOOKS, _BETWEEN_LOOKS = 10, 0.02


def lock_file(database: Path) -> Path:
    """The lock of a database; the same one by whatever link the database is reached."""
    return Path(f"{os.path.realpath(database)}.lock")


@contextlib.contextmanager
def exclusive(database: Path, command: str, since: datetime, zone: tzinfo = UTC) -> Iterator[None]:
    """Hold the database against other runs, on this host and on any that shares the file.

    Raises Busy, which names the holder, if there is one, and since when in `zone`; StoreError where the lock cannot be
    taken for another reason.
    The file stays when the lock is free: removing it could remove it from under the next holder.
    """
    path = lock_file(database)
    check_place(database)
    with contextlib.ExitStack() as opened:
        with _translated(path):
            descriptor = _opened(path, os.O_RDWR | os.O_CREAT)
            opened.callback(os.close, descriptor)
            _take(descriptor, zone)
            opened.callback(_forget, descriptor)
            _write(descriptor, _note(command, since))
        yield


def holder(database: Path, zone: tzinfo = UTC) -> str | None:
    """Who holds the database, in words, times in `zone`; None when nobody does. Takes and changes nothing.

    Raises StoreError where a run could not take the lock for another reason, as the run itself would.
    """
    path = lock_file(database)
    check_place(database)
    with _translated(path):
        try:
            descriptor = _opened(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _noted(descriptor, zone) or "a run that left no name"
        else:
            return None
        finally:
            os.close(descriptor)


def _opened(path: Path, flags: int) -> int:
    """A descriptor of the lock. A pipe or link in its place is neither waited for nor followed."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, _OWNER_ONLY)
    try:
        check_regular(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _take(descriptor: int, zone: tzinfo) -> None:
    """Take the lock.

    A holder writes its note right after it took the lock, and checking the lock takes it for a moment, too.
    """
    for _ in range(_LOOKS):
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if who := _noted(descriptor, zone):
                raise Busy(f"another run holds the database: {who}; nothing was done") from None
        time.sleep(_BETWEEN_LOOKS)
    raise Busy("another run, which left no name, holds the database; nothing was done")


def _note(command: str, since: datetime) -> bytes:
    return json.dumps(
        {"host": socket.gethostname(), "pid": os.getpid(), "since": iso(since), "command": command}
    ).encode()


def _write(descriptor: int, note: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, note, 0)


def _forget(descriptor: int) -> None:
    """Remove the note. One that cannot be removed stays, and has no effect."""
    with contextlib.suppress(OSError):
        _write(descriptor, b"")


def _noted(descriptor: int, zone: tzinfo) -> str | None:
    """The holder, as its note says."""
    try:
        note = json.loads(os.pread(descriptor, _LARGEST_NOTE, 0))
        since = format_minute(datetime.fromisoformat(note["since"]), zone)
        return f"{note['command']} on {note['host']}, pid {note['pid']}, since {since}"
    except (ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise StoreError(f"database lock {path}: {what}: {_advice(error)}") from error


def _advice(error: OSError) -> str:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return "allow this user to write to it and to its folder, or run as its owner"
        case errno.ELOOP:
            return "remove the link: the lock must be a regular file"
        case errno.EISDIR | errno.EINVAL | errno.ENXIO:
            return "move away what is there: the lock must be a regular file"
        case errno.EROFS:
            return "set `database` to a place that can be written"
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "free some space, then run again"
        case errno.ENOLCK | errno.EOPNOTSUPP:
            return "this file system has no locks: put the database on one that has"
        case _:
            return "check the folder of the database"
