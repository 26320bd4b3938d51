"""What defaults of a test would hide: where another target, or another owner of an image, changes which policy rules.

Every other default is a plain value of an image. These two are names of a test's own, which no account has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from janitor.core.matching import Matched
from janitor.core.policy import Match, Policy
from janitor.core.replay.inputs import Night
from janitor.expressions import Budget


class Default(StrEnum):
    """What a test need not give, by its key."""

    TARGET = "target"
    OWNER = "owner"


Defaults = frozenset[Default]


@dataclass(frozen=True, slots=True)
class Hidden:
    """An image of a test, and a default on which it depends whether this policy owns it."""

    image: str
    default: Default
    policy: str


def hidden(night: Night, policies: Sequence[Policy], given: Mapping[str, Defaults]) -> Iterator[Hidden]:
    """What the defaults of a test hide; `given` is what the test gives, by image."""
    asked = _asked_by(policies)
    if not asked:
        return
    budget = Budget()
    known, unknown = (Matched(policies, names, budget) for names in (night.names, (None,)))
    for image in night.images:
        missing = asked - given[image.id]
        owners = {
            without: (unknown if Default.TARGET in without else known).owner_of(
                image.replace(owner=None) if Default.OWNER in without else image
            )
            for without in _parts(missing)
        }
        for default in sorted(missing):
            for without in _parts(missing - {default}):
                owner = owners[without | {default}]
                if owner != owners[without] and owner.doubtful is not None:
                    yield Hidden(image.id, default, owner.doubtful.name)
                    break


def _parts(whole: Defaults) -> list[Defaults]:
    """Every selection of some of these, from none to all."""
    listed = sorted(whole)
    return [
        frozenset(each for each, taken in zip(listed, chosen, strict=True) if taken)
        for chosen in product((False, True), repeat=len(listed))
    ]


def _asked_by(policies: Sequence[Policy]) -> Defaults:
    """The defaults on which these policies have a condition."""
    matches = [match for policy in policies for match in _within(policy.match)]
    asked = {Default.TARGET: any(each.targets for each in matches), Default.OWNER: any(each.owner for each in matches)}
    return frozenset(default for default, is_asked in asked.items() if is_asked)


def _within(match: Match | None) -> Iterator[Match]:
    while match is not None:
        yield match
        match = match.exclude
