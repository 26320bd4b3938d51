"""What a report says in a line: what changed in a target since its last accepted survey, as the run knew it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from janitor.core.decision import Verdict
from janitor.core.names.image_ids import folded
from janitor.core.replay.amounts import amount_of
from janitor.core.replay.differences.between import Gone, tells_first
from janitor.core.replay.differences.since import Since
from janitor.core.result import Mode, TargetResult
from janitor.store.columns import covering
from janitor.store.connection import Connection
from janitor.store.history.differences.between import CLOSED, GONE, LISTED_AFTER, NEW, SEEN_BEFORE, UNTOLD
from janitor.store.history.differences.taken import taken
from janitor.store.history.forgetting import HAS_DECIDED
from janitor.store.trust.bindings import counts_after


def compared_with(db: Connection, run: int, target: str) -> int | None:
    """The run with whose survey of a target the report of a run compares its own; None for none.

    That is the last accepted one before it; for a live run the last accepted one of a live run, if there is one, as a
    dry run told nobody. Unless this run itself was not to be posted, one whose report nobody had when this run began
    counts only if there is no other: what was new in it would be told to nobody. So does, even more, one whose run
    decided nothing. None where its own was not accepted, as it may have omitted images, and where details of either
    were dropped.
    """
    standing = _standing(db, run, target)
    if standing is None:
        return None
    span = {"target": target, "after": counts_after(db, target, run), "run": run}
    live = (_LIVE, "") if standing.mode is Mode.DELETE else ("",)
    heard = ("",) if standing.unposted else (_HEARD, "")
    ways = (f"{also}{told}{which}" for which in (_DECIDING, "") for told in heard for also in live)
    rows = (db.execute(f"{_ACCEPTED} {way} ORDER BY s.run DESC LIMIT 1", span).fetchone() for way in ways)
    found = next((row for row in rows if row is not None), None)
    return None if found is None or _standing(db, found[0], target) is None else int(found[0])


def since_before(db: Connection, run: int, target: str) -> Since | None:
    """What changed since the survey with which the report of a run compares its own: see `compared_with`."""
    earlier = compared_with(db, run, target)
    before = None if earlier is None else _standing(db, earlier, target)
    after = _standing(db, run, target)
    if earlier is None or before is None or after is None:
        return None
    span = {"target": target, "before": earlier, "after": run}
    gone = {folded(image): image for (image,) in db.execute(_GONE, span).fetchall()}
    new = db.execute(_NEW, span).fetchall()
    spelled = {image: gone[folded(image)] for image, *_ in new if folded(image) in gone}  # as it was before
    lost = set(gone.values()) - set(spelled.values())
    by = Counter(taken(db, span, lost, accepted=True).values())
    listed_again = [again for image, again, _ in new if image not in spelled]
    deleted, waiting = None, None
    if before.decided and after.decided:
        deleted, waiting = _newly(db, span, spelled, telling=tells_first(before.mode, after.mode))
    return Since(
        earlier,
        amount_of(size for image, again, size in new if not again and image not in spelled),
        sum(listed_again),
        by[Gone.BY_US],
        by[Gone.BY_OTHERS],
        by[Gone.UNKNOWN],
        deleted,
        waiting,
        dry_run=before.mode is Mode.DRY_RUN,
        unheard=not after.unposted and not db.execute(_IS_HEARD, {"earlier": earlier, "run": run}).fetchone(),
    )


def unseen(db: Connection, run: int, targets: Iterable[TargetResult]) -> tuple[str, ...]:
    """The targets that the runs surveyed with which one is compared, and that this one did not even try to survey."""
    earlier = sorted({target.since.run for target in targets if target.since is not None})
    seen = [name for each in earlier for (name,) in db.execute(_UNSEEN, (each, run))]
    return tuple(sorted(set(seen)))


@dataclass(frozen=True, slots=True)
class _Standing:
    """An accepted survey that is still whole: whether all of its images were decided on, and how its run worked.

    `unposted`: no channel was to have the report of its run.
    """

    decided: bool
    mode: Mode
    unposted: bool


def _standing(db: Connection, run: int, target: str) -> _Standing | None:
    row = db.execute(_GOOD, (run, target)).fetchone()
    return None if row is None else _Standing(bool(row[0]), Mode(row[1]), bool(row[2]))


def _newly(db: Connection, span: dict[str, Any], spelled: Mapping[str, str], *, telling: bool) -> tuple[int, int]:
    """How many images are to be deleted only now, and how many wait only now.

    If this run is `telling` what the other was not, those wait only now that it announces for the first time.
    """
    newly = dict(db.execute(_NEWLY, span).fetchall())
    for image in newly.keys() & spelled.keys():
        if (newly[image],) in db.execute(_VERDICT, {**span, "image": spelled[image]}).fetchall():
            del newly[image]
    deleted = sum(verdict == Verdict.DELETE for verdict in newly.values())
    waiting = {image for image, verdict in newly.items() if verdict == Verdict.WAIT}
    untold = db.execute(f"SELECT i.image {UNTOLD}", span) if telling else ()
    return deleted, len(waiting | {image for (image,) in untold})


_ACCEPTED = """
SELECT s.run FROM surveys s JOIN runs r ON r.run = s.run
WHERE s.target = :target AND s.run > :after AND s.run < :run AND s.good
"""
_LIVE = " AND r.mode = 'delete'"
# Times are written with a fraction of a second only where there is one.
_HEARD = """ AND NOT r.unposted AND NOT r.owes_report AND NOT EXISTS (
    SELECT 1 FROM reports p WHERE p.run = r.run AND (p.delivered_at IS NULL
        OR rtrim(p.delivered_at, 'Z') > (SELECT rtrim(started_at, 'Z') FROM runs WHERE run = :run))
)"""
_IS_HEARD = f"SELECT 1 FROM runs r WHERE r.run = :earlier {_HEARD}"  # noqa: S608 - a condition of ours
_DECIDING = f" AND {HAS_DECIDED}"
_GOOD = f"""
SELECT {HAS_DECIDED}, r.mode, r.unposted FROM surveys s JOIN runs r ON r.run = s.run
WHERE s.run = ? AND s.target = ? AND s.good AND s.finished_at IS NOT NULL AND NOT s.details_dropped
"""  # noqa: S608 - conditions of ours
_UNSEEN = """
SELECT target FROM surveys WHERE run = ? AND finished_at IS NOT NULL
EXCEPT SELECT target FROM surveys WHERE run = ?
"""
_GONE = f"SELECT i.image {GONE} WHERE {CLOSED}"
_NEW = f"SELECT i.image, {SEEN_BEFORE}, f.size {NEW}"
_NEWLY = f"""
SELECT i.image, e.verdict {LISTED_AFTER}
JOIN decisions e ON e.image_key = i.image_key AND e.from_run > :before AND {covering("e", "after")}
LEFT JOIN decisions d ON d.image_key = i.image_key AND {covering("d", "before")}
WHERE e.verdict IN ('delete', 'wait') AND d.verdict IS NOT e.verdict
"""
_VERDICT = f"""
SELECT d.verdict FROM images i JOIN decisions d ON d.image_key = i.image_key AND {covering("d", "before")}
WHERE i.target = :target AND i.image = :image
"""  # noqa: S608 - conditions of ours
