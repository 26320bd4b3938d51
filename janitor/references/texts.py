"""Reads the files of a reference, one at a time, within the allowance of one reading."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from janitor.files import opened
from janitor.references.entries import Reference, Text, Unreadable
from janitor.references.globs import expand, folder_in, literal, shown

MOST_FILES = 10_000
LARGEST_SUM = 2**30
LARGEST_TEXT = 50 * 2**20
_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Allowance:
    """What all references together may still read: a number of texts, and bytes."""

    texts: int = MOST_FILES
    size: int = LARGEST_SUM

    def takes(self, size: int) -> bool:
        """Take one more text of this size, and say whether that was allowed. Once it was not, nothing more is."""
        self.texts -= 1
        self.size -= size
        return self.texts >= 0 and self.size >= 0


BEYOND_ALLOWANCE = Unreadable(
    f"all references together are more than {MOST_FILES:,} files or {LARGEST_SUM // 2**30} GiB"
)


def files(reference: Reference, allowance: Allowance, stop: threading.Event) -> Iterator[Text | Unreadable]:
    """The texts of all files that a reference's glob matches, each read when needed.

    What could not be read is Unreadable, and the others are read nevertheless. No match is an Unreadable, too.
    """
    anything = False

    def called(path: str) -> str:
        return _as_written(path, reference)

    for found in expand(reference.files or "", called):
        anything = True
        if stop.is_set():
            yield Unreadable("the program was told to stop")
            return
        text = found if isinstance(found, Unreadable) else _text(found, called(found), allowance)
        yield text
        if text is BEYOND_ALLOWANCE:
            return
    if not anything:
        folder = folder_in(reference.files or "")
        yield Unreadable(f"no file matches it{_only_folders(called(folder), reference.what) if folder else ''}")


def _only_folders(folder: str, glob: str) -> str:
    """What to write instead of a glob that matches only folders, such as this one."""
    written = glob.rstrip("/")
    instead = f": write {written}/* for the files in them, or {written}/** for all below"
    return f", only folders, such as {folder}{'' if written.endswith('**') else instead}"


def readable(text: Text) -> Text | Unreadable:
    """The text without a byte order mark; Unreadable if it is not text, or too large."""
    if len(text.content) > LARGEST_TEXT:
        return Unreadable(f"{text.shown} is larger than {LARGEST_TEXT // 2**20} MiB")
    if b"\0" in text.content:
        return Unreadable(f"{text.shown} is binary: it holds a NUL byte")
    return Text(text.shown, text.content.removeprefix(_BOM))


def _as_written(path: str, reference: Reference) -> str:
    """The path relative to the folder of the reference's glob."""
    folder = literal((reference.files or "").removesuffix(reference.what))
    return shown(path.removeprefix(folder))


def _text(path: str, name: str, allowance: Allowance) -> Text | Unreadable:
    try:
        with opened(path) as file:
            size = min(os.fstat(file.fileno()).st_size, LARGEST_TEXT)
            if not allowance.takes(size):
                return BEYOND_ALLOWANCE
            size += 1
            content = file.read(size)
            if len(content) == size:  # larger than it was said to be
                content += file.read(LARGEST_TEXT + 1 - size)
                allowance.size -= len(content) - size
            return readable(Text(name, content))
    except OSError as error:
        return Unreadable(f"{name} cannot be read: {error.strerror}")
