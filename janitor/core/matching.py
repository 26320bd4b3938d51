"""Which policy owns each of the many images of a target: the conditions of its policies, compiled once.

What a condition means is said by `Match.holds`. Whatever is compiled here has its answers, in a fraction of its time.
The owner and the family of an image follow from the image and the policies alone. So they can be found out while the
list of images still comes, and what only the whole list shows is decided on later.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache
from operator import attrgetter

from janitor.core.image import Image
from janitor.core.names.pattern import Truth
from janitor.core.names.patterns import Patterns, any_of
from janitor.core.policy import Match, Names, Policy
from janitor.core.retention import Keep
from janitor.core.value import Value
from janitor.expressions import Budget, Undecided

MOST_PREPARED = 120_000
"""Of how many images the owners are remembered: of a million, it would take 160 MiB."""

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


_NOBODY = Owner(None, None)

_Found = tuple[Image, Owner, str | None]
"""An image, its owner, and its family there; None for none, and where the owner keeps no families."""


class Owners:
    """Finds the policy that owns an image of a target, which may have several names; none where that is in doubt.

    The order of `policies` counts. `budget` is the time left for their expressions.
    """

    def __init__(self, policies: Iterable[Policy], target: Names, budget: Budget | None = None) -> None:
        names = (target,) if isinstance(target, str) else tuple(target)
        self._policies = [(policy, _compiled(policy.match, names, budget)) for policy in policies]
        self._by_status: dict[str, list[tuple[Owner, _Condition]]] = {}

    def of(self, image: Image) -> Owner:
        """The owner of one image. Raises what the budget's `check_stop` does."""
        doubtful = None
        for owner, holds in self._by_status.get(image.status) or self._of_status(image.status):
            truth = holds(image)
            if truth:
                return owner if doubtful is None else Owner(owner.policy, doubtful)
            if truth is None:
                doubtful = doubtful or owner.policy
        return _NOBODY if doubtful is None else Owner(None, doubtful)

    def _of_status(self, status: str) -> list[tuple[Owner, _Condition]]:
        """The policies that may match an image with this status, which is never in doubt; each as a certain owner."""
        found = [(Owner(policy, None), holds) for policy, holds in self._policies if _takes(policy.match, status)]
        self._by_status[status] = found
        return found


class Matched:
    """Finds the owner and the family of images by these policies, for a target that may have several names.

    `prepare` finds them early, for one thread at a time; `forget` what it found once that is of no more use. The
    answers are the same without. `budget` is the time left for the expressions of the policies.
    """

    def __init__(self, policies: Sequence[Policy], names: Sequence[str | None], budget: Budget) -> None:
        self._owners = Owners(policies, names, budget)
        self._budget = budget
        self._is_quick = all(map(_is_quick, policies))
        self._found: dict[str, _Found] = {}
        self._families: dict[str | None, str | None] = {}

    def prepare(self, images: Iterable[Image]) -> None:
        """Find the owners and families of these images early, unless an expression may take long.

        An image whose family remains undecided is left to the decision. Raises what the budget's `check_stop` does.
        """
        if not self._is_quick or len(self._found) >= MOST_PREPARED:
            return
        for image in images:
            owner = self._owners.of(image)
            policy = owner.policy
            try:
                family = None if policy is None or policy.keep is None else policy.keep.per.of(image, self._budget)
            except Undecided:
                continue
            self._found[image.id] = (image, owner, self._families.setdefault(family, family))

    def forget(self) -> None:
        """Forget what was found early."""
        self._found, self._families = {}, {}

    def owner_of(self, image: Image) -> Owner:
        """Which policy owns an image. Raises what the budget's `check_stop` does."""
        found = self._found.get(image.id)
        return found[1] if found is not None and found[0] is image else self._owners.of(image)

    def family_of(self, image: Image, keep: Keep) -> str | None:
        """The family of an image in the `keep` of its owner, if it has one. Raises Undecided, and what that does."""
        found = self._found.get(image.id)
        return found[2] if found is not None and found[0] is image else keep.per.of(image, self._budget)


def _is_quick(policy: Policy) -> bool:
    """Whether all its expressions take linear time, for texts that RE2 can represent."""
    return next(policy.slow_expressions(), None) is None


def _takes(match: Match, status: str) -> bool:
    return not match.status or status in match.status


def _compiled(match: Match, target: Sequence[str | None], budget: Budget | None) -> _Condition:
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


def _conditions(match: Match, target: Sequence[str | None], budget: Budget | None) -> Iterator[_Condition]:
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


def _on_target(patterns: Patterns, target: Sequence[str | None]) -> _Condition:
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


def _none_of(excluded: Match, target: Sequence[str | None], budget: Budget | None) -> _Condition:
    rest = _compiled(excluded, target, budget)

    def holds(image: Image) -> Truth:
        truth = rest(image) if _takes(excluded, image.status) else False
        return None if truth is None else not truth

    return holds
