"""The exemptions that people granted by command: those in force, and those that expired or were revoked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from janitor.core.exemptions import active, exemptions_for
from janitor.core.image import Image
from janitor.core.memory import Exemption, LastExemption
from janitor.core.names.image_ids import folded
from janitor.core.units import iso
from janitor.store.connection import Connection, query
from janitor.store.rows import instant, instant_or_none

STEP = """
-- Exemptions given by command, also those that have lapsed. ended_*: when a person took it back, and who.
CREATE TABLE exemptions (
    exemption INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    image TEXT NOT NULL,
    until TEXT NOT NULL,
    why TEXT NOT NULL,
    who TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    ended_by TEXT
);
CREATE INDEX exemptions_of_image ON exemptions (target, image);
"""


@dataclass(frozen=True, slots=True)
class ExemptionRecord:
    """One exemption with its history; `name` is the image's latest, `listed` whether its latest survey listed it."""

    target: str
    exemption: Exemption
    created_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    name: str | None = None
    listed: bool = False

    def active(self, now: datetime) -> bool:
        """Whether it is in force: neither revoked nor expired."""
        return self.ended_at is None and active(self.exemption, now)


def add_exemption(db: Connection, target: str, exemption: Exemption, at: datetime) -> int:
    """Record an exemption; one already in force for the image stays, too, and the longer one counts.

    Returns its number.
    """
    given = (exemption.image, iso(exemption.until), exemption.why, exemption.who)
    number = db.execute(_ADD, (target, *given, iso(at))).lastrowid
    assert number is not None
    return number


def last_exemption(db: Connection) -> LastExemption | None:
    """The one that was granted last, whether or not it is in force; None where none ever was."""
    row = db.execute("SELECT exemption, created_at FROM exemptions ORDER BY exemption DESC LIMIT 1").fetchone()
    return None if row is None else LastExemption(row[0], instant(row[1]))


def knows_exemption(db: Connection, granted: LastExemption) -> bool:
    """Whether this exemption was granted in this database, or in one that this is a copy of."""
    row = db.execute("SELECT created_at FROM exemptions WHERE exemption = ?", (granted.number,)).fetchone()
    return row is not None and instant(row[0]) == granted.at


def end_exemptions(db: Connection, target: str, image_id: str, by: str, at: datetime) -> None:
    """Revoke all exemptions in force for an image; expired ones stay as they are."""
    held = [(row["exemption"],) for row in _rows(db, target, image_id) if _record(row).active(at)]
    db.executemany(_END, [(iso(at), by, *key) for key in held])


def exemption_in_force(db: Connection, image: Image, at: datetime) -> Exemption | None:
    """The exemption by a person that is in force for this image, in whatever target; the longest, None without one."""
    rows = db.execute("SELECT image, until, why, who FROM exemptions WHERE ended_at IS NULL")
    given = (Exemption(image_id, instant(until), why, who) for image_id, until, why, who in rows)
    return exemptions_for([image], given, (), at).get(image.id)


def exemption_records(db: Connection, target: str | None = None, image_id: str | None = None) -> list[ExemptionRecord]:
    """All exemptions ever granted, oldest first; on request, only those of a target or of an image, however spelled."""
    return [_record(row) for row in _rows(db, target, image_id)]


def _rows(db: Connection, target: str | None, image_id: str | None) -> Iterable[dict[str, Any]]:
    wanted = None if image_id is None else folded(image_id)
    rows = query(db, _SELECT, {"target": target})
    return [row for row in rows if wanted is None or folded(row["image"]) == wanted]


def _record(row: dict[str, Any]) -> ExemptionRecord:
    return ExemptionRecord(
        row["target"],
        Exemption(row["image"], instant(row["until"]), row["why"], row["who"]),
        instant(row["created_at"]),
        instant_or_none(row["ended_at"]),
        row["ended_by"],
        row["name"],
        bool(row["listed"]),
    )


_ADD = "INSERT INTO exemptions (target, image, until, why, who, created_at) VALUES (?, ?, ?, ?, ?, ?)"
_END = "UPDATE exemptions SET ended_at = ?, ended_by = ? WHERE exemption = ?"
_SELECT = """
SELECT e.*, f.name, f.image_key IS NOT NULL AND f.until_run IS NULL AS listed
FROM exemptions e
LEFT JOIN images i ON i.target = e.target AND i.image = e.image
LEFT JOIN image_facts f ON f.image_key = i.image_key
    AND f.from_run = (SELECT max(g.from_run) FROM image_facts g WHERE g.image_key = i.image_key)
WHERE :target IS NULL OR e.target = :target
ORDER BY e.exemption
"""
