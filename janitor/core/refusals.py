"""Backing off: a deletion that the API rejected is not requested again every night."""

from datetime import datetime, timedelta

from janitor.core.memory import Refusals

_WAITS = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
_GRACE = timedelta(hours=1)


def next_try(refusals: Refusals) -> datetime:
    """When to request it again: after one day, then three, then seven, and then weekly.

    An hour early counts, so that a nightly run which happens to be quicker than the last does not lose a night.
    """
    return refusals.last_at + _WAITS[min(refusals.count, len(_WAITS)) - 1] - _GRACE
