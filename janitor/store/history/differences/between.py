"""What changed between two surveys of a target, read from what is recorded as changes: what did not is not read."""

import json
from collections.abc import Sequence
from typing import Any

from janitor.core.decision import Decision, Verdict
from janitor.core.replay.amounts import Amount
from janitor.core.replay.differences.between import Compared, GoneImage, NewImage, Side, Uncompared, tells_first
from janitor.core.replay.differences.facts import ChangedImage
from janitor.core.result import Mode
from janitor.store.basis import basis_at, policies_at
from janitor.store.columns import DECISION, IMAGE, covering, holding, names
from janitor.store.connection import Connection, query
from janitor.store.history.differences.taken import taken
from janitor.store.history.differences.uses import changed_uses
from janitor.store.rows import Row, decision_of, image_of, instant
from janitor.store.surveys.uses import unread_in
from janitor.store.trust.bindings import counts_after
from janitor.store.trust.grounds import exemptions_at, notices_at, sharing_at

_FACTS, _DECIDED = len(IMAGE), len(DECISION)


def compared(db: Connection, target: str, before: int, after: int) -> Compared | Uncompared:
    """Two surveys of a target, by the numbers of their runs, the earlier one first; or why they are not compared."""
    sides = [_side(db, run, target) for run in (before, after)]
    missing = [f"run {run} did not survey it" for run, side in zip((before, after), sides, strict=True) if side is None]
    old, new = sides
    if old is None or new is None:
        return Uncompared(target, " and ".join(missing))
    if counts_after(db, target, after) >= before:
        return Uncompared(target, "it was bound to another account in between")
    span = {"target": target, "before": before, "after": after}
    came = {each.image.identity: each for each in (_new(row) for row in db.execute(_NEW, span))}
    gone = [(row[0], *_seen(row[0], row[1:])) for row in db.execute(_GONE, span).fetchall()]
    respelled = [(image, decision, came.pop(image.identity)) for _, image, decision in gone if image.identity in came]
    same = {image.id for image, _, _ in respelled}
    lost = {image_id: (image, decision) for image_id, image, decision in gone if image_id not in same}
    by = taken(db, span, lost, accepted=bool(old.accepted and new.accepted))
    pairs = list(map(_pair, db.execute(_DECISIONS, span)))
    others = [(was, now.decision) for _, was, now in respelled if was is not None and now.decision is not None]
    decided = old.decided and new.decided
    return Compared(
        target,
        old,
        new,
        list(came.values()),
        [GoneImage(image, decision, by[image_id]) for image_id, (image, decision) in lost.items()],
        [one for one in map(_changed, db.execute(_CHANGED, span)) if one.fields or one.untold]
        + [ChangedImage(image, now.image) for image, _, now in respelled],
        changed_uses(db, span),
        [*pairs, *others] if decided else [],
        _told_first(db, span, old, new, others) if decided else [],
    )


def _told_first(
    db: Connection, span: dict[str, Any], old: Side, new: Side, respelled: Sequence[tuple[Decision, Decision]]
) -> list[Decision]:
    """What waited in the earlier run, too, and is announced only by the later one: see `Compared.told_first`."""
    if not tells_first(old.mode, new.mode) or new.notices is None:
        return []
    found = [
        decision
        for _, decision in (_seen(row[0], row[1:]) for row in db.execute(_UNTOLD, span))
        if decision is not None
    ]
    both = (now for was, now in respelled if was.verdict is now.verdict is Verdict.WAIT)
    return found + [now for now in both if now.image.id not in new.notices]


def _side(db: Connection, run: int, target: str) -> Side | None:
    rows = query(db, _SURVEY, {"run": run, "target": target})
    if not rows:
        return None
    [row] = rows
    recorded = row["sharing_asked"] is not None
    return Side(
        run,
        Mode(row["mode"]),
        instant(row["finished_at"]),
        bool(row["good"]) if row["measured"] else None,
        bool(row["decisions"]) or not row["there"],
        Amount(row["there"], row["size"], row["unknown_sizes"]),
        tuple(json.loads(row["also_named"] or "[]")),
        row["usage_problem"],
        tuple(sorted(map(str, unread_in(row["usage_unread"])))),
        basis_at(db, run),
        policies_at(db, run),
        notices_at(db, run, target) if recorded else None,
        exemptions_at(db, run, target) if recorded else None,
        sharing_at(db, run, target) if recorded else None,
    )


def _new(row: Row) -> NewImage:
    image_id, seen_before, *rest = row
    return NewImage(*_seen(image_id, rest), bool(seen_before))


def _seen(image_id: str, row: Sequence[Any]) -> tuple[Any, Decision | None]:
    """An image, and what was decided on it, from a row of its facts and then the decision."""
    image, decided = image_of(image_id, row[:_FACTS]), row[_FACTS:]
    return image, None if decided[0] is None else decision_of(image, decided)


def _changed(row: Row) -> ChangedImage:
    image_id, *facts = row
    return ChangedImage(image_of(image_id, facts[:_FACTS]), image_of(image_id, facts[_FACTS:]))


def _pair(row: Row) -> tuple[Decision, Decision]:
    """The decisions of both runs on one image, from a row of its facts and the decision in the one, then the other."""
    image_id, *rest = row
    one, other = rest[: _FACTS + _DECIDED], rest[_FACTS + _DECIDED :]
    return (
        decision_of(image_of(image_id, one[:_FACTS]), one[_FACTS:]),
        decision_of(image_of(image_id, other[:_FACTS]), other[_FACTS:]),
    )


_SURVEY = f"""
SELECT s.finished_at, r.mode, s.good, s.protected IS NOT NULL AS measured, s.decisions, s.also_named, s.usage_problem,
    s.usage_unread, s.sharing_asked, count(f.image_key) AS there, coalesce(sum(f.size), 0) AS size,
    count(f.image_key) - count(f.size) AS unknown_sizes
FROM surveys s JOIN runs r ON r.run = s.run
LEFT JOIN images i ON i.target = s.target
LEFT JOIN image_facts f ON f.image_key = i.image_key
    AND {holding("f", "s.run")}
WHERE s.run = :run AND s.target = :target AND s.finished_at IS NOT NULL GROUP BY s.run
"""  # noqa: S608 - a condition of ours
# CROSS JOIN: those that were there then are looked up first, or SQLite looks at all that a target ever had.
LISTED_AFTER = """
FROM (
    SELECT image_key FROM images WHERE target = :target AND present
    UNION SELECT image_key FROM image_facts WHERE until_run > :after
) there CROSS JOIN images i ON i.image_key = there.image_key AND i.target = :target
"""
"""The images `i` of the target that the later survey saw, and few others."""
NEW = f"""
{LISTED_AFTER}
JOIN image_facts f ON f.image_key = i.image_key AND f.from_run > :before AND {covering("f", "after")}
    AND NOT EXISTS (SELECT 1 FROM image_facts o WHERE o.image_key = f.image_key AND {covering("o", "before")})
"""  # noqa: S608 - conditions of ours
"""The images `i` that only the later survey saw, with their facts `f` there."""
# Of an image that came back, the facts of before may be dropped; since when it is known, stays.
SEEN_BEFORE = """(
    EXISTS (SELECT 1 FROM image_facts e WHERE e.image_key = f.image_key AND e.from_run <= :before)
    OR EXISTS (
        SELECT 1 FROM surveys b WHERE b.run = :before AND b.target = :target AND b.finished_at >= i.first_seen
            AND EXISTS (SELECT 1 FROM surveys x WHERE x.target = :target AND x.details_dropped)
    )
)"""
_NEW = f"""
SELECT i.image, {SEEN_BEFORE}, {names(IMAGE, "f")}, {names(DECISION, "d")} {NEW}
    JOIN surveys s ON s.run = :after AND s.target = :target
    LEFT JOIN decisions d ON d.image_key = i.image_key AND {covering("d", "after")} AND s.decisions > 0
ORDER BY f.name, i.image
"""
GONE = f"""
FROM image_facts f CROSS JOIN images i ON i.image_key = f.image_key AND i.target = :target
    AND NOT EXISTS (SELECT 1 FROM image_facts n WHERE n.image_key = f.image_key AND {covering("n", "after")})
"""  # noqa: S608 - conditions of ours
"""The images `i` that only the earlier survey saw, with their facts `f` there."""
CLOSED = "f.until_run > :before AND f.until_run <= :after AND f.from_run <= :before"
_GONE = f"""
SELECT i.image, {names(IMAGE, "f")}, {names(DECISION, "d")} {GONE}
    JOIN surveys s ON s.run = :before AND s.target = :target
    LEFT JOIN decisions d ON d.image_key = i.image_key AND {covering("d", "before")} AND s.decisions > 0
WHERE {CLOSED} ORDER BY f.name, i.image
"""
UNTOLD = f"""
{LISTED_AFTER}
JOIN decisions e ON e.image_key = i.image_key AND {covering("e", "after")} AND e.reason = 'notice'
JOIN surveys s ON s.run = :after AND s.target = :target AND s.sharing_asked IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM grounds n WHERE n.target = :target AND n.image = i.image AND n.kind = 'notice'
            AND {covering("n", "after")}
    )
"""  # noqa: S608 - conditions of ours
"""The images `i` that wait for their notice by what the later run decided, `e`, and that none had announced before."""
_UNTOLD = f"""
SELECT i.image, {names(IMAGE, "f")}, {names(DECISION, "e")} {UNTOLD}
JOIN image_facts f ON f.image_key = i.image_key AND {covering("f", "after")}
JOIN decisions d ON d.image_key = i.image_key AND {covering("d", "before")} AND d.verdict = 'wait'
ORDER BY f.name, i.image
"""
_CHANGED = f"""
SELECT i.image, {names(IMAGE, "f")}, {names(IMAGE, "g")}
FROM image_facts f CROSS JOIN images i ON i.image_key = f.image_key AND i.target = :target
JOIN image_facts g ON g.image_key = f.image_key AND {covering("g", "after")}
WHERE {CLOSED} AND ({" OR ".join(f"f.{column.name} IS NOT g.{column.name}" for column in IMAGE)})
ORDER BY g.name, i.image
"""  # noqa: S608 - the names of columns
_DECISIONS = f"""
SELECT i.image, {names(IMAGE, "f")}, {names(DECISION, "d")}, {names(IMAGE, "g")}, {names(DECISION, "e")}
{LISTED_AFTER}
JOIN decisions e ON e.image_key = i.image_key AND e.from_run > :before AND {covering("e", "after")}
JOIN decisions d ON d.image_key = i.image_key AND {covering("d", "before")}
JOIN image_facts f ON f.image_key = i.image_key AND {covering("f", "before")}
JOIN image_facts g ON g.image_key = i.image_key AND {covering("g", "after")}
ORDER BY g.name, i.image
"""
