"""One target's part of a run, in order: survey, snapshot, decide, plan, check; then report, or delete and confirm."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from shlex import quote

from janitor.cloud.apis import wire_keys
from janitor.cloud.service import ImageService, Lookup
from janitor.commands import command
from janitor.core.basis import Grounds, answers
from janitor.core.decide import decide
from janitor.core.decision import Change, Decision, Verdict
from janitor.core.exemptions import exemptions_by_tag, exemptions_for, longest_of
from janitor.core.image import Image, Sharing
from janitor.core.matching import Matched
from janitor.core.memory import History, Memory, Notice
from janitor.core.notices import counted_among, overdue, spared, to_announce, to_remind
from janitor.core.planning.plan import Excess, Plan, make_plan, own_ids, revised
from janitor.core.planning.plan_diff import changes_since
from janitor.core.planning.reconciling import reconcile
from janitor.core.result import (
    Deletion,
    EarlierRequests,
    Mode,
    NoticeChanges,
    Outcome,
    PlanReview,
    SurveySummary,
    TargetResult,
)
from janitor.core.sharing import apply_sharing, in_question
from janitor.core.survey import Survey
from janitor.core.survey.clock import ClockCheck, unconfirmed
from janitor.core.survey.mark import restored
from janitor.core.survey.plausibility import implausible
from janitor.errors import AnotherAccount, CloudError, Implausible, Interrupted, JanitorError, StoreError
from janitor.run.accounts import unknown_account
from janitor.run.carrying_out import CarryingOut
from janitor.run.freshness import Moment
from janitor.run.orders import Orders, RunStore, Site
from janitor.run.rereading import Rereading
from janitor.run.siblings import Comparison
from janitor.run.survey_check import SurveyCheck
from janitor.run.surveying import Surveying, raise_if_stopped


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What one run does in one target, through its service; `matched` finds the owners of its images."""

    orders: Orders
    run: int
    site: Site
    service: ImageService
    comparison: Comparison
    matched: Matched

    @property
    def target(self) -> str:
        """The name of the site."""
        return self.site.name

    @property
    def _store(self) -> RunStore:
        return self.orders.store

    def perform(self) -> TargetResult:
        """Survey, decide, plan; then delete and confirm, unless there is a reason not to.

        Raises CloudError for a target that cannot be surveyed, Interrupted once told to stop before anything was
        deleted, StoreError for a database that fails before the first deletion (but if deletions of earlier runs were
        settled before that, a result, since no other run will report them), and AnotherAccount, with nothing recorded
        of the survey, where it is not of the account that the database knows.
        """
        since = self.orders.execution.moment()
        check = self._check()
        with closing(self._store.stage(self.target)) as stage:

            def take(images: Sequence[Image]) -> None:
                stage.add(images, self.service.digests())
                self.matched.prepare(images)

            survey, lookup = Surveying(self.orders, self.target, self.service).survey(take)
            survey = check.recognised(survey)
            history = stage.record(self.run, survey, self.site.also_named)
        survey = self._without_digests(survey)
        owned, unacceptable = self._compared(check, survey)
        doubts = check.doubts(survey, owned, lookup, unacceptable)
        settled = () if doubts or survey.usage.problem is not None else self._reconcile(survey, lookup)
        try:
            doubt = implausible(self.target, doubts, acceptable=not unacceptable) if doubts else None
            return self._judge(since, survey, history, doubt, settled)
        except (CloudError, StoreError, Interrupted) as error:
            if not settled:
                raise
            return replace(cut_short(self.target, error), earlier=EarlierRequests(settled))

    def _without_digests(self, survey: Survey) -> Survey:
        """The same survey, once it has been recorded: what is not needed again takes much memory for a large fleet."""
        self.service.forget_digests()
        return replace(survey, digests={})

    def _check(self) -> SurveyCheck:
        return SurveyCheck(self.orders, self.run, self.site, self.service, self.comparison)

    def _compared(self, check: SurveyCheck, survey: Survey) -> tuple[int, Sequence[str]]:
        """How many images are the target's own, and what no person can accept about them, by those of other sites."""
        own = own_ids(survey.images)
        return len(own), check.one_service_with_others(survey, own)

    def _judge(
        self,
        since: Moment,
        survey: Survey,
        history: Mapping[str, History],
        doubt: str | None,
        settled: tuple[Deletion, ...],
    ) -> TargetResult:
        memory = self._memory(survey)
        plan, decisions, grounds = self._decide(survey, history, memory)
        self.matched.forget()
        self._store.record_decisions(self.run, self.target, decisions, grounds)
        plan, changed = self._approved_part(plan, decisions)
        seen = TargetResult(
            self.target,
            Outcome.OK,
            survey=self._summary(survey, plan),
            decisions=tuple(decisions),
            review=PlanReview(self._approved(plan), changed),
            earlier=EarlierRequests(settled),
            since=self._store.since(self.run, self.target),
        )
        if survey.usage.problem is not None:
            return replace(seen, outcome=Outcome.FAILED, error=f"nothing deleted: {survey.usage.problem}")
        if doubt is not None:
            return replace(seen, outcome=Outcome.REFUSED, error=doubt)
        carrying_out = self._carrying_out(since, survey, history, memory)
        return self._act(_told_of(seen, memory, survey.finished_at), plan, memory, carrying_out)

    def _summary(self, survey: Survey, plan: Plan) -> SurveySummary:
        took = survey.finished_at - survey.started_at
        remarks = survey.usage.remarks
        return SurveySummary(len(survey.images), plan.owned, remarks, self._check().clock_check(), took.total_seconds())

    def _approved(self, plan: Plan) -> frozenset[str] | None:
        """The images of the reviewed plan, if one is applied."""
        return None if self.orders.approved is None else frozenset(d.image.id for d in plan.decisions)

    def _decide(
        self, survey: Survey, history: Mapping[str, History], memory: Memory
    ) -> tuple[Plan, list[Decision], Grounds]:
        """The decisions, their plan, and what they were based on besides the survey and its history."""
        ruled = self._ruled(survey, history, memory)
        plan, asked = make_plan(ruled), in_question(ruled)
        sharing = answers(asked, self._sharing(asked, plan))
        raise_if_stopped(self.orders.execution.stop)
        decisions = apply_sharing(ruled, sharing)
        return revised(plan, decisions), decisions, Grounds(memory, sharing)

    def _sharing(self, asked: Sequence[Image], plan: Plan) -> Mapping[str, Sharing]:
        """With whom these images are shared. For a plan over its limit the API is not asked: nothing is deleted."""
        if self._excess(plan) is None:
            return self.service.sharing(asked)
        return {image.id: Sharing(unasked=True) for image in self.service.shareable(asked)}

    def _excess(self, plan: Plan) -> Excess | None:
        """How a plan is over the limits; none apply to a reviewed plan."""
        return plan.over_limit(self.orders.basis.limits) if self.orders.approved is None else None

    def _ruled(self, survey: Survey, history: Mapping[str, History], memory: Memory) -> list[Decision]:
        """The decisions by guards and policies."""
        return decide(
            survey.images,
            self.orders.basis.policies,
            survey.usage,
            history,
            survey.finished_at,
            target=self.target,
            also_named=self.site.also_named,
            zone=self.orders.basis.zone,
            memory=memory,
            budget=self.orders.execution.budget,
            wire_keys=wire_keys(self.service.binding().api),
            matched=self.matched,
        )

    def _memory(self, survey: Survey) -> Memory:
        """What is recorded of a target, and what people exempted by command, in policy files or by tags."""
        now = survey.finished_at
        stored = self._store.exemptions(now)
        by_people = exemptions_for(survey.images, stored, self.orders.basis.exemptions, now)
        exempted = longest_of(by_people, exemptions_by_tag(survey.images, now, self.orders.basis.zone))
        recorded = self._store.memory(self.target)
        return replace(
            recorded,
            notices=self._counted(recorded, survey),
            exemptions=exempted,
            usage_memory=self.orders.basis.usage_memory,
        )

    def _counted(self, recorded: Memory, survey: Survey) -> Mapping[str, Notice]:
        """The notices as they count; where no channel is configured, no notice starts and none runs."""
        destinations, next_run = self.orders.audience.destinations, self.orders.audience.next_run
        if destinations is None:
            return recorded.notices
        now = survey.finished_at
        return counted_among(survey.images, recorded.notices, recorded.hearing, now, destinations, next_run)

    def _approved_part(self, plan: Plan, decisions: Sequence[Decision]) -> tuple[Plan, tuple[Change, ...]]:
        """The plan as far as it was approved, and the images left out because they differ from what was approved."""
        if self.orders.approved is None:
            return plan, ()
        deleted = self._store.deleted(self.target)
        same, changed = changes_since(self.orders.approved.get(self.target, ()), decisions, deleted)
        return replace(plan, decisions=tuple(d for d in plan.decisions if d.image.id in same)), changed

    def _act(self, seen: TargetResult, plan: Plan, memory: Memory, carrying_out: CarryingOut) -> TargetResult:
        excess = None
        against = self._doubt(seen, plan)
        if against is None and (excess := self._excess(plan)) is not None:
            only = f" --target {quote(self.target)}" if len(self.orders.sites) > 1 else ""
            applying = command(f"apply {self.run}{only}", asks=True)
            against = f"{excess.sentence} To delete exactly this list after reviewing it: {applying}"
        if against is not None:
            seen = replace(seen, outcome=Outcome.REFUSED, error=against, excess=excess)
        if self.orders.mode is Mode.DRY_RUN:
            return seen
        if seen.survey.clock is not ClockCheck.UNCONFIRMED:
            seen = replace(seen, notices=replace(seen.notices, gone=self._end_notices_of_gone(seen, memory)))
        if against is not None or not plan.decisions:
            return seen
        try:
            full = self.orders.execution.authority.reserve(self.target, len(plan.decisions))
        except StoreError as error:
            return replace(seen, outcome=Outcome.FAILED, error=f"nothing deleted: {error}")
        if full is not None:
            return replace(seen, outcome=Outcome.REFUSED, error=f"nothing deleted: {full}")
        return carrying_out.perform(seen, plan, memory)

    def _carrying_out(
        self, since: Moment, survey: Survey, history: Mapping[str, History], memory: Memory
    ) -> CarryingOut:
        def decided(again: Survey) -> list[Decision]:
            return self._ruled(again, history, memory)

        known = self.service.irregularities()
        rereading = Rereading(self.orders, self.target, self.service, survey, decided, known)
        return CarryingOut(self.orders, self.run, self.service, rereading, since)

    def _doubt(self, seen: TargetResult, plan: Plan) -> str | None:
        """Why no plan is carried out although the survey is plausible, if there is a reason."""
        if seen.survey.clock is ClockCheck.UNCONFIRMED:
            return unconfirmed()
        behind = self._store.behind_in(self.run, self.target, self.orders.mode)
        if behind is not None:
            return restored(behind)
        unread = {name: common for name, common in self.site.alike.items() if not self._store.is_surveyed(name)}
        return unknown_account(self.target, unread) if plan.decisions and unread else None

    def _end_notices_of_gone(self, seen: TargetResult, memory: Memory) -> tuple[Decision, ...]:
        """The announced images that somebody else deleted; the notices of those that we deleted end here."""
        unlisted = sorted(memory.notices.keys() - {decision.image.id for decision in seen.decisions})
        now, zone = self.orders.execution.clock(), self.orders.basis.zone
        return tuple(self._store.end_notices_of_gone(seen.target, unlisted, now, zone))

    def _reconcile(self, survey: Survey, lookup: Lookup) -> tuple[Deletion, ...]:
        """Find out the outcomes of requests that earlier runs left open, as far as the survey shows them."""
        settlements = reconcile(self._store.unsettled(self.target), survey.images, lookup.unanswered or ())
        if settlements:
            self._store.record_settlements(self.run, settlements)
        return tuple(settlement.deletion for settlement in settlements)


def cut_short(target: str, error: JanitorError) -> TargetResult:
    """The result of a target where this error kept the run from deciding anything."""
    match error:
        case AnotherAccount():
            return TargetResult(target, Outcome.REFUSED, f"nothing deleted: {error}.")
        case Implausible():
            return TargetResult(target, Outcome.REFUSED, f"nothing deleted, implausible survey: {error}")
        case Interrupted():
            return TargetResult(target, Outcome.FAILED, "interrupted before anything was deleted")
        case _:
            return TargetResult(target, Outcome.FAILED, str(error))


def _told_of(seen: TargetResult, memory: Memory, now: datetime) -> TargetResult:
    waiting = [decision for decision in seen.decisions if decision.verdict is Verdict.WAIT]
    reminded = to_remind(waiting, memory.notices, now)
    notices = NoticeChanges(
        announced=to_announce(waiting, memory.notices),
        reminded=reminded,
        overdue=overdue(reminded, memory.notices),
        spared=spared(seen.decisions, memory),
    )
    return replace(seen, notices=notices)
