"""The plan: what one run is to delete in one target, as a value that checks itself against the limits."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from janitor.core.decision import Decision, Verdict
from janitor.core.image import GONE_STATUSES, Image
from janitor.core.names.image_ids import ImageId

OVER_LIMIT = "nothing deleted, over the limit: "
"""How the sentence begins by which a run says that its plan is over a limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may delete in one target: a count, and a share in percent of the images the target owns."""

    max_deletions: int = 100
    max_share: float = 50.0


@dataclass(frozen=True, slots=True)
class Excess:
    """How a plan is over a limit: how many deletions it has, what the limit allows, and all of that in a sentence."""

    planned: int
    allowed: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions that say delete, oldest image first, and how many images the target owns."""

    decisions: tuple[Decision, ...]
    owned: int

    def over_limit(self, limits: Limits) -> Excess | None:
        """How this plan is over the limits, and what to do. None if it is within them."""
        exceeded = self.exceeded(limits)
        if not exceeded:
            return None
        sentence = (
            f"{OVER_LIMIT}{'; '.join(exceeded.values())}. "
            "Narrow the policies, or raise the limit once the list is right."
        )
        return Excess(len(self.decisions), next(iter(exceeded)), sentence)

    def exceeded(self, limits: Limits) -> dict[str, str]:
        """Each limit that is exceeded: what it allows, in short, and the number measured beside it."""
        planned, found = len(self.decisions), dict[str, str]()
        if planned > limits.max_deletions:
            measured = f"{planned} deletions planned, limits.max_deletions allows {limits.max_deletions}"
            found[f"{limits.max_deletions:,}"] = measured
        if planned * 100 > limits.max_share * self.owned:
            share = 100 * planned / self.owned if self.owned else 100.0
            found[f"{limits.max_share:g}% of {self.owned:,} owned images"] = (
                f"{planned} of {self.owned} owned images planned ({share:.1f}%), "
                f"limits.max_share allows {limits.max_share:g}%"
            )
        return found


def make_plan(decisions: Iterable[Decision]) -> Plan:
    """The plan that follows from these decisions, one for every image of a target, oldest first."""
    every = tuple(decisions)
    return Plan(_doomed(every), owned=sum(map(owns, map(_image_of, every))))


def revised(plan: Plan, decisions: Iterable[Decision]) -> Plan:
    """The plan that follows from other decisions on the same images."""
    return Plan(_doomed(decisions), plan.owned)


def _doomed(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    return tuple([decision for decision in decisions if decision.verdict is Verdict.DELETE])


def own_ids(images: Iterable[Image]) -> frozenset[ImageId]:
    """The ids of the images that count as the target's own."""
    return frozenset([image.identity for image in images if owns(image)])


def owns(image: Image) -> bool:
    """Whether an image counts as the target's own, for `max_share`; one that cannot be read does not."""
    return image.owned and not image.public and image.status not in GONE_STATUSES and image.unseen is None


_image_of = attrgetter("image")
