"""Patterns: a glob or a regular expression that a person wrote, and whether a text of the cloud matches it."""

import fnmatch
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from janitor.core.names.spelling import composed, normal
from janitor.expressions import Budget, Expression, Undecided

Truth = bool | None
"""True, False, or None for unknown."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A glob of the whole text, or a regular expression between slashes (searched); both are case-sensitive."""

    text: str
    expression: Expression | None = field(init=False, repr=False, compare=False)
    _match: Callable[[str], object] = field(init=False, repr=False, compare=False)
    _normal: "Pattern | None" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError, with a message fit for people, for a regular expression that does not compile."""
        if not self.text:
            raise ValueError("a pattern must not be empty")
        expression = expression_between_slashes(self.text)
        object.__setattr__(self, "expression", expression)
        # A glob takes hardly any time: the expression that fnmatch makes of it never backtracks past a `*`. It is
        # anchored at its end only: searched for, ci-* would find my-ci-1.
        object.__setattr__(self, "_match", re.compile(fnmatch.translate("" if expression else self.text)).fullmatch)
        object.__setattr__(self, "_normal", _normal(self.text, is_glob=expression is None))

    @property
    def is_plain_glob(self) -> bool:
        """Whether it is a glob that people see as it is written."""
        return self.expression is None and self._normal is None

    def matches(self, text: str | None, budget: Budget | None = None) -> Truth:
        """Whether the text matches; only `*` certainly matches an unknown one.

        Raises what the budget's `check_stop` does.

        It is unknown where the text as written and as people see it (see `normal`) give different answers, or the
        pattern as written and as seen.
        """
        if text is None:
            return True if set(self.text) == {"*"} else None
        written, seen = self._finds(text, budget), normal(text)
        if seen == text and self._normal is None:
            return written
        told = (self._normal or self)._finds(seen, budget)
        if self._normal and not self.expression and self._normal.text == unicodedata.normalize("NFC", self.text):
            written = written or self._normal._finds(text, budget)  # the same glob, composed
        return written if written is told else None

    def doubt(self, text: str, budget: Budget) -> str | None:
        """Why it is unknown whether this text matches, in words that what the text is completes; None if known."""
        if self.matches(text, budget) is not None:
            return None
        for pattern in (self, self._normal or self):
            for spelled in (text, normal(text)):
                if pattern.expression and (why := budget.undecided(pattern.expression.text, spelled)):
                    return why
        return f'"{self.text}" matches either as written or without surrounding blanks and invisible characters, its'

    def _finds(self, text: str, budget: Budget | None) -> Truth:
        if self.expression is None:
            return self._match(text) is not None
        try:
            return self.expression.found_in(text, budget)
        except Undecided:
            return None


def _normal(text: str, *, is_glob: bool) -> Pattern | None:
    """The pattern as people see it, if that differs from how it is written and is a pattern."""
    seen = normal(text) if is_glob else composed(text)
    try:
        return None if seen == text else Pattern(seen)
    except ValueError:
        return None


def flaw_of_glob(glob: str, *, of_paths: bool = False) -> str | None:
    """What in a glob means nothing, or something else than in a shell, and what to write instead; None if all is well.

    A `[` without its `]` would stand for itself; a `]` that comes first in a set is in it. In a glob of paths, a set
    ends before the next slash.
    """
    outside, place = "", 0
    while place < len(glob):
        if glob[place] != "[":
            outside += glob[place]
            place += 1
            continue
        slash = glob.find("/", place) if of_paths else -1
        end = glob.find("]", place + (3 if glob.startswith("!", place + 1) else 2), slash if slash >= 0 else len(glob))
        if end < 0:
            return "has a [ without its ]: write [[] for the character itself"
        if flaw := _flaw_of_set(glob[place + 1 : end], glob[end + 1 : end + 2]):
            return flaw
        outside += _SET
        place = end + 1
    flagged = None if of_paths else _FLAGGED.fullmatch(glob)
    if flagged:
        return f"is not a /regular expression/, as something follows its second slash: write {_with_flags(flagged)}"
    return next((flaw for found, flaw in _NOT_IN_GLOBS if found.search(outside)), None)


_SET = "\0"
_FLAGGED = re.compile(r"/(.+)/([gimsuvxy]{1,8})", re.DOTALL)
_NOT_IN_GLOBS = [
    (
        re.compile(r"\\"),
        "has a backslash, which is a character like others: write [*] for a *, and [\\\\] for a backslash",
    ),
    (
        re.compile(r"\{.*,.*\}|\{[^{},/]*\.\.[^{},/]*\}", re.DOTALL),
        "has {…}, which is not known here: write one glob for each, or [{] for the character itself",
    ),
    (
        re.compile(r"!\(.*\)|[?*+@]\(.*\|.*\)", re.DOTALL),
        "has (…) of an extended glob, which is not known here: write one glob for each, or `not`, "
        "or [(] for the character itself",
    ),
]


def _flaw_of_set(inside: str, behind: str) -> str | None:
    """The same for the text between `[` and `]`, and the character after them."""
    if inside.startswith("^"):
        return "has [^…], where ^ is a character like others: write [!…] for all but these, or the ^ not first"
    if named := re.search(r"\[([:.=]).*\1\Z", inside):
        return f"has {named[0]}], which is not known here: write the characters, like [a-z] or [0-9]"
    members = inside.removeprefix("!")
    if "\\" in members.replace("\\\\", "") and (members != "\\" or behind == "]"):
        return "has a backslash in […], where it is a character like others: write it twice, or []] for a ]"
    for first, last in re.findall(r"(.)(?:-(.))?", members, re.DOTALL):
        if last and first > last:
            return f"has the empty range {first}-{last}: write {last}-{first}, or the - as the last in its […]"
    return None


def _with_flags(flagged: re.Match[str]) -> str:
    flags = "".join(flag for flag in "ims" if flag in flagged[2])
    return f"/{f'(?{flags})' if flags else ''}{flagged[1]}/"


def expression_between_slashes(text: str) -> Expression | None:
    """The regular expression in `/…/`, or None for text of another form. Raises ValueError for an invalid one."""
    if len(text) > 2 and text[0] == text[-1] == "/":
        return Expression(text[1:-1])
    return None
