"""Files that people write: read whole, within a bound, and as text by whatever editor they were saved."""

import codecs
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LARGEST = 4 * 2**20
METRICS = b"# HELP janitor_"
"""How a metrics file of this program begins."""
_ANOTHER = "it is not a file of this program, and would be overwritten: move it away, or configure another name"
_OWNER_ONLY = 0o600
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class UnusableFile(ValueError):
    """A file that cannot be read, or is not text; the message completes a sentence that begins with its name.

    `line` is where in the file, if that is known. The message never repeats text of the file.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """A regular file, or one that a link leads to, opened for reading. Raises OSError for anything else.

    Opening never waits, as it would for a FIFO, and a known device is not opened at all.
    """
    check_regular(os.stat(path))  # noqa: PTH116  the path may be one that a Path would tidy
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        check_regular(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    with open(descriptor, "rb") as file:  # noqa: PTH123  a descriptor has no path
        yield file


def check_regular(status: os.stat_result) -> None:
    """Raises OSError for anything but a regular file."""
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")


def check_folder_of(path: Path) -> None:
    """Raises OSError unless a file can be made where this path leads."""
    folder = os.path.dirname(os.path.realpath(path))  # noqa: PTH120
    check = os.stat(folder)  # noqa: PTH116
    if not stat.S_ISDIR(check.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, f"no file can be made in {folder}")


def to_replace(path: Path, beginning: bytes) -> Path:
    """The file that a path leads to, to be replaced: links are followed, and stay. The file need not exist yet.

    Raises OSError where it is not a regular file, or is neither empty nor begins as every file does that this program
    writes there: another program's file would be lost.
    """
    file = Path(os.path.realpath(path))
    with suppress(FileNotFoundError):
        check_regular(file.lstat())
        with opened(file) as there:
            if there.read(len(beginning)) not in (b"", beginning):
                raise OSError(errno.EEXIST, _ANOTHER)
    return file


def around_temporary(path: Path) -> tuple[str, str]:
    """What a temporary file that is to replace another is called, before and after a random part.

    Hidden, and with another ending: what reads everything in its folder is to pass over it.
    """
    return f".{path.name}.", ".tmp"


def write_durably(path: Path, content: bytes) -> None:
    """Make or replace a file that only its owner may read: the whole of it is on disk when this returns.

    Raises OSError; then what was there before is there still. A link in its place is replaced, and not followed.
    """
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        sync(path.parent)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def sync(path: Path, flags: int = os.O_RDONLY | os.O_DIRECTORY) -> None:
    """See to it that a folder, or a file opened with these flags, is on disk. Raises OSError."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def content_of(path: Path, largest: int = LARGEST) -> bytes:
    """All bytes of a regular file, at most `largest` of them. Raises UnusableFile."""
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            # One more than that, as a file may grow, and those of /proc say 0.
            content = file.read(largest + 1) if size <= largest else b""
    except OSError as error:
        raise UnusableFile(f"cannot be read: {error.strerror}") from error
    if max(size, len(content)) > largest:
        raise UnusableFile(f"is larger than {_size(largest)}")
    return content


def text_in(content: bytes) -> str:
    """The text, without a byte order mark; line breaks stay as they are. Raises UnusableFile for what is not UTF-8."""
    if content.startswith(_UTF_16):
        raise UnusableFile("is not UTF-8 text but UTF-16: save it as UTF-8", 1)
    try:
        return content.decode().lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise UnusableFile("is not UTF-8 text", content.count(b"\n", 0, error.start) + 1) from None


def _size(count: int) -> str:
    return f"{count // 2**20} MiB" if count >= 2**20 else f"{count // 2**10} KiB"
