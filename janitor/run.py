"""One run, in order: survey, snapshot, decide, plan, check the limits; then report, or delete, confirm and report."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from janitor.cloud import ImageService
from janitor.decide import decide
from janitor.deleting import Executioner, Journal, confirm
from janitor.errors import CloudError, Exit, Interrupted, JanitorError, worst
from janitor.model import (
    Decision,
    Deletion,
    DeletionOutcome,
    History,
    Image,
    Mode,
    Outcome,
    RunResult,
    Survey,
    TargetResult,
    Usage,
)
from janitor.plan import Limits, Plan, make_plan
from janitor.policy import Policy
from janitor.settling import Settlement, Unsettled, settle

_log = logging.getLogger("janitor.run")

_EXIT_OF_OUTCOME = {
    Outcome.OK: Exit.OK,
    Outcome.PARTIAL: Exit.DELETIONS_FAILED,
    Outcome.REFUSED: Exit.LIMIT,
    Outcome.FAILED: Exit.FAILED,
}
_OUTCOME_OF_EXIT = {code: outcome for outcome, code in _EXIT_OF_OUTCOME.items()}


class RunStore(Journal, Protocol):
    """What a run writes down."""

    def begin_run(self, mode: Mode, started_at: datetime) -> int:
        """Open a run; returns its number."""
        ...

    def record_survey(self, run: int, target: str, survey: Survey) -> dict[str, History]:
        """Record what a survey saw; returns the history of each of its images, this survey included."""
        ...

    def unsettled(self, target: str) -> Sequence[Unsettled]:
        """The requests of earlier runs to a target of which no survey has told yet what became."""
        ...

    def record_settlements(self, run: int, settlements: Sequence[Settlement]) -> None:
        """Record what a run's survey found to have become of them."""
        ...

    def record_decisions(self, run: int, target: str, decisions: Sequence[Decision]) -> None:
        """Record one decision for every image of the survey."""
        ...

    def finish_target(self, run: int, result: TargetResult) -> None:
        """Record how a target ended."""
        ...

    def finish_run(self, result: RunResult) -> None:
        """Record how the run ended."""
        ...


class Progress(Protocol):
    """Told of the work as it goes on, from several threads."""

    def advance(self, target: str, phase: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: not known) pieces of a phase of a target."""
        ...


class Silence:
    """Progress that nobody watches."""

    def advance(self, target: str, phase: str, done: int, total: int | None) -> None:
        """Say nothing."""


class Stop(threading.Event):
    """Set when the run should end early: what is in flight is finished, nothing new is begun."""

    signal_number: int = 15


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """One target as a run sees it: its name and the way to its API. Nothing is connected before the run."""

    name: str
    connect: Callable[[], ImageService]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one run needs, and nothing of where it came from."""

    sites: Sequence[Site]
    policies: Sequence[Policy]
    store: RunStore
    mode: Mode = Mode.DRY_RUN
    limits: Limits = field(default_factory=Limits)
    zone: tzinfo = UTC
    targets_at_once: int = 4
    deletions_at_once: int = 4
    clock: Callable[[], datetime] = utc_now
    stop: Stop = field(default_factory=Stop)
    progress: Progress = field(default_factory=Silence)

    def perform(self) -> RunResult:
        """Run once over all sites. A site that fails is data, and the others go on; StoreError ends the run."""
        started_at = self.clock()
        run = self.store.begin_run(self.mode, started_at)
        with ThreadPoolExecutor(self.targets_at_once, thread_name_prefix="target") as pool:
            targets = tuple(pool.map(lambda site: self._clean(run, site), self.sites))
        outcome = _OUTCOME_OF_EXIT[worst(_EXIT_OF_OUTCOME[target.outcome] for target in targets)]
        result = RunResult(run, self.mode, outcome, started_at, self.clock(), targets)
        self.store.finish_run(result)
        return result

    def _clean(self, run: int, site: Site) -> TargetResult:
        try:
            service = site.connect()
            try:
                result = self._clean_through(service, run, site.name)
            finally:
                service.close()
        except (CloudError, Interrupted) as error:
            result = TargetResult(site.name, Outcome.FAILED, str(error))
        if result.error is not None:
            _log.warning("target-%s target=%s: %s", result.outcome, site.name, result.error)
        self.store.finish_target(run, result)
        return result

    def _clean_through(self, service: ImageService, run: int, target: str) -> TargetResult:
        survey = self._survey(service, target)
        history = self.store.record_survey(run, target, survey)
        settled = self._settle(run, target, survey)
        decisions = decide(
            survey.images, self.policies, survey.usage, history, survey.finished_at, target=target, zone=self.zone
        )
        self.store.record_decisions(run, target, decisions)
        plan = make_plan(decisions)
        seen = TargetResult(target, Outcome.OK, None, len(survey.images), plan.owned, tuple(decisions), settled=settled)
        if survey.usage.problem is not None:
            return replace(seen, outcome=Outcome.FAILED, error=f"nothing deleted: {survey.usage.problem}")
        if refusal := plan.refusal(self.limits):
            return replace(seen, outcome=Outcome.REFUSED, error=refusal)
        if self.mode is Mode.DRY_RUN or not plan.decisions:
            return seen
        return self._delete(service, run, seen, plan)

    def _settle(self, run: int, target: str, survey: Survey) -> tuple[Deletion, ...]:
        """Find out what became of the requests that earlier runs left open."""
        settlements = settle(self.store.unsettled(target), survey.images)
        if settlements:
            self.store.record_settlements(run, settlements)
        return tuple(settlement.deletion for settlement in settlements)

    def _survey(self, service: ImageService, target: str) -> Survey:
        started_at = self.clock()
        images = tuple(self._images(service, target, "survey"))
        try:
            usage = service.usage()
        except CloudError as error:
            usage = Usage(problem=f"the instance list could not be read: {error}")
        return Survey(images, usage, started_at, self.clock())

    def _images(self, service: ImageService, target: str, phase: str) -> Iterator[Image]:
        done = 0
        for done, image in enumerate(service.images(), start=1):
            if done % 1000 == 0:
                self.progress.advance(target, phase, done, None)
                self._heed_stop()
            yield image
        self._heed_stop()
        self.progress.advance(target, phase, done, done)

    def _heed_stop(self) -> None:
        if self.stop.is_set():
            raise Interrupted(self.stop.signal_number)

    def _delete(self, service: ImageService, run: int, seen: TargetResult, plan: Plan) -> TargetResult:
        done = iter(range(1, len(plan.decisions) + 1))
        executioner = Executioner(
            run,
            seen.target,
            service,
            self.store,
            self.clock,
            self.stop,
            self.deletions_at_once,
            lambda: self.progress.advance(seen.target, "delete", next(done), len(plan.decisions)),
        )
        attempts = executioner.carry_out(plan)
        errors: list[JanitorError | str] = []
        if executioner.journal_error is not None:
            errors.append(executioner.journal_error)
        if len(attempts) < len(plan.decisions):
            errors.append(f"{len(plan.decisions) - len(attempts)} of {len(plan.decisions)} deletions were not sent")
        listed: dict[str, Image] | None = None
        try:
            listed = {image.id: image for image in service.images()}
        except CloudError as error:
            errors.append(f"the survey after the deletions failed, so none is confirmed: {error}")
        deletions = tuple(confirm(attempts, listed))
        outcome = Outcome.PARTIAL if any(_unsuccessful(d.outcome) for d in deletions) else Outcome.OK
        return replace(
            seen,
            outcome=Outcome.FAILED if errors else outcome,
            error="; ".join(str(error) for error in errors) or None,
            deletions=deletions,
        )


def _unsuccessful(outcome: DeletionOutcome) -> bool:
    return outcome in (DeletionOutcome.REFUSED, DeletionOutcome.FAILED)


def exit_code(result: RunResult) -> Exit:
    """The exit code that a run's result asks for; the highest-ranking problem of its targets wins."""
    codes = [_EXIT_OF_OUTCOME[target.outcome] for target in result.targets]
    unsuccessful = any(_unsuccessful(d.outcome) for target in result.targets for d in target.deletions)
    return worst([*codes, _EXIT_OF_OUTCOME[result.outcome], Exit.DELETIONS_FAILED if unsuccessful else Exit.OK])
