"""What policies would have deleted in recorded nights, as a value, with what is to be known before it is believed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import cached_property

from janitor.core.replay.amounts import Amount, amount_of
from janitor.core.replay.nights import days_without_run
from janitor.core.replay.outcomes.answers import Evidence
from janitor.core.replay.outcomes.savings import Savings, in_all, savings_by_policy
from janitor.core.replay.regrets import Hindsight
from janitor.core.replay.replayed import NightDeletion, ReplayedNight
from janitor.core.result import Cost, Mode
from janitor.core.units import counted, format_day, some_of
from janitor.report.figures import amount_in_words
from janitor.report.rehearsals.backtests.regrets import unknown_regrets
from janitor.report.wording import money_a_month

_NAMED = 5


@dataclass(frozen=True)
class TargetBacktest:
    """The replayed nights of one target, in their order, of which there is one at least.

    `dropped` is how many nights of the same time have lost their details. `hindsight` is what was done
    afterwards with the images that would have been deleted.
    """

    target: str
    nights: Sequence[ReplayedNight]
    dropped: int = 0
    hindsight: Hindsight = field(default_factory=Hindsight)
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
    def waiting(self) -> dict[str, Amount]:
        """The images that wait at the end, by policy."""
        found: dict[str, Amount] = {}
        last = next((night for night in reversed(self.nights) if night.decided), None)
        for decision in () if last is None else last.waiting:
            policy = decision.policy or ""
            found[policy] = found.get(policy, Amount()) + amount_of([decision.image.size])
        return found

    @property
    def policies(self) -> Iterator[tuple[str, Savings, Amount]]:
        """Each policy of which an image is deleted or waits at the end, with what that saves, and what waits."""
        for name in dict.fromkeys((*self.by_policy, *self.waiting)):
            yield name, self.by_policy.get(name, Savings()), self.waiting.get(name, Amount())

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

    `without` says which targets are left out, and why: a sentence each.
    """

    policies: str
    since: timedelta | datetime
    targets: Sequence[TargetBacktest]
    without: Sequence[str] = ()

    @property
    def savings(self) -> Savings:
        """What the deletions save in all targets."""
        return in_all(each.savings for each in self.targets)


def evidence_of(targets: Iterable[TargetBacktest]) -> Evidence:
    """What the answer of a backtest rests on, in all of these targets."""
    found = Evidence()
    for each in targets:
        found.add_nights(each.nights)
        found.add_hindsight(each.hindsight)
    return found


def when(nights: Iterable[ReplayedNight]) -> str:
    """How many nights count, of one target or several, and from when to when: `2 nights, 2026-09-01 to 2026-09-02`."""
    every = list(nights)
    counting = {night.run: day_of(night) for night in every if night.counts}
    aside = len({night.run for night in every} - counting.keys())
    days = sorted(counting.values())
    span = f", {days[0]}{f' to {days[-1]}' if days[-1] != days[0] else ''}" if days else ""
    more = f" ({aside:,} more {'does' if aside == 1 else 'do'} not count)" if aside else ""
    return f"{counted(len(counting), 'night')}{span}{more}"


def day_of(night: ReplayedNight) -> str:
    """The day of a night in the zone of its run."""
    return format_day(night.at, night.zone)


def amount(savings: Savings, waiting: Amount = Amount()) -> str:  # noqa: B008  # it cannot be changed
    """How many images, their size, and what waits: `3 images, 29.3 GiB; waiting at the end: 1 image, 2.0 GiB`."""
    deleted = amount_in_words(savings.deleted, none="no image")
    return f"{deleted}; waiting at the end: {amount_in_words(waiting)}" if waiting.images else deleted


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


def doubts(each: TargetBacktest) -> Iterator[str]:
    """What a history cannot tell, and what counts otherwise than in a run: a sentence each."""
    yield from each.remarks
    yield from unknown_regrets(each.hindsight)
    yield from _about_nights(each)
    yield from _about_decisions(each)


def _about_nights(each: TargetBacktest) -> Iterator[str]:
    nights = each.nights
    if each.dropped:
        yield f"{counted(each.dropped, 'night')} before the first lost their details, as `keep_history` says"
    if missing := days_without_run([night.at for night in nights], nights[-1].zone):
        yield f"on {counted(missing, 'day')} in between no run surveyed it: nothing is known of these"
    yield from _named([night for night in nights if night.undecided and night.counts], "not decided", "undecided")
    yield from _named([night for night in nights if night.withheld], "nothing could be deleted", "withheld")
    if aside := [night for night in nights if not night.counts]:
        count = "does not count as a night" if len(aside) == 1 else "do not count as nights"
        yield (
            f"{counted(len(aside), 'dry run')} between live runs, or within 20 hours of one, {count}: nothing is "
            f"deleted in {'it' if len(aside) == 1 else 'them'} here ({_runs(aside)})"
        )
    if dry := [night for night in nights if night.counts and night.mode is Mode.DRY_RUN]:
        count = "counts as a night" if len(dry) == 1 else "count as nights"
        yield f"{counted(len(dry), 'dry run')} {count} in which policies delete: {_runs(dry)}"
    yield from _about_what_ran(nights)
    if unread := [night for night in nights if night.unread]:
        parts = ", ".join(sorted({part for night in unread for part in night.unread}))
        yield f"in {counted(len(unread), 'night')} not all that uses images could be read ({parts}): {_runs(unread)}"
    if not any(night.used for night in nights):
        yield "no run saw any image in use: what would have been used is not known"
    if partial := [night for night in nights if not night.recorded]:
        yield (
            f"{counted(len(partial), 'night')} of earlier versions did not record all that they knew, so the "
            "configuration stands for time zone, usage_memory and limits, and rejections, answers about sharing and "
            f"some clocks are not known: {_runs(partial)}"
        )


def _about_what_ran(nights: Sequence[ReplayedNight]) -> Iterator[str]:
    """Why what really happened tells less of what would have happened."""
    for night in nights:
        if night.rebound:
            yield (
                f"a person bound {night.target} to another account before run {night.run}: what became of the images "
                "of before is not known"
            )
    if applied := [night for night in nights if night.applied]:
        yield f"{_runs(applied)} applied a reviewed list, and nothing else: here, policies delete all that they would"
    if short := [night for night in nights if night.cut_short]:
        was = "was" if len(short) == 1 else "were"
        yield f"{_runs(short)} {was} interrupted or died: less was really deleted than the policies would have"


def _named(nights: Sequence[ReplayedNight], what: str, fact: str) -> Iterator[str]:
    """A sentence for each reason, with its nights."""
    reasons = dict.fromkeys(str(getattr(night, fact)) for night in nights)
    for reason in reasons:
        some = [night for night in nights if getattr(night, fact) == reason]
        yield f"{what} in {counted(len(some), 'night')} ({_runs(some)}): {reason}"


def _about_decisions(each: TargetBacktest) -> Iterator[str]:
    if over := [night for night in each.nights if night.excess is not None]:
        most = max(night.excess.planned for night in over if night.excess is not None)
        yield (
            f"over the limit in {counted(len(over), 'night')} ({_runs(over)}; at most {most:,} deletions): a run would "
            "have deleted nothing until a person applied its plan; here, limits are not enforced"
        )
    if rejected := len({one.decision.image.id for one in each.rejected}):
        yield (
            f"{counted(rejected)} not deleted in a night in which that was really rejected, failed, was not carried "
            "out, or was left out at the last moment"
        )
    if unknown := sum(not one.asked for one in each.deletions):
        yield f"{counted(unknown)} to be deleted: not known whether another project used them, as that was not asked"
    if really := sum(len(night.really) for night in each.nights):
        yield (
            f"{counted(really)} {'was' if really == 1 else 'were'} really deleted in these nights, by the policies "
            "that ruled: nobody can have used them since, so this says nothing about them. Test policies before they "
            "rule. Until they are deleted here, they stay as they were last seen"
        )
    if any(night.announced for night in each.nights):
        yield "notices and reminders count as accepted"


def _runs(nights: Iterable[ReplayedNight]) -> str:
    """Which runs: `run 3`, `runs 3, 4 and 12 more`."""
    numbers = [str(night.run) for night in nights]
    return f"run{'s' if len(numbers) > 1 else ''} {some_of(numbers, _NAMED)}"


def span(each: TargetBacktest, zone: tzinfo) -> str:
    """Which nights are recorded: `recorded: 90 nights, runs 3 to 92, 2026-09-01 to 2026-11-29`."""
    first, last = each.nights[0], each.nights[-1]
    days = [format_day(night.at, zone) for night in (first, last)]
    if first is last:
        return f"recorded: run {first.run}, {days[0]}"
    return f"recorded: {counted(len(each.nights), 'night')}, runs {first.run} to {last.run}, {days[0]} to {days[1]}"
