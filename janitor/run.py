"""One run, in order: survey, snapshot, decide, plan, check the limits; then report, or delete, confirm and report."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from janitor.applying import changes_since, plan_digest, policy_text
from janitor.cloud import ImageService
from janitor.decide import decide
from janitor.deleting import Attempt, Executioner, Journal, confirm
from janitor.errors import CloudError, Exit, Implausible, Interrupted, JanitorError, StoreError, worst
from janitor.exemptions import exemptions_for
from janitor.gate import Gate, Measure, measure, refusal
from janitor.model import (
    Change,
    Decision,
    Deletion,
    DeletionOutcome,
    Exemption,
    History,
    Image,
    Memory,
    Mode,
    Outcome,
    Refusals,
    RunResult,
    Survey,
    TargetResult,
    Usage,
)
from janitor.notices import spared, to_announce, to_remind
from janitor.plan import Limits, Plan, make_plan, owns
from janitor.policy import Policy
from janitor.settling import Settlement, Unsettled, settle
from janitor.stopping import Stop as Stop  # part of a run's interface
from janitor.stopping import wait_for

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

    def record_policies(self, run: int, policies: Mapping[str, str]) -> None:
        """Record the texts of the policies that a run decides by, by name."""
        ...

    def memory(self, target: str) -> Memory:
        """What is recorded of a target's notices and refusals."""
        ...

    def exemptions(self, target: str, at: datetime) -> Sequence[Exemption]:
        """What people exempted by command in a target, as far as it holds at that instant."""
        ...

    def last_good(self, target: str, before: int) -> tuple[int, Measure] | None:
        """The latest run before this one whose survey was good, and what it measured."""
        ...

    def asked_since(self, target: str, run: int) -> set[str]:
        """The images whose deletion was asked for in this run or later."""
        ...

    def record_measure(self, run: int, target: str, seen: Measure, *, good: bool) -> None:
        """Record how much a survey saw, and whether it is believed."""
        ...

    def end_notices(self, target: str, images: Iterable[str], how: str, at: datetime) -> None:
        """End the notices that run for these images."""
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
    gate: Gate = field(default_factory=Gate)
    accept_survey: bool = False
    usage_memory: timedelta = timedelta()
    approved: Mapping[str, Sequence[Decision]] | None = None
    exemptions: Sequence[Exemption] = ()
    patience: timedelta = timedelta(seconds=6.5)

    def perform(self) -> RunResult:
        """Run once over all sites. A site that fails is data, and the others go on.

        Once told to stop, sites that take longer than `patience` are left behind. Raises StoreError where the database
        cannot even begin a run; one that fails later is in the result, beside what was done.
        """
        started_at = self.clock()
        run = self.store.begin_run(self.mode, started_at)
        self.store.record_policies(run, {policy.name: policy_text(policy) for policy in self.policies})
        targets = self._clean_all(run)
        outcome = _OUTCOME_OF_EXIT[worst(_EXIT_OF_OUTCOME[target.outcome] for target in targets)]
        planned = ((target.target, decision) for target in targets for decision in target.doomed)
        digest = plan_digest(planned, self.policies)
        result = RunResult(run, self.mode, outcome, started_at, self.clock(), targets, digest=digest)
        try:
            self.store.finish_run(result)
        except StoreError as error:
            return replace(result, outcome=Outcome.FAILED, error=str(error))
        return result

    def _clean_all(self, run: int) -> tuple[TargetResult, ...]:
        pool = ThreadPoolExecutor(self.targets_at_once, thread_name_prefix="target")
        work = [pool.submit(self._clean, run, site) for site in self.sites]
        late = True
        try:
            late = wait_for(work, self.stop, self.patience)
            return tuple(
                future.result() if future.done() and not future.cancelled() else _left_behind(site)
                for site, future in zip(self.sites, work, strict=True)
            )
        finally:
            pool.shutdown(wait=not late, cancel_futures=True)

    def _clean(self, run: int, site: Site) -> TargetResult:
        result = self._attempted(run, site)
        if result.error is not None:
            _log.warning("target-%s target=%s: %s", result.outcome, site.name, result.error)
        try:
            self.store.finish_target(run, result)
        except StoreError as error:
            return _unrecorded(result, error)
        return result

    def _attempted(self, run: int, site: Site) -> TargetResult:
        try:
            service = site.connect()
            try:
                return self._clean_through(service, run, site.name)
            finally:
                service.close()
        except Implausible as error:
            return TargetResult(site.name, Outcome.REFUSED, f"nothing deleted, the survey looks wrong: {error}")
        except Interrupted:
            return TargetResult(site.name, Outcome.FAILED, "interrupted before anything was deleted")
        except (CloudError, StoreError) as error:
            return TargetResult(site.name, Outcome.FAILED, str(error))

    def _clean_through(self, service: ImageService, run: int, target: str) -> TargetResult:
        survey = self._survey(service, target)
        history = self.store.record_survey(run, target, survey)
        doubts = self._doubts(service, run, target, survey)
        settled = () if doubts or survey.usage.problem is not None else self._settle(run, target, survey)
        memory = self._memory(target, survey)
        decisions = decide(
            survey.images,
            self.policies,
            survey.usage,
            history,
            survey.finished_at,
            target=target,
            zone=self.zone,
            memory=memory,
        )
        self.store.record_decisions(run, target, decisions)
        plan, changed = self._plan(target, decisions)
        seen = TargetResult(
            target,
            Outcome.OK,
            images=len(survey.images),
            owned=plan.owned,
            decisions=tuple(decisions),
            settled=settled,
            changed=changed,
            approved=None if self.approved is None else frozenset(d.image.id for d in plan.decisions),
            survey_seconds=(survey.finished_at - survey.started_at).total_seconds(),
        )
        if survey.usage.problem is not None:
            return replace(seen, outcome=Outcome.FAILED, error=f"nothing deleted: {survey.usage.problem}")
        if doubts:
            return replace(seen, outcome=Outcome.REFUSED, error=refusal(doubts))
        return self._act(service, run, _told_of(seen, memory, survey.finished_at), plan, memory)

    def _memory(self, target: str, survey: Survey) -> Memory:
        """What is recorded of a target, and what people exempted there by command or in policy files."""
        now = survey.finished_at
        exempted = exemptions_for(survey.images, self.store.exemptions(target, now), self.exemptions, now)
        return replace(self.store.memory(target), exemptions=exempted, usage_memory=self.usage_memory)

    def _plan(self, target: str, decisions: Sequence[Decision]) -> tuple[Plan, tuple[Change, ...]]:
        """The plan, and what is left out of it because it is not what was approved."""
        plan = make_plan(decisions)
        if self.approved is None:
            return plan, ()
        same, changed = changes_since(self.approved.get(target, ()), decisions)
        return replace(plan, decisions=tuple(d for d in plan.decisions if d.image.id in same)), changed

    def _act(self, service: ImageService, run: int, seen: TargetResult, plan: Plan, memory: Memory) -> TargetResult:
        excess = plan.refusal(self.limits) if self.approved is None else None
        if excess:
            error = f"{excess} To delete exactly this list after a look at it: janitor apply {run}"
            seen = replace(seen, outcome=Outcome.REFUSED, error=error)
        if self.mode is Mode.DRY_RUN:
            return seen
        self._end_notices(seen, memory)
        if excess or not plan.decisions:
            return seen
        return _with_old_news(self._delete(service, run, seen, plan), memory)

    def _end_notices(self, seen: TargetResult, memory: Memory) -> None:
        """Withdraw the notices of what no longer expires, or is no longer there."""
        listed = {decision.image.id for decision in seen.decisions}
        at = self.clock()
        self.store.end_notices(seen.target, [decision.image.id for decision in seen.spared], "spared", at)
        self.store.end_notices(seen.target, memory.notices.keys() - listed, "gone", at)

    def _doubts(self, service: ImageService, run: int, target: str, survey: Survey) -> tuple[str, ...]:
        """What looks wrong about a survey; recorded as good where nothing does, or where a person accepts it."""
        seen = measure(survey)
        good = self.store.last_good(target, run)
        ours = self.store.asked_since(target, good[0]) - {image.id for image in survey.images} if good else set()
        doubts = self.gate.doubts(
            seen,
            good[1] if good else None,
            own_deletions=len(ours),
            clock_offset=service.clock_offset(),
            irregularities=service.irregularities(),
        )
        doubts = () if self.accept_survey or survey.usage.problem is not None else doubts
        self.store.record_measure(run, target, seen, good=not doubts and survey.usage.problem is None)
        return doubts

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
        self._heed_stop()
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
            interrupted = "interrupted: " if self.stop.is_set() else ""
            unsent = len(plan.decisions) - len(attempts)
            errors.append(f"{interrupted}{unsent} of {len(plan.decisions)} deletions were not sent")
        listed: dict[str, Image] | None = None
        try:
            listed = self._listed_afterwards(service, seen, attempts) if attempts else {}
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

    def _listed_afterwards(
        self, service: ImageService, seen: TargetResult, attempts: Sequence[Attempt]
    ) -> dict[str, Image]:
        """What the target lists now. Raises CloudError also for a list that lost too much beside what was asked for."""
        listed = {image.id: image for image in service.images()}
        asked = {attempt.decision.image.id for attempt in attempts}
        others = [d.image for d in seen.decisions if owns(d.image) and d.image.id not in asked]
        lost = sum(image.id not in listed for image in others)
        if lost * 100 > self.gate.max_shrink * len(others):
            raise CloudError(f"{lost} of {len(others)} images that nobody asked to delete are missing from it")
        return listed


def _told_of(seen: TargetResult, memory: Memory, now: datetime) -> TargetResult:
    return replace(
        seen,
        announced=to_announce(seen.decisions, memory.notices),
        reminded=to_remind(seen.decisions, memory.notices, now),
        spared=spared(seen.decisions, memory),
    )


def _with_old_news(result: TargetResult, memory: Memory) -> TargetResult:
    refused = (d for d in result.deletions if d.outcome is DeletionOutcome.REFUSED)
    before = memory.refusals
    again = (d.decision.image.id for d in refused if before.get(d.decision.image.id, _NEVER).detail == d.detail)
    return replace(result, refused_again=frozenset(again))


_NEVER = Refusals(0, datetime.min.replace(tzinfo=UTC), "")


def _left_behind(site: Site) -> TargetResult:
    return TargetResult(
        site.name, Outcome.FAILED, "interrupted; a request hangs, and the next run will tell what it did"
    )


def _unrecorded(result: TargetResult, error: StoreError) -> TargetResult:
    """The same, and that it could not be written down, unless it says so already."""
    known = result.error or ""
    both = known if str(error) in known else "; ".join(filter(None, (known, str(error))))
    return replace(result, outcome=Outcome.FAILED, error=both)


def _unsuccessful(outcome: DeletionOutcome) -> bool:
    return outcome in (DeletionOutcome.REFUSED, DeletionOutcome.FAILED)


def exit_code(result: RunResult) -> Exit:
    """The exit code that a run's result asks for; the highest-ranking problem of its targets wins."""
    codes = [_EXIT_OF_OUTCOME[target.outcome] for target in result.targets]
    unsuccessful = any(_unsuccessful(d.outcome) for target in result.targets for d in target.deletions)
    return worst([*codes, _EXIT_OF_OUTCOME[result.outcome], Exit.DELETIONS_FAILED if unsuccessful else Exit.OK])
