"""The report of a night of the fleet for programs, with all accounts: times in UTC, sizes in bytes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC
from itertools import chain

from janitor.core.units import iso, iso_or_none
from janitor.report.fleet.night import WOULD, AccountOutcome, NightReport, Standing, Worth, to_do, why
from janitor.report.json_pieces import json_pieces
from janitor.report.listing import csv_lines

_COUNTS = ("images", "to_delete", "waiting", "kept", "deleted", "unconfirmed", "not_deleted", "announced", *WOULD)
_COLUMNS = (
    "account",
    "standing",
    "state",
    "exit_code",
    "mode",
    "attempts",
    *_COUNTS,
    "bytes",
    "cost_per_month",
    "would_bytes",
    "would_cost_per_month",
    "currency",
    "shard",
    "worker",
    "started_at",
    "finished_at",
    "why",
    "to_do",
)


def night_json(report: NightReport) -> Iterator[str]:
    """The report as one object."""
    return json_pieces({**summary(report), "accounts": (_facts(*each) for each in _rows(report))})


def summary(report: NightReport) -> dict[str, object]:
    """The report as an object without the accounts that are well, whose number it has."""
    reclaimed, reclaimable = report.reclaimed, report.reclaimable
    return {
        "night": report.night.isoformat(),
        "begun_at": iso(report.begun_at),
        "deadline_at": iso(report.deadline_at),
        "summed_up_at": iso_or_none(report.summed_up_at),
        "at": iso(report.at),
        "needs_a_person": report.needs_a_person,
        "standing": {standing.value: len(some) for standing, some in report.by_standing.items()},
        "modes": {**dict.fromkeys(("delete", "dry-run", "unknown"), 0), **_modes(report)},
        "totals": {name: _total(report, name) for name in _COUNTS},
        "unknown": {name: report.unknown(name) for name in _COUNTS},
        "bytes": None if _total(report, "deleted") is None else reclaimed.bytes,
        "bytes_are_all": reclaimed.whole,
        "cost_per_month": _cost(reclaimed),
        "would_bytes": None if _total(report, "would_delete") is None else reclaimable.bytes,
        "would_bytes_are_all": reclaimable.whole,
        "would_cost_per_month": _cost(reclaimable),
    }


def _modes(report: NightReport) -> Mapping[str, int]:
    """How many accounts ended last in each mode; those of which none ended are unknown."""
    return Counter(each.mode or "unknown" for each in report.accounts)


def _total(report: NightReport, name: str) -> int | None:
    """A sum of what is known; None where that is nothing."""
    asked = report.asked(name)
    return None if (name in WOULD and not asked) or 0 < len(asked) == report.unknown(name) else report.counts[name]


def _cost(worth: Worth) -> dict[str, float]:
    return {currency: float(amount) for currency, amount in sorted(worth.money.items())}


def troubled(report: NightReport) -> list[dict[str, object]]:
    """The accounts that need a person or are missing, as objects."""
    return [_facts(*each) for each in _rows(report) if each[0] in (Standing.NEEDS, Standing.MISSING)]


def night_csv(report: NightReport) -> Iterator[str]:
    """A row for each account, those first that need a person."""
    night = report.night.isoformat()
    return csv_lines(("night", *_COLUMNS), ((night, *_values(*each)) for each in _rows(report)))


def _rows(report: NightReport) -> Iterator[tuple[Standing, AccountOutcome]]:
    order = (Standing.NEEDS, Standing.MISSING, Standing.PENDING, Standing.WELL)
    return chain.from_iterable(((standing, each) for each in report.by_standing[standing]) for standing in order)


def _facts(standing: Standing, account: AccountOutcome) -> dict[str, object]:
    return dict(zip(_COLUMNS, _values(standing, account), strict=True))


def _values(standing: Standing, account: AccountOutcome) -> tuple[object, ...]:
    well = standing is Standing.WELL
    return (
        account.account,
        standing.value,
        account.state,
        account.exit_code,
        account.mode,
        account.attempt,
        *(account.counts.get(name) for name in _COUNTS),
        account.bytes,
        None if account.money is None else float(account.money),
        account.would_bytes,
        None if account.would_money is None else float(account.would_money),
        account.currency,
        account.shard,
        account.worker,
        iso_or_none(account.started_at),
        iso_or_none(account.finished_at),
        None if well else why(account, UTC),
        None if well else to_do(account),
    )
