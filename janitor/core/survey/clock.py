"""Whether our clock may be trusted: deletions and notices need another clock that shows the same time. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from janitor.commands import command

APART = timedelta(minutes=5)
"""How far apart a server's clock and ours may be."""


class ClockCheck(StrEnum):
    """What confirms our clock in a run: answers of the API, nothing, or a person who accepts an implausible survey."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    ACCEPTED = "accepted"


class ClockDoubt(str):
    """What is implausible about our clock, not about the account."""

    __slots__ = ()


def unconfirmed() -> str:
    """Why nothing is deleted if nothing confirms our clock."""
    return (
        "nothing deleted: no answer of the API tells the time, so our clock cannot be confirmed. Check it; if it is "
        f"right, run `{command('run --accept-survey')}` once."
    )


def agrees(offset: timedelta) -> bool:
    """Whether a clock that differs from ours by this much confirms it."""
    return abs(offset) <= APART


def may_start(check: ClockCheck, offset: timedelta | None) -> bool:
    """Whether a notice may start whose message a channel accepted when its clock was so far ahead of ours.

    `offset` is None where the channel gave no time: then an answer of the API must have confirmed our clock.
    """
    if check is ClockCheck.ACCEPTED:
        return True
    return check is ClockCheck.CONFIRMED if offset is None else agrees(offset)


def behind(now: datetime, run: int, then: datetime) -> ClockDoubt | None:
    """What is wrong with a clock that is behind that of an earlier run, which an answer confirmed; None if nothing.

    `then` is the time of that run.
    """
    if then - now <= APART:
        return None
    minutes = (then - now) // timedelta(minutes=1)
    words = f"our clock is {minutes} minutes behind that of run {run}, which an answer of the API confirmed"
    return ClockDoubt(words)
