"""One pace for all workers that use a token of Slack: each message takes the next of its free moments."""

import hashlib
from datetime import timedelta

from janitor.fleet.database import Connection

_BURST = 3
_EVERY = timedelta(seconds=1)
_TAKE = """
INSERT INTO pace AS known (sender, next_at) VALUES (%(sender)s, now() - %(behind)s + %(every)s)
ON CONFLICT (sender) DO UPDATE SET next_at = greatest(known.next_at, now() - %(behind)s) + %(every)s
RETURNING greatest(next_at - %(every)s - now(), interval '0') AS wait
"""


def sender_of(token: str, channel: str) -> str:
    """What stands for a token and a channel, without either: Slack limits how often a bot posts to one channel."""
    return hashlib.sha256(f"{token}\n{channel}".encode()).hexdigest()[:32]


def take_turn(connection: Connection, sender: str, every: timedelta = _EVERY, burst: int = _BURST) -> timedelta:
    """Take the next free moment of a sender; how long it is until then, by the clock of the database.

    After a pause some messages may follow each other at once, and otherwise one in each `every`. Raises FleetError.
    """
    row = connection.row(_TAKE, sender=sender, every=every, behind=every * (burst - 1))
    assert row is not None
    wait: timedelta = row["wait"]
    return wait
