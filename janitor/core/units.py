"""Durations, sizes, instants and counts: reading what people and APIs write, and writing what people read."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import groupby

_DURATION_UNITS = {
    "y": timedelta(days=365),
    "mo": timedelta(days=30),
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "min": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_PART = "(?:([0-9]+){})?"
_MOST_DIGITS = 6
_DURATION = re.compile("".join(map(_PART.format, _DURATION_UNITS)))
_TIMEOUT = re.compile("".join(map(_PART.format, ("w", "d", "h", "m(?:in)?", "s"))))
_TIMEOUT_UNITS = ("w", "d", "h", "min", "s")
_UNCLEAR = re.compile(r"(?:[0-9]+[a-z]+)*?([0-9]+)m(?:[0-9]+[a-z]+)*")
_SIZE_UNITS = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]i?B|B)")
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ]((?:[01]\d|2[0-3]):\d{2}:\d{2})(\.\d{1,9})?(Z|z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_USUAL = len("2017-05-16T02:17:50Z")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_DATED = re.compile(r"[0-9]+-")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)
_FRACTION = re.compile(r"(?<=:\d{2}:\d{2})\.\d{1,6}(?=[Z+-])", re.ASCII)
_LAST_OF_DAY = time.max.replace(fold=1)  # where the clock is put back at midnight, midnight comes twice
_ENDLESS = datetime(9999, 12, 30, tzinfo=UTC)  # the last day that exists in every time zone
_FIRST_YEAR, _LAST_YEAR = 1970, 2999

GIB = 2**30
LONGEST_SPAN = timedelta(days=36_525)
"""A hundred years: so far from now, there are dates for every instant."""


def parse_duration(text: str, *, seconds: bool = False) -> timedelta:
    """Read `36h`, `14d` or `1d12h` (units y mo w d h min, largest first; with `seconds`, also s), and `0m`.

    A month is 30 days, a year 365. Raises ValueError, with a message fit for people, for anything else; `3m` is
    rejected because it may mean minutes or months.
    """
    if text == "0m":
        return timedelta()
    unclear = _UNCLEAR.fullmatch(text)
    units = f"units: {'s ' if seconds else ''}min h d w mo y, the largest first, as in 1d12h"
    if unclear is not None:
        raise ValueError(f'"{text}" is minutes or months: {unclear[1]}min or {unclear[1]}mo? ({units})')
    match = _DURATION.fullmatch(text)
    if not text or match is None or (match[7] is not None and not seconds):
        raise ValueError(f'"{text}" is not a duration like 36h or 14d ({units})')
    return _total(text, match, _DURATION_UNITS)


def parse_span(text: str) -> timedelta:
    """Read a duration, with seconds, that is added to dates: of a hundred years at most. Raises ValueError."""
    return _within_span(text, parse_duration(text, seconds=True))


def _within_span(text: str, duration: timedelta) -> timedelta:
    if duration > LONGEST_SPAN:
        raise ValueError(f'"{text}" is longer than a hundred years')
    return duration


def parse_timeout(text: str) -> timedelta:
    """Read `30s`, `2m` or `1m30s`, where `m` cannot mean months (units w d h m or min s, largest first).

    Raises ValueError, with a message fit for people, for anything else, and for more than a hundred years.
    """
    match = _TIMEOUT.fullmatch(text)
    if not text or match is None:
        raise ValueError(
            f'"{text}" is not a duration like 30s or 2m (units: s m h d w, the largest first, as in 1m30s)'
        )
    return _within_span(text, _total(text, match, _TIMEOUT_UNITS))


def _total(text: str, match: re.Match[str], units: Iterable[str]) -> timedelta:
    parts = [(count, unit) for count, unit in zip(match.groups(), units, strict=True) if count]
    if any(len(count) > _MOST_DIGITS for count, _ in parts):
        raise ValueError(f'"{text}" is out of range: a number in it has more than {_MOST_DIGITS} digits')
    return sum((int(count) * _DURATION_UNITS[unit] for count, unit in parts), timedelta())


@lru_cache
def format_duration(duration: timedelta) -> str:
    """Write a duration as both functions read it: days and smaller units, `14d`, `1d12h`, `1h30min`."""
    rest, words = duration, ""
    for unit in ("d", "h", "min", "s"):
        count, rest = divmod(rest, _DURATION_UNITS[unit])
        words += f"{count}{unit}" if count else ""
    return words or "0min"


def parse_size(text: str) -> int:
    """Read `1GiB`, `500 MB` or `2.5TiB` as bytes.

    Raises ValueError, with a message fit for people, for anything else.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a size like 500MB or 1.5GiB')
    return int(float(match[1]) * _SIZE_UNITS[match[2]])


def format_size(size: int | None) -> str:
    """Write bytes for people: `9.8 GiB`; an unknown size is `?`."""
    if size is None:
        return "?"
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size >= _SIZE_UNITS[unit]:
            return f"{size / _SIZE_UNITS[unit]:.1f} {unit}"
    return f"{size} B"


def parse_instant(text: str) -> datetime | None:
    """Read an API's time as aware UTC; one without an offset is UTC. None for what cannot be read.

    Both documented shapes, `2017-05-16T02:17:50Z` and `2017-05-16T02:17:50.166563`, and numeric offsets are read. A
    time before the year 2000 is really a zero value: read as a date, it would make its image look very old.
    """
    if _is_usual(text):
        try:
            usual = datetime.fromisoformat(text)
        except ValueError:
            return None
        return usual if usual >= _EARLIEST else None
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    try:
        instant = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}+00:00") - _offset(offset)
    except (ValueError, OverflowError):
        return None
    return instant if instant >= _EARLIEST else None


def _is_usual(text: str) -> bool:
    """Whether a text has the form `2017-05-16T02:17:50Z`, in which nearly all times come, with any characters in it."""
    if len(text) != _USUAL or text[10] != "T" or text[19] != "Z" or text[11:13] == "24":
        return False
    return text[4] == text[7] == "-" and text[13] == text[16] == ":"


def _offset(text: str | None) -> timedelta:
    if text is None or text in "Zz":
        return timedelta()
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"{text} is not an offset")
    return timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def parse_until(text: str, zone: tzinfo) -> datetime:
    """Read `2026-12-31`, through the last microsecond of that day in the zone, or `2026-12-31T18:00:00+09:00`.

    The days at the end of the calendar, which people write for "forever", are read as one that exists in every zone.
    Raises ValueError, with a message fit for people, for anything else.
    """
    try:
        if _DAY.fullmatch(text):
            return _in_utc(datetime.combine(date.fromisoformat(text), _LAST_OF_DAY, zone))
        if _MOMENT.fullmatch(text):
            return _in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass  # the form of a date, but not a day of the calendar
    raise ValueError(f'"{text}" is not a date like 2026-12-31 or a time like 2026-12-31T18:00:00+09:00')


def is_dated(text: str) -> bool:
    """Whether a text that may be a duration or a date is meant as a date: it begins with a year."""
    return _DATED.match(text) is not None


def parse_from(text: str, zone: tzinfo) -> datetime:
    """Read `2026-06-01`, from the first moment of that day in the zone, or `2026-06-01T03:00:00+09:00`, as UTC.

    Seconds may have a fraction, and years are from 1970 to 2999. Raises ValueError, with a message fit for people, for
    anything else.
    """
    try:
        instant = None
        if _DAY.fullmatch(text):
            instant = datetime.combine(date.fromisoformat(text), time.min, zone)
        elif _MOMENT.fullmatch(_FRACTION.sub("", text)):
            instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None  # the form of a date, but not a day of the calendar
    if instant is None:
        raise ValueError(f'"{text}" is not a date like 2026-06-01 or a time like 2026-06-01T03:00:00+09:00')
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise ValueError(f'"{text}" is out of range: write a year from {_FIRST_YEAR} to {_LAST_YEAR}')
    return instant.astimezone(UTC)


def format_until(end: datetime, zone: tzinfo) -> str:
    """Write what `parse_until` read: `through 2026-12-31 (Asia/Seoul)`, `until 2026-12-31 18:00+09:00`.

    Only a date ends a microsecond before a full second. A date of another zone is written as an instant.
    """
    if end >= _ENDLESS:
        return f"through {date.max.isoformat()} ({zone})"
    if end.microsecond == time.max.microsecond:
        day, end = format_day(end, zone), end + timedelta.resolution
        if format_day(end, zone) != day:
            return f"through {day} ({zone})"
    return f"until {end.astimezone(zone).isoformat(' ', 'minutes').replace('+00:00', 'Z')}"


def _in_utc(instant: datetime) -> datetime:
    return _ENDLESS if instant.replace(tzinfo=UTC) > _ENDLESS else instant.astimezone(UTC)


def iso(instant: datetime) -> str:
    """Write an instant as ISO text in UTC with `Z`, with microseconds only where there are some."""
    utc = instant.astimezone(UTC)
    if utc.microsecond:
        return utc.isoformat()[:-6] + "Z"
    return f"{_iso_day(utc.toordinal())}T{_MINUTES[utc.hour * 60 + utc.minute]}{_SECONDS[utc.second]}"


def iso_or_none(instant: datetime | None) -> str | None:
    """`iso`, or None without an instant."""
    return None if instant is None else iso(instant)


def format_day(instant: datetime, zone: tzinfo = UTC) -> str:
    """Write the day of an instant: `2026-11-08`."""
    return instant.astimezone(zone).date().isoformat()


def format_minute(instant: datetime, zone: tzinfo = UTC) -> str:
    """Write an instant to the minute, with its zone: `2026-11-08 03:12Z`, `2026-11-08 12:12 KST`."""
    if zone is not UTC and str(zone) != "UTC":
        local = instant.astimezone(zone)
        return f"{_iso_day(local.toordinal())} {_MINUTES[local.hour * 60 + local.minute]} {local.tzname()}"
    utc = instant.astimezone(UTC)
    return f"{_iso_day(utc.toordinal())} {_MINUTES[utc.hour * 60 + utc.minute]}Z"


# Several instants are written for each image: from these pieces in a fifth of the time that `isoformat` takes.
_MINUTES = tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60))
_SECONDS = tuple(f":{second:02}Z" for second in range(60))


@lru_cache(4096)
def _iso_day(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def some_of(words: Sequence[str], most: int, between: str = ", ") -> str:
    """The first of these words, and how many more there are: `a, b and 3 more`."""
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return between.join(words[:most]) + more


def counted(count: int, noun: str = "image") -> str:
    """A count with its noun: `1 image`, `2,041 images`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def in_ranges(numbers: Sequence[int]) -> str:
    """Numbers in order as people write them: `0-3, 8`."""
    runs = groupby(enumerate(numbers), key=lambda each: each[1] - each[0])
    parts = [[number for _, number in run] for _, run in runs]
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
