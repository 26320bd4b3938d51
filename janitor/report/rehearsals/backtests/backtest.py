"""What policies would have deleted in recorded nights, as a value, with what is to be known before it is believed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from functools import cached_property

from janitor.core.replay.afterwards import in_order
from janitor.core.replay.amounts import Amount, amount_of
from janitor.core.replay.nights import Lost, Since
from janitor.core.replay.outcomes.answers import Evidence
from janitor.core.replay.outcomes.savings import Savings, in_all, savings_by_policy
from janitor.core.replay.regrets import Hindsight
from janitor.core.replay.replayed import NightDeletion, ReplayedNight
from janitor.core.result import Cost
from janitor.core.units import counted, format_day, iso
from janitor.report.figures import amount_in_words
from janitor.report.wording import money_a_month

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """The images of a policy that wait at the end; `gone` of them were really deleted by our own runs."""

    amount: Amount = field(default_factory=Amount)
    gone: int = 0


@dataclass(frozen=True)
class TargetBacktest:
    """The replayed nights of one target, in their order, of which there is one at least.

    `hindsight` is what was done afterwards with the images that would have been deleted, and `lost` which nights of the
    same time cannot be replayed.
    """

    target: str
    nights: Sequence[ReplayedNight]
    hindsight: Hindsight = field(default_factory=Hindsight)
    lost: Lost = field(default_factory=Lost)
    remarks: Sequence[str] = ()

    @cached_property
    def by_policy(self) -> dict[str, Savings]:
        """What the deletions save, by policy."""
        return savings_by_policy(self.nights)

    @cached_property
    def savings(self) -> Savings:
        """The same of all policies."""
        return in_all(self.by_policy.values())

    @cached_property
    def waiting(self) -> dict[str, Waiting]:
        """The images that wait at the end, by policy."""
        found: dict[str, Waiting] = {}
        last = next((night for night in reversed(self.nights) if night.decided), None)
        if last is None:
            return found
        for decision in last.waiting:
            policy, image = decision.policy or "", decision.image
            before = found.get(policy, Waiting())
            gone = before.gone + (image.id in last.waiting_gone)
            found[policy] = Waiting(before.amount + amount_of([image.size]), gone)
        return found

    @property
    def policies(self) -> Iterator[tuple[str, Savings, Waiting]]:
        """Each policy of which an image is deleted or waits at the end, with what that saves, and what waits."""
        for name in dict.fromkeys((*self.by_policy, *self.waiting)):
            yield name, self.by_policy.get(name, Savings()), self.waiting.get(name, Waiting())

    @property
    def deletions(self) -> Iterator[NightDeletion]:
        """All deletions, in their order."""
        return (deletion for night in self.nights for deletion in night.deletions)

    @property
    def rejected(self) -> Iterator[NightDeletion]:
        """All that the API rejected, or that failed."""
        return (deletion for night in self.nights for deletion in night.rejected)


@dataclass(frozen=True, slots=True)
class Backtest:
    """The backtest of some targets: of which policies, and of what time: since an instant, or before the latest run.

    `without` says which targets are left out, and why: a sentence each. `configured`: so are these policies.
    """

    policies: str
    since: Since
    targets: Sequence[TargetBacktest]
    without: Sequence[str] = ()
    configured: bool = False

    @property
    def savings(self) -> Savings:
        """What the deletions save in all targets."""
        return in_all(each.savings for each in self.targets)


def since_facts(since: Since) -> dict[str, object]:
    """From when on nights are replayed, for programs."""
    if isinstance(since, timedelta):
        return {"since_seconds": int(since.total_seconds()), "since_at": None}
    return {"since_seconds": None, "since_at": iso(since)}


def evidence_of(targets: Iterable[TargetBacktest]) -> Evidence:
    """What the answer of a backtest rests on, in all of these targets."""
    found = Evidence()
    for each in targets:
        found.add_target(each.target, each.hindsight, each.nights)
    return found


def when(nights: Iterable[ReplayedNight]) -> str:
    """In how many nights policies could delete, of one target or several, and from when to when.

    `2 nights, 2026-09-01 to 2026-09-02 (3 more do not count)`: others, and those in which they could not.
    """
    every = list(nights)
    counting = {night.run for night in every if night.can_delete}
    aside = len({night.run for night in every} - counting)
    timed = in_order(sorted(every, key=lambda night: (night.run, night.at)))
    days = sorted(day_of(night) for night in timed if night.can_delete)
    span = f", {days[0]}{f' to {days[-1]}' if days[-1] != days[0] else ''}" if days else ""
    beside = all(night.run in counting or not night.counts for night in every)
    why = f": dry run{'' if aside == 1 else 's'} beside live ones" if beside else ""
    more = f" ({aside:,} more {'does' if aside == 1 else 'do'} not count{why})" if aside else ""
    return f"{counted(len(counting), 'night')}{span}{more}"


def day_of(night: ReplayedNight) -> str:
    """The day of a night in the zone of its run."""
    return format_day(night.at, night.zone)


def amount(savings: Savings, waiting: Waiting = Waiting()) -> str:
    """How many images, their size, and what waits: `3 images, 29.3 GiB; waiting at the end: 1 image, 2.0 GiB`.

    Of those that wait, it says how many our own runs have really deleted: `(1 really deleted by then)`.
    """
    deleted = amount_in_words(savings.deleted, none="no image")
    if not waiting.amount.images:
        return deleted
    gone = f" ({waiting.gone:,} really deleted by then)" if waiting.gone else ""
    return f"{deleted}; waiting at the end: {amount_in_words(waiting.amount)}{gone}"


def money(savings: Savings, cost: Cost | None) -> str | None:
    """What is saved by the end and from then on: `12.30 USD by the end, then 4.10 USD a month`; None without a cost."""
    if cost is None:
        return None
    saved = savings.gib_months * cost.per_gib_month
    return f"{saved:,.2f} {cost.currency} by the end, then {money_a_month(savings.lasting, cost)}"


def quiet(night: ReplayedNight) -> bool:
    """Whether there is nothing to say of a night by itself: nothing is deleted, and nothing is special."""
    if not night.counts:
        return True
    special = (night.undecided, night.withheld, night.excess, night.rejected)
    return not night.deletions and not any(special)


def remarks_of(night: ReplayedNight) -> Iterator[str]:
    """What is special about a night, in few words."""
    if night.undecided is not None:
        yield "not decided"
    if night.withheld is not None:
        yield "nothing could be deleted"
    if night.rejected:
        yield f"{len(night.rejected):,} rejected or failed"
    if night.excess is not None:
        yield "over the limit"


def span(each: TargetBacktest, zone: tzinfo) -> str:
    """Which nights are recorded: `recorded: 90 nights, runs 3 to 92, 2026-09-01 to 2026-11-29`."""
    first, last = each.nights[0], each.nights[-1]
    days = [format_day(night.at, zone) for night in (first, last)]
    if first is last:
        return f"recorded: run {first.run}, {days[0]}"
    return f"recorded: {counted(len(each.nights), 'night')}, runs {first.run} to {last.run}, {days[0]} to {days[1]}"
