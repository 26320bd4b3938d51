"""Expands a glob, and reports what could not be read on the way: the standard library's glob skips it.

As in shells, `*` and `?` match no dot at the beginning of a name, and `**` goes through folders that are not hidden, by
any number of them. Links are followed. Each real folder is entered once for each part of the glob, so that links in a
circle end.
"""

import errno
import fnmatch
import os
import re
import stat
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

from janitor.references.entries import Unreadable

MOST_ENTRIES = 1_000_000
_ANY_DEPTH = "**"
_MAGIC = re.compile(r"[*?[]")
_ESCAPED = re.compile(r"\[([*?[])\]")
_ABSENT = (errno.ENOENT, errno.ENOTDIR)


def literal(part: str) -> str:
    """The text of a glob without wildcards: its escapes `[*]`, `[?]` and `[[]` are resolved."""
    return _ESCAPED.sub(r"\1", part)


def shown(path: str) -> str:
    """A path fit for messages: what is not UTF-8 becomes U+FFFD, and control characters are escaped."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def expand(pattern: str, called: Callable[[str], str] = shown) -> Iterator[str | Unreadable]:
    """The paths of the regular files that an absolute glob matches, in the order of their names.

    Folders that it matches are left out. Anything else that it matches, and anything that could not be read, is
    Unreadable, under the name `called`; after a million names, so is the rest.
    """
    return _Walk(pattern, called).matches()


def folder_in(pattern: str) -> str | None:
    """The path of a folder that an absolute glob matches, and therefore leaves out; None if there is none."""
    walk = _Walk(pattern, shown)
    for _ in walk.matches():
        pass
    return walk.folder


def led_to(pattern: str, files: Iterable[str]) -> frozenset[str]:
    """Those of the files that an absolute glob matches, or would once they are there, under any of their names.

    Of the links only those are tried that are in folders which lead to a file, or which the glob itself names.
    """
    by_place = defaultdict(list)
    for file in files:
        by_place[os.path.realpath(file)].append(file)
    found = (match for match in _WalkTo(pattern, by_place).matches() if isinstance(match, str))
    return frozenset(file for match in found for file in by_place.get(os.path.realpath(match), ()))


class _Walk:
    """One expansion: what is still to be visited, what was entered, and how many names were read.

    `folder` is the first one that the whole glob matched.
    """

    def __init__(self, pattern: str, called: Callable[[str], str]) -> None:
        self._called = called
        self._parts = [part for part in pattern.split("/") if part]
        if self._parts and self._parts[-1] == _ANY_DEPTH:
            self._parts.append("*")
        self._entered: set[tuple[int, int, int]] = set()
        self._looked_at = 0
        self.folder: str | None = None
        # Paths, each with how many parts led to it, and whether it was seen in its folder; the next one is the last.
        self._ahead = [("/", 0, True)]

    def matches(self) -> Iterator[str | Unreadable]:
        """The paths, and what could not be read."""
        while self._ahead:
            path, index, seen = self._ahead.pop()
            try:
                found = self._visit(path, index, seen)
            except OSError as error:
                found = Unreadable(f"{self._called(path)} cannot be read: {error.strerror}")
            if found is not None:
                yield found
            if self._looked_at > MOST_ENTRIES:
                yield Unreadable(f"it has to search more than {MOST_ENTRIES:,} files and folders")
                return

    def _visit(self, path: str, index: int, seen: bool) -> str | Unreadable | None:
        """Note what is to be visited below a folder; gives a match of all parts, or what is wrong with it."""
        try:
            status = os.stat(path)  # noqa: PTH116 - a Path would normalise what people wrote
        except OSError as error:
            if error.errno not in _ABSENT:
                raise
            if os.path.islink(path):  # noqa: PTH114
                return Unreadable(f"{self._called(path)} is a broken link")
            return Unreadable(f"{self._called(path)} disappeared while it was read") if seen else None
        if stat.S_ISDIR(status.st_mode):
            if index < len(self._parts) and (status.st_dev, status.st_ino, index) not in self._entered:
                self._entered.add((status.st_dev, status.st_ino, index))
                self._enter(path, index)
            elif index == len(self._parts):
                self.folder = self.folder or path
            return None
        if index < len(self._parts):
            return None
        return path if stat.S_ISREG(status.st_mode) else Unreadable(f"{self._called(path)} is not a regular file")

    def _enter(self, folder: str, index: int) -> None:
        part = self._parts[index]
        if part == _ANY_DEPTH:
            self._ahead += [(path, index, True) for path in self._listed(folder, "*", folders_only=True)]
            self._ahead.append((folder, index + 1, True))
        elif _MAGIC.search(_ESCAPED.sub("", part)):
            inner = index + 1 < len(self._parts)
            self._ahead += [(path, index + 1, True) for path in self._listed(folder, part, folders_only=inner)]
        else:
            self._ahead.append((_joined(folder, literal(part)), index + 1, False))

    def _listed(self, folder: str, part: str, *, folders_only: bool) -> list[str]:
        """What in a folder matches a part, the last name first. The targets of links are not checked yet."""
        fits = _fits(part)
        names = []
        with os.scandir(folder) as entries:
            for entry in entries:
                self._looked_at += 1
                if self._looked_at > MOST_ENTRIES:
                    break
                if fits(entry.name) and not (folders_only and _is_no_folder(entry)):
                    names.append(entry.name)
        return [_joined(folder, name) for name in sorted(names, reverse=True)]


class _WalkTo(_Walk):
    """An expansion that visits only what may lead to some files, as if these and their folders were there.

    `places` are the files, without links in their paths.
    """

    def __init__(self, pattern: str, places: Collection[str]) -> None:
        super().__init__(pattern, shown)
        self._places = places

    def _visit(self, path: str, index: int, seen: bool) -> str | Unreadable | None:
        if os.path.realpath(path) in self._places:
            return path if index == len(self._parts) else None
        if os.path.exists(path):  # noqa: PTH110
            return super()._visit(path, index, seen)
        if index < len(self._parts) and self._next(path):
            self._enter(path, index)
        return None

    def _listed(self, folder: str, part: str, *, folders_only: bool) -> list[str]:  # noqa: ARG002  the file may be one
        names = {*self._next(folder), *self._links(folder)}
        return [_joined(folder, name) for name in filter(_fits(part), names)]

    def _next(self, folder: str) -> set[str]:
        """The names by which the ways to files go on in a folder, if they go through it."""
        above = f"{os.path.realpath(folder).rstrip('/')}/"
        return {place.removeprefix(above).split("/")[0] for place in self._places if place.startswith(above)}

    def _links(self, folder: str) -> list[str]:
        try:
            with os.scandir(folder) as entries:
                found = list(islice(entries, MOST_ENTRIES + 1))
        except OSError:
            return []
        self._looked_at += len(found)
        return [entry.name for entry in found if entry.is_symlink()]


def _fits(part: str) -> Callable[[str], bool]:
    """Whether names match a part."""
    matches = re.compile(fnmatch.translate(part)).match
    return lambda name: (part.startswith(".") or not name.startswith(".")) and matches(name) is not None


def _is_no_folder(entry: "os.DirEntry[str]") -> bool:
    return not entry.is_symlink() and not entry.is_dir(follow_symlinks=False)


def _joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"
