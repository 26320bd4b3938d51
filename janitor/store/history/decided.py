"""What a run decided, for comparing it with other decisions; and what can be said of runs that recorded less."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.memory import Hearing, History, Notice
from janitor.core.names.image_ids import folded
from janitor.core.result import Outcome
from janitor.core.units import iso
from janitor.store.basis import basis_at
from janitor.store.columns import DECISION, holding, names
from janitor.store.connection import Connection, query
from janitor.store.rows import decision_of, instant, instant_or_none
from janitor.store.surveys.uses import use_history_at
from janitor.store.trust.bindings import counts_after
from janitor.store.trust.hearing import hearing
from janitor.store.trust.notices import notice_of


@dataclass(frozen=True, slots=True)
class Ending:
    """How one target of a run ended, None before that, and the sentence of what went wrong.

    `surveyed`: what the run saw there is recorded. `saw_nothing`: it ended, and there was no image to decide on.
    `ended`: so did the run as a whole. `applied`: a person had it delete a reviewed list there.
    """

    outcome: Outcome | None
    error: str | None
    surveyed: bool
    saw_nothing: bool
    ended: bool
    applied: bool


def endings_at(db: Connection, run: int) -> dict[str, Ending]:
    """How each target of a run ended, in the order of its report."""
    endings = {}
    for target, outcome, error, finished, images, run_ended, applied in db.execute(_ENDINGS, (run,)):
        surveyed, ended = finished is not None, Outcome(outcome) if outcome else None
        done = ended is not None and ended is not Outcome.FAILED  # one that failed may have counted nothing
        endings[target] = Ending(
            ended, error, surveyed, surveyed and done and not images, bool(run_ended), bool(applied)
        )
    return endings


def decisions_on(db: Connection, run: int, target: str, images: Sequence[Image]) -> list[Decision]:
    """What a run decided on these images, which are those of its survey, in their order.

    It is empty where the run decided nothing. The images are not read a second time.
    """
    rows = {row[0]: row[1:] for row in db.execute(_DECISIONS, (run, target))}
    return [decision_of(image, rows[image.id]) for image in images if image.id in rows]


def latest_decided(db: Connection, target: str, before: int | None = None) -> int | None:
    """The latest run that decided on a target's present account; None before the first, or where it was dropped.

    On request, of the runs `before` one.
    """
    values = {"target": target, "after": counts_after(db, target), "before": before}
    latest: int | None = db.execute(_LATEST_DECIDED, values).fetchone()[0]
    return latest


def latest_carried_out(db: Connection, target: str, until: int | None = None) -> tuple[int | None, bool]:
    """The latest live run that carried out its plan on a target's present account, and whether its details are kept.

    It ended, and was not refused there. One that applied a reviewed list did less than it decided, and does not count.
    On request, of the runs up to one; None where there is none.
    """
    values = {"target": target, "after": counts_after(db, target), "until": until}
    row = db.execute(_LATEST_CARRIED_OUT, values).fetchone()
    return (None, False) if row is None else (int(row[0]), not row[1])


def decided_by_others(db: Connection, target: str, run: int) -> int | None:
    """The latest run before this one that decided by other policies or exemptions of files, as far as recorded."""
    (changed,) = db.execute(_LAST_CHANGE, {"run": run}).fetchone()
    found = None if changed is None else latest_decided(db, target, changed)
    return None if found is None or basis_at(db, found) is None else found


def history_rebuilt(db: Connection, run: int, target: str) -> dict[str, History]:
    """The histories of a run that did not record them, as far as later records tell.

    An image that has been watched, or has had its status, since before that run, had been then. Where that began later
    or was forgotten, it is unknown, and no clock that needs it applies.
    """
    used, after = use_history_at(db, run, target), counts_after(db, target, run)
    rows = query(db, _HISTORIES, {"run": run, "target": target, "after": after})
    found = {}
    for row in rows:
        seen_at = instant(row["seen_at"])
        watched, status = (_before(row[clock], seen_at) for clock in ("watched_since", "status_since"))
        uses = used.of(folded(row["image"]))
        found[row["image"]] = History(instant(row["first_seen"]), watched, status, *uses)
    return found


def _before(text: str | None, then: datetime) -> datetime | None:
    since = instant_or_none(text)
    return since if since is not None and since <= then else None


def notices_rebuilt(db: Connection, run: int, target: str, then: datetime) -> dict[str, Notice]:
    """The notices that stood at an instant, for a run that did not record how they counted.

    What a silence, another name or a missing reminder meant for them then is not known.
    """
    rows = query(db, _NOTICES, {"run": run, "target": target, "then": iso(then)})
    return {row["image"]: _as_of(notice_of(row), row["announced_due"], then) for row in rows}


def told_until(db: Connection, target: str, seen_at: datetime, at: datetime) -> tuple[dict[str, Notice], Hearing]:
    """The notices of a target as they stand at an instant after a snapshot, and what was reported since the first.

    Those that ended since, as our own runs deleted their images, still stand: the snapshot has these images.
    """
    rows = query(db, _NOTICES_UNTIL, {"target": target, "seen_at": iso(seen_at), "at": iso(at)})
    first = min((row["run"] for row in rows), default=None)
    heard = Hearing() if first is None else hearing(db, target, first)
    return {row["image"]: _as_of(notice_of(row), row["announced_due"], at) for row in rows}, heard


def latest_end(db: Connection) -> datetime | None:
    """When the latest of the runs that ended did."""
    return instant_or_none(db.execute("SELECT max(finished_at) FROM runs WHERE outcome IS NOT NULL").fetchone()[0])


def _as_of(notice: Notice, announced_due: str | None, then: datetime) -> Notice:
    """A notice as it was before a reminder of later."""
    if notice.reminded_at is None or notice.reminded_at <= then:
        return notice
    return replace(notice, reminded_at=None, due=instant_or_none(announced_due) or notice.due, instead=False)


_ENDINGS = """
SELECT s.target, s.outcome, s.error, s.finished_at, s.images, r.outcome IS NOT NULL, s.applied
FROM surveys s JOIN runs r ON r.run = s.run
WHERE s.run = ? ORDER BY s.position IS NULL, s.position, s.target
"""
_DECISIONS = f"""
SELECT i.image, {names(DECISION, "d")}
FROM surveys s
JOIN images i ON i.target = s.target
JOIN decisions d ON d.image_key = i.image_key AND {holding("d", "s.run")}
WHERE s.run = ? AND s.target = ? AND s.decisions > 0 AND s.finished_at IS NOT NULL AND NOT s.details_dropped
"""  # noqa: S608 - the names of columns
_LATEST_DECIDED = """
SELECT max(s.run) FROM surveys s
WHERE s.target = :target AND s.run > :after AND (:before IS NULL OR s.run < :before)
    AND s.finished_at IS NOT NULL AND NOT s.details_dropped
    AND (s.decisions > 0 OR (NOT s.images AND s.outcome != 'failed'))
"""
_LATEST_CARRIED_OUT = """
SELECT s.run, EXISTS (SELECT 1 FROM surveys d WHERE d.run = s.run AND d.details_dropped)
FROM surveys s JOIN runs r ON r.run = s.run
WHERE s.target = :target AND s.run > :after AND (:until IS NULL OR s.run <= :until)
    AND r.mode = 'delete' AND r.outcome IS NOT NULL AND s.finished_at IS NOT NULL AND s.outcome IN ('ok', 'partial')
    AND NOT s.applied
ORDER BY s.run DESC LIMIT 1
"""
# Each run closes and opens the rows of what differs from the run before.
_LAST_CHANGE = """
SELECT max(run) FROM (
    SELECT from_run AS run FROM policy_texts UNION ALL SELECT until_run FROM policy_texts
    UNION ALL SELECT from_run FROM file_exemptions UNION ALL SELECT until_run FROM file_exemptions
) WHERE run <= :run
"""
_HISTORIES = f"""
SELECT i.image, i.watched_since, i.status_since, s.finished_at AS seen_at,
    CASE WHEN i.first_seen <= s.finished_at THEN i.first_seen ELSE coalesce((
        SELECT e.finished_at FROM image_facts g JOIN surveys e ON e.target = i.target AND e.run = g.from_run
        WHERE g.image_key = i.image_key AND g.from_run > :after ORDER BY g.from_run LIMIT 1
    ), s.finished_at) END AS first_seen
FROM surveys s
JOIN images i ON i.target = s.target
JOIN image_facts f ON f.image_key = i.image_key
    AND {holding("f", "s.run")}
WHERE s.run = :run AND s.target = :target
"""  # noqa: S608 - a condition of ours
_NOTICES = """
SELECT * FROM notices
WHERE target = :target AND run < :run AND announced_at <= :then AND (ended_at IS NULL OR ended_at > :then)
ORDER BY notice
"""
_NOTICES_UNTIL = """
SELECT * FROM notices
WHERE target = :target AND announced_at <= :at
    AND (ended_at IS NULL OR ended_at > :at OR (ended = 'gone' AND ended_at > :seen_at))
ORDER BY notice
"""
