"""Where the list of a target can be asked at, by its last survey: the next one reads it side by side."""

import json
from collections.abc import Sequence

from janitor.store.connection import Connection

STEP = """
-- Ids of the last survey's list, evenly spaced, in the order of the list. They only save time: nothing depends on them.
CREATE TABLE list_markers (
    target TEXT PRIMARY KEY,
    images TEXT NOT NULL
) WITHOUT ROWID;
"""


def record_markers(db: Connection, target: str, ids: Sequence[str]) -> None:
    """Record these instead of what was recorded before."""
    if ids:
        db.execute(_REPLACE, (target, json.dumps(list(ids))))
    else:
        db.execute("DELETE FROM list_markers WHERE target = ?", (target,))


def markers(db: Connection, target: str) -> list[str]:
    """What was recorded last for a target; none where that is not a list of ids."""
    row = db.execute("SELECT images FROM list_markers WHERE target = ?", (target,)).fetchone()
    try:
        ids = json.loads(row[0]) if row is not None else []
    except ValueError:
        return []
    return [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []


_REPLACE = "INSERT INTO list_markers (target, images) VALUES (?, ?) ON CONFLICT DO UPDATE SET images = excluded.images"
