"""What a run decided, for comparing it with other decisions; and what can be said of runs that recorded less."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.memory import History, Notice
from janitor.core.names.image_ids import folded
from janitor.core.result import Outcome
from janitor.core.units import iso
from janitor.store.columns import DECISION, names
from janitor.store.connection import Connection, query
from janitor.store.rows import decision_of, instant, instant_or_none
from janitor.store.surveys.uses import use_history_at
from janitor.store.trust.bindings import counts_after
from janitor.store.trust.notices import notice_of


@dataclass(frozen=True, slots=True)
class Ending:
    """How one target of a run ended, None before that, and the sentence of what went wrong.

    `surveyed`: what the run saw there is recorded. `saw_nothing`: it ended, and there was no image to decide on.
    """

    outcome: Outcome | None
    error: str | None
    surveyed: bool
    saw_nothing: bool


def endings_at(db: Connection, run: int) -> dict[str, Ending]:
    """How each target of a run ended, in the order of its report."""
    endings = {}
    for target, outcome, error, finished, images in db.execute(_ENDINGS, (run,)):
        surveyed, ended = finished is not None, Outcome(outcome) if outcome else None
        done = ended is not None and ended is not Outcome.FAILED  # one that failed may have counted nothing
        endings[target] = Ending(ended, error, surveyed, surveyed and done and not images)
    return endings


def decisions_on(db: Connection, run: int, target: str, images: Sequence[Image]) -> list[Decision]:
    """What a run decided on these images, which are those of its survey, in their order.

    It is empty where the run decided nothing. The images are not read a second time.
    """
    rows = {row[0]: row[1:] for row in db.execute(_DECISIONS, (run, target))}
    return [decision_of(image, rows[image.id]) for image in images if image.id in rows]


def latest_decided(db: Connection, target: str) -> int | None:
    """The latest run that decided on a target's present account; None before the first, or where it was dropped."""
    after = counts_after(db, target)
    latest: int | None = db.execute(_LATEST_DECIDED, (target, after)).fetchone()[0]
    return latest


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


def _as_of(notice: Notice, announced_due: str | None, then: datetime) -> Notice:
    """A notice as it was before a reminder of later."""
    if notice.reminded_at is None or notice.reminded_at <= then:
        return notice
    return replace(notice, reminded_at=None, due=instant_or_none(announced_due) or notice.due, instead=False)


_ENDINGS = """
SELECT target, outcome, error, finished_at, images FROM surveys
WHERE run = ? ORDER BY position IS NULL, position, target
"""
_DECISIONS = f"""
SELECT i.image, {names(DECISION, "d")}
FROM surveys s
JOIN images i ON i.target = s.target
JOIN decisions d ON d.image_key = i.image_key AND d.from_run <= s.run AND (d.until_run IS NULL OR d.until_run > s.run)
WHERE s.run = ? AND s.target = ? AND s.decisions > 0 AND s.finished_at IS NOT NULL AND NOT s.details_dropped
"""  # noqa: S608 - the names of columns
_LATEST_DECIDED = """
SELECT max(run) FROM surveys
WHERE target = ? AND run > ? AND finished_at IS NOT NULL AND NOT details_dropped
    AND (decisions > 0 OR (NOT images AND outcome != 'failed'))
"""
_HISTORIES = """
SELECT i.image, i.watched_since, i.status_since, s.finished_at AS seen_at,
    CASE WHEN i.first_seen <= s.finished_at THEN i.first_seen ELSE coalesce((
        SELECT e.finished_at FROM image_facts g JOIN surveys e ON e.target = i.target AND e.run = g.from_run
        WHERE g.image_key = i.image_key AND g.from_run > :after ORDER BY g.from_run LIMIT 1
    ), s.finished_at) END AS first_seen
FROM surveys s
JOIN images i ON i.target = s.target
JOIN image_facts f ON f.image_key = i.image_key
    AND f.from_run <= s.run AND (f.until_run IS NULL OR f.until_run > s.run)
WHERE s.run = :run AND s.target = :target
"""
_NOTICES = """
SELECT * FROM notices
WHERE target = :target AND run < :run AND announced_at <= :then AND (ended_at IS NULL OR ended_at > :then)
ORDER BY notice
"""
