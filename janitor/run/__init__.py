"""One run over all targets: each is cleaned separately, and together they are the result that is reported."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Semaphore

from janitor.commands import as_here
from janitor.core.matching import Matched
from janitor.core.planning.plan_diff import plan_digest
from janitor.core.result import Outcome, RunResult, RunTerms, TargetResult
from janitor.errors import CloudError, Exit, Interrupted, StoreError, worst
from janitor.run.accounts import unfamiliar
from janitor.run.cleaning import Cleaning, cut_short
from janitor.run.orders import Orders, Site
from janitor.run.siblings import Comparison, compared
from janitor.shutdown import wait_for

_log = logging.getLogger("janitor.run")

_EXIT_OF_OUTCOME = {
    Outcome.OK: Exit.OK,
    Outcome.PARTIAL: Exit.DELETIONS_FAILED,
    Outcome.REFUSED: Exit.LIMIT,
    Outcome.FAILED: Exit.FAILED,
}
_OUTCOME_OF_EXIT = {code: outcome for outcome, code in _EXIT_OF_OUTCOME.items()}


@dataclass(frozen=True, slots=True)
class Run(Orders):
    """One run of these orders."""

    def perform(self) -> RunResult:
        """Run once over all sites. A site that fails is recorded, and the others continue.

        Once told to stop, sites that take longer than `patience` are abandoned. Raises StoreError where the database
        cannot begin a run; a later failure is in the result, with what was done.
        """
        started_at = self.execution.clock()
        run = self.store.begin_run(
            self.mode,
            started_at,
            owes_report=self.audience.owes_report,
            unposted=self.audience.unposted,
            begun_by=self.audience.begun_by,
        )
        self.store.record_basis(run, self.basis)
        if self.unknown_mark is not None:
            self.store.note_behind(run, self.unknown_mark, started_at)
        targets = self._clean_all(run)
        outcome = _OUTCOME_OF_EXIT[worst(_EXIT_OF_OUTCOME[target.outcome] for target in targets)]
        planned = ((target.target, decision) for target in targets for decision in target.to_delete)
        digest = plan_digest(planned, self.basis.policies)
        terms = RunTerms(self.audience.begun_by, self.basis.policies, self.basis.limits)
        finished_at = self.execution.clock()
        result = RunResult(run, self.mode, outcome, started_at, finished_at, targets, digest=digest, terms=terms)
        try:
            result = replace(result, remarks=tuple(self.audience.remarks()))
            return self.store.finish_run(result)
        except StoreError as error:
            return replace(result, outcome=Outcome.FAILED, error=str(error))

    def _clean_all(self, run: int) -> tuple[TargetResult, ...]:
        permit = Semaphore(self.execution.targets_at_once)
        sites, comparison, together = compared(self.sites, self._new(), self.execution.stop, permit)
        pool = ThreadPoolExecutor(max(self.execution.targets_at_once, together), thread_name_prefix="target")
        work = {site.name: pool.submit(as_here(self._permitted), permit, run, site, comparison) for site in sites}
        late = True
        try:
            late = wait_for(list(work.values()), self.execution.stop, self.execution.patience)
            return tuple(
                future.result() if (future := work[site.name]).done() and not future.cancelled() else _left_behind(site)
                for site in self.sites
            )
        finally:
            pool.shutdown(wait=not late, cancel_futures=True)

    def _new(self) -> set[str]:
        """The sites of which nothing recent is recorded that others could be compared with."""
        last = {site.name: self.store.last_listed(site.name) for site in self.sites}
        return unfamiliar(last, self.execution.clock())

    def _permitted(self, permit: Semaphore, run: int, site: Site, comparison: Comparison) -> TargetResult:
        with permit:
            return self._clean(run, site, comparison)

    def _clean(self, run: int, site: Site, comparison: Comparison) -> TargetResult:
        result = self._attempted(run, site, comparison)
        if result.error is not None:
            _log.warning("target-%s target=%s: %s", result.outcome, site.name, result.error)
        try:
            self.store.finish_target(run, result)
        except StoreError as error:
            return _unrecorded(result, error)
        return result

    def _attempted(self, run: int, site: Site, comparison: Comparison) -> TargetResult:
        try:
            service = site.connect()
            try:
                matched = Matched(self.basis.policies, (site.name, *site.also_named), self.execution.budget)
                return Cleaning(self, run, site, service, comparison, matched).perform()
            finally:
                service.close()
        except (CloudError, StoreError, Interrupted) as error:
            return cut_short(site.name, error)
        finally:
            comparison.leave(site.name)


def _left_behind(site: Site) -> TargetResult:
    return TargetResult(
        site.name, Outcome.FAILED, "interrupted with a request unanswered; the next run checks what it did"
    )


def _unrecorded(result: TargetResult, error: StoreError) -> TargetResult:
    """The same result, with a note that it could not be recorded, unless it says so already."""
    known = result.error or ""
    both = known if str(error) in known else "; ".join(filter(None, (known, str(error))))
    return replace(result, outcome=Outcome.FAILED, error=both)


def exit_code(result: RunResult) -> Exit:
    """The exit code of a run's result; the highest-ranking problem of its targets wins."""
    codes = [_EXIT_OF_OUTCOME[target.outcome] for target in result.targets]
    troubled = any(d.outcome.unsuccessful for target in result.targets for d in target.deletions)
    return worst([*codes, _EXIT_OF_OUTCOME[result.outcome], Exit.DELETIONS_FAILED if troubled else Exit.OK])
