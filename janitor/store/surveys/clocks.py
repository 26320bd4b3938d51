"""Since when images were watched, and in their status, as intervals: the basis of a run's clocks."""

from collections.abc import Iterable

from janitor.core.memory import History
from janitor.core.names.image_ids import folded
from janitor.store.columns import covering
from janitor.store.connection import Connection
from janitor.store.rows import instant, instant_or_none
from janitor.store.surveys.uses import use_history_at
from janitor.store.trust.bindings import counts_after

STEP = """
-- What `images` says of an image now, as it was: watched_since, and status_since where another status was seen before.
-- A new row when one of them changed. Runs of before this was recorded have none.
CREATE TABLE image_clocks (
    image_key INTEGER NOT NULL REFERENCES images,
    from_run INTEGER NOT NULL REFERENCES runs,
    until_run INTEGER REFERENCES runs,
    watched_since TEXT,
    status_since TEXT,
    PRIMARY KEY (image_key, from_run)
) WITHOUT ROWID;
INSERT INTO image_clocks (image_key, from_run, watched_since, status_since)
SELECT i.image_key, s.run, i.watched_since, i.status_since
FROM images i
JOIN (SELECT target, max(run) AS run FROM surveys WHERE finished_at IS NOT NULL GROUP BY target) AS s
    ON s.target = i.target;
"""

Clocks = tuple[int, str | None, str | None]
"""The key of an image, since when it has been watched, and since when it has had its status."""


def record_clocks(db: Connection, run: int, new: Iterable[Clocks], changed: Iterable[Clocks]) -> None:
    """Record the clocks of images that a run saw first, and of those whose clocks it changed."""
    later = list(changed)
    db.executemany(_CLOSE, ((run, key) for key, _, _ in later))
    db.executemany(_ADD, ((key, run, *since) for key, *since in (*new, *later)))


def history_at(db: Connection, run: int, target: str) -> dict[str, History] | None:
    """The history of each image that a run saw in a target, as that run knew it, by id; None if it was not recorded."""
    used = use_history_at(db, run, target)
    histories: dict[str, History] = {}
    after = counts_after(db, target, run)
    keys = {"run": run, "target": target, "after": after, "as_now": after == counts_after(db, target)}
    for image, first_seen, recorded, watched, status in db.execute(_AT_RUN, keys):
        if recorded is None:
            return None
        since = (instant(first_seen), instant_or_none(watched), instant_or_none(status))
        histories[image] = History(*since, *used.of(folded(image)))
    return histories


_CLOSE = "UPDATE image_clocks SET until_run = ? WHERE image_key = ? AND until_run IS NULL"
_ADD = "INSERT INTO image_clocks (image_key, from_run, watched_since, status_since) VALUES (?, ?, ?, ?)"
# `images` says when an image was first seen as that counts now: later, if the target was rebound since.
_AT_RUN = f"""
SELECT i.image, CASE WHEN :as_now THEN i.first_seen ELSE (
    SELECT s.finished_at FROM image_facts g JOIN surveys s ON s.target = i.target AND s.run = g.from_run
    WHERE g.image_key = i.image_key AND g.from_run > :after ORDER BY g.from_run LIMIT 1
) END, c.from_run, c.watched_since, c.status_since
FROM images i
JOIN image_facts f ON f.image_key = i.image_key
    AND {covering("f", "run")}
LEFT JOIN image_clocks c ON c.image_key = i.image_key
    AND {covering("c", "run")}
WHERE i.target = :target
"""  # noqa: S608 - a condition of ours
