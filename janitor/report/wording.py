"""The words that all reports share: sizes, money, modes, outcomes, and foreign text made safe to show."""

import math
from datetime import datetime, timedelta, tzinfo

from janitor.commands import command
from janitor.core.memory import Backlog
from janitor.core.planning.refusal import in_words, refusals_in
from janitor.core.result import Cost, Outcome, RunResult
from janitor.core.units import counted, format_duration
from janitor.escaping import visible

_LONGEST_NAME = 100
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

OUTCOMES = {
    Outcome.OK: "ok – every target was surveyed, and no deletion was rejected or failed",
    Outcome.PARTIAL: "partial – some deletions were rejected or failed, or are not known yet",
    Outcome.REFUSED: "refused – nothing was deleted there",
    Outcome.FAILED: "failed – the run or a target failed",
}


def ended(result: RunResult) -> str:
    """How a run ended, and why nothing was deleted where it was refused."""
    why = in_words(refusals_in(result.targets)) if result.outcome is Outcome.REFUSED else ""
    return f"{OUTCOMES[result.outcome]}{f', as {why}' if why else ''}"


def shortened(text: str, limit: int) -> str:
    """Foreign text made visible, and cut if it is longer than `limit` characters."""
    shown = visible(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def in_one_line(text: str) -> str:
    """The lines of a text as one, to which a full stop can be added."""
    return "; ".join(line.strip() for line in text.splitlines() if line.strip()).rstrip(".")


def label_of(name: str | None, limit: int) -> str:
    """An image's name made visible, or a word for its absence."""
    return shortened(name, limit) if name and name.strip() else "(no name)"


def money_a_month(size: int, cost: Cost | None) -> str | None:
    """What this many bytes cost per month: `19.41 USD a month`; None where no cost is configured."""
    if cost is None:
        return None
    amount = cost.of(size)
    digits = 2 if amount >= 0.01 or amount == 0 else min(6, 1 - math.floor(math.log10(amount)))
    return f"{amount:,.{digits}f} {cost.currency} a month"


def local_minute(instant: datetime, zone: tzinfo) -> str:
    """An instant to the minute with the name of its zone: `2026-11-24 12:12 KST`."""
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")


def local_exact(instant: datetime, zone: tzinfo) -> str:
    """The same with seconds and their fraction where there are some: `2026-11-24 12:12:05 KST`."""
    local = instant.astimezone(zone)
    if not (local.second or local.microsecond):
        return local_minute(instant, zone)
    fraction = f".{local.microsecond:06}".rstrip("0") if local.microsecond else ""
    return f"{local:%Y-%m-%d %H:%M:%S}{fraction} {local.tzname()}"


def local_moment(instant: datetime, zone: tzinfo, now: datetime) -> str:
    """An instant as people say it: `28 Nov 15:24 KST`; with its year where that is not the year of `now` there."""
    local = instant.astimezone(zone)
    year = f" {local.year}" if local.year != now.astimezone(zone).year else ""
    return f"{local.day} {_MONTHS[local.month - 1]}{year} {local:%H:%M} {local.tzname()}"


def run_name(result: RunResult) -> str:
    """The run by its number: `Image Janitor run 12`; a run that never began has none."""
    return f"Image Janitor run {result.run}" if result.run else "Image Janitor, a run that could not begin"


def run_times(result: RunResult, zone: tzinfo) -> str:
    """When a run began, how long it took, and who began it: `2026-11-23 12:00 KST, took 42s, begun by its schedule`."""
    seconds = round((result.finished_at - result.started_at).total_seconds())
    took = format_duration(timedelta(seconds=seconds)) if seconds > 0 else "less than a second"
    by = f", begun {shortened(result.terms.begun_by, _LONGEST_NAME)}" if result.terms.begun_by else ""
    return f"{local_minute(result.started_at, zone)}, took {took}{by}"


def undelivered_reports(backlog: Backlog | None, zone: tzinfo) -> str:
    """How many reports wait, since when, and what sends them, in a sentence; empty if none does, None: not known."""
    if backlog is None:
        return "Whether reports are undelivered is not known, as the database could not be read."
    if backlog.since is None:
        return ""
    waiting, since = counted(backlog.reports, "report"), local_minute(backlog.since, zone)
    return f"{waiting} undelivered since {since}: the next run tries again, or `{command('resend')}` does."
