"""How many images some are and how large, and what decisions are to delete of them; unknown sizes are counted apart."""

from collections.abc import Iterable
from dataclasses import dataclass

from janitor.core.decision import Decision, Verdict


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of images and their bytes; those of unknown size are counted apart, and not estimated."""

    images: int = 0
    size: int = 0
    unknown_sizes: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.images + other.images, self.size + other.size, self.unknown_sizes + other.unknown_sizes)


def amount_of(sizes: Iterable[int | None]) -> Amount:
    """How much images of these sizes are; None for an unknown one."""
    every = list(sizes)
    return Amount(len(every), sum(size for size in every if size is not None), every.count(None))


@dataclass(frozen=True, slots=True)
class Planned:
    """What some decisions are to delete: at once, and after a notice."""

    delete: Amount = Amount()
    wait: Amount = Amount()

    def __add__(self, other: "Planned") -> "Planned":
        return Planned(self.delete + other.delete, self.wait + other.wait)

    @property
    def both(self) -> Amount:
        """What is to be deleted, at once or after a notice."""
        return self.delete + self.wait

    @property
    def images(self) -> int:
        """How many images that is."""
        return self.delete.images + self.wait.images


def planned(decisions: Iterable[Decision]) -> Planned:
    """What these decisions are to delete."""
    sizes: dict[Verdict, list[int | None]] = {verdict: [] for verdict in Verdict}
    for decision in decisions:
        sizes[decision.verdict].append(decision.image.size)
    return Planned(amount_of(sizes[Verdict.DELETE]), amount_of(sizes[Verdict.WAIT]))


def planned_by_policy(decisions: Iterable[Decision]) -> dict[str, Planned]:
    """The same for each policy that is to delete anything."""
    by_policy: dict[str, list[Decision]] = {}
    for decision in decisions:
        if decision.verdict is not Verdict.KEEP:
            by_policy.setdefault(decision.policy or "", []).append(decision)
    return {policy: planned(some) for policy, some in by_policy.items()}
