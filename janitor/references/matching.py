"""Finds ids and names of images in a text, all of them in one pass of one automaton."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ahocorasick_rs import BytesAhoCorasick

from janitor.references.spelling import LONGEST_ESCAPE, composed_utf8, unescaped

_LEVELS = 3  # JSON in JSON in JSON
_PIECE, _SMALLEST_PIECE = 2**20, 2**13
_ONE_CHARACTER = 4
_END = b"\r"  # put at both ends of a text, so that these bound a token without being asked for
_GAP = b"\0"  # stands between parts of a text that were joined: no text holds it, and it bounds no token
_BOUNDS = frozenset(b"\"'`=:,()[]{}<>") | {code for code in range(128) if chr(code).isspace()}


@dataclass(slots=True)
class Found:
    """The ids and names that a text holds, each with the line where it was found first, counted from 1."""

    ids: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Word:
    """What one pattern may stand for: an id in any case, and names of which only the case differs."""

    id: str | None = None
    names: dict[bytes, str] = field(default_factory=dict)


class Matcher:
    """Knows some ids and names, and finds them in texts. Safe to use from several threads at once.

    An id counts wherever it stands, in any case of ASCII letters. A name counts as a whole token only: between quotes,
    whitespace, `=`, `:`, `,`, brackets and the ends of the text. Both are also found where the text is JSON with
    escapes, up to three levels deep; there, the line is that of the text. Ids and names are to be given as
    `spelling.composed` gives them, not empty and without whitespace at their ends.
    """

    def __init__(self, ids: Iterable[str], names: Iterable[str]) -> None:
        words: dict[bytes, _Word] = {}
        for image_id in ids:
            words.setdefault(image_id.encode().lower(), _Word()).id = image_id
        for name in names:
            # A line feed in a name is a carriage return where escapes were decoded.
            for written in {name, name.replace("\n", "\r")}:
                words.setdefault(written.encode().lower(), _Word()).names[written.encode()] = name
        self._words = list(words.values())
        self._automaton = BytesAhoCorasick(words)
        self._longest = max(map(len, words), default=0)
        self._piece = self._largest_piece(words)
        self._margin = margin = self._longest + _ONE_CHARACTER + LONGEST_ESCAPE
        # Escapes that stand so near each other that one word could hold both. Possessive, so that nothing is kept to
        # go back to.
        self._escapes = re.compile(rb"\\(?:[^\\\0]{0,%d}+\\)*+[^\\\0]{0,%d}" % (2 * margin, margin))

    def _largest_piece(self, words: Iterable[bytes]) -> int:
        """How many bytes to search at once, so that the list of what is found stays small even where words nest."""
        nested = max((sum(end == len(word) for _, _, end in self._matches(word)) for word in words), default=1)
        return max(_PIECE // nested, _SMALLEST_PIECE)

    def _matches(self, folded: bytes) -> Sequence[tuple[int, int, int]]:
        return self._automaton.find_matches_as_indexes(folded, overlapping=True)

    def scan(self, content: bytes, *, names: bool = True) -> Found:
        """What this UTF-8 text holds; without `names`, ids only. It may hold what is not UTF-8, but no NUL."""
        found = Found()
        self._search(_Text(composed_utf8(b"%b%b%b" % (_END, content, _END))), names, found, _LEVELS)
        return found

    def _search(self, text: "_Text | _Unescaped", names: bool, found: Found, levels: int) -> None:
        """Add what this text holds that was not found yet, also where `levels` more levels of escapes are decoded."""
        content = text.content
        for offset in range(0, len(content), self._piece):
            piece = content[offset : offset + self._piece + self._longest]
            for index, start, end in self._matches(piece.lower()):
                word = self._words[index]
                if word.id is not None and word.id not in found.ids:
                    found.ids[word.id] = text.line(offset + start)
                if names and word.names:
                    name = word.names.get(content[offset + start : offset + end])
                    if name and name not in found.names and _is_whole(content, offset + start, offset + end):
                        found.names[name] = text.line(offset + start)
        if levels and b"\\" in content:
            for inner in _unescaped_parts(text, self._escapes, self._margin):
                self._search(inner, names, found, levels - 1)


class _Text:
    """A text, and its lines."""

    def __init__(self, content: bytes) -> None:
        self.content: bytes = content
        self._breaks = _Count(content, b"\n")

    def line(self, offset: int) -> int:
        """The line in which this offset stands, counted from 1."""
        return 1 + self._breaks.before(offset)


class _Unescaped:
    """Those parts of another text that hold escapes, with one level of them decoded, and a gap after each."""

    def __init__(self, around: "_Text | _Unescaped", parts: Sequence[tuple[int, int]]) -> None:
        joined = b"".join(around.content[start:end] + _GAP for start, end in parts)
        self.content: bytes = unescaped(joined)
        self._around = around
        self._starts = [start for start, _ in parts]
        self._gaps = _Count(self.content, _GAP)

    def line(self, offset: int) -> int:
        """The line of the outermost text in which that stands which was decoded to what is at this offset."""
        begin = self.content.rfind(_GAP, 0, offset) + 1
        start = self._starts[self._gaps.before(offset)]
        return self._around.line(start) + self.content.count(b"\n", begin, offset)


def _unescaped_parts(text: _Text | _Unescaped, escapes: re.Pattern[bytes], margin: int) -> Iterator[_Unescaped]:
    """The surroundings of all escapes, `margin` bytes on either side, joined to texts that are not too small."""
    parts: list[tuple[int, int]] = []
    size = 0
    for start, end in _surroundings(text.content, escapes, margin):
        parts.append((start, end))
        size += end - start
        if size > _PIECE:
            yield _Unescaped(text, parts)
            parts, size = [], 0
    if parts:
        yield _Unescaped(text, parts)


def _surroundings(content: bytes, escapes: re.Pattern[bytes], margin: int) -> Iterator[tuple[int, int]]:
    end = 0
    while (start := content.find(b"\\", end)) >= 0:
        earliest = max(start - margin, 0)
        found = escapes.match(content, start)
        end = found.end() if found else start + 1  # it always matches
        yield max(content.rfind(_GAP, earliest, start) + 1, earliest), end


class _Count:
    """Counts a byte up to an offset; cheap where offsets come in about their order."""

    def __init__(self, content: bytes, byte: bytes) -> None:
        self._content = content
        self._byte = byte
        self._offset = 0
        self._count = 0

    def before(self, offset: int) -> int:
        """How many there are before this offset."""
        if offset < self._offset:
            self._count -= self._content.count(self._byte, offset, self._offset)
        else:
            self._count += self._content.count(self._byte, self._offset, offset)
        self._offset = offset
        return self._count


def _is_whole(content: bytes, start: int, end: int) -> bool:
    """Whether what stands there is bounded on both sides. Every text has at least one byte before and after it."""
    before, after = content[start - 1], content[end]
    return (before in _BOUNDS if before < 128 else _character_before(content, start).isspace()) and (
        after in _BOUNDS if after < 128 else _character_at(content, end).isspace()
    )


def _character_before(content: bytes, offset: int) -> str:
    return content[max(offset - _ONE_CHARACTER, 0) : offset].decode("utf-8", "replace")[-1:]


def _character_at(content: bytes, offset: int) -> str:
    return content[offset : offset + _ONE_CHARACTER].decode("utf-8", "replace")[:1]
