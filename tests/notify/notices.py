"""Runs that announce images before they delete them; the id of an image is its name."""

from datetime import datetime, timedelta

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.policy import Match, Policy
from janitor.core.result import Mode, RunResult, TargetResult
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.store import Store
from tests.factories import NOW, make_image, make_run, make_target

NOTICE = timedelta(days=5)
CI = Policy("ci", Match(), notice=NOTICE)


def waiting_for(name: str) -> Decision:
    due = NOW + NOTICE
    return Decision(make_image(name, id=name), Verdict.WAIT, "ci", Reason.NOTICE, "expired; due for deletion", due)


def telling(*announced: str, reminded: tuple[str, ...] = (), target: str = "prod") -> TargetResult:
    told = tuple(map(waiting_for, announced)), tuple(map(waiting_for, reminded))
    decisions = sorted([*told[0], *told[1]], key=lambda decision: decision.image.id)
    return make_target(decisions, name=target, announced=told[0], reminded=told[1])


def record(store: Store, run: int, target: TargetResult, at: datetime = NOW) -> None:
    """Put what was seen, decided and done in a target into the database."""
    images = tuple(decision.image for decision in target.decisions)
    store.record_survey(run, target.target, Survey(images, Usage(), at, at))
    store.record_decisions(run, target.target, target.decisions)
    store.finish_target(run, target)


def recorded(store: Store, *targets: TargetResult, mode: Mode = Mode.DELETE, at: datetime = NOW) -> RunResult:
    """A run that is over, and whose report is not delivered yet."""
    run = store.begin_run(mode, at)
    for target in targets:
        record(store, run, target, at)
    result = make_run(*targets, mode=mode, run=run, started_at=at, finished_at=at)
    store.finish_run(result)
    return result
