"""Runs and how they ended: written as they proceed, and read back as they were reported."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from janitor.commands import command
from janitor.core.decision import Decision, Spared
from janitor.core.planning.plan import Excess, Limits, Plan
from janitor.core.result import (
    EarlierRequests,
    Mode,
    NoticeChanges,
    Outcome,
    PlanReview,
    RunResult,
    RunSummary,
    RunTerms,
    SurveySummary,
    TargetResult,
)
from janitor.core.units import iso
from janitor.errors import UsageError
from janitor.store.basis import basis_at
from janitor.store.connection import Connection, query
from janitor.store.history.differences.since import since_before, unseen
from janitor.store.history.forgetting import check_kept
from janitor.store.journal import add_outcomes, deletions_at, settled_in
from janitor.store.rows import instant, instant_or_none
from janitor.store.surveys.decisions import count_to_delete, decisions_at
from janitor.store.trust.mentions import applied, mentioned, record_mentions, undelivered
from janitor.store.trust.notices import end_gone, end_spared, gone_in

_UNFINISHED = "did not finish, or is still in progress"


def begin_run(
    db: Connection, mode: Mode, started_at: datetime, *, owes_report: bool, unposted: bool, begun_by: str | None
) -> int:
    """Begin a run; returns its number."""
    given = (mode.value, iso(started_at), owes_report, unposted, begun_by)
    cursor = db.execute(_BEGIN, given)
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def finish_target(db: Connection, run: int, result: TargetResult) -> None:
    """Record how a target ended, surveyed or not, and the outcomes of its deletions."""
    counts = (result.survey.images, result.survey.owned, len(result.decisions), count_to_delete(result.decisions))
    db.execute(_FINISH_TARGET, (run, result.target, *counts, result.outcome.value, result.error))
    add_outcomes(db, run, result.target, result.deletions)
    record_mentions(db, run, result)


def finish_run(db: Connection, result: RunResult) -> RunResult:
    """Record how a run ended, the order of its targets, and the ends of targets that did not record them themselves.

    The notices of images that a live run spared, or says are gone, end only here: one that dies before reports nothing.
    Returns the result with the targets that are `unseen`.
    """
    for position, target in enumerate(result.targets):
        if not db.execute(_PLACE_TARGET, (position, result.run, target.target)).rowcount:
            finish_target(db, result.run, target)
            db.execute(_PLACE_TARGET, (position, result.run, target.target))
    remarks = json.dumps(result.remarks) if result.remarks else None
    end = (iso(result.finished_at), result.outcome.value, result.error, result.digest, remarks, result.run)
    db.execute(_FINISH_RUN, end)
    if result.mode is Mode.DELETE:
        end_spared(db, result.run, result.finished_at)
        end_gone(db, result.run, result.finished_at)
    return replace(result, unseen=unseen(db, result.run, result.targets))


def latest_run(db: Connection) -> int | None:
    """The number of the latest run, if any."""
    latest: int | None = db.execute("SELECT max(run) FROM runs").fetchone()[0]
    return latest


def mode_of(db: Connection, run: int) -> Mode:
    """The mode of a run that is known."""
    return Mode(db.execute("SELECT mode FROM runs WHERE run = ?", (run,)).fetchone()[0])


def outcome_before(db: Connection, run: int) -> Outcome | None:
    """How the run before this one ended, or the latest one for 0; one that never finished has failed."""
    row = db.execute(_BEFORE, (run, run)).fetchone()
    return None if row is None else Outcome(row[0] or Outcome.FAILED)


def said(db: Connection, mode: Mode) -> set[str]:
    """The remarks of all runs of this mode that finished."""
    rows = db.execute("SELECT DISTINCT remarks FROM runs WHERE remarks IS NOT NULL AND mode = ?", (mode.value,))
    return {remark for (remarks,) in rows for remark in json.loads(remarks)}


def owed_reports(db: Connection, except_of: int) -> list[int]:
    """The runs that finished and still owe their report, oldest first."""
    sql = "SELECT run FROM runs WHERE owes_report AND outcome IS NOT NULL AND run != ? ORDER BY run"
    return [row[0] for row in db.execute(sql, (except_of,))]


def settle_report(db: Connection, run: int) -> None:
    """Record that the report of a run is kept, or that none is wanted: it no longer owes one."""
    db.execute("UPDATE runs SET owes_report = 0 WHERE run = ?", (run,))


def check_known(db: Connection, run: int) -> None:
    """Raises UsageError, naming the latest run, for one that does not exist."""
    latest = latest_run(db)
    if latest is None:
        raise UsageError(f"no run is recorded yet: start with `{command('run --dry-run')}`")
    if not 0 < run <= latest or not db.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone():
        raise UsageError(f"there is no run {run}: the latest is {latest}")


def check_all_known(db: Connection, some: Sequence[int]) -> None:
    """Raises UsageError, naming each of them that does not exist."""
    unknown = sorted({run for run in some if not db.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone()})
    if len(unknown) > 1 and (latest := latest_run(db)) is not None:
        raise UsageError(f"there are no runs {' and '.join(map(str, unknown))}: the latest is {latest}")
    for run in unknown:
        check_known(db, run)


def load_run(db: Connection, run: int) -> RunResult:
    """A run exactly as it was reported; one that never finished has failed.

    Raises UsageError for an unknown one, and for one whose details were dropped.
    """
    check_known(db, run)
    check_kept(db, run)
    (row,) = query(db, _RUN, {"run": run})
    terms = _terms(db, run, row["begun_by"])
    targets = tuple(_target(db, run, target, terms.limits) for target in query(db, _TARGETS, {"run": run}))
    finished = row["outcome"] is not None
    return RunResult(
        run,
        Mode(row["mode"]),
        Outcome(row["outcome"] or Outcome.FAILED),
        instant(row["started_at"]),
        instant(row["finished_at"] or row["last_heard_of"]),
        targets,
        row["error"] if finished else _UNFINISHED,
        row["digest"],
        tuple(json.loads(row["remarks"] or "[]")),
        terms,
        unseen(db, run, targets),
    )


def _terms(db: Connection, run: int, begun_by: str | None) -> RunTerms:
    basis = basis_at(db, run)
    return RunTerms(begun_by, basis.policies, basis.limits) if basis else RunTerms(begun_by)


def list_runs(db: Connection, limit: int | None) -> list[RunSummary]:
    """The latest runs, newest first; all without a limit."""
    return [_summary(row) for row in query(db, _SUMMARIES, {"limit": -1 if limit is None else limit})]


def _target(db: Connection, run: int, row: Mapping[str, Any], limits: Limits | None) -> TargetResult:
    decisions = decisions_at(db, run, row["target"])
    by_image = {decision.image.id: decision for decision in decisions}
    finished = row["outcome"] is not None
    result = TargetResult(
        row["target"],
        Outcome(row["outcome"] or Outcome.FAILED),
        row["error"] if finished else _UNFINISHED,
        SurveySummary(row["images"], row["owned"], tuple(json.loads(row["usage_remarks"] or "[]"))),
        decisions,
        deletions_at(db, run, row["target"], by_image, finished=finished),
        _notices(db, run, row["target"], by_image),
        _review(db, run, row["target"], by_image),
        EarlierRequests(settled_in(db, run, row["target"]), _ids(db, run, row["target"], "refused_again", by_image)),
        since=since_before(db, run, row["target"]),
    )
    return replace(result, excess=_excess(result, limits))


def _excess(result: TargetResult, limits: Limits | None) -> Excess | None:
    """How the plan was over a limit, where the error of the target says that this was why nothing was deleted."""
    excess = None if limits is None else Plan(result.to_delete, result.survey.owned).over_limit(limits)
    return excess if excess and (result.error or "").startswith(excess.sentence) else None


def _notices(db: Connection, run: int, target: str, decisions: Mapping[str, Decision]) -> NoticeChanges:
    announced, reminded, saved = (
        mentioned(db, run, target, kind, decisions) for kind in ("announced", "reminded", "spared")
    )
    return NoticeChanges(
        tuple(change.decision for change in announced),
        tuple(change.decision for change in reminded),
        _ids(db, run, target, "overdue", decisions),
        undelivered(db, run, target),
        tuple(Spared(change.decision, change.detail or change.decision.policy or "") for change in saved),
        gone_in(db, run, target),
    )


def _review(db: Connection, run: int, target: str, decisions: Mapping[str, Decision]) -> PlanReview:
    approved = _ids(db, run, target, "approved", decisions) if applied(db, run, target) else None
    return PlanReview(approved, mentioned(db, run, target, "changed", decisions))


def _ids(db: Connection, run: int, target: str, kind: str, decisions: Mapping[str, Decision]) -> frozenset[str]:
    return frozenset(change.decision.image.id for change in mentioned(db, run, target, kind, decisions))


def _summary(row: Mapping[str, Any]) -> RunSummary:
    return RunSummary(
        row["run"],
        Mode(row["mode"]),
        Outcome(row["outcome"]) if row["outcome"] else None,
        instant(row["started_at"]),
        instant_or_none(row["finished_at"]),
        row["images"],
        row["doomed"],
        row["deleted"],
        not row["details_dropped"],
        row["undelivered"],
    )


_BEGIN = "INSERT INTO runs (mode, started_at, owes_report, unposted, begun_by) VALUES (?, ?, ?, ?, ?)"
_FINISH_TARGET = """
INSERT INTO surveys (run, target, images, owned, decisions, doomed, outcome, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, target) DO UPDATE SET images = excluded.images, owned = excluded.owned,
    decisions = excluded.decisions, doomed = excluded.doomed, outcome = excluded.outcome, error = excluded.error
"""
_BEFORE = "SELECT outcome FROM runs WHERE run < ? OR ? = 0 ORDER BY run DESC LIMIT 1"
_PLACE_TARGET = "UPDATE surveys SET position = ? WHERE run = ? AND target = ? AND outcome IS NOT NULL"
_FINISH_RUN = "UPDATE runs SET finished_at = ?, outcome = ?, error = ?, digest = ?, remarks = ? WHERE run = ?"
_RUN = """
SELECT mode, started_at, finished_at, outcome, error, digest, remarks, begun_by, max(
    started_at,
    coalesce((SELECT max(finished_at) FROM surveys WHERE run = :run), ''),
    coalesce((SELECT max(coalesce(answered_at, requested_at)) FROM deletions WHERE run = :run), '')
) AS last_heard_of
FROM runs WHERE run = :run
"""
_TARGETS = """
SELECT target, outcome, error, images, owned, usage_remarks FROM surveys WHERE run = :run
ORDER BY position IS NULL, position, target
"""
_SUMMARIES = """
SELECT r.run, r.mode, r.outcome, r.started_at, r.finished_at,
    coalesce(sum(s.images), 0) AS images, coalesce(sum(s.doomed), 0) AS doomed,
    coalesce(max(s.details_dropped), 0) AS details_dropped,
    (r.owes_report AND r.outcome IS NOT NULL)
        + (SELECT count(*) FROM reports p WHERE p.run = r.run AND p.delivered_at IS NULL) AS undelivered,
    (
        SELECT count(*) FROM deletions d
        WHERE d.run = r.run AND coalesce(d.confirmed_outcome, d.settled_outcome, d.outcome) = 'deleted'
    ) AS deleted
FROM runs r LEFT JOIN surveys s ON s.run = r.run
GROUP BY r.run ORDER BY r.run DESC LIMIT :limit
"""
