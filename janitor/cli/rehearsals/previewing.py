"""A preview, collected from the configuration, the policy files and the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from janitor.core.decision import Decision, Verdict
from janitor.core.memory import Notice
from janitor.core.planning.plan import Limits, make_plan
from janitor.core.replay.amounts import Planned, planned, planned_by_policy
from janitor.core.replay.changes import Changed, changes_between, counts_of, first_deletions
from janitor.core.replay.expiring import deleted_then, expires_anyway
from janitor.core.replay.owned import newly_unclear, owned
from janitor.core.replay.preview import Replayed, Tried, announced_anew, sharing_is_unknown
from janitor.errors import UsageError
from janitor.report.rehearsals.previews.preview import Expires, Expiring, Foreseen, Previewed, Source
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
        found = snapshot.replayed(replace(self.tried, until=None if until is None else self._then(until)))
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
            [*remarks, *compared_with.why, *self._remarks(compared_with)],
            None if usage.problem is None else unread(usage.problem),
            removed,
            added,
            Expiring() if until is None else self._expiring(found, compared_with, until, limits),
        )

    def _until(self) -> datetime | None:
        """Until when images count that expire meanwhile: the next run, or now; None where another time is asked for."""
        if self.wanted.run is not None or self.tried.now is not None:
            return None
        next_run = next_run_of(self.settings)
        return self.wanted.now if next_run is None else next_run(self.wanted.now)

    def _then(self, until: datetime) -> datetime:
        """When a run that begins then decides: at the end of its survey, which takes as long as the recorded one."""
        survey = self.snapshot.inputs.survey
        return until + (survey.finished_at - survey.started_at)

    def _expiring(self, found: Replayed, compared_with: Baseline, until: datetime, limits: Limits) -> Expiring:
        against = compared_with.against
        basis = None if against is None else self.store.basis(against)
        ruling = None if basis is None else basis.policies
        before = {decision.image.identity: decision for decision in compared_with.decisions}
        expiring = []
        for each in found.decisions:
            if (policy := found.expiring.get(each.image.id)) is not None:
                old = before.get(each.image.identity)
                anyway = expires_anyway(old, each, ruling, self.tried.policies)
                code = Foreseen.EXPIRING if anyway else Foreseen.NEWLY_EXPIRING
                known, answers = self.snapshot.known, self.snapshot.grounds.sharing
                unknown = sharing_is_unknown(each.image, answers, known.may_be_shared)
                expiring.append(Expires(old, each, policy, code, unknown))
        then, by_run = self._then(until), self.settings.schedule is not None
        shown_at = self._from(then + timedelta(seconds=1))  # at its very end a term is not over
        return Expiring(expiring, self._time(until), by_run, shown_at, self._over_limit_then(found, limits, then))

    def _over_limit_then(self, found: Replayed, limits: Limits, then: datetime) -> list[str]:
        """How the plan of a run of then is over a limit, where the plan of the snapshot is not."""
        plan = make_plan(found.decisions)
        if plan.exceeded(limits):
            return []
        waiting = any(each.verdict is Verdict.WAIT for each in found.decisions)
        notices = self._notices_now() if waiting or found.expiring else {}
        more = deleted_then(found.decisions, found.expiring, self.tried.policies, notices, then)
        return list(replace(plan, decisions=(*plan.decisions, *more)).exceeded(limits).values()) if more else []

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
        snapshot = self.snapshot
        if self.tried.now is not None or self.wanted.run is not None or snapshot.known.told is None:
            return frozenset()
        announced = self.store.announced_by(snapshot.run, snapshot.inputs.target)
        some = [each for each in decisions if each.image.id in announced]
        return announced_anew(some, self.tried.policies, self._notices_now()) if some else frozenset()

    def _notices_now(self) -> Mapping[str, Notice]:
        """The notices as a run now would count them, also those that were given since the snapshot."""
        known, policies = self.snapshot.known, self.tried.policies
        if known.told is None:
            return {}
        return known.told(self.wanted.now).counted(self.snapshot.inputs.survey.images, known.destinations(policies))

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
