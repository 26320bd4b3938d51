"""What became of each account in a night of the fleet, what is said of that, and what a person does about it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from glob import escape
from itertools import chain
from shlex import quote

from janitor.commands import asked_of
from janitor.core.units import counted, format_size
from janitor.escaping import visible
from janitor.report.wording import in_one_line, local_minute, shortened

_LONGEST_NAME = 80
_LONGEST_SENTENCE = 400
_QUEUED, _RUNNING, _FAILED, _APPLIED = "queued", "running", "failed", "applied"
_DRY_RUN = "dry-run"
NO_LONGER = "it is no longer listed"
"""What is said of an account that was taken from the list while it waited."""
WOULD = ("would_delete", "would_announce")
"""What is counted only in accounts that ended a dry run."""


class Standing(StrEnum):
    """What an account is for whoever reads the report of a night."""

    WELL = "well"
    NEEDS = "needs-a-person"
    MISSING = "missing"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """What is known of an account in a night. `mode` is that of the last attempt that ended.

    What is not in `counts` is not known. `bytes` were reclaimed in the night, worth `money` a month; a live run would
    reclaim `would_bytes`, as a dry run found; None where that is not known. Wide because it is the whole row.
    """

    account: str
    shard: int
    state: str
    attempt: int = 0
    worker: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    mode: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    bytes: int | None = None
    money: Decimal | None = None
    would_bytes: int | None = None
    would_money: Decimal | None = None
    currency: str | None = None
    said: str | None = None

    @property
    def is_tried(self) -> bool:
        """Whether it ended a dry run, which deletes nothing."""
        return self.mode == _DRY_RUN

    @property
    def reclaimed(self) -> "Worth":
        """What was deleted in it."""
        return _worth_of(self, "deleted", self.bytes, self.money)

    @property
    def reclaimable(self) -> "Worth":
        """What a live run would have deleted instead of the dry run."""
        return _worth_of(self, "would_delete", self.would_bytes, self.would_money)


@dataclass(frozen=True, slots=True)
class Worth:
    """The bytes of some images, and what they are worth a month, by currency; `whole`: of all of them."""

    bytes: int
    money: Mapping[str, Decimal]
    whole: bool

    @classmethod
    def together(cls, some: "Iterable[Worth]") -> "Worth":
        """All of these."""
        every, sums = list(some), defaultdict[str, Decimal](Decimal)
        for currency, amount in chain.from_iterable(each.money.items() for each in every):
            sums[currency] += amount
        return cls(sum(each.bytes for each in every), sums, all(each.whole for each in every))


def _worth_of(account: AccountOutcome, what: str, size: int | None, money: Decimal | None) -> Worth:
    known = {} if account.currency is None or money is None else {account.currency: money}
    whole = size is not None and (account.currency is None or money is not None)
    return Worth(size or 0, known, whole or account.counts.get(what) == 0)


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

    @property
    def all_well(self) -> bool:
        """Whether every account has ended, and well."""
        return len(self.by_standing[Standing.WELL]) == len(self.accounts)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The sums of what was counted in each account, as far as it is known."""
        sums = Counter[str]()
        for account in self.accounts:
            sums.update(account.counts)
        return sums

    @cached_property
    def tried(self) -> Sequence[AccountOutcome]:
        """The accounts that ended a dry run."""
        return [each for each in self.accounts if each.is_tried]

    def asked(self, what: str) -> Sequence[AccountOutcome]:
        """The accounts in which something is counted: what a live run would do, in those that ended a dry run."""
        return self.tried if what in WOULD else self.accounts

    def unknown(self, what: str) -> int:
        """In how many accounts something is not known that is counted in them."""
        return sum(what not in each.counts for each in self.asked(what))

    @property
    def reclaimed(self) -> Worth:
        """What was deleted in all accounts."""
        return Worth.together(each.reclaimed for each in self.accounts)

    @property
    def reclaimable(self) -> Worth:
        """What a live run would have deleted in the accounts that ended a dry run."""
        return Worth.together(each.reclaimable for each in self.tried)


def _standing(account: AccountOutcome, *, over: bool) -> Standing:
    if account.state in (_QUEUED, _RUNNING):
        return Standing.MISSING if over else Standing.PENDING
    well = account.state != _FAILED and account.exit_code == 0 and account.said is None
    return Standing.WELL if well else Standing.NEEDS


def headline(report: NightReport) -> str:
    """How the night went, in a sentence without a full stop; and in how many accounts it was a dry run."""
    of = {standing: len(some) for standing, some in report.by_standing.items()}
    everything = counted(len(report.accounts), "account")
    words = [f"{of[Standing.NEEDS]:,} {'needs' if of[Standing.NEEDS] == 1 else 'need'} a person"]
    words = words if of[Standing.NEEDS] else []
    words += [f"{of[Standing.MISSING]:,} missing"] if of[Standing.MISSING] else []
    words += [f"{of[Standing.PENDING]:,} still to end"] if of[Standing.PENDING] else []
    if not report.accounts:
        return "no account was queued"
    said = f"{everything}: {of[Standing.WELL]:,} well, {', '.join(words)}" if words else f"{everything}, all well"
    if not report.tried:
        return said
    live = any(each.mode not in (None, _DRY_RUN) for each in report.accounts)
    if live or report.counts["deleted"] or report.counts["unconfirmed"]:
        return f"{said}; {len(report.tried):,} of them a dry run"
    return f"DRY RUN, {said}"


def times(report: NightReport, zone: tzinfo) -> str:
    """When the night began, and by when, or when, it was summed up."""
    end = f"deadline {local_minute(report.deadline_at, zone)}"
    if report.summed_up_at is not None:
        end = f"summed up {local_minute(report.summed_up_at, zone)}"
    return f"Begun {local_minute(report.begun_at, zone)}, {end}"


def totals(report: NightReport) -> Iterator[tuple[str, str]]:
    """What was done in all accounts together, each with its label, and of how many accounts it is not known."""
    counts = report.counts
    yield "Images", _known(report, "images", f"{counts['images']:,} seen")
    if report.tried:
        images = f"{counted(counts['would_delete'])}{_worth(report.reclaimable) if counts['would_delete'] else ''}"
        yield "Would delete", _known(report, "would_delete", images)
        yield "Would announce", _known(report, "would_announce", counted(counts["would_announce"]))
    worth = _worth(report.reclaimed) if counts["deleted"] else ""
    yield "Deleted", _known(report, "deleted", f"{counted(counts['deleted'])}{worth}")
    if counts["unconfirmed"]:
        yield "Unconfirmed", f"{counted(counts['unconfirmed'])}, whose deletion was requested and is not confirmed yet"
    if counts["not_deleted"]:
        yield "Not deleted", f"{counted(counts['not_deleted'])}, whose deletion was rejected or failed"
    yield "Announced", _known(report, "announced", counted(counts["announced"]))
    yield "Waiting", _known(report, "waiting", counted(counts["waiting"]))
    if applied := sum(account.state == _APPLIED for account in report.accounts):
        yield "Applied", f"{counted(applied, 'account')} of these not queued, only cleaned by `janitor fleet exec`"


def _known(report: NightReport, what: str, words: str) -> str:
    """The sum of something in words, and of how many accounts it is not known."""
    unknown = report.unknown(what)
    if not unknown:
        return words
    return f"{words}; not known of {counted(unknown, 'account')}" if unknown < len(report.asked(what)) else "not known"


def _worth(worth: Worth) -> str:
    money = "".join(f", {amount:,.2f} {visible(currency)} a month" for currency, amount in sorted(worth.money.items()))
    return f", {'' if worth.whole else 'at least '}{format_size(worth.bytes)}{money}"


def in_dry_run(account: AccountOutcome) -> str:
    """What a live run would have deleted in an account that ended a dry run, in words."""
    if "would_delete" not in account.counts:
        return "not known"
    images = account.counts["would_delete"]
    return f"{counted(images)}{_worth(account.reclaimable) if images else ''}"


def to_be_deleted(report: NightReport) -> Sequence[AccountOutcome]:
    """The accounts that ended a dry run and in which a live run would have deleted images, those with most first."""
    some = [each for each in report.tried if each.counts.get("would_delete")]
    return sorted(some, key=lambda each: (-each.counts["would_delete"], each.account))


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
    if account.state == _APPLIED and account.exit_code is None:
        return f"it was not queued{said}"
    code = "no attempt ended" if account.exit_code is None else f"exit code {account.exit_code}"
    tries = f" after {counted(account.attempt, 'attempt')}" if account.state == _FAILED and account.attempt > 1 else ""
    return f"{code}{tries}{said}"


def to_do(account: AccountOutcome) -> str:
    """What a person does about an account that is not well; empty where there is nothing to do."""
    if account.state in (_QUEUED, _RUNNING):
        return "`janitor fleet status` shows who has its shard"
    again = f"`janitor fleet enqueue --target {quote(escape(account.account))}`"
    shown = f"`{asked_of(account.account)} show latest`"
    match account.exit_code:
        case None if account.said is not None and NO_LONGER in account.said:
            return "nothing, unless it should be listed"
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
