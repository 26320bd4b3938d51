"""The report of a night of the fleet for programs, with all accounts: times in UTC, sizes in bytes."""

from collections.abc import Iterator
from datetime import UTC
from itertools import chain

from janitor.core.units import iso, iso_or_none
from janitor.report.fleet.night import AccountOutcome, NightReport, Standing, to_do, why
from janitor.report.json_pieces import json_pieces
from janitor.report.listing import csv_lines

_COUNTS = ("images", "to_delete", "waiting", "kept", "deleted", "accepted", "not_deleted", "announced")
_COLUMNS = (
    "account",
    "standing",
    "state",
    "exit_code",
    "attempts",
    *_COUNTS,
    "bytes",
    "cost_per_month",
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
    size, whole = report.reclaimed
    return {
        "night": report.night.isoformat(),
        "begun_at": iso(report.begun_at),
        "deadline_at": iso(report.deadline_at),
        "summed_up_at": iso_or_none(report.summed_up_at),
        "at": iso(report.at),
        "needs_a_person": report.needs_a_person,
        "standing": {standing.value: len(some) for standing, some in report.by_standing.items()},
        "totals": {name: report.counts[name] for name in _COUNTS},
        "bytes": size,
        "bytes_are_all": whole,
        "cost_per_month": {currency: float(amount) for currency, amount in sorted(report.money.items())},
    }


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
        account.attempt,
        *(account.counts.get(name) for name in _COUNTS),
        account.bytes,
        None if account.money is None else float(account.money),
        account.currency,
        account.shard,
        account.worker,
        iso_or_none(account.started_at),
        iso_or_none(account.finished_at),
        None if well else why(account, UTC),
        None if well else to_do(account),
    )
