"""Finds policies that are valid but without effect: by their texts, and by what snapshots show. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from janitor.core.image import Image
from janitor.core.matching import Owners
from janitor.core.memory import Exemption
from janitor.core.names.image_ids import folded
from janitor.core.names.pattern import Pattern
from janitor.core.names.spelling import normal
from janitor.core.policy import Match, Policy
from janitor.core.units import format_duration
from janitor.expressions import ALTOGETHER, EACH, Budget

_MOST_COMPARED = 1_000  # each is compared with all before it, which takes seconds
_SHORT = timedelta(hours=1)
_WILDCARDS = frozenset("*?[")


Targets = Collection[str] | None
"""The names of all targets; None where they are not known yet."""


def lint(policies: Sequence[Policy], targets: Targets) -> list[str]:
    """What is certain from the texts of policies and the names of all targets, in the order of the policies."""
    compared = len(policies) <= _MOST_COMPARED
    findings = [
        f"{policy.name}: {finding}"
        for place, policy in enumerate(policies)
        for finding in _findings(policy, policies[:place] if compared else (), targets)
    ]
    return findings if compared else [*findings, f"more than {_MOST_COMPARED:,} are not compared with each other"]


def owning_nothing(policies: Sequence[Policy], snapshots: Mapping[str, Iterable[Image]]) -> list[str]:
    """The names of the policies that own no image of these snapshots, which are by target."""
    budget, left = Budget(), dict.fromkeys(policy.name for policy in policies)
    for target, images in snapshots.items():
        owners = Owners(policies, target, budget)
        for image in images:
            if not left:
                return []
            owner = owners.of(image)
            if owner.policy is not None and owner.doubtful is None:
                left.pop(owner.policy.name, None)
    return list(left)


def exempting_nothing(exemptions: Iterable[Exemption], snapshots: Mapping[str, Iterable[Image]]) -> list[str]:
    """The ids and names in policy files that no image of these snapshots has, each once."""
    images = [image for every in snapshots.values() for image in every]
    ids, names = {folded(normal(image.id)) for image in images}, {normal(image.name or "") for image in images}
    named = dict.fromkeys(exemption.image for exemption in exemptions)
    return [name for name in named if normal(name) not in names and folded(normal(name)) not in ids]


def _findings(policy: Policy, before: Iterable[Policy], targets: Targets) -> Iterator[str]:
    match = policy.match
    yield from _slow(policy)
    if policy.expire is not None and policy.expire.after < _SHORT:
        yield f"expire.after: {format_duration(policy.expire.after)} is less than an hour"
    if targets is not None:
        yield from _unknown_targets(match, "match", targets)
        if not any(_names(match, target) for target in targets):
            return
    if match.exclude is not None and covers(match.exclude, match, targets):
        yield "it never owns an image: its `not` excludes everything that its other keys match"
    elif earlier := next((other for other in before if covers(other.match, match, targets)), None):
        yield f"it never owns an image: {earlier.name}, which comes before it, matches everything that it does"


def _slow(policy: Policy) -> Iterator[str]:
    """The expressions whose time may grow faster than linearly with the text."""
    for key, expression in policy.slow_expressions():
        yield (
            f"{key}: matching /{expression.text}/ may take more than linear time: where it takes longer than "
            f"{EACH:g} s for one text, or {ALTOGETHER:g} s in a run, it is unknown whether it matches, and the images "
            "concerned are kept"
        )


def _unknown_targets(match: Match, key: str, targets: Collection[str]) -> Iterator[str]:
    for pattern in match.targets:
        if not any(pattern.matches(target) for target in targets):
            yield f'{key}.targets: "{pattern.text}" names no configured target'
    if match.exclude is not None:
        yield from _unknown_targets(match.exclude, f"{key}.not", targets)


def covers(wide: Match, narrow: Match, targets: Targets) -> bool:
    """Whether it is certain that `wide` does not miss any image of these targets that `narrow` matches.

    It does not miss an image that it matches, or that it may match: in that case no later policy owns it.
    """
    asked = dict(narrow.properties)
    return (
        _within(narrow.status, wide.status)
        and _within(narrow.disk_format, wide.disk_format)
        and _within(narrow.visibility, wide.visibility)
        and _within_names(narrow.name, wide.name)
        and _within_names(narrow.owner, wide.owner)
        and _within_patterns(narrow.tags, wide.tags)
        and all(_within_patterns(asked.get(key, ()), patterns) for key, patterns in wide.properties)
        and (wide.larger_than is None or _at_least(narrow.larger_than, wide.larger_than))
        and (wide.smaller_than is None or _at_least(wide.smaller_than, narrow.smaller_than))
        and wide.os_hidden in (None, narrow.os_hidden)
        and _within_targets(narrow, wide, targets)
        and (wide.exclude is None or (narrow.exclude is not None and covers(narrow.exclude, wide.exclude, targets)))
    )


def _within(words: frozenset[str], others: frozenset[str]) -> bool:
    """Whether some words are all among others; an empty set stands for all words."""
    return not others or (bool(words) and words <= others)


def _at_least(size: int | None, other: int | None) -> bool:
    return size is not None and other is not None and size >= other


def _within_patterns(patterns: Sequence[Pattern], others: Sequence[Pattern]) -> bool:
    return not others or (bool(patterns) and all(any(_takes_in(o, p) for o in others) for p in patterns))


def _within_names(patterns: Sequence[Pattern], others: Sequence[Pattern]) -> bool:
    return any(map(_is_everything, others)) or _within_patterns(patterns, others)


def _within_targets(match: Match, other: Match, targets: Targets) -> bool:
    if targets is None:
        return _within_names(match.targets, other.targets)
    return all(_names(other, target) for target in targets if _names(match, target))


def _takes_in(wide: Pattern, narrow: Pattern) -> bool:
    """Whether `wide` certainly matches everything that `narrow` matches."""
    if wide.text == narrow.text or _is_everything(wide):
        return True
    if narrow.expression is not None:
        return False
    if not _WILDCARDS & set(narrow.text):
        return bool(wide.matches(narrow.text))
    start, end = wide.text[:-1], wide.text[-1]
    return end == "*" and not _WILDCARDS & set(start) and narrow.text.startswith(start)


def _is_everything(pattern: Pattern) -> bool:
    return set(pattern.text) == {"*"}


def _names(match: Match, target: str) -> bool:
    return not match.targets or any(pattern.matches(target) for pattern in match.targets)
