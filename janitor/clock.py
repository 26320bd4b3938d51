"""The clock of production: everything else is told the time, or what to ask for it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present instant, aware and in UTC."""
    return datetime.now(UTC)
