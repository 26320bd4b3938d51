"""Runs that are recorded in a database, up to their plan or their end."""

from datetime import UTC, datetime, timedelta

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.result import Deletion, Mode, Outcome, RunResult, SurveySummary, TargetResult
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.store import Store
from tests.factories import make_image, to_delete

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
IMAGES = tuple(
    make_image(f"ci-{letter}", id=f"{letter}-1", created_at=NOW - MINUTE, updated_at=NOW, size=100) for letter in "abc"
)


def plan_of(*images: Image) -> tuple[Decision, ...]:
    """The decisions to delete these images."""
    return tuple(to_delete(image, policy="ci", detail="expired 2026-11-20") for image in images)


def surveyed(
    store: Store, *images: Image, at: datetime = NOW, usage: Usage | None = None, mode: Mode = Mode.DELETE
) -> int:
    """A run up to where its plan is made."""
    run = store.begin_run(mode, at)
    store.record_survey(run, "prod", Survey(images, usage or Usage(), at, at))
    store.record_decisions(run, "prod", plan_of(*images))
    return run


def finished(store: Store, run: int, *deletions: Deletion, images: tuple[Image, ...] = IMAGES) -> RunResult:
    target = TargetResult(
        "prod", Outcome.OK, None, SurveySummary(len(images), len(images)), plan_of(*images), deletions
    )
    result = RunResult(run, Mode.DELETE, Outcome.OK, NOW, NOW + MINUTE, (target,))
    store.finish_target(run, target)
    store.finish_run(result)
    return result
