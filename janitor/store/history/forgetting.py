"""Old history is dropped where the configuration says how long it is kept: marked as dropped first, then bit by bit.

A survey that is marked can no longer be read back, so that whatever is left of it is never taken for all of it. What
later runs may look back to stays: of each target its latest and its last accepted survey with all after them, whatever
standing notices, reports that are still owed or undelivered, and rebindings need. Each image ever seen stays, with its
latest facts, its clocks and its last use: if it comes back, it is as old as before. What the journal, notices and
exemptions refer to stays as well, and these themselves are never touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from janitor.commands import command
from janitor.core.units import iso
from janitor.errors import UsageError
from janitor.store.columns import IMAGE, holding, snapshot_views
from janitor.store.connection import Connection
from janitor.store.trust.bindings import counts_after

STEP = """
-- What this survey saw, and what was decided on it, is no longer whole: older than keep_history.
ALTER TABLE surveys ADD COLUMN details_dropped INTEGER NOT NULL DEFAULT 0;
CREATE INDEX surveys_dropped ON surveys (target, run) WHERE details_dropped;
CREATE INDEX notices_of_image ON notices (target, image);
DROP VIEW current_images;
DROP VIEW snapshots"""

Keys = tuple[object, ...]


def views(db: Connection) -> str:
    """The SQL of the views of snapshots, which leave out what was dropped, with the columns that are there."""
    there = {row[1] for row in db.execute("PRAGMA table_info(image_facts)")}
    return snapshot_views([column for column in IMAGE if column.name in there])


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rows that can be dropped: which are due, with their keys, and how one is deleted by its key."""

    due: str
    delete: str


def check_kept(db: Connection, run: int) -> None:
    """Raises UsageError for a run of which a part was dropped."""
    if db.execute("SELECT 1 FROM surveys WHERE run = ? AND details_dropped", (run,)).fetchone():
        (latest,) = db.execute("SELECT max(run) FROM surveys WHERE details_dropped").fetchone()
        raise UsageError(
            f"the details of run {run} were dropped, as `keep_history` says; the latest run without its details is "
            f"{latest}. `{command('runs')}` still lists them"
        )


def is_kept(db: Connection, run: int, target: str) -> bool:
    """Whether a run's survey of a target has lost nothing, if there is one."""
    dropped = db.execute("SELECT details_dropped FROM surveys WHERE run = ? AND target = ?", (run, target)).fetchone()
    return dropped is None or not dropped[0]


def kept_from(db: Connection, target: str) -> int | None:
    """The first run whose survey of a target is still whole, where earlier ones were dropped; None where none was."""
    dropped = db.execute("SELECT 1 FROM surveys WHERE target = ? AND details_dropped LIMIT 1", (target,)).fetchone()
    if dropped is None:
        return None
    run: int = db.execute(_FIRST_WHOLE, (target,)).fetchone()[0]
    return run


def is_whole(db: Connection) -> bool:
    """Whether no survey has lost its details."""
    return db.execute("SELECT 1 FROM surveys WHERE details_dropped LIMIT 1").fetchone() is None


def mark_dropped(db: Connection, before: datetime) -> None:
    """Mark the surveys of before this instant whose details may go, if nothing looks back to them."""
    for (target,) in db.execute("SELECT DISTINCT target FROM surveys WHERE finished_at IS NOT NULL").fetchall():
        after = counts_after(db, target)
        first = db.execute(_FIRST_NEEDED, {"target": target, "before": iso(before), "after": after}).fetchone()[0]
        if first is not None and after <= first:
            db.execute(_MARK, (target, first))


def held_back(db: Connection, before: datetime) -> dict[str, int]:
    """What keeps details of before this instant from being dropped, and how many of each."""
    (first,) = db.execute("SELECT min(run) FROM runs WHERE started_at >= ?", (iso(before),)).fetchone()
    counting = "SELECT count(*) FROM {} AND run < ?"
    counts = ((kind, db.execute(counting.format(rows), (first,)).fetchone()[0]) for kind, rows in _HOLDING.items())
    return {kind: count for kind, count in counts if count}


def due(db: Connection, kind: Kind, before: datetime, most: int) -> list[Keys]:
    """The keys of rows of one kind that are due, so many at most."""
    return db.execute(f"{kind.due} LIMIT :most", {"before": iso(before), "most": most}).fetchall()


def drop(db: Connection, kind: Kind, keys: Sequence[Keys]) -> None:
    """Delete the rows with these keys."""
    db.executemany(kind.delete, keys)


_HOLDING = {
    "notices": "notices WHERE ended_at IS NULL",
    "owed": "runs WHERE owes_report AND outcome IS NOT NULL",
    "undelivered": "reports WHERE delivered_at IS NULL",
}
"""The rows that keep the details of their run and of all later ones, by a word for them."""

# The first survey of a target that is still needed whole: the last one of before the instant, and none after that to
# which anything may look back. Runs are in order, and their clocks need not be: the first of after the instant counts.
_FIRST_NEEDED = f"""
WITH floors(run) AS (
    SELECT min(run) FROM runs WHERE started_at >= :before
    UNION ALL {" UNION ALL ".join(f"SELECT min(run) FROM {rows}" for rows in _HOLDING.values())}
    UNION ALL SELECT max(run) + 1 FROM surveys WHERE target = :target AND finished_at IS NOT NULL
    UNION ALL SELECT max(run) + 1 FROM surveys WHERE target = :target AND run > :after AND good
)
SELECT max(run) FROM surveys
WHERE target = :target AND finished_at IS NOT NULL AND run < (SELECT min(run) FROM floors WHERE run IS NOT NULL)
"""  # noqa: S608 - conditions of ours
_DECIDED, _UNDECIDED = 1, 2
"""How a survey is marked: what was decided on it is known from then on by the mark alone."""
HAS_DECIDED = f"""CASE WHEN s.decisions > 0 THEN 1 WHEN s.details_dropped THEN s.details_dropped = {_DECIDED}
ELSE NOT EXISTS (
    SELECT 1 FROM images i JOIN image_facts f ON f.image_key = i.image_key AND {holding("f", "s.run")}
    WHERE i.target = s.target
) END"""  # noqa: S608 - conditions of ours
"""Whether all images of a survey `s` were decided on; `images` is 0 also for a run that failed before it decided."""
_MARK = f"""
UPDATE surveys AS s SET details_dropped = CASE WHEN {HAS_DECIDED} THEN {_DECIDED} ELSE {_UNDECIDED} END
WHERE target = ? AND run < ? AND NOT details_dropped
"""  # noqa: S608 - conditions of ours
_FIRST_WHOLE = "SELECT min(run) FROM surveys WHERE target = ? AND finished_at IS NOT NULL AND NOT details_dropped"

# For each target of which anything was dropped, the first run that is whole: what ended until then is in no whole one.
_KEPT = """
WITH kept(target, run) AS MATERIALIZED (
    SELECT s.target, min(s.run) FROM surveys s WHERE s.finished_at IS NOT NULL AND NOT s.details_dropped
        AND EXISTS (SELECT 1 FROM surveys d WHERE d.target = s.target AND d.details_dropped)
    GROUP BY s.target
)
"""
_TOLD_OF = """
    EXISTS (SELECT 1 FROM deletions x WHERE x.target = i.target AND x.image = i.image
        AND x.run >= h.from_run AND x.run < h.until_run)
    OR EXISTS (SELECT 1 FROM notices n WHERE n.target = i.target AND n.image = i.image
        AND n.run >= h.from_run AND n.run < h.until_run)
"""
_LATEST_FACTS = "NOT EXISTS (SELECT 1 FROM image_facts g WHERE g.image_key = h.image_key AND g.from_run > h.from_run)"


def _of_images(table: str, needed: str) -> Kind:
    """The ended rows of a table about images, in no whole survey, but for those that are needed."""
    due = f"""{_KEPT}
    SELECT h.image_key, h.from_run FROM {table} h JOIN images i ON i.image_key = h.image_key
    JOIN kept k ON k.target = i.target
    WHERE h.until_run <= k.run AND NOT ({needed})"""  # noqa: S608 - the name of a table, and a condition of ours
    return Kind(due, f"DELETE FROM {table} WHERE image_key = ? AND from_run = ?")  # noqa: S608 - the same


# A use stays where no other of its image, ended later or going on, says at least as much of when it was used and held;
# one that began after the first whole run says nothing to that run.
_LAST_USE = """
NOT EXISTS (
    SELECT 1 FROM uses o WHERE o.target = h.target AND o.image = h.image AND o.from_run <= k.run
        AND (o.deleted_in_run IS NULL OR h.deleted_in_run IS NOT NULL)
        AND (o.until_run IS NULL OR (o.last_seen, o.from_run, o.instance, o.instance_name)
            > (h.last_seen, h.from_run, h.instance, h.instance_name))
)
"""
KINDS = (
    _of_images("image_facts", f"{_LATEST_FACTS} OR {_TOLD_OF}"),
    _of_images("decisions", _TOLD_OF),
    _of_images("image_clocks", "0"),
    Kind(
        f"""{_KEPT} SELECT h.target, h.image, h.kind, h.from_run FROM kept k JOIN grounds h ON h.target = k.target
        WHERE h.until_run <= k.run""",  # noqa: S608 - statements of ours, here and below
        "DELETE FROM grounds WHERE target = ? AND image = ? AND kind = ? AND from_run = ?",
    ),
    Kind(
        f"""{_KEPT} SELECT h.target, h.image, h.instance, h.instance_name, h.from_run
        FROM kept k JOIN uses h ON h.target = k.target
        WHERE h.until_run <= k.run AND NOT ({_LAST_USE})""",  # noqa: S608
        "DELETE FROM uses WHERE target = ? AND image = ? AND instance = ? AND instance_name = ? AND from_run = ?",
    ),
    Kind(
        f"""{_KEPT} SELECT h.run, h.target, h.kind, h.position
        FROM kept k JOIN mentions h ON h.target = k.target AND h.run < k.run JOIN runs r ON r.run = h.run
        WHERE r.mode != 'delete' OR h.kind NOT IN ('announced', 'reminded', 'spared', 'gone')""",  # noqa: S608
        "DELETE FROM mentions WHERE run = ? AND target = ? AND kind = ? AND position = ?",
    ),
    Kind(
        """SELECT p.report FROM reports p WHERE p.delivered_at IS NOT NULL AND p.created_at < :before
        AND NOT EXISTS (SELECT 1 FROM surveys s WHERE s.run = p.run AND NOT s.details_dropped)
        AND NOT EXISTS (SELECT 1 FROM reports o WHERE o.delivered_at IS NULL AND o.run IS p.run)
        AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.ended_at IS NULL AND n.run <= p.run)""",
        "DELETE FROM reports WHERE report = ?",
    ),
)
"""What is dropped, in this order."""
