"""PROMISE the answer of Python's `re`, within a bounded time, for expressions of people and texts of strangers.

`re` backtracks, on some expressions practically forever, and nothing can stop it. So expressions run on RE2 (package
google-re2), whose time is linear in the text, where it is certain to agree; all others on the package regex, which ends
when its time is over.
"""

import re
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import re2  # type: ignore[import-untyped]  # ships no types

from janitor.expressions.syntax import rewritten

if TYPE_CHECKING:
    import regex

EACH = 1.0
ALTOGETHER = 30.0

Found = tuple[str | None, ...] | None
"""What the groups of an expression hold, None for one that took no part; or None if it was not found."""


_TOO_LONG = "took too long"
_TWO_CASES = "ignores case for letters outside ASCII, which cannot be done in bounded time,"


class Undecided(Exception):
    """It is unknown whether the text matches: it would take too long. What the text is completes the message."""


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Budget:
    """How long expressions may take in one run: seconds for `each` text, and `altogether` for each expression.

    Safe to use from several threads. `check_stop` is called before what may take long, and raises to end it. `clock` is
    one of monotonic seconds.
    """

    each: float = EACH
    altogether: float = ALTOGETHER
    clock: Callable[[], float] = time.monotonic
    check_stop: Callable[[], None] = _nothing
    _spent: dict[str, float] = field(default_factory=dict)
    _undecided: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def undecided(self, expression: str, text: str) -> str | None:
        """That the search in this text was given up, in words that what the text is completes; None if not."""
        return self._undecided.get((expression, text))

    def give_up(self, expression: str, text: str, why: str = _TOO_LONG) -> NoReturn:
        """Raise Undecided, and remember why."""
        with self._lock:
            told = self._undecided[expression, text] = f"/{expression}/ {why} on its"
        raise Undecided(told)

    def within(self, expression: str, text: str, search: Callable[[float], Found]) -> Found:
        """What `search` finds within the seconds that it is given. Raises Undecided where time has run out."""
        self.check_stop()
        with self._lock:
            left = min(self.each, self.altogether - self._spent.get(expression, 0.0))
        if left <= 0 or self.undecided(expression, text):
            self.give_up(expression, text)
        begun = self.clock()
        try:
            return search(left)
        except TimeoutError:
            self.give_up(expression, text)
        finally:
            with self._lock:
                self._spent[expression] = self._spent.get(expression, 0.0) + self.clock() - begun


class Expression:
    """A regular expression of Python, searched for within a budget: one of its own for each text, if none is given."""

    def __init__(self, text: str) -> None:
        """Raises ValueError, with a message fit for people, for an invalid one."""
        self.text = text
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # about syntax that may change in Python
                self.groups = re.compile(text).groups
                found = rewritten(text)
        except re.error as error:
            raise ValueError(f"/{text}/ is not a regular expression: {error}") from error
        self._prefix = found.prefix
        self._ascii_only = found.ascii_only
        self._for_regex = found.regex
        self._slow: regex.Pattern[str] | None = None
        self._fast = None if found.re2 is None else _fast(found.re2)
        self._fast_groups = self._fast if found.captures else None
        if self._fast_groups is None:
            self._compile()

    @property
    def linear(self) -> bool:
        """Whether searching for it takes time linear in the length of the text."""
        return self._fast is not None

    @property
    def linear_groups(self) -> bool:
        """Whether that is also so for finding what its groups hold."""
        return self._fast_groups is not None

    def found_in(self, text: str, budget: Budget | None = None) -> bool:
        """Whether it is found somewhere in the text. Raises Undecided, and what the budget's `check_stop` does."""
        if not text.startswith(self._prefix):
            return False
        if self._fast is not None and (encoded := _encoded(text)) is not None:
            return self._fast.search(encoded) is not None
        return self._found_within(text, budget or Budget()) is not None

    def groups_in(self, text: str, budget: Budget | None = None) -> Found:
        """What its groups hold where it is found first, None where it is not found; raises as `found_in`."""
        if not text.startswith(self._prefix):
            return None
        if self._fast_groups is not None and (encoded := _encoded(text)) is not None:
            found = self._fast_groups.search(encoded)
            return found and tuple(None if group is None else group.decode() for group in found.groups())
        return self._found_within(text, budget or Budget())

    def first_group_in(self, text: str, budget: Budget | None = None) -> str | None:
        """What its first group holds where it is found first, None where it is not; raises as `found_in`."""
        if self._fast_groups is not None and self.groups and text.isascii() and text.startswith(self._prefix):
            found = self._fast_groups.search(text.encode())
            start, end = (-1, -1) if found is None else found.span(1)
            return None if start < 0 else text[start:end]
        groups = self.groups_in(text, budget)
        return groups[0] if groups else None

    def _found_within(self, text: str, budget: Budget) -> Found:
        if self._ascii_only and not text.isascii():
            budget.give_up(self.text, text, _TWO_CASES)
        return budget.within(self.text, text, lambda seconds: self._slow_found(text, seconds))

    def _slow_found(self, text: str, seconds: float) -> Found:
        found = (self._slow or self._compile()).search(text, concurrent=True, timeout=seconds)
        return None if found is None else found.groups()

    def _compile(self) -> "regex.Pattern[str]":
        import regex  # takes longer to import than most commands take, and few need it

        self._slow = slow = regex.compile(self._for_regex, regex.V0)
        return slow


def _encoded(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None  # half a surrogate pair, which RE2 cannot represent


def _fast(expression: str) -> Any:
    """The expression on RE2, or None where that would need too much memory."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression.encode(), options)
    except re2.error:
        return None
