"""When reports about a target were accepted, and which reminders were not: the input of `notices.counted`."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from janitor.core.memory import Hearing
from janitor.store.connection import Connection
from janitor.store.rows import instant

STEP = """
-- unposted: its report could be posted, and was not to be, so nobody heard of it.
ALTER TABLE runs ADD COLUMN unposted INTEGER NOT NULL DEFAULT 0;
-- announced_due: when it was due as announced, where a reminder that came too late has moved `due`.
ALTER TABLE notices ADD COLUMN announced_due TEXT;
CREATE INDEX reports_of_run ON reports (run);
"""

STANDING = "notices INDEXED BY standing_notices"
"""The notices where only current ones are wanted: without the index, SQLite may look through all that ended."""

_Due = Sequence[tuple[int, str | None]]
"""The runs that had something to report in a channel, in order, each with the time when that was accepted, if any.

What was told in another channel instead has not been accepted in its own.
"""


def hearing(db: Connection, target: str, since: int | None = None) -> Hearing:
    """What was reported about a target since the first of its current notices was given, or since a run."""
    (first,) = (since,) if since is not None else db.execute(_FIRST, (target,)).fetchone()
    if first is None:
        return Hearing()
    ended = db.execute(_ENDED, (target, first)).fetchall()
    due: dict[str, list[tuple[int, str | None]]] = {}
    for channel, run, delivered_at in db.execute(_DUE, (first,)):
        due.setdefault(channel, []).append((run, delivered_at))
    return Hearing(
        {channel: tuple(map(instant, _moments(ended, reports))) for channel, reports in due.items()},
        tuple(map(instant, _moments(ended, ()))),
        unreminded(db, target),
    )


def _moments(ended: Sequence[tuple[int, str]], due: _Due) -> Iterator[str]:
    """When each of these runs counts as reported in a channel: when the last report before its end was accepted."""
    runs = [run for run, _ in due]
    for run, finished_at in ended:
        place = bisect_right(runs, run)
        delivered_at = due[place - 1][1] if place else finished_at
        if delivered_at is not None:
            yield max(finished_at, delivered_at, key=instant)


def unreminded(db: Connection, target: str, before: int | None = None) -> frozenset[str]:
    """The images with a current notice whose reminder a live run was to send, but no channel accepted.

    `before`: a run before this one.
    """
    return frozenset(row[0] for row in db.execute(_UNREMINDED, {"target": target, "before": before}))


_FIRST = f"SELECT min(run) FROM {STANDING} WHERE target = ? AND ended_at IS NULL"  # noqa: S608 - the name of a table
_ENDED = """
SELECT r.run, r.finished_at FROM runs r JOIN surveys s ON s.run = r.run AND s.target = ?
WHERE r.run >= ? AND r.mode = 'delete' AND r.outcome IS NOT NULL AND NOT r.owes_report AND NOT r.unposted
ORDER BY r.run
"""
_DUE = """
SELECT p.channel, p.run, CASE WHEN p.error IS NULL THEN p.delivered_at END FROM reports p JOIN runs r ON r.run = p.run
WHERE p.run >= ? AND r.mode = 'delete' ORDER BY p.run, p.report
"""
# Only mentions since the first of the current notices are looked at; CROSS JOIN keeps SQLite to that order.
_UNREMINDED = f"""
SELECT DISTINCT m.image FROM mentions m
CROSS JOIN notices n ON n.target = m.target AND n.image = m.image AND n.ended_at IS NULL
CROSS JOIN runs r ON r.run = m.run AND r.mode = 'delete'
WHERE m.target = :target AND m.kind = 'reminded' AND n.reminded_at IS NULL AND m.run > n.run
    AND m.run > (SELECT min(run) FROM {STANDING} WHERE target = :target AND ended_at IS NULL)
    AND (:before IS NULL OR m.run < :before)
"""  # noqa: S608 - the name of a table
