"""Adds lines to a file of reports, which is never replaced, and never written over another file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from janitor.files import check_folder_of, check_regular

_BEGINNING = b'{"run": '
_ANOTHER = "it is not a file of this program's reports: move it away, or configure another name"
_OWNER_ONLY = 0o600
_HOW = os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def add_line(path: Path, line: bytes | bytearray) -> None:
    """Add a line in one write, and flush it to disk. A last line that was cut off stays, and is ended first.

    A missing file is created, for its owner only. Raises OSError where the line was not written whole, and where the
    path leads to something other than a file of reports.
    """
    with _opened(path, _HOW | os.O_CREAT) as descriptor:
        size = os.fstat(descriptor).st_size
        cut_off = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        whole = (b"\n" * cut_off, line, b"\n")
        length = sum(map(len, whole))
        written = os.writev(descriptor, whole)
        if written < length:
            raise OSError(0, f"only {written} of {length} bytes could be written")
        os.fsync(descriptor)


def try_to_add(path: Path) -> str:
    """A sentence that a line can be added; nothing is written. Raises OSError if it cannot."""
    try:
        with _opened(path, _HOW) as descriptor:
            size = os.fstat(descriptor).st_size
            return f"reports are added to {path} ({size:,} bytes)"
    except FileNotFoundError:
        check_folder_of(path)
        return f"reports are added to {path}, which does not exist yet"


@contextmanager
def _opened(path: Path, how: int) -> Iterator[int]:
    """The descriptor of a file of reports, or of an empty file. Anything else is not opened at all."""
    if path.exists():
        check_regular(path.stat())
    descriptor = os.open(path, how, _OWNER_ONLY)
    try:
        check_regular(os.fstat(descriptor))
        if not _BEGINNING.startswith(os.pread(descriptor, len(_BEGINNING), 0)):
            raise OSError(0, _ANOTHER)
        yield descriptor
    finally:
        os.close(descriptor)
