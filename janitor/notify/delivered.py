"""The result of delivering reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from janitor.errors import Exit
from janitor.report import Name


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of delivering: the exit code, and the images of this run's report whose notice or reminder counts.

    These are images named by messages that channels which people read have accepted.

    `instead` are images that the main channel was told of, as their owners could not be reached. `offsets` is how far
    the channel's clock was ahead of ours then, if known. `trouble` is what failed, as a sentence for the end of the
    run's output; empty if nothing did.
    """

    code: Exit = Exit.OK
    announced: frozenset[Name] = frozenset()
    instead: frozenset[Name] = field(default=frozenset(), compare=False)
    offsets: Mapping[Name, timedelta] = field(default_factory=dict, compare=False)
    trouble: str = field(default="", compare=False)
