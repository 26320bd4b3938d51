"""Everything that a run did: the source of every report."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from janitor.core.decision import Change, Decision, Spared, Verdict
from janitor.core.planning.plan import Excess, Limits
from janitor.core.policy import Policy
from janitor.core.replay.differences.since import Since
from janitor.core.survey.clock import ClockCheck
from janitor.core.units import GIB


class Mode(StrEnum):
    """Whether a run may delete."""

    DRY_RUN = "dry-run"
    DELETE = "delete"


class Outcome(StrEnum):
    """How a run, or one target of it, ended."""

    OK = "ok"
    PARTIAL = "partial"
    REFUSED = "refused"
    FAILED = "failed"


class DeletionOutcome(StrEnum):
    """The outcome of one deletion; only the survey afterwards can say `deleted`."""

    DELETED = "deleted"
    ACCEPTED = "accepted"
    ALREADY_GONE = "already-gone"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def unsuccessful(self) -> bool:
        """Whether a person may have to look into a deletion with this outcome."""
        return self in (DeletionOutcome.REFUSED, DeletionOutcome.FAILED)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history of an image: what a run saw, decided or did."""

    at: datetime
    run: int
    text: str


@dataclass(frozen=True, slots=True)
class Deletion:
    """One attempt to delete one image, and its outcome.

    `unsettled`: no survey has shown yet whether the image is gone; the next one of its target will.
    """

    decision: Decision
    outcome: DeletionOutcome
    detail: str
    unsettled: bool = False

    @property
    def unknown(self) -> bool:
        """Whether its outcome is not known yet: neither an answer nor a survey says anything. Its code is `failed`."""
        return self.unsettled and self.outcome is DeletionOutcome.FAILED


@dataclass(frozen=True, slots=True)
class SurveySummary:
    """What is reported about the survey of one target: how much it saw, and what it could not see.

    `owned` are the images that belong to the target itself. `remarks` say which optional sources the survey could not
    read. `clock` says what confirmed our clock, and `seconds` is how long the survey took; neither is recorded.
    """

    images: int = 0
    owned: int = 0
    remarks: tuple[str, ...] = field(default=(), compare=False)
    clock: ClockCheck = field(default=ClockCheck.CONFIRMED, compare=False)
    seconds: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NoticeChanges:
    """What one run changes about the notices of one target's images.

    `announced` are the images whose notice this run gives, or in a dry run would give; `reminded` those for which it
    sends a reminder, and `overdue` those of them whose reminder is so late that they are due a day after it.
    `undelivered` are those of both that no accepted message names: their notice has not begun, or they still wait for
    their reminder. Until the report is sent there are none. `spared` are the images that were announced before and no
    longer expire, with the reason that now keeps them. `gone` are announced images as last seen, which somebody else
    deleted: no survey has listed them for a week, and no run deleted them.
    """

    announced: tuple[Decision, ...] = ()
    reminded: tuple[Decision, ...] = ()
    overdue: frozenset[str] = frozenset()
    undelivered: frozenset[str] = frozenset()
    spared: tuple[Spared, ...] = ()
    gone: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanReview:
    """What is still valid of a plan when it is carried out.

    `approved` are the images that a reviewed plan named and that are unchanged; None where no such plan is applied.
    `changed` are the others that it named, and those that changed during this run.
    """

    approved: frozenset[str] | None = None
    changed: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlierRequests:
    """What this run reports about deletions that earlier runs requested.

    `settled` are those whose outcome was unknown until this run's survey. `refused_again` are the images that the API
    rejected with the same message as the last time.
    """

    settled: tuple[Deletion, ...] = ()
    refused_again: frozenset[str] = frozenset()

    @property
    def last_settled(self) -> tuple[Deletion, ...]:
        """Of `settled`, the last for each image: a deletion that was requested repeatedly is reported once."""
        return tuple({settled.decision.image.id: settled for settled in self.settled}.values())


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What one run saw, decided and did in one target; decisions oldest image first.

    `error` says in one sentence what went wrong, or why nothing was deleted. A target that could not be surveyed has no
    decisions. `excess` is how its plan is over a limit, where that is why nothing was deleted. `since` is what changed
    since an earlier accepted survey, None where that cannot be told.

    Wide because it has a part for each stage of a run; `_planned` only keeps what follows from the others.
    """

    target: str
    outcome: Outcome
    error: str | None = None
    survey: SurveySummary = field(default_factory=SurveySummary)
    decisions: tuple[Decision, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    notices: NoticeChanges = field(default_factory=NoticeChanges)
    review: PlanReview = field(default_factory=PlanReview)
    earlier: EarlierRequests = field(default_factory=EarlierRequests)
    excess: Excess | None = None
    since: Since | None = None
    _planned: tuple[Decision, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def to_delete(self) -> tuple[Decision, ...]:
        """The plan: the decisions that say delete; where a reviewed plan is applied, only those of approved images.

        Looked for once: the figures and lists of a report ask for it a dozen times.
        """
        planned = self._planned
        if planned is None:
            planned = self._look_for_planned()
            object.__setattr__(self, "_planned", planned)
        return planned

    def _look_for_planned(self) -> tuple[Decision, ...]:
        approved = self.review.approved
        planned = (decision for decision in self.decisions if decision.verdict is Verdict.DELETE)
        return tuple(d for d in planned if approved is None or d.image.id in approved)


@dataclass(frozen=True, slots=True)
class RunTerms:
    """What a run was made with, as far as reports say so; nothing of it where that was not recorded.

    `begun_by` is who or what began it, in words. `policies` are in their order. `limits` are those of one target.
    """

    begun_by: str | None = None
    policies: tuple[Policy, ...] = ()
    limits: Limits | None = None

    def policy(self, name: str | None) -> Policy | None:
        """The policy of this name."""
        return next((policy for policy in self.policies if policy.name == name), None)


@dataclass(frozen=True, slots=True)
class RunResult:
    """One whole run: the source of every report. `error` is what kept the run from its targets, if anything did.

    `digest` identifies exactly its plan. `remarks` concern what people wrote down, and no single target. `unseen` are
    the targets that the runs surveyed with which this one is compared, and that this one did not. Wide because each
    field is a part of every report.
    """

    run: int
    mode: Mode
    outcome: Outcome
    started_at: datetime
    finished_at: datetime
    targets: tuple[TargetResult, ...] = ()
    error: str | None = None
    digest: str | None = None
    remarks: tuple[str, ...] = ()
    terms: RunTerms = field(default_factory=RunTerms)
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs; a run that never finished has no outcome and no end.

    `details_kept`: not dropped as older than the configuration keeps history. `undelivered` counts its reports that
    their channels have not accepted yet.

    Wide because it is a row of the list.
    """

    run: int
    mode: Mode
    outcome: Outcome | None
    started_at: datetime
    finished_at: datetime | None
    images: int
    to_delete: int
    deleted: int
    details_kept: bool = True
    undelivered: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """The price of a GiB per month: turns sizes into money in reports."""

    per_gib_month: float
    currency: str

    def of(self, size: int) -> float:
        """What this many bytes cost per month."""
        return size / GIB * self.per_gib_month
