"""What became of each account in a night of the fleet, what is said of that, and what a person does about it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from glob import escape
from shlex import quote

from janitor.core.units import counted, format_size
from janitor.escaping import visible
from janitor.report.wording import in_one_line, local_minute, shortened

_LONGEST_NAME = 80
_LONGEST_SENTENCE = 400
_QUEUED, _RUNNING, _FAILED = "queued", "running", "failed"


class Standing(StrEnum):
    """What an account is for whoever reads the report of a night."""

    WELL = "well"
    NEEDS = "needs-a-person"
    MISSING = "missing"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """What is known of an account in a night. `counts` and what follows are of the last attempt that ended.

    `bytes` were reclaimed, worth `money` a month; None where that is not known. Wide because it is the whole row.
    """

    account: str
    shard: int
    state: str
    attempt: int = 0
    worker: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    bytes: int | None = None
    money: Decimal | None = None
    currency: str | None = None
    said: str | None = None


@dataclass(frozen=True)
class NightReport:
    """A night as it is known at an instant. Who has not ended by its deadline, or as it is summed up, is missing."""

    night: date
    begun_at: datetime
    deadline_at: datetime
    summed_up_at: datetime | None
    at: datetime
    accounts: Sequence[AccountOutcome]

    @cached_property
    def by_standing(self) -> Mapping[Standing, Sequence[AccountOutcome]]:
        """The accounts, in their order."""
        over = self.summed_up_at is not None or self.at >= self.deadline_at
        found: dict[Standing, list[AccountOutcome]] = {standing: [] for standing in Standing}
        for account in self.accounts:
            found[_standing(account, over=over)].append(account)
        return found

    @property
    def needs_a_person(self) -> bool:
        """Whether any account failed, did not end well, or is missing."""
        return bool(self.by_standing[Standing.NEEDS] or self.by_standing[Standing.MISSING])

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The sums of what was counted in each account."""
        sums = Counter[str]()
        for account in self.accounts:
            sums.update(account.counts)
        return sums

    @property
    def reclaimed(self) -> tuple[int, bool]:
        """How many bytes were reclaimed, and whether that is all: of some images no size is known."""
        deleted = [each for each in self.accounts if each.counts.get("deleted")]
        whole = all(each.bytes is not None and (each.currency is None or each.money is not None) for each in deleted)
        return sum(each.bytes or 0 for each in self.accounts), whole

    @property
    def money(self) -> Mapping[str, Decimal]:
        """What that is worth a month, as far as it is known, by currency."""
        sums = defaultdict[str, Decimal](Decimal)
        for each in self.accounts:
            if each.currency is not None and each.money is not None:
                sums[each.currency] += each.money
        return sums


def _standing(account: AccountOutcome, *, over: bool) -> Standing:
    if account.state in (_QUEUED, _RUNNING):
        return Standing.MISSING if over else Standing.PENDING
    well = account.state != _FAILED and account.exit_code == 0 and account.said is None
    return Standing.WELL if well else Standing.NEEDS


def headline(report: NightReport) -> str:
    """How the night went, in a sentence without a full stop."""
    of = {standing: len(some) for standing, some in report.by_standing.items()}
    everything = counted(len(report.accounts), "account")
    words = [f"{of[Standing.NEEDS]:,} {'needs' if of[Standing.NEEDS] == 1 else 'need'} a person"]
    words = words if of[Standing.NEEDS] else []
    words += [f"{of[Standing.MISSING]:,} missing"] if of[Standing.MISSING] else []
    words += [f"{of[Standing.PENDING]:,} still to end"] if of[Standing.PENDING] else []
    if not words:
        return f"{everything}, all well" if report.accounts else "no account was queued"
    return f"{everything}: {of[Standing.WELL]:,} well, {', '.join(words)}"


def times(report: NightReport, zone: tzinfo) -> str:
    """When the night began, and by when, or when, it was summed up."""
    end = f"deadline {local_minute(report.deadline_at, zone)}"
    if report.summed_up_at is not None:
        end = f"summed up {local_minute(report.summed_up_at, zone)}"
    return f"Begun {local_minute(report.begun_at, zone)}, {end}"


def totals(report: NightReport) -> Iterator[tuple[str, str]]:
    """What was done in all accounts together, each with its label."""
    counts = report.counts
    yield "Images", f"{counts['images']:,} seen"
    yield "Deleted", f"{counted(counts['deleted'])}{_worth(report) if counts['deleted'] else ''}"
    if counts["accepted"]:
        yield "Accepted", f"{counted(counts['accepted'])}, whose deletion is not confirmed yet"
    if counts["not_deleted"]:
        yield "Not deleted", f"{counted(counts['not_deleted'])}, whose deletion was rejected or failed"
    yield "Announced", counted(counts["announced"])
    yield "Waiting", counted(counts["waiting"])


def _worth(report: NightReport) -> str:
    size, whole = report.reclaimed
    money = "".join(f", {amount:,.2f} {visible(currency)} a month" for currency, amount in sorted(report.money.items()))
    return f", {'' if whole else 'at least '}{format_size(size)}{money}"


def name_of(account: AccountOutcome) -> str:
    """Its name, visible and not too long."""
    return shortened(account.account, _LONGEST_NAME)


def why(account: AccountOutcome, zone: tzinfo) -> str:
    """What is known of how an account ended, or of why it did not, in a sentence without a full stop."""
    said = "" if account.said is None else f": {shortened(in_one_line(account.said), _LONGEST_SENTENCE)}"
    if account.state == _RUNNING:
        since = "" if account.started_at is None else f" since {local_minute(account.started_at, zone)}"
        worker = "a worker" if account.worker is None else shortened(account.worker, _LONGEST_NAME)
        return f"{worker} has been cleaning it{since}, attempt {account.attempt}{said}"
    if account.state == _QUEUED:
        begun = f"it waits for attempt {account.attempt + 1}" if account.attempt else "no worker has begun it"
        return f"{begun}, shard {account.shard}{said}"
    code = "no attempt ended" if account.exit_code is None else f"exit code {account.exit_code}"
    tries = f" after {counted(account.attempt, 'attempt')}" if account.state == _FAILED and account.attempt > 1 else ""
    return f"{code}{tries}{said}"


def to_do(account: AccountOutcome) -> str:
    """What a person does about an account that is not well; empty where there is nothing to do."""
    if account.state in (_QUEUED, _RUNNING):
        return "`janitor fleet status` shows who has its shard"
    again = f"`janitor fleet enqueue --target {quote(escape(account.account))}`"
    shown = f"`janitor fleet exec {quote(account.account)} -- show latest`"
    match account.exit_code:
        case 0 | 1 | 3:
            return f"{shown} shows its report; what failed is tried again in the next night, or by {again}"
        case 2:
            return f"correct its configuration or the policies, then {again}"
        case 4:
            return f"nothing was deleted in it; {shown} says what to do"
        case 70:
            return "report the bug, with what the log of its worker says"
        case _:
            return f"do what it says, then {again}"
