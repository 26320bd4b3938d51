"""Which policy owns each of the many images of a target: the conditions of its policies, compiled once.

What a condition means is said by `Match.holds`. Whatever is compiled here has its answers, in a fraction of its time.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache
from operator import attrgetter

from janitor.core.image import Image
from janitor.core.names.pattern import Truth
from janitor.core.names.patterns import Patterns, any_of
from janitor.core.policy import Match, Names, Policy
from janitor.core.value import Value
from janitor.expressions import Budget

_Condition = Callable[[Image], Truth]
_Fact = Callable[[Image], str | None]
_NAME: _Fact = attrgetter("name")
_OWNER: _Fact = attrgetter("owner")
_DISK_FORMAT: _Fact = attrgetter("disk_format")
_VISIBILITY: _Fact = attrgetter("visibility")


class Owner(Value, frozen=True):
    """The first policy that matches an image, and the first before it for which that is unknown."""

    policy: Policy | None
    doubtful: Policy | None


class Owners:
    """Finds the policy that owns an image of a target, which may have several names; none where that is in doubt.

    The order of `policies` counts. `budget` is the time left for their expressions.
    """

    def __init__(self, policies: Iterable[Policy], target: Names, budget: Budget | None = None) -> None:
        names = (target,) if isinstance(target, str) else tuple(target)
        self._policies = [(policy, _compiled(policy.match, names, budget)) for policy in policies]
        self._by_status: dict[str, list[tuple[Policy, _Condition]]] = {}

    def of(self, image: Image) -> Owner:
        """The owner of one image. Raises what the budget's `check_stop` does."""
        doubtful = None
        for policy, holds in self._by_status.get(image.status) or self._of_status(image.status):
            truth = holds(image)
            if truth:
                return Owner(policy, doubtful)
            if truth is None:
                doubtful = doubtful or policy
        return Owner(None, doubtful)

    def _of_status(self, status: str) -> list[tuple[Policy, _Condition]]:
        """The policies that may match an image with this status, which is never in doubt."""
        found = [(policy, holds) for policy, holds in self._policies if _takes(policy.match, status)]
        self._by_status[status] = found
        return found


def _takes(match: Match, status: str) -> bool:
    return not match.status or status in match.status


def _compiled(match: Match, target: Sequence[str], budget: Budget | None) -> _Condition:
    """Whether all conditions hold, but for the one on the status."""
    conditions = tuple(_conditions(match, target, budget))
    if len(conditions) == 1:
        return conditions[0]

    def all_hold(image: Image) -> Truth:
        answer: Truth = True
        for condition in conditions:
            truth = condition(image)
            if truth is False:
                return False
            if truth is None:
                answer = None
        return answer

    return all_hold


def _conditions(match: Match, target: Sequence[str], budget: Budget | None) -> Iterator[_Condition]:
    """Each condition of a match, but for the one on the status."""
    if match.targets:
        yield _on_target(Patterns(match.targets, budget), target)
    for some, text in ((match.name, _NAME), (match.owner, _OWNER)):
        if some and not (one := Patterns(some, budget)).always:
            yield _on_text(one, text)
    for words, word in ((match.disk_format, _DISK_FORMAT), (match.visibility, _VISIBILITY)):
        if words:
            yield _on_word(words, word)
    for key, values in match.properties:
        yield _on_property(key, Patterns(values, budget))
    yield from _on_values(match)
    if match.tags:
        yield _on_tags(Patterns(match.tags, budget))
    if match.exclude is not None:
        yield _none_of(match.exclude, target, budget)


def _on_values(match: Match) -> Iterator[_Condition]:
    if match.larger_than is not None or match.smaller_than is not None:
        yield lambda image: None if image.size is None else match.fits(image.size)
    if match.os_hidden is not None:
        yield lambda image: None if image.os_hidden is None else image.os_hidden is match.os_hidden


def _on_target(patterns: Patterns, target: Sequence[str]) -> _Condition:
    @cache
    def holds() -> Truth:
        return any_of(map(patterns.match, target))

    return lambda _image: holds()


def _on_text(patterns: Patterns, fact: _Fact) -> _Condition:
    return lambda image: patterns.match(fact(image))


def _on_word(words: Collection[str], fact: _Fact) -> _Condition:
    def holds(image: Image) -> Truth:
        word = fact(image)
        return None if word is None else word in words

    return holds


def _on_property(key: str, patterns: Patterns) -> _Condition:
    wire_key = f"properties.{key}"

    def holds(image: Image) -> Truth:
        if image.properties is None or wire_key in image.unreadable:
            return None
        value = image.properties.get(key)
        return False if value is None else patterns.match(value)

    return holds


def _on_tags(patterns: Patterns) -> _Condition:
    return lambda image: None if image.tags is None else any_of(map(patterns.match, image.tags))


def _none_of(excluded: Match, target: Sequence[str], budget: Budget | None) -> _Condition:
    rest = _compiled(excluded, target, budget)

    def holds(image: Image) -> Truth:
        truth = rest(image) if _takes(excluded, image.status) else False
        return None if truth is None else not truth

    return holds
