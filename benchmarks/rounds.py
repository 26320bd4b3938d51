"""What a case measured, round by round, and what is made of it: a median, and the least and the most of its rounds.

A ratio is taken within each round, between processes that ran one after the other; so a machine that is slower for some
minutes is slower for both.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.processes import Spent


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, and their extremes."""

    median: float
    least: float
    most: float


def spread(values: Iterable[float]) -> Spread:
    """The spread of at least one value."""
    every = list(values)
    return Spread(median(every), min(every), max(every))


@dataclass(frozen=True, slots=True)
class Measured:
    """The cost of each process of a case in every round, and the figures of the case likewise, both by their names."""

    processes: dict[str, list[Spent]] = field(default_factory=dict)
    figures: dict[str, list[float]] = field(default_factory=dict)

    def ran(self, process: str, spent: Spent) -> Spent:
        """Add the cost of a process in this round; returns it."""
        self.processes.setdefault(process, []).append(spent)
        return spent

    def found(self, figure: str, value: float) -> None:
        """Add a figure of this round."""
        self.figures.setdefault(figure, []).append(value)


Round = Callable[[Measured], None]


def in_rounds(rounds: int, once: Round, tell: Callable[[str], None]) -> Measured:
    """What so many rounds measured."""
    measured = Measured()
    for number in range(1, rounds + 1):
        tell(f"round {number} of {rounds}")
        once(measured)
    return measured


def costs(spent: Sequence[Spent]) -> tuple[Spread, Spread, Spread]:
    """The spread of wall time, of CPU time and of the peak of memory."""
    return spread(s.wall for s in spent), spread(s.cpu for s in spent), spread(s.peak for s in spent)
