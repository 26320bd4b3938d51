"""The notices of one image, ended ones too, with the reports by which they were given."""

from janitor.core.explaining.records import Given, Sent
from janitor.store.connection import Connection, query
from janitor.store.rows import instant_or_none
from janitor.store.trust.notices import notice_of


def notices_given(db: Connection, target: str, image: str) -> list[Given]:
    """All notices that were ever given of an image, oldest first."""
    rows = query(db, _NOTICES, {"target": target, "image": image})
    return [
        Given(notice_of(row), row["run"], _sent(db, row["run"]), instant_or_none(row["ended_at"]), row["ended"])
        for row in rows
    ]


def _sent(db: Connection, run: int) -> tuple[Sent, ...]:
    rows = db.execute(_SENT, (run,))
    return tuple(Sent(channel, instant_or_none(at), error) for channel, at, error in rows)


# What another channel was told instead was not accepted in its own.
_SENT = """
SELECT channel, CASE WHEN error IS NULL THEN delivered_at END, error FROM reports WHERE run = ? ORDER BY report
"""
_NOTICES = "SELECT * FROM notices WHERE target = :target AND image = :image ORDER BY notice"
