"""A case: something that is measured by itself, in rounds."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.rounds import Measured

Tell = Callable[[str], None]
Measure = Callable[[int, Tell], Measured]
USUAL_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """Its name, what it runs, and how it is measured: given how many rounds, and where to say which one this is.

    `by_itself`: it takes long, and is measured only when it is asked for.
    """

    name: str
    says: str
    measure: Measure
    rounds: int = USUAL_ROUNDS
    by_itself: bool = False
