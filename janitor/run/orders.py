"""What a run is asked to do and what it stands on: values and ports, and nothing of where they came from."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from janitor.clock import utc_now
from janitor.cloud.service import ImageService
from janitor.core.basis import Basis, Grounds
from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.memory import Exemption, History, Memory
from janitor.core.planning.deletion import Answered
from janitor.core.planning.reconciling import Settlement, Unsettled
from janitor.core.result import Mode, RunResult, TargetResult
from janitor.core.survey import Survey
from janitor.core.survey.binding import Binding
from janitor.core.survey.mark import Mark
from janitor.core.survey.plausibility import Measure, Plausibility
from janitor.core.usage import EarlierUsage, Usage
from janitor.expressions import Budget
from janitor.run.freshness import Moment
from janitor.shutdown import Stop


class Journal(Protocol):
    """Where each request is written down before it is sent and after it is answered."""

    def exemptions(self, at: datetime) -> Sequence[Exemption]:
        """What people exempted by command, as far as it holds at that instant."""
        ...

    def journal_request(self, run: int, target: str, decision: Decision, at: datetime) -> int:
        """Write down a request that is about to be sent; returns the entry. Raises StoreError."""
        ...

    def withdraw_request(self, entry: int) -> None:
        """Take back a request that was not sent after all. Raises StoreError."""
        ...

    def journal_answer(self, entry: int, said: Answered, at: datetime) -> None:
        """Write down what the API answered. Raises StoreError."""
        ...


class RunStore(Journal, Protocol):
    """What a run writes down."""

    def begin_run(self, mode: Mode, started_at: datetime, *, owes_report: bool, unposted: bool) -> int:
        """Open a run, which owes a report until that is kept; or `unposted`, nobody hears of it. Returns its number."""
        ...

    def record_survey(
        self, run: int, target: str, survey: Survey, also_named: Sequence[str] = ()
    ) -> dict[str, History]:
        """Record what a survey saw; returns the history of each of its images, this survey included.

        `also_named` are other names that policies may know the target by.
        """
        ...

    def bound(self, target: str) -> Binding | None:
        """The account that a target is bound to."""
        ...

    def bind(self, run: int, target: str, binding: Binding) -> None:
        """Bind a target to the account that a run reached."""
        ...

    def known(self, target: str) -> Iterable[str]:
        """The ids of the target's own images, in its last snapshot or good survey, that we did not surely delete."""
        ...

    def last_seen(self, target: str, ids: Iterable[str]) -> Sequence[Image]:
        """Those of these images that the target's last snapshot holds, as it holds them."""
        ...

    def earlier_usage(self, target: str, since: datetime) -> EarlierUsage:
        """What earlier surveys of a target knew of its usage; of servers, those seen using an image since that time."""
        ...

    def deleted(self, target: str) -> set[str]:
        """The images of a target that we are known to have deleted."""
        ...

    def unsettled(self, target: str) -> Sequence[Unsettled]:
        """The requests of earlier runs to a target of which no survey has told yet what became."""
        ...

    def record_settlements(self, run: int, settlements: Sequence[Settlement]) -> None:
        """Record what a run's survey found to have become of them."""
        ...

    def record_decisions(self, run: int, target: str, decisions: Sequence[Decision], grounds: Grounds) -> None:
        """Record one decision for every image of the survey, and what they went by."""
        ...

    def record_basis(self, run: int, basis: Basis) -> None:
        """Record what a run goes by."""
        ...

    def memory(self, target: str) -> Memory:
        """What is recorded of a target's notices, of what was heard since they were given, and of refusals."""
        ...

    def last_good(self, target: str, before: int) -> tuple[int, Measure] | None:
        """The latest run before this one whose survey was good, and what it measured."""
        ...

    def own_images(self, target: str, run: int) -> set[str]:
        """The ids of the target's own images in the survey of a run."""
        ...

    def asked_since(self, target: str, run: int) -> set[str]:
        """The images whose deletion was asked for in this run or later."""
        ...

    def record_clock(self, run: int, at: datetime) -> None:
        """Record what the clock of a run said when an answer of an API confirmed it."""
        ...

    def last_clock(self, before: int) -> tuple[int, datetime] | None:
        """The latest run before this one whose clock an answer confirmed, and what it said."""
        ...

    def note_behind(self, run: int, mark: Mark, at: datetime) -> None:
        """Record that a run found the database behind this mark, and end all notices: later ones may be lost."""
        ...

    def behind_in(self, run: int, target: str, mode: Mode) -> int | None:
        """The run whose mark was not known, where a run may delete nothing in a target because of that."""
        ...

    def record_measure(self, run: int, target: str, seen: Measure, *, good: bool) -> None:
        """Record how much a survey saw, and whether it is believed."""
        ...

    def end_notices_of_gone(self, target: str, unlisted: Iterable[str], at: datetime) -> None:
        """End the notices that run for these images, which this survey did not list, where they are surely gone."""
        ...

    def finish_target(self, run: int, result: TargetResult) -> None:
        """Record how a target ended."""
        ...

    def finish_run(self, result: RunResult) -> None:
        """Record how the run ended, and withdraw the notices of what a live one spared."""
        ...


class Texts(Protocol):
    """Texts that people declare, and that name images. Safe to use from several threads at once."""

    def named(self, images: Sequence[Image]) -> Usage:
        """Which of these images they name; `problem` says which of the texts that matter cannot be read."""
        ...


class NoTexts:
    """Where people declare none."""

    def named(self, images: Sequence[Image]) -> Usage:  # noqa: ARG002 - the port's
        """Nothing."""
        return Usage()


class Progress(Protocol):
    """Told of the work as it goes on, from several threads."""

    def advance(self, target: str, phase: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: not known) pieces of a phase of a target."""
        ...


class Silence:
    """Progress that nobody watches."""

    def advance(self, target: str, phase: str, done: int, total: int | None) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Site:
    """One target as a run sees it: its name and the way to its API. Nothing is connected before the run.

    `also_named` are other names that policies may know it by: those of further regions that share its image service.
    `project` is the project that it is of, where the API has such a thing, and `siblings` are the other sites of it.
    """

    name: str
    connect: Callable[[], ImageService]
    also_named: tuple[str, ...] = ()
    project: str | None = None
    siblings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Execution:
    """How a run is carried out: how much at once, by which clocks, and what ends it early.

    `monotonic` tells seconds that pass whatever is done to the clock. Once told to `stop`, the run leaves targets
    behind that take longer than `patience`. `budget` is what the expressions of all its policies may take.
    """

    targets_at_once: int = 4
    deletions_at_once: int = 4
    clock: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    stop: Stop = field(default_factory=Stop)
    patience: timedelta = timedelta(seconds=6)
    progress: Progress = field(default_factory=Silence)
    budget: Budget = field(default_factory=Budget)

    def moment(self) -> Moment:
        """Now."""
        return Moment(self.clock(), self.monotonic())


@dataclass(frozen=True, slots=True)
class Audience:
    """Who hears of a run, and when.

    `owes_report`: its report is to be posted, by the next run if this one dies before; `unposted`: it could be, and is
    not to be. `channels` are those of the policies that have one of their own, or None where nobody can be told of
    anything. `next_run` says when a run is due after an instant, where there is a schedule. `remarks` is asked for what
    is to be said of policy files, once all targets are surveyed.
    """

    owes_report: bool = False
    unposted: bool = False
    channels: Mapping[str, str] | None = field(default_factory=dict)
    next_run: Callable[[datetime], datetime] | None = None
    remarks: Callable[[], Sequence[str]] = tuple


@dataclass(frozen=True, slots=True)
class Orders:
    """Everything that one run needs.

    `approved`: the decisions of a reviewed plan by target, where one is applied. `unknown_mark` lies beside the
    database, which did not leave it.
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
        """What tells whether a survey is to be believed."""
        return Plausibility(self.basis.max_shrink)
