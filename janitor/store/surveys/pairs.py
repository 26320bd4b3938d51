"""Which two targets are one account under two names, by the surveys of a run, and a person's word that they are two.

Both hold for the accounts to which the two were bound then: once one of them is bound to another, neither counts.
"""

from datetime import datetime

from janitor.core.survey.one_account import AccountPair
from janitor.core.units import iso
from janitor.store.connection import Connection
from janitor.store.rows import instant_or_none
from janitor.store.trust.bindings import counts_from

STEP = """
-- Two targets, in the order of their names, which list the same images, by the survey of one in run `found`: up to run
-- `listed`, that of the other did. *_from: since which run each was bound to its account. told_apart_*: when a person
-- said that they are two accounts, and who.
CREATE TABLE account_pairs (
    one TEXT NOT NULL,
    other TEXT NOT NULL,
    one_from INTEGER NOT NULL,
    other_from INTEGER NOT NULL,
    found INTEGER NOT NULL REFERENCES runs,
    listed INTEGER NOT NULL REFERENCES runs,
    image TEXT NOT NULL,
    told_apart_at TEXT,
    told_apart_by TEXT,
    PRIMARY KEY (one, other, one_from, other_from)
) WITHOUT ROWID;
"""


def note_one_account(db: Connection, pair: AccountPair) -> None:
    """Record that two targets are one account. What a person said of them stays."""
    since = (counts_from(db, name) for name in pair.names)
    db.execute(_NOTE, (*pair.names, *since, pair.found, pair.listed, pair.image))


def account_pairs(db: Connection) -> list[AccountPair]:
    """The pairs that are recorded of the accounts to which their targets are bound now, in the order of the names."""
    return [
        AccountPair((one, other), image, found, listed, by, instant_or_none(at))
        for one, other, one_from, other_from, image, found, listed, by, at in db.execute(_PAIRS).fetchall()
        if (one_from, other_from) == (counts_from(db, one), counts_from(db, other))
    ]


def tell_apart(db: Connection, names: tuple[str, str], who: str, at: datetime) -> None:
    """Record a person's word that two targets which are recorded as one account are two; the first counts."""
    one, other = sorted(names)
    since = (counts_from(db, one), counts_from(db, other))
    db.execute(_TELL_APART, (iso(at), who, one, other, *since))


_NOTE = """
INSERT INTO account_pairs (one, other, one_from, other_from, found, listed, image) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET found = excluded.found, listed = excluded.listed, image = excluded.image
"""
_PAIRS = """
SELECT one, other, one_from, other_from, image, found, listed, told_apart_by, told_apart_at FROM account_pairs
ORDER BY one, other
"""
_TELL_APART = """
UPDATE account_pairs SET told_apart_at = ?, told_apart_by = ?
WHERE one = ? AND other = ? AND one_from = ? AND other_from = ? AND told_apart_at IS NULL
"""
