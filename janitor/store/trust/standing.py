"""What is recorded of the images of a target that wait: the last decisions on them, and what people were told."""

from collections.abc import Collection, Iterator

from janitor.core.decision import Decision
from janitor.core.explaining.waiting import Snapshot, Unlisted
from janitor.core.memory import Notice
from janitor.core.result import Mode
from janitor.store.connection import Connection, query
from janitor.store.rows import instant
from janitor.store.surveys.decisions import decisions_at, reported_decision
from janitor.store.surveys.recorded import last_known
from janitor.store.trust.bindings import counts_after
from janitor.store.trust.grounds import notices_at
from janitor.store.trust.mentions import undelivered
from janitor.store.trust.notices import missed_since, standing_notices


def latest_snapshot(db: Connection, target: str, only: str | None = None) -> Snapshot | None:
    """The latest snapshot of a target on which a run has decided, or of one image of it; None before the first."""
    after = counts_after(db, target)
    found, live = (query(db, sql, {"target": target, "after": after}) for sql in (_LATEST, _LATEST_LIVE))
    if not found:
        return None
    [row], told = found, live[0] if live else {"run": 0, "unposted": 0}
    run, notices = row["run"], standing_notices(db, target)
    decisions = decisions_at(db, run, target) if only is None else _one(reported_decision(db, run, target, only))
    return Snapshot(
        target,
        run,
        Mode(row["mode"]),
        instant(row["finished_at"]),
        decisions,
        ended=row["outcome"] is not None,
        told_by=told["run"],
        posted=not told["unposted"],
        decided_on=notices_at(db, run, target),
        notices=notices,
        untold=undelivered(db, told["run"], target),
        trouble=_trouble(db, told["run"]),
        asked=frozenset(image for (image,) in db.execute(_ASKED, (run, target))),
        unlisted=() if only is not None else tuple(_unlisted(db, target, notices, {d.image.id for d in decisions})),
    )


def _one(decision: Decision | None) -> tuple[Decision, ...]:
    return () if decision is None else (decision,)


def _trouble(db: Connection, run: int) -> str | None:
    """Why a report of a run has not been delivered; None where each was, or none is due."""
    row = db.execute(_REPORTS, {"run": run}).fetchone()
    return None if row is None else str(row[0])


def _unlisted(db: Connection, target: str, notices: dict[str, Notice], listed: Collection[str]) -> Iterator[Unlisted]:
    for image in sorted(notices.keys() - listed):
        known = last_known(db, target, image)
        if known is not None:
            yield Unlisted(known, notices[image], instant(missed_since(db, target, image)))


# A target that failed before it could decide is reported with no images, however many its survey saw.
_DECIDED = """
SELECT s.run, s.finished_at, r.mode, r.outcome, r.unposted FROM surveys s JOIN runs r ON r.run = s.run
WHERE s.target = :target AND s.run > :after AND s.finished_at IS NOT NULL AND NOT s.details_dropped
    AND (s.decisions > 0 OR (NOT s.images AND s.outcome IS NOT 'failed')) {} ORDER BY s.run DESC LIMIT 1
"""
_LATEST, _LATEST_LIVE = _DECIDED.format(""), _DECIDED.format("AND r.mode = 'delete' AND r.outcome IS NOT NULL")
_ASKED = """
SELECT image FROM deletions
WHERE run = ? AND target = ? AND requested_at IS NOT NULL
    AND coalesce(confirmed_outcome, settled_outcome, outcome, '') NOT IN ('refused', 'failed')
"""
_REPORTS = """
SELECT coalesce(error, 'it has not been sent yet') FROM reports WHERE run = :run AND delivered_at IS NULL
UNION ALL SELECT 'it has not been sent yet' FROM runs WHERE run = :run AND owes_report AND outcome IS NOT NULL
LIMIT 1
"""
