"""What a run is asked to do and what it works with: values and ports, independent of where they come from."""

import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from janitor.clock import utc_now
from janitor.cloud.service import ImageService
from janitor.core.basis import Basis, Grounds
from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.memory import Exemption, History, Memory
from janitor.core.planning.reconciling import Settlement, Unsettled
from janitor.core.recipients.destinations import Destinations
from janitor.core.replay.differences.since import Since
from janitor.core.result import Mode, RunResult, TargetResult
from janitor.core.survey import Survey
from janitor.core.survey.binding import Binding
from janitor.core.survey.mark import Behind, Mark
from janitor.core.survey.plausibility import Measure, Plausibility
from janitor.core.usage import EarlierUsage, Usage
from janitor.expressions import Budget
from janitor.run.accounts import Accounts
from janitor.run.freshness import Moment
from janitor.run.requesting import Authority, Journal, SoleOwner
from janitor.shutdown import Stop


class Stage(Protocol):
    """Takes the images of a survey while it goes on, and records it at its end. `close` when done."""

    def add(self, images: Iterable[Image], digests: Mapping[str, bytes]) -> None:
        """Take images, and the digests of their entries by image id."""
        ...

    def record(self, run: int, survey: Survey, also_named: Sequence[str] = ()) -> dict[str, History]:
        """Record what the survey saw; returns the history of each of its images, this survey included.

        `also_named` are other names by which policies may know the target.
        """
        ...

    def close(self) -> None:
        """Forget what was not recorded."""
        ...


class RunStore(Journal, Accounts, Protocol):
    """What a run records."""

    def begin_run(
        self, mode: Mode, started_at: datetime, *, owes_report: bool, unposted: bool, begun_by: str | None
    ) -> int:
        """Begin a run, which owes a report until that is kept, or is `unposted`: to no channel. Returns its number."""
        ...

    def exemptions(self, at: datetime) -> Sequence[Exemption]:
        """The exemptions by people that are in force at that instant, without those of policy files."""
        ...

    def stage(self, target: str) -> Stage:
        """Takes the images of a survey that begins, and records them; to be closed then."""
        ...

    def bound(self, target: str) -> Binding | None:
        """The account to which a target is bound."""
        ...

    def bind(self, run: int, target: str, binding: Binding) -> None:
        """Bind a target to the account that a run has reached."""
        ...

    def known(self, target: str, besides: Container[str] = ()) -> Iterable[str]:
        """The ids of the own images in the last snapshot or accepted survey, without those we deleted or `besides`."""
        ...

    def markers(self, target: str, now: datetime) -> Sequence[str] | None:
        """The ids at which the list of a target can be asked, in its order, by its last survey; None before that.

        There are none where it is short, and for a month after its service turned down several requests at a time.
        """
        ...

    def record_turned_down(self, target: str, at: datetime) -> None:
        """Record that the service of a target turned down several requests at a time."""
        ...

    def last_seen(self, target: str, ids: Iterable[str]) -> Sequence[Image]:
        """Those of these images that are in the target's last snapshot, as recorded there."""
        ...

    def earlier_usage(self, target: str, since: datetime) -> EarlierUsage:
        """What earlier surveys of a target knew of its usage; of servers, those seen using an image since that time."""
        ...

    def since(self, run: int, target: str) -> Since | None:
        """What changed in a target by a run's survey, since the one that its report compares it with; None for none."""
        ...

    def deleted(self, target: str) -> set[str]:
        """The images of a target that the janitor is known to have deleted."""
        ...

    def unsettled(self, target: str) -> Sequence[Unsettled]:
        """The requests of earlier runs to a target whose outcome no survey has shown yet."""
        ...

    def record_settlements(self, run: int, settlements: Sequence[Settlement]) -> None:
        """Record their outcomes, as a run's survey shows them."""
        ...

    def record_decisions(self, run: int, target: str, decisions: Sequence[Decision], grounds: Grounds) -> None:
        """Record one decision for every image of the survey, and what they were based on."""
        ...

    def record_basis(self, run: int, basis: Basis) -> None:
        """Record what a run is based on."""
        ...

    def memory(self, target: str) -> Memory:
        """What is recorded about a target's notices, the reports accepted since they were given, and rejections."""
        ...

    def last_accepted(self, target: str, before: int) -> tuple[int, Measure] | None:
        """The latest run before this one whose survey was accepted, and its measure."""
        ...

    def own_images(self, target: str, run: int) -> set[str]:
        """The ids of the target's own images in the survey of a run."""
        ...

    def asked_since(self, target: str, run: int) -> set[str]:
        """The images whose deletion was requested in this run or later."""
        ...

    def record_clock(self, run: int, at: datetime) -> None:
        """Record the time of a run's clock when an answer of an API confirmed it."""
        ...

    def last_clock(self, before: int) -> tuple[int, datetime] | None:
        """The latest run before this one whose clock an answer confirmed, and its time."""
        ...

    def note_behind(self, run: int, mark: Mark, at: datetime) -> None:
        """Record that a run found the database older than this mark, and end all notices: later ones may be lost."""
        ...

    def behind_in(self, run: int, target: str, mode: Mode) -> Behind | None:
        """What the database may not know, if a run may not delete anything in a target because of that."""
        ...

    def record_measure(self, run: int, target: str, seen: Measure, *, good: bool) -> None:
        """Record the measure of a survey, and whether it is accepted."""
        ...

    def end_notices_of_gone(
        self, target: str, unlisted: Iterable[str], at: datetime, zone: tzinfo
    ) -> Sequence[Decision]:
        """End the notices of unlisted images that the janitor deleted; returns those that somebody else deleted."""
        ...

    def finish_target(self, run: int, result: TargetResult) -> None:
        """Record how a target ended."""
        ...

    def finish_run(self, result: RunResult) -> RunResult:
        """Record how the run ended, and end the notices of what it spared or reports as gone; adds what is `unseen`."""
        ...


class Texts(Protocol):
    """Texts that people declare, and that name images. Safe to use from several threads at once."""

    def named(self, images: Sequence[Image]) -> Usage:
        """Which of these images they name; `problem` says which of the required texts cannot be read."""
        ...


class NoTexts:
    """For a configuration that declares none."""

    def named(self, images: Sequence[Image]) -> Usage:  # noqa: ARG002 - the port's
        """Nothing."""
        return Usage()


class Progress(Protocol):
    """Receives the progress of the work, from several threads."""

    def advance(self, target: str, phase: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: unknown) items of a phase of a target."""
        ...


class Silence:
    """Progress that is not shown."""

    def advance(self, target: str, phase: str, done: int, total: int | None) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Site:
    """One target as a run sees it: its name and how to reach its API. Nothing is connected before the run.

    `also_named` are other names by which policies may know it: those of further regions that share its image service.
    `project` is its project, where the API has projects, and `siblings` are the other sites of that project.
    `elsewhere` are the names of all other targets, and of their sites where they are known. Those that may be the same
    account, as far as that is known without reading them, are `alike`, with what they have in common.
    """

    name: str
    connect: Callable[[], ImageService]
    also_named: tuple[str, ...] = ()
    project: str | None = None
    siblings: tuple[str, ...] = ()
    elsewhere: frozenset[str] = frozenset()
    alike: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Execution:
    """How a run is carried out: how much in parallel, by which clocks and right, and what ends it early.

    `monotonic` gives seconds, unaffected by clock changes. Once told to `stop`, the run abandons targets that take
    longer than `patience`. `budget` is the time that the expressions of all its policies may take.
    """

    targets_at_once: int = 4
    deletions_at_once: int = 4
    clock: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    stop: Stop = field(default_factory=Stop)
    patience: timedelta = timedelta(seconds=6)
    progress: Progress = field(default_factory=Silence)
    budget: Budget = field(default_factory=Budget)
    authority: Authority = field(default_factory=SoleOwner)

    def moment(self) -> Moment:
        """Now."""
        return Moment(self.clock(), self.monotonic())


@dataclass(frozen=True, slots=True)
class Audience:
    """To whom a run is reported, when, and as begun by whom.

    `owes_report`: its report is to be posted, by the next run if this one dies before; `unposted`: it could be, but is
    not to be. `destinations` says where each image is reported; None where no channel is configured.
    `next_run` says when the next run after an instant is due, if there is a schedule. `remarks` gives the notes about
    policy files, once all targets are surveyed.
    """

    owes_report: bool = False
    unposted: bool = False
    destinations: Destinations | None = field(default_factory=Destinations)
    next_run: Callable[[datetime], datetime] | None = None
    remarks: Callable[[], Sequence[str]] = tuple
    begun_by: str | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """Everything that one run needs. `approved`: the decisions of a reviewed plan by target, if one is applied.

    `unknown_mark` is beside the database, which does not know it.
    """

    sites: Sequence[Site]
    basis: Basis
    store: RunStore
    mode: Mode = Mode.DRY_RUN
    references: Texts = field(default_factory=NoTexts)
    approved: Mapping[str, Sequence[Decision]] | None = None
    unknown_mark: Mark | None = None
    execution: Execution = field(default_factory=Execution)
    audience: Audience = field(default_factory=Audience)

    @property
    def plausibility(self) -> Plausibility:
        """What decides whether a survey is plausible."""
        return Plausibility(self.basis.max_shrink)
