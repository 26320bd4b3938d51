"""Patterns: a glob or a regular expression of people, and whether a text of the cloud matches it."""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from janitor.expressions import Budget, Expression, Untold

Truth = bool | None
"""True, False, or None: cannot be told."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A glob of the whole text, or a regular expression between slashes (searched); both tell upper from lower case."""

    text: str
    expression: Expression | None = field(init=False, repr=False, compare=False)
    _match: Callable[[str], object] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError, with a message fit for people, for a regular expression that does not compile."""
        if not self.text:
            raise ValueError("a pattern must not be empty")
        expression = expression_between_slashes(self.text)
        object.__setattr__(self, "expression", expression)
        # A glob takes no time to speak of: what fnmatch makes of it never goes back behind a `*`. It is anchored at
        # its end only: searched for, ci-* would find my-ci-1.
        object.__setattr__(self, "_match", re.compile(fnmatch.translate("" if expression else self.text)).fullmatch)

    def matches(self, text: str | None, budget: Budget | None = None) -> Truth:
        """Whether the text matches; only `*` is sure to match an unknown one. Raises what the budget's `heed` does."""
        if text is None:
            return True if set(self.text) == {"*"} else None
        if self.expression is None:
            return self._match(text) is not None
        try:
            return self.expression.found_in(text, budget)
        except Untold:
            return None


def expression_between_slashes(text: str) -> Expression | None:
    """The regular expression of `/…/`, or None for text of another form. Raises ValueError for what is none."""
    if len(text) > 2 and text[0] == text[-1] == "/":
        return Expression(text[1:-1])
    return None
