"""Whether what changed between any two neighbouring nights of a simulation adds up, and is what the reports said."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from janitor.config import Settings
from janitor.core.decision import Verdict
from janitor.core.replay.amounts import amount_of
from janitor.core.replay.differences.between import Cause, Compared, Gone
from janitor.core.replay.differences.causes import difference
from janitor.core.replay.differences.since import Since
from janitor.core.result import Mode
from janitor.store import Store
from tests.nights.ground import Broken


def check_what_changed(settings: Settings, counts: Counter[str]) -> None:
    """Compare each survey with the one before it and the one that its report names. Raises Broken if that differs."""
    with Store.open_existing(settings.database) as store:
        runs = sorted(summary.run for summary in store.runs(limit=None))
        surveyed = {run: store.targets_of(run) for run in runs}
        for target in store.targets():
            told = {run: store.since(run, target) for run in runs}
            neighbours = set(pairwise(run for run in runs if target in surveyed[run]))
            for before, after in sorted(neighbours | {(one.run, run) for run, one in told.items() if one is not None}):
                compared = store.compared(target, before, after)
                if isinstance(compared, Compared):
                    _check(compared, told[after], counts)


def _check(compared: Compared, told: Since | None, counts: Counter[str]) -> None:
    before, after = compared.before, compared.after
    if before.amount.images + len(compared.new) - len(compared.gone) != after.amount.images:
        raise Broken(f"from run {before.run} to run {after.run} images do not add up")
    for each in difference(compared).decisions:
        if each.cause is Cause.UNKNOWN:
            counts["decided otherwise, either of several"] += bool(each.candidates)
            counts["decided otherwise, for unknown reasons"] += not each.candidates
        counts["decided otherwise"] += 1
    counts["compared"] += 1
    if told is not None and told.run == before.run and replace(told, unheard=False) != _line(compared):
        raise Broken(f"the report of run {after.run} says {told}, and {_line(compared)} changed")


def _line(compared: Compared) -> Since:
    gone = Counter(each.by for each in compared.gone)
    fresh = [each for each in compared.new if not each.seen_before]
    deleted, waiting = (_newly(verdict, compared) for verdict in (Verdict.DELETE, Verdict.WAIT))
    waiting += len(compared.told_first)
    decided = compared.before.decided and compared.after.decided
    return Since(
        compared.before.run,
        amount_of(each.image.size for each in fresh),
        len(compared.new) - len(fresh),
        gone[Gone.BY_US],
        gone[Gone.BY_OTHERS],
        gone[Gone.UNKNOWN],
        deleted if decided else None,
        waiting if decided else None,
        dry_run=compared.before.mode is Mode.DRY_RUN,
    )


def _newly(verdict: Verdict, compared: Compared) -> int:
    count = sum(new.verdict is verdict and old.verdict is not verdict for old, new in compared.decided)
    return count + sum(each.decision is not None and each.decision.verdict is verdict for each in compared.new)
