"""The port to a channel: it is given a report, what a share of a run says, and gives a receipt of what arrived.

A channel gives a report its form before anything is sent, so that the database can keep it. How a message looks, where
it goes and which answers accept it are known to the channel alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from janitor.core.result import Outcome, RunResult
from janitor.errors import DeliveryError
from janitor.report import Name
from janitor.report.routing import Share
from janitor.store import KeptReport, NewReport

Progress = Callable[[int, str], None]
"""Is told, after each message that was accepted, how many of the report were by now, and where they stand, as JSON."""

Probe = tuple[str, Callable[[], str]]
"""What is to be tried beforehand, by its name: a sentence about it, or DeliveryError."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a channel is told of a run. `waiting` counts the earlier reports that are still to be delivered."""

    share: Share
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What of a report arrived: the images that accepted messages name, those that the others name, and why they did
    not arrive.

    `offsets` is how far the channel's clock was ahead of ours when it accepted a message that names an image, where it
    told.
    """

    names: frozenset[Name] = frozenset()
    missing: frozenset[Name] = frozenset()
    error: DeliveryError | None = None
    offsets: Mapping[Name, timedelta] = field(default_factory=dict)


class PreparedReport(Protocol):
    """A report in the form of its channel."""

    @property
    def destination(self) -> str:
        """Where it goes, as that is said behind its name; empty where the channel has but one place."""

    def kept(self) -> NewReport:
        """What the database keeps of it, so that the channel can send it late."""

    def send(self, progress: Progress, clock: Callable[[], datetime], /) -> Receipt:
        """Send what has not arrived yet. Raises nothing for what the channel does."""


class Channel(Protocol):
    """A kind of channel as it is configured."""

    @property
    def kind(self) -> str:
        """The kind: what the database knows the form of its reports by."""

    @property
    def name(self) -> str:
        """What the database calls it."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def announces(self) -> bool:
        """Whether people read there: only then does what it accepted start notices and count as a reminder.

        Where they do not, the whole run is sent, once it is known what was announced.
        """

    def reports_of(self, result: RunResult, previous: Outcome | None, waiting: int, /) -> Sequence[Report]:
        """What it is told of a run, where that is worth it. `previous` is the outcome of the run before."""

    def prepare(self, report: Report) -> PreparedReport:
        """A report in its form."""

    def prepare_late(self, kept: KeptReport, name: str, stored: Callable[[], RunResult | None], /) -> PreparedReport:
        """A kept report that is sent late, by the name that says so; it announces nothing.

        `stored` is the run as the database knows it now, if it does.
        """

    def probes(self, *, live: bool) -> Iterable[Probe]:
        """What `check` tries; what others can see only where it is `live`."""
