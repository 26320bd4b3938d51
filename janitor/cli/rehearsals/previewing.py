"""A preview, collected from the configuration, the policy files and the database."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from janitor.cli.configuration import next_run_of
from janitor.cli.rehearsals.baseline import Baseline, Choice, baseline_of
from janitor.cli.rehearsals.choosing import Wanted, snapshots_of
from janitor.cli.rehearsals.remarks import (
    of_announced,
    of_differences,
    of_ending,
    of_exempted,
    of_removed,
    of_unread,
    unread,
)
from janitor.cli.rehearsals.snapshots import RecordedSnapshot, snapshot_of
from janitor.config import Settings
from janitor.core.decision import Decision
from janitor.core.planning.plan import Limits, make_plan
from janitor.core.replay.amounts import Planned, planned, planned_by_policy
from janitor.core.replay.changes import Changed, changes_between, counts_of, first_deletions
from janitor.core.replay.expiring import expires_anyway
from janitor.core.replay.owned import newly_unclear, owned
from janitor.core.replay.preview import Replayed, Tried, announced_anew
from janitor.errors import UsageError
from janitor.report.rehearsals.previews.preview import Expiring, Previewed, Source
from janitor.report.wording import local_exact, local_minute
from janitor.store import Store

__all__ = ["Wanted", "previewed"]


def previewed(settings: Settings, store: Store, tried: Tried, wanted: Wanted) -> Iterator[Previewed]:
    """Each target that is asked for: of the given run, or else the latest snapshot of each that is configured.

    Raises UsageError for an unknown or dropped run, for a target that it does not have, and before the first run.
    """
    if wanted.against is not None:
        store.endings(wanted.against)
    for found in snapshots_of(settings, store, wanted):
        inputs = None if found.run is None else store.inputs_of(found.run, found.target)
        if found.run is None or inputs is None:
            yield Previewed(found.target, None, undecided=found.undecided)
            continue
        exempted_at = None if wanted.run is not None else tried.now or wanted.now
        snapshot = snapshot_of(settings, store, found.run, inputs, exempted_at)
        removed = store.removed_since(found.target, found.run)
        gone = () if wanted.run is not None else removed.gone.keys()
        said = of_removed(inputs.survey.images, removed, found.run, whole=wanted.run is not None)
        one = _Preview(settings, store, snapshot, snapshot.without(gone), tried, wanted)
        yield one.made([*found.remarks, *said])


@dataclass(frozen=True, slots=True)
class _Preview:
    """One target whose snapshot is there: `whole` as it was, and `snapshot` as far as it counts."""

    settings: Settings
    store: Store
    whole: RecordedSnapshot
    snapshot: RecordedSnapshot
    tried: Tried
    wanted: Wanted

    def made(self, remarks: Sequence[str]) -> Previewed:
        snapshot, seen_at = self.snapshot, self.snapshot.inputs.survey.finished_at
        target = snapshot.inputs.target
        if self.tried.now is not None and self.tried.now < seen_at:
            raise UsageError(
                f"--at: {self._exactly(self.tried.now)} is before the snapshot of {target} (run {snapshot.run}), which "
                f"is of {self._exactly(seen_at)}: give {self._from(seen_at)} or later, or an earlier run with --run"
            )
        until = self._until()
        survey = snapshot.inputs.survey
        took = survey.finished_at - survey.started_at  # a run decides at the end of its survey
        found = snapshot.replayed(replace(self.tried, until=None if until is None else until + took))
        limits = self.settings.limits if self.wanted.run is None else snapshot.basis.limits
        choice = Choice(self.wanted.run, self.wanted.against, self.settings.mode)
        compared_with = baseline_of(self.store, self.whole, snapshot, self.tried, choice)
        before, against = compared_with.decisions, compared_with.against
        unclear = list(newly_unclear(before, found.decisions))
        changes = _changes(compared_with, found.decisions, unclear)
        owners = [decision.policy for decision in before if decision.policy is not None]
        removed, added = self._removed_and_added(compared_with, owners)
        usage = snapshot.inputs.survey.usage
        return Previewed(
            target,
            Source(
                snapshot.run,
                seen_at,
                self.tried.now or seen_at,
                against,
                None if against is None else compared_with.mode,
            ),
            len(found.decisions),
            None if against is None and not compared_with.first else planned(before),
            planned(found.decisions),
            _by_policy([*(policy.name for policy in self.tried.policies), *owners], before, found.decisions),
            owned(found.decisions, found.owners),
            changes,
            counts_of(changes),
            unclear,
            found.sharing_unknown,
            found.anew | self._announced_since(found.decisions),
            list(make_plan(found.decisions).exceeded(limits).values()),
            [*remarks, *compared_with.why, *self._over_limit_then(found, limits), *self._remarks(compared_with)],
            None if usage.problem is None else unread(usage.problem),
            removed,
            added,
            Expiring() if until is None else self._expiring(found, compared_with, until),
        )

    def _until(self) -> datetime | None:
        """Until when images count that expire meanwhile: the next run, or now; None where another time is asked for."""
        if self.wanted.run is not None or self.tried.now is not None:
            return None
        next_run = next_run_of(self.settings)
        return self.wanted.now if next_run is None else next_run(self.wanted.now)

    def _expiring(self, found: Replayed, compared_with: Baseline, until: datetime) -> Expiring:
        against = compared_with.against
        basis = None if against is None else self.store.basis(against)
        then = None if basis is None else basis.policies
        before = {decision.image.identity: decision for decision in compared_with.decisions}
        new = (
            each.image.id
            for each in found.decisions
            if each.image.id in found.expiring
            and not expires_anyway(before.get(each.image.identity), each, then, self.tried.policies)
        )
        by_run = self.settings.schedule is not None
        return Expiring(found.expiring, frozenset(new), self._time(until), by_run)

    def _over_limit_then(self, found: Replayed, limits: Limits) -> Iterator[str]:
        """What is to be said where only with what expires by the next run its plan would be over a limit."""
        plan = make_plan(found.decisions)
        at_once = {policy.name for policy in self.tried.policies if not policy.notice}
        more = [each for each in found.decisions if found.expiring.get(each.image.id) in at_once]
        exceeded = replace(plan, decisions=(*plan.decisions, *more)).exceeded(limits)
        if more and exceeded and not plan.exceeded(limits):
            yield f"with what expires then, the next run is over the limit: {'; '.join(exceeded.values())}"

    def _removed_and_added(self, compared_with: Baseline, owners: Iterable[str]) -> tuple[list[str], list[str]]:
        """The policies of the run that is compared with and are not tried, and the reverse, as far as is recorded."""
        against = compared_with.against
        basis = None if against is None else self.store.basis(against)
        tried = [policy.name for policy in self.tried.policies]
        then = list(dict.fromkeys([*(policy.name for policy in basis.policies), *owners] if basis else owners))
        removed = [name for name in then if name not in tried]
        return removed, [name for name in tried if name not in then] if basis else []

    def _announced_since(self, decisions: Iterable[Decision]) -> frozenset[str]:
        """The waiting images whose notice was given since the snapshot, and would not stand in a run now.

        With --run nothing since then counts, and with --at these are among what was replayed.
        """
        snapshot, known = self.snapshot, self.snapshot.known
        if self.tried.now is not None or self.wanted.run is not None or known.told is None:
            return frozenset()
        images = snapshot.inputs.survey.images
        notices = known.told(self.wanted.now).counted(images, known.destinations(self.tried.policies))
        announced = self.store.announced_by(snapshot.run, snapshot.inputs.target)
        return announced_anew((each for each in decisions if each.image.id in announced), self.tried.policies, notices)

    def _remarks(self, compared_with: Baseline) -> Iterator[str]:
        snapshot, target = self.snapshot, self.snapshot.inputs.target
        images, now = snapshot.inputs.survey.images, self.tried.now
        if compared_with.against is None and compared_with.run is not None:
            why = self.store.endings(compared_with.run).get(target)
            said = f": {why.error}" if why is not None and why.error else ""
            yield f"nothing to compare with, as run {compared_with.run} decided nothing there{said}"
        unsaid = None if compared_with.against is not None else compared_with.run
        for run in dict.fromkeys(run for run in (snapshot.run, compared_with.run) if run is not None):
            ending = self.store.endings(run).get(target)
            if run != unsaid and ending is not None:
                yield from of_ending(run, ending)
        if now is None:
            yield from of_announced(images, self.store.announced_by(snapshot.run, target), snapshot.run)
        else:
            yield (
                "as if nothing changed since the snapshot: what only the passing of time changes is included, and what "
                "was announced until then; reports and reminders after the latest run count as if they arrived"
            )
        yield from of_unread(snapshot.inputs.survey.usage, snapshot.run)
        yield from snapshot.unknown
        yield from of_exempted(images, snapshot.known, snapshot.inputs.survey.finished_at)
        if snapshot.inputs.basis is not None:
            basis, is_past = snapshot.inputs.basis, self.wanted.run is not None
            yield from of_differences(self.settings, basis, snapshot.run, is_past=is_past)

    def _time(self, instant: datetime) -> str:
        return local_minute(instant, self.settings.timezone)

    def _from(self, instant: datetime) -> str:
        """The first second that is not before an instant, as --at takes it."""
        second = instant.replace(microsecond=0) + timedelta(seconds=1 if instant.microsecond else 0)
        return second.astimezone(self.settings.timezone).isoformat()

    def _exactly(self, instant: datetime) -> str:
        return local_exact(instant, self.settings.timezone)


def _changes(before: Baseline, after: Sequence[Decision], unclear: Sequence[Decision]) -> list[Changed]:
    if before.first:
        return first_deletions(after, unclear)
    changes = changes_between(before.decisions, after)
    if before.against is not None:
        return changes
    # Nothing is said of other images that are kept where nothing is there to compare with.
    named = {decision.image.id for decision in unclear}
    return [changed for changed in changes if changed.is_new or changed.image.id in named]


def _by_policy(
    names: Iterable[str], before: Iterable[Decision], after: Iterable[Decision]
) -> dict[str, tuple[Planned, Planned]]:
    then, now = planned_by_policy(before), planned_by_policy(after)
    return {name: (then.get(name) or Planned(), now.get(name) or Planned()) for name in dict.fromkeys(names)}
