"""Who owns an image for people: what a property, a tag or its name says, as a policy reads it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from janitor.core.image import Image
from janitor.core.names.pattern import expression_between_slashes
from janitor.core.names.spelling import normal
from janitor.expressions import Budget, Expression, Undecided

_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_FORMS = "a pattern with exactly one *, or /a regular expression/ with exactly one group, which stands for the owner"


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """Where the owner of an image is found: `property:KEY`, `tag:PATTERN` or `name:PATTERN`.

    A pattern has one part that stands for the owner: the `*` of a text, or the group of a regular expression between
    slashes.
    """

    text: str
    _expression: Expression | None = field(init=False, repr=False, compare=False)
    _budget: Budget = field(default_factory=Budget, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError, with a message fit for people, for a pattern without exactly one such part."""
        object.__setattr__(self, "_expression", None if self._kind == "property" else _expression(self._rest))

    @property
    def _kind(self) -> str:
        return self.text.partition(":")[0]

    @property
    def _rest(self) -> str:
        return self.text.partition(":")[2]

    @property
    def expression(self) -> Expression | None:
        """The regular expression, where the rule is written as one."""
        return self._expression if self._rest.startswith("/") else None

    def of(self, image: Image, budget: Budget | None = None) -> str | None:
        """The owner of an image; None where nothing names one, or it cannot be read, or two tags name different ones.

        Without a `budget`, the rule has one of its own for all images. Raises what the budget's `check_stop` does.
        """
        try:
            found = {normal(owner) for owner in self._found(image, budget or self._budget) if owner is not None}
        except Undecided:
            return None
        found.discard("")
        return found.pop() if len(found) == 1 and _UNREADABLE not in "".join(found) else None

    def _found(self, image: Image, budget: Budget) -> Iterator[str | None]:
        if self._expression is None:
            yield (image.properties or {}).get(self._rest)
            return
        for text in (image.name,) if self._kind == "name" else image.tags or ():
            yield None if text is None else self._expression.first_group_in(text, budget)


def _expression(pattern: str) -> Expression:
    expression = expression_between_slashes(pattern)
    if expression is None and pattern.count("*") == 1 and not re.search(r"[\[\]?]", pattern):
        before, _, after = map(re.escape, pattern.partition("*"))
        expression = Expression(rf"\A{before}(.+){after}\Z")
    if expression is None or expression.groups != 1:
        raise ValueError(f'"{pattern}" does not say which part is the owner: write {_FORMS}')
    return expression
