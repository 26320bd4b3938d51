"""What changed in a target since an earlier run, in numbers: a line of each report."""

from collections.abc import Iterable
from dataclasses import dataclass


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
class Since:
    """What a run found changed in one target since an earlier run, as its report says in a line.

    `newly_waiting` is None where one of the runs decided nothing.
    """

    run: int
    new: Amount = Amount()
    listed_again: int = 0
    gone_by_us: int = 0
    gone_by_others: int = 0
    gone_unknown: int = 0
    newly_waiting: int | None = None
