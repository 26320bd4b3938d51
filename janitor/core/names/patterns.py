"""Several patterns of which one has to match: compiled as one, as far as that certainly gives the same answers."""

import fnmatch
import re
from collections.abc import Iterable

from janitor.core.names.pattern import Pattern, Truth
from janitor.core.names.spelling import normal
from janitor.expressions import Budget

_SIMPLE = re.compile(r"(\*?)([^*?\[]+)(\*?)", re.DOTALL)
"""A glob that needs no expression: a text, with a `*` before it, after it, or both."""


def any_matches(patterns: Iterable[Pattern], text: str | None, budget: Budget | None) -> Truth:
    """Whether any of these patterns matches a text, None for an unknown one."""
    return any_of(pattern.matches(text, budget) for pattern in patterns)


def any_of(truths: Iterable[Truth]) -> Truth:
    """Whether any of these is true; unknown where none is, and one is unknown."""
    answer: Truth = False
    for truth in truths:
        if truth:
            return True
        if truth is None:
            answer = None
    return answer


class Patterns:
    """Some patterns, and a budget for their expressions. Gives the answers of `any_matches`, in less time.

    One search for all globs replaces one for each, where text and globs are written as people see them (see `normal`):
    then a pattern is nothing but its glob. Everything else is left to the patterns themselves.
    """

    def __init__(self, patterns: Iterable[Pattern], budget: Budget | None) -> None:
        self._every = tuple(patterns)
        self._budget = budget
        globs = [pattern.text for pattern in self._every if pattern.is_plain_glob]
        self._others = tuple(pattern for pattern in self._every if not pattern.is_plain_glob)
        simple = {glob: found for glob in globs if (found := _SIMPLE.fullmatch(glob)) is not None}
        stars = [(bool(found[1]), found[2], bool(found[3])) for found in simple.values()]
        self._whole = frozenset(word for before, word, after in stars if not before and not after)
        self._beginnings = tuple(word for before, word, after in stars if not before and after)
        self._ends = tuple(word for before, word, after in stars if before and not after)
        self._parts = tuple(word for before, word, after in stars if before and after)
        rest = "|".join(fnmatch.translate(glob) for glob in globs if glob not in simple)
        self._rest = re.compile(rest).fullmatch if rest else None
        self.always = any(set(pattern.text) == {"*"} for pattern in self._every)
        """Whether every text matches, an unknown one too."""

    def match(self, text: str | None) -> Truth:
        """Whether any of them matches a text, None for an unknown one. Raises what the budget's `check_stop` does."""
        if text is None or normal(text) != text:
            return any_matches(self._every, text, self._budget)
        if self._finds(text):
            return True
        return any_matches(self._others, text, self._budget) if self._others else False

    def _finds(self, text: str) -> bool:
        """Whether one of the globs matches."""
        if text in self._whole or text.startswith(self._beginnings) or text.endswith(self._ends):
            return True
        for part in self._parts:
            if part in text:
                return True
        return self._rest is not None and self._rest(text) is not None
