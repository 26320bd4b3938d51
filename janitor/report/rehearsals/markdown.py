"""Markdown as GitHub and GitLab read it in comments, of foreign text that must be no markup and address nobody."""

import re
from collections.abc import Sequence
from itertools import groupby

from janitor.report.wording import shortened

MOST_CHARACTERS = 65_000
"""How long a comment may be, with a little room below the limit of 65,536 characters."""
_LONGEST_NAME = 100
_LONGEST_SENTENCE = 400

_HARMLESS = re.compile(r"[A-Za-z0-9 ,.;:()'+=–-]*")
# A link, a reference to an issue, an emoji, a commit.
_MEANS_MORE = re.compile(r"www\.|gh-\d|:[a-z0-9+_-]+:|[0-9a-f]{7,}", re.IGNORECASE)
_BEGINS_MORE = re.compile(r"[-+=]|\d+[.)]")
_LETTER = re.compile(r"[A-Za-z0-9 ,-]|[^\x00-\x7f]")


def code(text: str, limit: int = _LONGEST_NAME) -> str:
    """Foreign text as code, in which nothing is markup, a mention or a link; cut if it is longer than `limit`."""
    shown = shortened(text, limit)
    return f"<code>{''.join(mark if _LETTER.fullmatch(mark) else f'&#{ord(mark)};' for mark in shown)}</code>"


def prose(text: str, limit: int = _LONGEST_SENTENCE) -> str:
    """A sentence of ours: those of its words as code, as foreign ones, which could mean more than themselves."""
    words = shortened(text, limit).split(" ")
    plain = [_is_plain(word) and not (place == 0 and _BEGINS_MORE.match(word)) for place, word in enumerate(words)]
    runs = groupby(zip(plain, words, strict=True), key=lambda one: one[0])
    parts = ((is_plain, " ".join(word for _, word in some)) for is_plain, some in runs)
    return " ".join(part if is_plain else code(part, limit) for is_plain, part in parts)


def _is_plain(word: str) -> bool:
    return bool(_HARMLESS.fullmatch(word)) and not _MEANS_MORE.search(word)


def row(*cells: str) -> str:
    """A row of a table; the cells have no line breaks and no bars of their own."""
    return f"| {' | '.join(cells)} |"


def head(*titles: str) -> list[str]:
    """The first rows of a table."""
    return [row(*titles), row(*("---" for _ in titles))]


class Sheet:
    """Lines of a comment that never becomes longer than it may."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._lines: list[str] = []
        self._room = most

    def add(self, *lines: str, spare: int = 0) -> bool:
        """Add lines, all or none: only if as much room as `spare` remains. Whether they were added."""
        length = sum(len(line) + 1 for line in lines)
        if length > self._room - spare:
            return False
        self._room -= length
        self._lines += lines
        return True

    def add_table(self, titles: Sequence[str], rows: Sequence[str], what: str, spare: int) -> None:
        """Add a table with as many of these rows as have room, and say how many of what have none."""
        if not rows or not self.add("", *head(*titles), spare=spare):
            return
        if left_out := sum(not self.add(one, spare=spare) for one in rows):
            self.add("", f"{left_out:,} more {what} have no room here.")

    def __str__(self) -> str:
        return "\n".join(self._lines)
