"""Which account each target is bound to, and from which run on its history counts.

When a person rebinds a target, what was recorded about it stays as it is but no longer counts. Whatever reads what
earlier runs knew about a target leaves out the runs up to `counts_after`.
"""

from datetime import datetime

from janitor.core.survey.binding import Binding
from janitor.core.units import iso
from janitor.store.connection import Connection

STEP = """
-- The account that a target reaches: its API, a project and its image service, or a digest of endpoint and appkey.
CREATE TABLE bindings (
    target TEXT NOT NULL,
    from_run INTEGER NOT NULL REFERENCES runs,
    until_run INTEGER REFERENCES runs,
    api TEXT NOT NULL,
    account TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    PRIMARY KEY (target, from_run)
) WITHOUT ROWID;
CREATE UNIQUE INDEX present_bindings ON bindings (target) WHERE until_run IS NULL;

-- A person's word that a target is another account from then on: what runs up to after_run knew of it counts no more.
CREATE TABLE rebindings (
    rebinding INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    after_run INTEGER NOT NULL REFERENCES runs,
    at TEXT NOT NULL,
    who TEXT NOT NULL
);
CREATE INDEX rebindings_of_target ON rebindings (target, after_run);
"""


def counts_after(db: Connection, target: str, run: int | None = None) -> int:
    """The last run whose knowledge of a target no longer counts, now or as of this run; 0 if all counts."""
    after: int = db.execute(_COUNTS_AFTER, {"target": target, "run": run}).fetchone()[0]
    return after


def counts_from(db: Connection, target: str) -> int:
    """The first run that may have surveyed the account to which a target is bound now, and no other."""
    (since,) = db.execute(
        "SELECT max(from_run) FROM bindings WHERE target = ? AND until_run IS NULL", (target,)
    ).fetchone()
    return max(counts_after(db, target) + 1, since or 0)


def bound(db: Connection, target: str) -> Binding | None:
    """The account to which a target is bound."""
    row = db.execute(_BOUND, (target,)).fetchone()
    return None if row is None else Binding(*row)


def api_at(db: Connection, run: int, target: str) -> str | None:
    """The API of the account that a target was bound to in a run."""
    row = db.execute(_API_AT, (target, run)).fetchone()
    return None if row is None else str(row[0])


def bound_targets(db: Connection) -> list[str]:
    """The names of all targets that are bound to an account."""
    return [row[0] for row in db.execute("SELECT target FROM bindings WHERE until_run IS NULL ORDER BY target")]


def bind(db: Connection, run: int, target: str, binding: Binding) -> None:
    """Bind a target to the account that a run has reached."""
    db.execute("UPDATE bindings SET until_run = ? WHERE target = ? AND until_run IS NULL", (run, target))
    given = (target, run, binding.api, binding.account, binding.endpoint)
    db.execute("INSERT INTO bindings (target, from_run, api, account, endpoint) VALUES (?, ?, ?, ?, ?)", given)


def rebind(db: Connection, target: str, who: str, at: datetime) -> None:
    """Start a new history of a target: the next run binds it to the account that it then reaches."""
    (latest,) = db.execute("SELECT max(run) FROM runs").fetchone()
    db.execute(
        "INSERT INTO rebindings (target, after_run, at, who) VALUES (?, ?, ?, ?)", (target, latest, iso(at), who)
    )
    db.execute("UPDATE bindings SET until_run = ? WHERE target = ? AND until_run IS NULL", (latest, target))
    db.execute("DELETE FROM stacks WHERE target = ?", (target,))
    db.execute(_END_NOTICES, (iso(at), target))


_COUNTS_AFTER = """
SELECT coalesce(max(after_run), 0) FROM rebindings WHERE target = :target AND (:run IS NULL OR after_run < :run)
"""
_END_NOTICES = "UPDATE notices SET ended_at = ?, ended = 'rebound' WHERE target = ? AND ended_at IS NULL"
_BOUND = "SELECT api, account, endpoint FROM bindings WHERE target = ? AND until_run IS NULL"
_API_AT = "SELECT api FROM bindings WHERE target = ? AND from_run <= ? ORDER BY from_run DESC LIMIT 1"
