"""Instants as people write them in tests: how long ago, or a date."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from janitor.core.units import is_dated, parse_from, parse_span


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as written: `20d` ago, or from the first moment of `2026-06-01`, or `2026-06-01T03:00:00Z`.

    Raises ValueError, with a message fit for people, for anything else.
    """

    text: str
    ago: timedelta | None = field(init=False)

    def __post_init__(self) -> None:
        dated = is_dated(self.text)
        if dated:
            parse_from(self.text, UTC)  # the zone changes what a date means, not whether it is valid
        object.__setattr__(self, "ago", None if dated else parse_span(self.text))

    def before(self, now: datetime, zone: tzinfo) -> datetime:
        """The instant, where it is `now`."""
        return parse_from(self.text, zone) if self.ago is None else now - self.ago
