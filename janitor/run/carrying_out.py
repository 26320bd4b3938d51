"""The deletions of one target's plan: images checked again, deletions requested, outcomes confirmed by a new list."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from janitor.cloud.service import ImageService
from janitor.core.image import Image
from janitor.core.memory import Memory, Refusals
from janitor.core.names.image_ids import ImageId
from janitor.core.planning.deletion import Answer
from janitor.core.planning.plan import Plan
from janitor.core.result import DeletionOutcome, Outcome, TargetResult
from janitor.errors import CloudError
from janitor.run.deleting import Attempt, Deleter, confirm
from janitor.run.freshness import Freshness, Moment, Reading
from janitor.run.orders import Orders
from janitor.run.rereading import Rereading


@dataclass(frozen=True, slots=True)
class CarryingOut:
    """Carries out the plan of one run for one target; `since` is when its survey began."""

    orders: Orders
    run: int
    service: ImageService
    rereading: Rereading
    since: Moment

    def perform(self, seen: TargetResult, plan: Plan, memory: Memory) -> TargetResult:
        """The result with the outcome of each deletion, and what went wrong."""
        deleter = self._deleter(seen.target, plan)
        attempts = deleter.carry_out(plan)
        requested = sum(attempt.said.answer not in _UNSENT for attempt in attempts)
        self.orders.execution.authority.give_back(seen.target, len(plan.decisions) - requested)
        errors = list(self._shortfalls(deleter, plan, attempts))
        listed: Mapping[ImageId, Image] | None = {}
        unanswered: Collection[ImageId] = ()
        try:
            if attempts:
                listed, unanswered = self.rereading.after(deleter.standing.gone)
        except CloudError as error:
            listed = None
            errors.append(f"the survey after the deletions failed, so none is confirmed: {error}")
        deletions = tuple(confirm(attempts, listed, unanswered))
        outcome = Outcome.PARTIAL if any(d.outcome.unsuccessful for d in deletions) else Outcome.OK
        result = replace(
            seen,
            outcome=Outcome.FAILED if errors else outcome,
            error="; ".join(errors) or None,
            deletions=deletions,
            review=replace(seen.review, changed=(*seen.review.changed, *deleter.standing.left)),
        )
        return _with_old_news(result, memory)

    def _deleter(self, target: str, plan: Plan) -> Deleter:
        done = iter(range(1, len(plan.decisions) + 1))
        planned = {decision.image.id for decision in plan.decisions}
        survey = self.rereading.survey

        def read() -> Reading:
            return self.rereading.before(planned, deleter.standing.gone)

        deleter = Deleter(
            self.run,
            target,
            self.service,
            self.orders.store,
            self.orders.execution,
            Freshness(read, self.orders.execution.moment, self.since, in_order=not survey.pages.side_by_side),
            lambda: self.orders.execution.progress.advance(target, "delete", next(done), len(plan.decisions)),
        )
        return deleter

    def _shortfalls(self, deleter: Deleter, plan: Plan, attempts: Collection[Attempt]) -> Iterator[str]:
        """Why not all planned deletions were requested."""
        if deleter.standing.journal_error is not None:
            yield str(deleter.standing.journal_error)
        unsent = len(plan.decisions) - len(attempts) - len(deleter.standing.left)
        if unsent:
            interrupted = "interrupted: " if self.orders.execution.stop.is_set() else ""
            because = f": {deleter.standing.unsent}" if deleter.standing.unsent is not None else ""
            yield f"{interrupted}{unsent} of {len(plan.decisions)} deletions were not sent{because}"


def _with_old_news(result: TargetResult, memory: Memory) -> TargetResult:
    refused = (d for d in result.deletions if d.outcome is DeletionOutcome.REFUSED)
    before = memory.refusals
    again = (d.decision.image.id for d in refused if before.get(d.decision.image.id, _NEVER).detail == d.detail)
    return replace(result, earlier=replace(result.earlier, refused_again=frozenset(again)))


_UNSENT = (Answer.NOT_SENT, Answer.NOT_LISTED)
_NEVER = Refusals(0, datetime.min.replace(tzinfo=UTC), "")
