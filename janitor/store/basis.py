"""What each run was based on: its policies and the exemptions of policy files in their order, its zone and limits."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from janitor.core.basis import Basis
from janitor.core.memory import Exemption
from janitor.core.planning.plan import Limits
from janitor.core.planning.plan_diff import policy_text
from janitor.core.policy import Policy
from janitor.store.columns import covering
from janitor.store.connection import Connection
from janitor.store.values import from_json, to_json

TEXTS = """
-- The policies as they were; a new row when one changes.
CREATE TABLE policy_texts (
    policy TEXT NOT NULL,
    text TEXT NOT NULL,
    from_run INTEGER NOT NULL REFERENCES runs,
    until_run INTEGER REFERENCES runs
);

ALTER TABLE runs ADD COLUMN digest TEXT;
"""

STEP = """
-- What the run went by, beside policies and exemptions. NULL for runs of before this was recorded.
ALTER TABLE runs ADD COLUMN zone TEXT;
ALTER TABLE runs ADD COLUMN usage_memory_seconds INTEGER;
ALTER TABLE runs ADD COLUMN max_deletions INTEGER;
ALTER TABLE runs ADD COLUMN max_share REAL;
ALTER TABLE runs ADD COLUMN max_shrink REAL;
ALTER TABLE runs ADD COLUMN accept_survey INTEGER;

-- position: the place among the policies, the first that matches an image owns it. value: the policy as JSON. Both are
-- NULL where only the text was recorded.
ALTER TABLE policy_texts ADD COLUMN position INTEGER;
ALTER TABLE policy_texts ADD COLUMN value TEXT;

-- The exemptions of policy files as JSON, those that have lapsed too, in their order; a new row when one changes.
CREATE TABLE file_exemptions (
    position INTEGER NOT NULL,
    value TEXT NOT NULL,
    from_run INTEGER NOT NULL REFERENCES runs,
    until_run INTEGER REFERENCES runs
);
"""

BEGINNING = """
-- begun_by: who or what began it, in words; NULL for runs of before this was recorded.
ALTER TABLE runs ADD COLUMN begun_by TEXT;
"""

_OFFSET = re.compile(r"UTC([+-])(\d{2}):(\d{2})")


def record_basis(db: Connection, run: int, basis: Basis) -> None:
    """Record what a run is based on; policies and exemptions as far as they have changed."""
    limits = (basis.limits.max_deletions, basis.limits.max_share, basis.max_shrink)
    seconds = basis.usage_memory.total_seconds()
    db.execute(_SET, (str(basis.zone), seconds, *limits, int(basis.accept_survey), run))
    policies = [(policy.name, policy_text(policy), to_json(policy)) for policy in basis.policies]
    exemptions = [(to_json(exemption),) for exemption in basis.exemptions]
    _record_list(db, run, _POLICIES, policies)
    _record_list(db, run, _EXEMPTIONS, exemptions)


def basis_at(db: Connection, run: int) -> Basis | None:
    """What a run was based on, or None for a run before this was recorded."""
    zone, memory, max_deletions, max_share, max_shrink, accepted = db.execute(_GET, (run,)).fetchone()
    if zone is None:
        return None
    return Basis(
        tuple(from_json(Policy, value) for (value,) in db.execute(_POLICY_VALUES, {"run": run})),
        tuple(from_json(Exemption, value) for (value,) in db.execute(_EXEMPTION_VALUES, {"run": run})),
        zone_named(zone),
        timedelta(seconds=memory),
        Limits(max_deletions, max_share),
        max_shrink,
        bool(accepted),
    )


def policies_at(db: Connection, run: int) -> dict[str, str]:
    """The texts of the policies of a run, by name, in their order as far as that was recorded."""
    return dict(db.execute(_POLICY_TEXTS, {"run": run}).fetchall())


def _record_list(db: Connection, run: int, table: "_Table", values: Iterable[tuple[str, ...]]) -> None:
    """Update a list: an interval for each place, and a new one when its content changes."""
    present = {tuple(row): key for key, *row in db.execute(table.open)}
    wanted = [(position, *value) for position, value in enumerate(values)]
    db.executemany(table.close, [(run, present[row]) for row in present.keys() - set(wanted)])
    db.executemany(table.add, [(run, *row) for row in wanted if row not in present])


def zone_named(name: str) -> tzinfo:
    """The zone of this name. Raises ValueError or KeyError for an unknown one."""
    if name == "UTC":
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is None:
        return ZoneInfo(name)
    east = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return timezone(east if offset[1] == "+" else -east)


_SET = """
UPDATE runs SET zone = ?, usage_memory_seconds = ?, max_deletions = ?, max_share = ?, max_shrink = ?, accept_survey = ?
WHERE run = ?
"""
_GET = """
SELECT zone, usage_memory_seconds, max_deletions, max_share, max_shrink, accept_survey FROM runs WHERE run = ?
"""


@dataclass(frozen=True, slots=True)
class _Table:
    """The SQL statements for one list."""

    open: str
    close: str
    add: str


_POLICIES = _Table(
    "SELECT rowid, position, policy, text, value FROM policy_texts WHERE until_run IS NULL",
    "UPDATE policy_texts SET until_run = ? WHERE rowid = ?",
    "INSERT INTO policy_texts (from_run, position, policy, text, value) VALUES (?, ?, ?, ?, ?)",
)
_EXEMPTIONS = _Table(
    "SELECT rowid, position, value FROM file_exemptions WHERE until_run IS NULL",
    "UPDATE file_exemptions SET until_run = ? WHERE rowid = ?",
    "INSERT INTO file_exemptions (from_run, position, value) VALUES (?, ?, ?)",
)
_POLICY_TEXTS = f"""
SELECT policy, text FROM policy_texts WHERE {covering("policy_texts", "run")} ORDER BY position, rowid
"""  # noqa: S608 - a condition of ours
_POLICY_VALUES = f"""
SELECT value FROM policy_texts WHERE {covering("policy_texts", "run")} ORDER BY position
"""  # noqa: S608 - the same
_EXEMPTION_VALUES = f"""
SELECT value FROM file_exemptions WHERE {covering("file_exemptions", "run")} ORDER BY position
"""  # noqa: S608 - the same
