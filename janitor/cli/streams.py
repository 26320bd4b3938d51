"""The three standard streams of the process: none is missing, and one that cannot be written ends nothing.

The log goes to stderr in one of two formats.
"""

import io
import os
import select
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_OUT, _ERR = 1, 2
_STREAMS = range(3)


class LogFormat(StrEnum):
    """A format of the log."""

    TEXT = "text"
    JSON = "json"


class _Tolerant(io.FileIO):
    """A stream that drops everything after the first failure to write, and keeps that failure."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.failure: OSError | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        size = memoryview(data).nbytes
        while self.failure is None:
            try:
                written = cast("int | None", super().write(data))
            except OSError as error:
                self.failure = error
                break
            if written is not None:
                return written
            select.select([], [self], [])  # another process made it non-blocking
        return size


def prepare() -> None:
    """Make all three streams usable. Call it first: a file opened before could get the number of a missing one.

    A missing one becomes /dev/null. A failure to write stdout is kept for `take_failure`; a failure to write stderr is
    ignored.
    """
    for descriptor in _STREAMS:
        _open_missing(descriptor)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the life of the process
    sys.stdout = _tolerant(_OUT, sys.stdout)
    sys.stderr = _tolerant(_ERR, sys.stderr)


def take_failure() -> OSError | None:
    """Why output to stdout failed since the last call, if it did; after that, writing is tried again.

    Buffered output is written first.
    """
    sys.stdout.flush()
    raw = _raw_of(sys.stdout)
    if raw is None:
        return None
    failure, raw.failure = raw.failure, None
    return failure


def _open_missing(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)


def _tolerant(descriptor: int, before: TextIO | None) -> TextIO:
    """A replacement for that stream; characters that the encoding cannot write are escaped."""
    if before is not None and _descriptor_of(before) != descriptor:
        return before
    return io.TextIOWrapper(
        io.BufferedWriter(cast(io.RawIOBase, _Tolerant(descriptor))),
        encoding="utf-8" if before is None else before.encoding,
        errors="backslashreplace",  # a name that the locale cannot write must not end a run
        line_buffering=descriptor == _ERR or (before is not None and before.isatty()),
    )


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _raw_of(stream: TextIO) -> _Tolerant | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Tolerant) else None
