"""What policies ask of images: all other facts of a recorded image are left out, and what they could tell with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from janitor.core.image import Image
from janitor.core.names.pattern import Pattern
from janitor.core.names.patterns import any_matches
from janitor.core.needs import PARTS
from janitor.core.policy import Match, Policy


@dataclass(frozen=True, slots=True)
class AskedFacts:
    """What some policies ask for: facts by their names, and of properties, tags and owners which ones."""

    facts: frozenset[str]
    properties: frozenset[str]
    tags: tuple[Pattern, ...]
    owners: frozenset[str]

    def tags_of(self, image: Image) -> list[str]:
        """The tags of an image that a policy asks for; a pattern whose answer is in doubt asks for all."""
        return [tag for tag in image.tags or () if any_matches(self.tags, tag, None) is not False]


def asked_by(policies: Iterable[Policy]) -> AskedFacts:
    """What these policies ask for."""
    listed = list(policies)
    matches = [match for policy in listed for match in _within(policy.match)]
    families = (policy.keep.per.text.partition(":") for policy in listed if policy.keep is not None)
    properties = {key for match in matches for key, _ in match.properties}
    return AskedFacts(
        frozenset(fact for policy in listed for fact in policy.match.asks_for()),
        frozenset({*properties, *(key for kind, _, key in families if kind == "property")} - PARTS.keys()),
        tuple(pattern for match in matches for pattern in match.tags),
        frozenset(pattern.text for match in matches for pattern in match.owner),
    )


def _within(match: Match | None) -> Iterator[Match]:
    while match is not None:
        yield match
        match = match.exclude
