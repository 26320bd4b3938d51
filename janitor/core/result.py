"""What a run did, whole: what every report is rendered from."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from janitor.core.decision import Change, Decision, Spared, Verdict
from janitor.core.survey.clock import ClockCheck


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
    """What became of one deletion; only the survey afterwards can say `deleted`."""

    DELETED = "deleted"
    ACCEPTED = "accepted"
    ALREADY_GONE = "already-gone"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def unsuccessful(self) -> bool:
        """Whether a person may have to look at a deletion that ended so."""
        return self in (DeletionOutcome.REFUSED, DeletionOutcome.FAILED)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of what is known of an image over time: what a run saw, decided or did."""

    at: datetime
    run: int
    text: str


@dataclass(frozen=True, slots=True)
class Deletion:
    """One attempt to delete one image, and what became of it.

    `unsettled`: no survey has told yet whether the image is gone; the next one of its target will.
    """

    decision: Decision
    outcome: DeletionOutcome
    detail: str
    unsettled: bool = False


@dataclass(frozen=True, slots=True)
class SurveySummary:
    """What is reported of the survey of one target: how much it saw, and how well.

    `owned` are the images that belong to the target itself. `remarks` say what the survey could not see and did not
    insist on seeing. `clock` says what confirmed our clock, and `seconds` is how long the survey took; neither is
    recorded.
    """

    images: int = 0
    owned: int = 0
    remarks: tuple[str, ...] = field(default=(), compare=False)
    clock: ClockCheck = field(default=ClockCheck.TOLD, compare=False)
    seconds: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NoticeChanges:
    """What one run changes of the notices of one target's images.

    `announced` are the images whose notice this run gives, or in a dry run would give; `reminded` those that it reminds
    of, and `overdue` those of them whose reminder is missing for so long that they are due a day after it.
    `undelivered` are those of both that nobody was told of, as no accepted message names them: their notice has not
    begun, or they go on waiting for their reminder. As long as the report is not sent there are none, for it is the
    report that tells. `spared` are the images that were announced before and no longer expire, with what now keeps
    them.
    """

    announced: tuple[Decision, ...] = ()
    reminded: tuple[Decision, ...] = ()
    overdue: frozenset[str] = frozenset()
    undelivered: frozenset[str] = frozenset()
    spared: tuple[Spared, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanReview:
    """What of a plan still stands when it is carried out.

    `approved` are the images that a reviewed plan named and that are still as they were; None where no such plan is
    applied. `changed` are the others that it named, and those that changed during this run.
    """

    approved: frozenset[str] | None = None
    changed: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlierRequests:
    """What this run tells of deletions that earlier runs asked for.

    `settled` are those that could not tell their outcome: this run's survey could. `refused_again` are the images that
    the API rejected with the same message as the last time.
    """

    settled: tuple[Deletion, ...] = ()
    refused_again: frozenset[str] = frozenset()

    @property
    def last_settled(self) -> tuple[Deletion, ...]:
        """Of `settled`, the last of each image: what became of one that was asked for again and again is told once."""
        return tuple({settled.decision.image.id: settled for settled in self.settled}.values())


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What one run saw, decided and did in one target; decisions oldest image first.

    `error` says in one sentence what went wrong, or why nothing was deleted. A target that could not be surveyed has no
    decisions.
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

    @property
    def to_delete(self) -> tuple[Decision, ...]:
        """The plan: the decisions that say delete; where a reviewed plan is applied, only those of approved images."""
        approved = self.review.approved
        planned = (decision for decision in self.decisions if decision.verdict is Verdict.DELETE)
        return tuple(d for d in planned if approved is None or d.image.id in approved)


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run, whole: what every report is rendered from.

    `error` is what kept the run from its targets, if anything did. `digest` is a short name for exactly its plan.
    `remarks` are on what people wrote down, and concern no target alone.
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


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs; a run that never finished has no outcome and no end."""

    run: int
    mode: Mode
    outcome: Outcome | None
    started_at: datetime
    finished_at: datetime | None
    images: int
    to_delete: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a GiB costs a month: turns sizes into money in reports."""

    per_gib_month: float
    currency: str
