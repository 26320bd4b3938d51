"""What a backtest cannot tell, or counts otherwise than a run: to be known before it is believed."""

from collections.abc import Iterable, Iterator, Sequence

from janitor.core.replay.afterwards import in_order
from janitor.core.replay.nights import days_without_run
from janitor.core.replay.replayed import ReplayedNight
from janitor.core.result import Mode
from janitor.core.units import counted, some_of
from janitor.report.rehearsals.backtests.backtest import TargetBacktest
from janitor.report.rehearsals.backtests.regrets import unknown_regrets

CANNOT_TELL = "What this cannot tell, or counts otherwise than a run:"
_NAMED = 5


def doubts(each: TargetBacktest) -> Iterator[str]:
    """What a history cannot tell, and what counts otherwise than in a run: a sentence each."""
    yield from each.remarks
    yield from unknown_regrets(each.hindsight)
    yield from _about_nights(each)
    yield from _about_decisions(each)


def _about_nights(each: TargetBacktest) -> Iterator[str]:
    nights = each.nights
    if dropped := each.lost.dropped:
        yield f"{counted(dropped, 'night')} before the first lost {_their(dropped)} details, as `keep_history` says"
    if failed := each.lost.failed:
        yield f"{counted(len(failed), 'run')} could not survey it: {_runs(failed)}"
    if missing := days_without_run([night.at for night in in_order(nights)], nights[-1].zone):
        yield f"on {counted(missing, 'day')} in between no run surveyed it: nothing is known of these"
    timed = in_order(nights)
    if ahead := [night for night in nights if night.run not in {each.run for each in timed}]:
        yield (
            f"the clock of {_of(ahead)} was ahead of that of a later run: for how long images were watched, and what "
            "was saved, may be wrong"
        )
    yield from _named([night for night in nights if night.undecided and night.counts], "not decided", "undecided")
    yield from _named([night for night in nights if night.withheld], "nothing could be deleted", "withheld")
    if aside := [night for night in nights if not night.counts]:
        count = "does not count as a night" if len(aside) == 1 else "do not count as nights"
        yield (
            f"{counted(len(aside), 'dry run')} between live runs, or within 20 hours of one, {count}: nothing is "
            f"deleted in {'it' if len(aside) == 1 else 'them'} here ({_of(aside)})"
        )
    if dry := [night for night in nights if night.counts and night.mode is Mode.DRY_RUN]:
        count = "counts as a night" if len(dry) == 1 else "count as nights"
        yield f"{counted(len(dry), 'dry run')} {count} in which policies delete: {_of(dry)}"
    yield from _about_what_ran(nights)
    if unread := [night for night in nights if night.unread]:
        parts = ", ".join(sorted({part for night in unread for part in night.unread}))
        yield f"in {counted(len(unread), 'night')} not all that uses images could be read ({parts}): {_of(unread)}"
    if not any(night.used for night in nights):
        yield "no run saw any image in use: what would have been used is not known"
    if partial := [night for night in nights if not night.recorded]:
        yield (
            f"{counted(len(partial), 'night')} of earlier versions did not record all that they knew, so the "
            "configuration stands for time zone, usage_memory and limits, and rejections, answers about sharing and "
            f"some clocks are not known: {_of(partial)}"
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
        yield f"{_of(applied)} applied a reviewed list, and nothing else: here, policies delete all that they would"
    if short := [night for night in nights if night.unsent and night.ended]:
        count = sum(night.unsent for night in short)
        yield (
            f"{_of(short)} planned {counted(count, 'deletion')} that {'was' if count == 1 else 'were'} never sent, as "
            "when a run is interrupted or dies: less was really deleted than the policies would have"
        )
    for night in nights:
        if not night.ended:
            yield f"run {night.run} has not ended: it still works, or it died; what it did is known until now only"


def _named(nights: Sequence[ReplayedNight], what: str, fact: str) -> Iterator[str]:
    """A sentence for each reason, with its nights."""
    reasons = dict.fromkeys(str(getattr(night, fact)) for night in nights)
    for reason in reasons:
        some = [night for night in nights if getattr(night, fact) == reason]
        yield f"{what} in {counted(len(some), 'night')} ({_of(some)}): {reason}"


def _about_decisions(each: TargetBacktest) -> Iterator[str]:
    if over := [night for night in each.nights if night.excess is not None]:
        most = max((night.excess for night in over if night.excess is not None), key=lambda excess: excess.planned)
        yield (
            f"over the limit in {counted(len(over), 'night')} ({_of(over)}; up to {most.planned:,} planned, the "
            f"limit is {most.allowed}): a run would "
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
            "that ruled: nobody can have used them since, so this says nothing of the time after their "
            "deletion. Test policies before they rule. Until they are deleted here, they stay as they were last seen"
        )
    yield from _about_notices(each.nights)


def _about_notices(nights: Sequence[ReplayedNight]) -> Iterator[str]:
    """That people count as told, and of which nights they really were not."""
    if not any(night.waiting for night in nights):
        return
    count = "notices and reminders count as accepted"
    if missed := [night for night in nights if night.undelivered]:
        which = "the report of 1 night" if len(missed) == 1 else f"the reports of {counted(len(missed), 'night')}"
        was = "was" if len(missed) == 1 else "were"
        yield f"{count}, although {which} really {was} not, or not in full and in time: {_of(missed)}"
    elif any(night.announced for night in nights):
        yield count


def _of(nights: Iterable[ReplayedNight]) -> str:
    return _runs(night.run for night in nights)


def _runs(runs: Iterable[int]) -> str:
    """Which runs: `run 3`, `runs 3, 4 and 12 more`."""
    numbers = [str(run) for run in runs]
    return f"run{'s' if len(numbers) > 1 else ''} {some_of(numbers, _NAMED)}"


def _their(count: int) -> str:
    return "its" if count == 1 else "their"
