"""The port to a channel: it is given a report of a run, or of a share of it, and gives a receipt of what arrived.

A channel gives a report its form before anything is sent, so that the database can keep it. Only the channel knows how
a message looks, where it goes and which answers accept it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from janitor.core.memory import Backlog
from janitor.core.result import Outcome, RunResult
from janitor.errors import DeliveryError
from janitor.report import Name
from janitor.report.routing import Share
from janitor.shutdown import Stop
from janitor.store import KeptReport, NewReport

Progress = Callable[[int, str], None]
"""Called after each accepted message, with how many of the report are accepted by now, and their place, as JSON."""

Probe = tuple[str, Callable[[], str]]
"""A check to make beforehand, with its name: gives a sentence, or raises DeliveryError."""


Turn = Callable[[str], object]
"""Returns once a message may be posted to a channel of this name (empty for a webhook), and in any case in the end."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How reports are sent: until told to `stop`, and each message in its `turn`, which others may have before."""

    stop: Stop = field(default_factory=Stop)
    turn: Turn = lambda _channel: None


@dataclass(frozen=True, slots=True)
class Report:
    """What a channel is given of a run. `waiting` are the earlier reports that are still undelivered.

    `heard`: whether somebody listens to clicks, so that buttons would not be in vain.
    """

    share: Share
    waiting: Backlog = field(default_factory=Backlog)
    heard: bool = False

    @property
    def replaceable(self) -> bool:
        """Whether the main channel is told instead if nothing of it is accepted: it is for an owner."""
        return self.share.addressees is not None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What of a report was accepted: images that accepted messages name, those that others name, and the reason.

    `offsets` is how far the channel's clock was ahead of ours when it accepted a message that names an image, if known.
    """

    names: frozenset[Name] = frozenset()
    missing: frozenset[Name] = frozenset()
    error: DeliveryError | None = None
    offsets: Mapping[Name, timedelta] = field(default_factory=dict)


class PreparedReport(Protocol):
    """A report in the form of its channel."""

    @property
    def destination(self) -> str:
        """Its destination, as appended to its name; empty if the channel has only one."""

    @property
    def names(self) -> frozenset[Name]:
        """The images that its messages name."""

    def kept(self) -> NewReport:
        """What the database keeps of it, so that the channel can send it late."""

    def send(self, progress: Progress, clock: Callable[[], datetime], /) -> Receipt:
        """Send what has not been accepted yet. Never raises for what the channel does."""

    def late_instead(self, error: DeliveryError, /) -> "PreparedReport | None":
        """A late report as the main channel is sent it, as its own place refused it; None if it stays where it is."""


class Channel(Protocol):
    """A kind of channel as it is configured."""

    @property
    def kind(self) -> str:
        """The kind: the form of its reports in the database."""

    @property
    def name(self) -> str:
        """Its name in the database."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def announces(self) -> bool:
        """Whether people read it: only then does what it accepted start notices and count as a reminder.

        Otherwise it is sent the whole run, once it is known what was announced.
        """

    def reports_of(self, result: RunResult, previous: Outcome | None, waiting: Backlog, /) -> Sequence[Report]:
        """The reports of a run for it, if the run is worth posting. `previous` is the outcome of the run before."""

    def prepare(self, report: Report) -> PreparedReport:
        """A report in its form."""

    def instead_of(self, report: Report, unreached: Mapping[str, str], /) -> Report:
        """The report for the main channel once these places could not be reached, each with the reason."""

    def prepare_late(self, kept: KeptReport, name: str, stored: Callable[[], RunResult | None], /) -> PreparedReport:
        """A kept report that is sent late, under a name that says so; it announces nothing.

        `stored` is the run as the database has it now, if it does.
        """

    def probes(self, *, live: bool) -> Iterable[Probe]:
        """What `check` tries; only if `live`, what others can see."""
