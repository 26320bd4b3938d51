"""The system clock: everything else is given the time, or a function that gives it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present instant, aware and in UTC."""
    return datetime.now(UTC)
