"""New files that appear together: all of them or none, never over what is there."""

import errno
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from janitor.errors import JanitorError, UsageError
from janitor.shutdown import ending_signals

_OWNER_ONLY = 0o600
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)  # what a file system without links says


def must_be_new(paths: Sequence[Path]) -> None:
    """Raises UsageError where one of these exists, as a file or anything else."""
    there = [str(path) for path in paths if os.path.lexists(path)]
    if there:
        verb = "exists" if len(there) == 1 else "exist"
        way_out = "move away what is there, or name a file in another folder by -c"
        raise UsageError(f"{', '.join(there)} {verb}, and nothing was written: {way_out}")


def write_together(
    secret: Mapping[Path, str], folder: Path, files: Mapping[str, str], check: Callable[[Mapping[Path, Path]], None]
) -> None:
    """Write files that only their owner may read, and a folder of files that anyone may.

    They are written beside their places and shown to `check`, by their places, before anything appears; what it raises
    is passed on, and then nothing is left. A signal waits until all is there, or all is removed. Raises UsageError
    where a name is taken, and JanitorError where a file cannot be written.
    """
    must_be_new([*secret, folder])
    try:
        with _undisturbed(), _beside(folder.parent) as staging, ExitStack() as undo:
            staged = {place: staging / place.name for place in (*secret, folder)}
            for place, text in secret.items():
                _create(staged[place], text)
            staged[folder].mkdir()
            for name, text in files.items():
                (staged[folder] / name).write_text(text, encoding="utf-8")
            check(staged)
            _place(staged, folder, undo)
    except FileExistsError as error:
        raise UsageError(f"{error.filename2 or error.filename} exists, and nothing was written") from error
    except OSError as error:
        raise JanitorError(f"{folder.parent}: {error.strerror}; nothing was written") from error


def _place(staged: Mapping[Path, Path], folder: Path, undo: ExitStack) -> None:
    """Give what is staged its names; a link, unlike a renaming, replaces nothing."""
    for place, made in staged.items():
        if place == folder:
            must_be_new([folder])
            made.rename(place)
            undo.callback(shutil.rmtree, place)
        else:
            _appear(made, place)
            undo.callback(place.unlink)
    undo.pop_all()


def _appear(made: Path, place: Path) -> None:
    try:
        os.link(made, place)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _create(place, made.read_text(encoding="utf-8"))


def _create(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no path
        file.write(text)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".janitor-init-", dir=folder) as name:
        yield Path(name)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that would end the program do so after the block."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in ending_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
