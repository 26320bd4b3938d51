"""Policies as values: which images a policy matches, when they expire, which it keeps.

Matching has three answers. An unreadable value (an unknown size, say) makes a condition on it neither true nor false,
and `decide` then keeps the image: an unreadable value never counts towards deletion.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from janitor.core.image import Image, Status, Visibility
from janitor.core.names.owners import OwnerRule
from janitor.core.names.pattern import Pattern as Pattern
from janitor.core.names.pattern import Truth
from janitor.core.names.patterns import any_matches, any_of
from janitor.core.retention import Keep
from janitor.expressions import Budget, Expression

Names = str | Sequence[str | None]
"""The name of a target, or all its names; None is one that is not known."""


@dataclass(frozen=True, slots=True)
class Check:
    """One key of `match`, with the value that it wants and the one that was found; unknown values are None.

    `truth`: whether it holds. A target is found under all its names. What `not` finds is not told here: see the checks
    of `exclude`.
    """

    key: str
    truth: Truth
    wanted: object
    found: object


class Clock(StrEnum):
    """What an image's age is counted from."""

    CREATED = "created"
    UPDATED = "updated"
    STATUS = "status"
    LAST_USED = "last_used"


@dataclass(frozen=True, slots=True)
class Match:
    """Conditions on an image, all of which must hold; without conditions, it always holds. `exclude` is `not` in YAML.

    Wide because each condition is a key of `match` in a policy file.
    """

    name: tuple[Pattern, ...] = ()
    status: frozenset[Status] = frozenset()
    disk_format: frozenset[str] = frozenset()
    properties: tuple[tuple[str, tuple[Pattern, ...]], ...] = ()
    larger_than: int | None = None
    smaller_than: int | None = None
    targets: tuple[Pattern, ...] = ()
    tags: tuple[Pattern, ...] = ()
    visibility: frozenset[Visibility] = frozenset()
    owner: tuple[Pattern, ...] = ()
    os_hidden: bool | None = None
    exclude: "Match | None" = None

    def holds(self, image: Image, target: Names, budget: Budget | None = None) -> Truth:
        """Whether every condition holds for an image of that target, which may have several names."""
        return _all_of(check.truth for check in self.checks(image, target, budget))

    def failing(self, image: Image, target: Names, budget: Budget | None = None) -> Check | None:
        """The first key that does not hold, or else the first for which that is unknown; None where all hold."""
        doubtful = None
        for check in self.checks(image, target, budget):
            if check.truth is False:
                return check
            doubtful = doubtful or (check if check.truth is None else None)
        return doubtful

    def asks_for(self) -> frozenset[str]:
        """The facts of an image that the conditions check, by the names of its fields."""
        asked = {
            "name": self.name,
            "disk_format": self.disk_format,
            "properties": self.properties,
            "size": self.larger_than is not None or self.smaller_than is not None,
            "tags": self.tags,
            "visibility": self.visibility,
            "owner": self.owner,
            "os_hidden": self.os_hidden is not None,
        }
        of_excluded = self.exclude.asks_for() if self.exclude is not None else frozenset()
        return frozenset(fact for fact, wanted in asked.items() if wanted) | of_excluded

    def expressions(self, key: str) -> Iterator[tuple[str, Expression]]:
        """The regular expressions, each with its key below this one."""
        lists = {"name": self.name, "owner": self.owner, "tags": self.tags, "targets": self.targets}
        lists |= {f"properties.{each}": patterns for each, patterns in self.properties}
        for below, patterns in lists.items():
            yield from ((f"{key}.{below}", pattern.expression) for pattern in patterns if pattern.expression)
        if self.exclude is not None:
            yield from self.exclude.expressions(f"{key}.not")

    def doubts(self, image: Image, budget: Budget) -> Iterator[str]:
        """Why it is unknown whether known texts of this image match, in words."""
        properties = image.properties or {}
        texts: list[tuple[str, Sequence[Pattern], Sequence[str | None]]]
        texts = [("name", self.name, (image.name,)), ("owner", self.owner, (image.owner,))]
        texts += [("tags", self.tags, image.tags or ())]
        texts += [(f"property {key}", patterns, (properties.get(key),)) for key, patterns in self.properties]
        for what, patterns, found in texts:
            doubts = (pattern.doubt(text, budget) for pattern in patterns for text in found if text is not None)
            yield from (f"{doubt} {what}" for doubt in dict.fromkeys(doubts) if doubt)
        if self.exclude is not None:
            yield from self.exclude.doubts(image, budget)

    def checks(self, image: Image, target: Names, budget: Budget | None = None) -> Iterator[Check]:
        """Each key of the match, as it holds for an image of that target; each is checked when it is asked for."""
        names = (target,) if isinstance(target, str) else tuple(target)
        if self.status:
            yield Check("status", image.status in self.status, self.status, image.status)
        yield from self._checks_of_texts(image, names, budget)
        if self.larger_than is not None:
            yield Check("larger_than", self._fits(image, above=True), self.larger_than, image.size)
        if self.smaller_than is not None:
            yield Check("smaller_than", self._fits(image, above=False), self.smaller_than, image.size)
        if self.tags:
            yield Check("tags", _any_tag_matches(self.tags, image.tags, budget), self.tags, image.tags)
        if self.os_hidden is not None:
            hidden = image.os_hidden
            yield Check("os_hidden", None if hidden is None else hidden is self.os_hidden, self.os_hidden, hidden)
        if self.exclude is not None:
            excluded = self.exclude.holds(image, names, budget)
            yield Check("not", None if excluded is None else not excluded, self.exclude, None)

    def _checks_of_texts(self, image: Image, target: Sequence[str | None], budget: Budget | None) -> Iterator[Check]:
        if self.targets:
            found = any_of(any_matches(self.targets, name, budget) for name in target)
            yield Check("targets", found, self.targets, target)
        for key, patterns, text in (("name", self.name, image.name), ("owner", self.owner, image.owner)):
            if patterns:
                yield Check(key, any_matches(patterns, text, budget), patterns, text)
        words = (
            ("disk_format", self.disk_format, image.disk_format),
            ("visibility", self.visibility, image.visibility),
        )
        for key, wanted, word in words:
            if wanted:
                yield Check(key, None if word is None else word in wanted, wanted, word)
        for key, patterns in self.properties:
            truth = _property_matches(image, key, patterns, budget)
            yield Check(f"properties.{key}", truth, patterns, (image.properties or {}).get(key))

    def _fits(self, image: Image, *, above: bool) -> Truth:
        """Whether the size of an image is within one of the bounds."""
        bound = Match(larger_than=self.larger_than) if above else Match(smaller_than=self.smaller_than)
        return None if image.size is None else bound.fits(image.size)

    def fits(self, size: int) -> bool:
        """Whether a size is within both bounds."""
        too_small = self.larger_than is not None and size <= self.larger_than
        too_large = self.smaller_than is not None and size >= self.smaller_than
        return not too_small and not too_large


def _property_matches(image: Image, key: str, patterns: tuple[Pattern, ...], budget: Budget | None) -> Truth:
    if image.properties is None or f"properties.{key}" in image.unreadable:
        return None
    value = image.properties.get(key)
    return False if value is None else any_matches(patterns, value, budget)


def _any_tag_matches(patterns: tuple[Pattern, ...], tags: tuple[str, ...] | None, budget: Budget | None) -> Truth:
    return None if tags is None else any_of(any_matches(patterns, tag, budget) for tag in tags)


def _all_of(truths: Iterable[Truth]) -> Truth:
    answer: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            answer = None
    return answer


@dataclass(frozen=True, slots=True)
class Expire:
    """Expired means strictly older than `after`, counted from the clock `since`."""

    after: timedelta
    since: Clock = Clock.CREATED


@dataclass(frozen=True, slots=True)
class Policy:
    """A named rule. Without `expire` it keeps all it matches, forever.

    `notice` is how long an expired image is announced before it may be deleted; `channel` is where its images are
    reported, if not in the main channel. `contact` is whom to ask about it, and `owner` how to find the owner of an
    image: neither changes what is deleted, so that a plan reviewed before stays valid.
    """

    name: str
    match: Match
    expire: Expire | None = None
    keep: Keep | None = None
    notice: timedelta = timedelta()
    channel: str | None = None
    description: str | None = None
    contact: str | None = field(default=None, repr=False)
    owner: OwnerRule | None = field(default=None, repr=False)

    def slow_expressions(self) -> Iterator[tuple[str, Expression]]:
        """The expressions, each with its key, whose time may grow faster than linearly with the text."""
        yield from ((key, each) for key, each in self.match.expressions("match") if not each.linear)
        family = None if self.keep is None else self.keep.per.expression
        if family is not None and not family.linear_groups:
            yield "keep.per", family
        owner = None if self.owner is None else self.owner.expression
        if owner is not None and not owner.linear_groups:
            yield "owner", owner
