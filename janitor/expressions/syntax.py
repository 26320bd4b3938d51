"""Rewrites a regular expression of `re` for matchers that can be bounded, so that they find what `re` finds.

Python's own parser is private, so the syntax is parsed here. Only what `re` has compiled is read, and what one
character of the expression stands for is asked of `re`: neither its classes nor its letters of other cases are those of
others.
"""

import re
from dataclasses import dataclass, field, replace

from janitor.expressions.characters import characters, for_re2, for_regex
from janitor.expressions.pieces import BEGINNING, Piece, joined, prefix_of

_FLAGS = {"a": re.ASCII, "i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": re.UNICODE}
_BLANKS = " \t\n\r\v\f"
_GLOBAL_FLAGS = re.compile(r"\(\?([aimsux]+)\)")
_GROUP_FLAGS = re.compile(r"\?([aimsux]*)(?:-([imsx]+))?:")
_GROUP_NAME = re.compile(r"\?P<(\w+)>")
_REFERENCE = re.compile(r"\?P=(\w+)\)")
_CONDITION = re.compile(r"\?\((\w+)\)")
_AROUND = re.compile(r"\?(?:<?[=!]|>)")
_SET = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL)
_NUMBER = re.compile(r"\\([1-9][0-9]?)")
_OCTAL = re.compile(r"\\(?:0[0-7]{0,2}|[0-3][0-7]{2})")
_CHARACTER = re.compile(r"\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|.)", re.DOTALL)
_COUNT = re.compile(r"\{(?=[0-9,])([0-9]*)(?:(,)([0-9]*))?\}")
_COUNTS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_MATCHES_NO_TEXT = "(?!\\A\\Z)" if re.search(r"\B", "") is None else ""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """An expression for the package regex, and for RE2 where it is certain to agree with `re`.

    `captures`: RE2 agrees about what groups hold, too. `prefix`: what all that it matches begins with. `ascii_only`:
    what is found in other texts is not certain.
    """

    regex: str
    re2: str | None
    captures: bool
    prefix: str
    ascii_only: bool


def rewritten(expression: str) -> Rewritten:
    """The expression, which `re` has compiled, for other matchers."""
    return _Reader(expression).read()


@dataclass(slots=True)
class _Reader:
    """Reads an expression from its beginning to its end."""

    text: str
    at: int = 0
    flags: int = 0
    depth: int = 0
    groups: int = 0
    names: dict[str, int] = field(default_factory=dict)
    captures: bool = True
    ascii_only: bool = False

    def read(self) -> Rewritten:
        self._skip()
        while given := _GLOBAL_FLAGS.match(self.text, self.at):
            self.at = given.end()
            self.flags |= _flags(given[1])
            self._skip()
        branches = self._branches()
        whole = joined(branches)
        prefix = prefix_of(branches[0]) if len(branches) == 1 else ""
        return Rewritten(whole.regex, whole.re2, self.captures, prefix, self.ascii_only)

    def _next(self, text: str) -> bool:
        """Whether this comes next; if so, it is consumed."""
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def _take(self, shape: re.Pattern[str]) -> re.Match[str] | None:
        """What comes next, if it has this form; it is consumed."""
        found = shape.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def _skip(self) -> None:
        """Skip comments and, where they mean nothing, blanks."""
        while self.at < len(self.text):
            if self._next("(?#"):
                self.at = self.text.index(")", self.at) + 1
            elif self.flags & re.VERBOSE and self.text[self.at] in _BLANKS:
                self.at += 1
            elif self.flags & re.VERBOSE and self._next("#"):
                self.at = self.text.find("\n", self.at) + 1 or len(self.text)
            else:
                return

    def _branches(self) -> list[list[Piece]]:
        branches = [self._sequence()]
        while self._next("|"):
            branches.append(self._sequence())
        return branches

    def _sequence(self) -> list[Piece]:
        pieces: list[Piece] = []
        self._skip()
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            if pieces and (counts := self._counts()):
                pieces[-1] = self._repeated(pieces[-1], *counts)
            else:
                pieces.append(self._item())
            self._skip()
        return pieces

    def _counts(self) -> tuple[int, int | None] | None:
        """How often the last piece may come, if that is what comes next."""
        if self.text[self.at] in _COUNTS:
            self.at += 1
            return _COUNTS[self.text[self.at - 1]]
        count = self._take(_COUNT)
        if count is None:
            return None
        least = int(count[1] or 0)
        if not count[2]:
            return least, least
        return least, int(count[3]) if count[3] else None

    def _repeated(self, piece: Piece, least: int, most: int | None) -> Piece:
        greed = "?" if self._next("?") else "+" if self._next("+") else ""
        counts = f"{{{least},{'' if most is None else most}}}{greed}"
        if piece.groups:
            self.captures = False
        # Matchers differ in when they end a repetition of nothing.
        certain = piece.re2 is not None and greed != "+" and not (piece.empty and most != 1)
        re2 = f"(?:{piece.re2}){counts}" if certain else None
        return Piece(f"(?:{piece.regex}){counts}", re2, piece.empty or least == 0, groups=piece.groups)

    def _item(self) -> Piece:
        character = self.text[self.at]
        match character:
            case "(":
                self.at += 1
                return self._group()
            case "\\":
                return self._escape()
            case "[":
                return self._characters(self._read(_SET))
            case ".":
                self.at += 1
                return self._characters(".")
            case "^":
                self.at += 1
                multiline = self.flags & re.MULTILINE
                return Piece("(?:\\A|(?<=\n))", "(?m:^)", empty=True) if multiline else BEGINNING
            case "$":
                self.at += 1
                return self._end()
        self.at += 1
        return self._characters(re.escape(character), character)

    def _read(self, shape: re.Pattern[str]) -> str:
        found = self._take(shape)
        if found is None:
            raise ValueError(f"cannot be read from character {self.at + 1}")
        return found[0]

    def _end(self) -> Piece:
        if self.flags & re.MULTILINE:
            return Piece("(?=\n|\\Z)", "(?m:$)", empty=True)
        self._skip()
        # RE2 has no such end: only the end of the whole expression may match the line break that it allows.
        last = self.depth == 0 and (self.at == len(self.text) or self.text[self.at] == "|")
        return Piece("(?=\n?\\Z)", "\n?\\z" if last else None, empty=True)

    def _characters(self, atom: str, literal: str | None = None) -> Piece:
        if literal is not None and not self.flags & re.IGNORECASE:
            ranges: tuple[tuple[int, int], ...] = ((ord(literal), ord(literal)),)
        else:
            literal = None
            ranges = characters(atom, self.flags & (re.ASCII | re.IGNORECASE | (re.DOTALL if atom == "." else 0)))
        return Piece(for_regex(ranges), for_re2(ranges), literal=literal)

    def _escape(self) -> Piece:
        if self._next("\\A"):
            return BEGINNING
        if self._next("\\Z") or self._next("\\z"):
            return Piece("\\Z", "\\z", empty=True)
        if self._next("\\b"):
            word = for_regex(characters(r"\w", self.flags & re.ASCII))
            bounds = f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
            return Piece(bounds, "\\b" if self.flags & re.ASCII else None, empty=True)
        if self._next("\\B"):
            word = for_regex(characters(r"\w", self.flags & re.ASCII))
            inside = f"(?:{_MATCHES_NO_TEXT}(?:(?<={word})(?={word})|(?<!{word})(?!{word})))"
            return Piece(inside, None, empty=True)
        if octal := self._take(_OCTAL):
            return self._characters(octal[0])
        if number := self._take(_NUMBER):
            return self._same_as(int(number[1]))
        return self._characters(self._read(_CHARACTER))

    def _same_as(self, group: int) -> Piece:
        if self.flags & re.IGNORECASE:
            self.ascii_only = True  # which letters of two cases are the same differs between matchers
            return Piece(f"(?i:\\{group})", None, empty=True)
        return Piece(f"(?:\\{group})", None, empty=True)

    def _group(self) -> Piece:
        if reference := self._take(_REFERENCE):
            return self._same_as(self.names[reference[1]])
        if around := self._take(_AROUND):
            inner = self._inner(self.flags)
            return Piece(f"({around[0]}{inner.regex})", None, around[0] != "?>" or inner.empty, groups=inner.groups)
        if condition := self._take(_CONDITION):
            group = self.names.get(condition[1]) or int(condition[1])
            inner = self._inner(self.flags)
            return Piece(f"(?({group}){inner.regex})", None, empty=True, groups=inner.groups)
        if given := self._take(_GROUP_FLAGS):
            inner = self._inner(_changed(self.flags, given[1], given[2] or ""))
            around_it = None if inner.re2 is None else f"(?:{inner.re2})"
            return replace(inner, regex=f"(?:{inner.regex})", re2=around_it, literal=None)
        self.groups += 1
        if name := self._take(_GROUP_NAME):
            self.names[name[1]] = self.groups
        inner = self._inner(self.flags)
        return Piece(f"({inner.regex})", None if inner.re2 is None else f"({inner.re2})", inner.empty, groups=True)

    def _inner(self, flags: int) -> Piece:
        """The content of a group, up to its end."""
        around, self.flags = self.flags, flags
        self.depth += 1
        branches = self._branches()
        self.depth -= 1
        self.flags = around
        if not self._next(")"):
            raise ValueError(f"cannot be read from character {self.at + 1}")
        return joined(branches)


def _flags(letters: str) -> int:
    flags = 0
    for letter in letters:
        flags |= _FLAGS[letter]
    return flags & ~re.UNICODE  # which is what a text has, unless it is ASCII


def _changed(flags: int, on: str, off: str) -> int:
    if "u" in on:
        flags &= ~re.ASCII
    return (flags | _flags(on)) & ~_flags(off)
