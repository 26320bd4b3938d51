"""Finds ids and names of images in a text, all of them in one pass of one automaton."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from ahocorasick_rs import BytesAhoCorasick

from janitor.references.spelling import LONGEST_ESCAPE, composed_utf8, unescaped

_LEVELS = 3  # JSON within JSON within JSON
_PIECE, _SMALLEST_PIECE = 2**16, 2**13
_JOINED = 2**20
_ONE_CHARACTER = 4
_GAP = b"\0"  # separates parts of a text that were joined: no text contains it, and it does not bound a token
_END = b"\r"  # stands for an end of the text there, which does bound a token
_BOUNDS = frozenset(b"\"'`=:,()[]{}<>") | {code for code in range(128) if chr(code).isspace()}
_MAY_FOLLOW = _BOUNDS | set(range(128, 256))  # whitespace beyond ASCII may; this rules out most


_Place = tuple[int, int]
"""An offset in a text, and how many line feeds are between it and the position meant."""


@dataclass(frozen=True, slots=True)
class Found:
    """The ids and names in a text, each with the line of its first occurrence, counted from 1."""

    ids: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)


class Matcher:
    """Finds given ids and names in texts. Safe to use from several threads at once.

    An id counts wherever it occurs, regardless of the case of ASCII letters. A name counts as a whole token only:
    between quotes, whitespace, `=`, `:`, `,`, brackets and the ends of the text. Both are also found where the text is
    JSON with escapes, up to three levels deep; there, the line is that of the text. Ids and names are to be given as
    `core.spelling.composed` gives them, not empty and without whitespace at their ends.
    """

    def __init__(self, ids: Iterable[str], names: Iterable[str]) -> None:
        by_id = {image_id.encode().lower(): image_id for image_id in ids}
        by_spelling: dict[bytes, dict[bytes, str]] = {}
        for name in names:
            # A line feed in a name becomes a carriage return where escapes were decoded.
            for written in {name, name.replace("\n", "\r")} if "\n" in name else (name,):
                by_spelling.setdefault(written.encode().lower(), {})[written.encode()] = name
        words = list(by_id.keys() | by_spelling.keys())
        self._ids = [by_id.get(word) for word in words]
        self._spellings = [by_spelling.get(word) for word in words]
        self._automaton = BytesAhoCorasick(words)
        self._longest = max(map(len, words), default=0)
        self._piece = self._largest_piece(words)
        self._margin = margin = self._longest + _ONE_CHARACTER + LONGEST_ESCAPE
        # Escapes so close together that one word could contain both. Possessive, so that no backtracking positions are
        # kept.
        self._escapes = re.compile(rb"\\(?:[^\\\0]{0,%d}+\\)*+[^\\\0]{0,%d}" % (2 * margin, margin))

    def _largest_piece(self, words: Iterable[bytes]) -> int:
        """How many bytes to search at once, so that the list of matches stays small even where words nest."""
        ends = Counter([end for _, _, end in self._matches(_GAP.join(words))])
        return max(_PIECE // max(ends.values(), default=1), _SMALLEST_PIECE)

    def _matches(self, folded: bytes) -> Sequence[tuple[int, int, int]]:
        return self._automaton.find_matches_as_indexes(folded, overlapping=True)

    def scan(self, content: bytes, *, names: bool = True) -> Found:
        """What this UTF-8 text contains; without `names`, ids only.

        It may have bytes that are not UTF-8, but no NUL.
        """
        text = _Text(composed_utf8(content))
        ids: dict[str, _Place] = {}
        spelled: dict[str, _Place] = {}
        self._search(text, ids, spelled if names else None, _LEVELS)
        lines = _lines(text.content, {*ids.values(), *spelled.values()})
        return Found(
            {image_id: lines[place] for image_id, place in ids.items()},
            {name: lines[place] for name, place in spelled.items()},
        )

    def _search(
        self, text: "_Text | _Unescaped", ids: dict[str, "_Place"], names: dict[str, "_Place"] | None, levels: int
    ) -> None:
        """Add what this text contains that was not found yet, also with `levels` more levels of escapes decoded."""
        content, size = text.content, len(text.content)
        for offset in range(0, size, self._piece):
            piece = content[offset : offset + self._piece + self._longest]
            for index, start, end in self._matches(piece.lower()):
                image_id, spellings = self._ids[index], self._spellings[index]
                if image_id is not None and image_id not in ids:
                    ids[image_id] = text.place(offset + end - 1)
                if spellings and names is not None and (offset + end == size or content[offset + end] in _MAY_FOLLOW):
                    name = spellings.get(content[offset + start : offset + end])
                    if name and name not in names and _is_whole(content, offset + start, offset + end):
                        names[name] = text.place(offset + end - 1)
        if levels and b"\\" in content:
            for inner in _unescaped_parts(text, self._escapes, self._margin):
                self._search(inner, ids, names, levels - 1)


def _lines(content: bytes, places: Set[_Place]) -> dict[_Place, int]:
    """The line of each place, counted from 1."""
    lines, line, counted = {}, 1, 0
    for place in sorted(places):
        line += content.count(b"\n", counted, place[0])
        counted = place[0]
        lines[place] = line + place[1]
    return lines


class _Text:
    """A text to be searched."""

    def __init__(self, content: bytes) -> None:
        self.content: bytes = content

    def place(self, offset: int) -> _Place:
        """Where in the original text that is."""
        return offset, 0


class _Unescaped:
    """The parts of another text that contain escapes, with one level of them decoded, and gaps around each."""

    def __init__(self, around: "_Text | _Unescaped", parts: Sequence[tuple[int, int]]) -> None:
        self.content: bytes = unescaped(_GAP.join([b"", *(_part(around.content, *part) for part in parts), b""]))
        self._around = around
        self._starts = [start for start, _ in parts]
        self._at = self._gaps = self._breaks = 0

    def place(self, offset: int) -> _Place:
        """The place in the outermost text that was decoded to this offset; fast for ascending offsets."""
        if offset < self._at:
            self._at = self._gaps = self._breaks = 0
        gap = self.content.rfind(_GAP, self._at, offset)
        if gap >= 0:
            self._gaps += self.content.count(_GAP, self._at, offset)
            self._breaks = 0
        self._breaks += self.content.count(b"\n", max(gap, self._at), offset)
        self._at = offset
        outer, breaks = self._around.place(self._starts[self._gaps - 1])
        return outer, breaks + self._breaks


def _part(content: bytes, start: int, end: int) -> bytes:
    """A part of a text, bounded where the text is."""
    part = content[start:end]
    return b"%b%b%b" % (b"" if start else _END, part, b"" if end < len(content) else _END)


def _unescaped_parts(text: _Text | _Unescaped, escapes: re.Pattern[bytes], margin: int) -> Iterator[_Unescaped]:
    """The surroundings of all escapes, `margin` bytes on either side, joined into texts that are not too small."""
    parts: list[tuple[int, int]] = []
    size = 0
    for start, end in _surroundings(text.content, escapes, margin):
        parts.append((start, end))
        size += end - start
        if size > _JOINED:
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


def _is_whole(content: bytes, start: int, end: int) -> bool:
    """Whether the token there is bounded on both sides, possibly by an end of the text."""
    return (start == 0 or _is_bound_before(content, start)) and (end == len(content) or _is_bound_at(content, end))


def _is_bound_before(content: bytes, offset: int) -> bool:
    if content[offset - 1] < 128:
        return content[offset - 1] in _BOUNDS
    return content[max(offset - _ONE_CHARACTER, 0) : offset].decode("utf-8", "replace")[-1:].isspace()


def _is_bound_at(content: bytes, offset: int) -> bool:
    if content[offset] < 128:
        return content[offset] in _BOUNDS
    return content[offset : offset + _ONE_CHARACTER].decode("utf-8", "replace")[:1].isspace()
