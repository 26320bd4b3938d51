"""Whether our clock may be gone by: deletions and notices need a witness that tells the same time. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

APART = timedelta(minutes=5)
"""How far a server's clock and ours may be apart."""


class ClockCheck(StrEnum):
    """What confirms our clock in a run: answers of the API, nothing, or a person who accepts an implausible survey."""

    TOLD = "told"
    UNTOLD = "untold"
    ACCEPTED = "accepted"


UNTOLD = (
    "nothing deleted: no answer of the API tells the time, so our clock cannot be confirmed. Check it; if it is right, "
    "run once with --accept-survey."
)
"""Why nothing is deleted where nothing confirms our clock."""


def agrees(offset: timedelta) -> bool:
    """Whether a clock that is so far ahead of ours, or behind it, confirms it."""
    return abs(offset) <= APART


def may_start(check: ClockCheck, offset: timedelta | None) -> bool:
    """Whether a notice may start whose message a channel accepted, and whose answer was so far ahead of our clock.

    `offset` is None where the channel told no time: then the API has to have told it.
    """
    if check is ClockCheck.ACCEPTED:
        return True
    return check is ClockCheck.TOLD if offset is None else agrees(offset)


def behind(now: datetime, run: int, then: datetime) -> str | None:
    """What is wrong with a clock that is behind what an earlier run's was when an answer confirmed it; None if nothing.

    `then` is what the clock of that run said.
    """
    if then - now <= APART:
        return None
    minutes = (then - now) // timedelta(minutes=1)
    return f"our clock is {minutes} minutes behind that of run {run}, which an answer of the API confirmed"
