"""A preview, collected from the configuration, the policy files and the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from janitor.cli.commands.reading.filters import check_surveyed, check_targets
from janitor.cli.rehearsals.remarks import of_removed
from janitor.cli.rehearsals.snapshots import RecordedSnapshot, snapshot_of
from janitor.cloud.target import may_have
from janitor.config import Settings
from janitor.core.basis import Basis
from janitor.core.decision import Decision
from janitor.core.planning.plan import make_plan
from janitor.core.replay.amounts import Planned, planned, planned_by_policy
from janitor.core.replay.changes import changes_between, counts_of
from janitor.core.replay.preview import Tried
from janitor.core.result import Outcome
from janitor.core.units import format_duration
from janitor.errors import UsageError
from janitor.report.rehearsals.preview import Previewed, Source
from janitor.report.wording import local_minute
from janitor.store import Store

_NEVER = "no run has surveyed it yet, or none since it was bound to its present account: nothing is known of its images"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a preview is asked for: of which run, beside which, in which targets; None or nothing for the usual."""

    run: int | None
    against: int | None
    targets: frozenset[str]


def previewed(settings: Settings, store: Store, tried: Tried, wanted: Wanted) -> Iterator[Previewed]:
    """Each target that is asked for: of the given run, or else the latest snapshot of each that is configured.

    Raises UsageError for an unknown or dropped run, for a target that it does not have, and before the first run.
    """
    if wanted.against is not None:
        store.endings(wanted.against)
    for target, run, remark in (
        _latest(settings, store, wanted) if wanted.run is None else _of_run(store, wanted.run, wanted)
    ):
        inputs = None if run is None else store.inputs_of(run, target)
        if run is None or inputs is None:
            yield Previewed(target, None, undecided=remark)
        else:
            snapshot = snapshot_of(settings, store, run, inputs)
            removed = store.removed_since(target, run)
            gone = () if wanted.run is not None else removed.gone.keys()
            said = of_removed(inputs.survey.images, removed, run, whole=wanted.run is not None)
            one = _Preview(settings, store, snapshot, snapshot.without(gone), tried, wanted)
            yield one.made([*([remark] if remark else []), *said])


_Found = tuple[str, int | None, str | None]
"""A target, the run of its snapshot if there is one, and a remark, or else why there is none."""


def _of_run(store: Store, run: int, wanted: Wanted) -> Iterator[_Found]:
    endings = store.endings(run)
    check_targets(wanted.targets, endings)
    if not endings:
        raise UsageError(f"run {run} has surveyed no target")
    for target, ending in endings.items():
        if not wanted.targets or target in wanted.targets:
            why = f"run {run} did not survey it: {ending.error or 'it has not ended'}"
            yield (target, run, None) if ending.surveyed else (target, None, why)


def _latest(settings: Settings, store: Store, wanted: Wanted) -> Iterator[_Found]:
    known = store.targets()
    absent = [each.name for each in settings.targets if not any(may_have(each, name) for name in known)]
    check_targets(wanted.targets, [*known, *absent])
    check_surveyed(known)
    configured = [name for name in known if settings.may_have_target(name)]
    names = [name for name in [*known, *absent] if name in wanted.targets] if wanted.targets else [*configured, *absent]
    for name in names:
        decided, latest = store.latest_decided(name), store.latest_survey(name)
        if latest is not None and latest <= store.counts_after(name):
            latest = None
        run = latest if decided is None else decided
        later = None if run == latest else f"run {latest} surveyed it later, and decided nothing"
        yield name, run, _NEVER if run is None else later


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
                f"--at: the snapshot of {target} (run {snapshot.run}) is of {self._time(seen_at)}, which is later: "
                "give a later date, or an earlier run with --run"
            )
        found = snapshot.replayed(self.tried)
        before, against = self._before()
        changes = changes_between(before, found.decisions)
        if against is None:  # nothing is said of images that are kept where nothing is there to compare with
            changes = [changed for changed in changes if changed.is_new]
        owners = [decision.policy for decision in before if decision.policy is not None]
        usage = snapshot.inputs.survey.usage
        return Previewed(
            target,
            Source(snapshot.run, seen_at, self.tried.now or seen_at, against),
            len(found.decisions),
            None if against is None else planned(before),
            planned(found.decisions),
            _by_policy([*(policy.name for policy in self.tried.policies), *owners], before, found.decisions),
            changes,
            counts_of(changes),
            found.sharing_unknown,
            list(make_plan(found.decisions).exceeded(snapshot.basis.limits).values()),
            [*remarks, *self._remarks(against)],
            None if usage.problem is None else _unread(usage.problem),
        )

    def _before(self) -> tuple[Sequence[Decision], int | None]:
        """What had been decided, and by which run; nothing by none where there is nothing to compare with.

        Images that our own runs have deleted until the snapshot, or until now, were decided on there only for that.
        """
        snapshot, target = self.snapshot, self.snapshot.inputs.target
        run = snapshot.run if self.wanted.against is None else self.wanted.against
        decisions = self.whole.decisions if run == snapshot.run else self.store.decisions(run, target)
        ending = self.store.endings(run).get(target)
        if not decisions and (ending is None or not ending.saw_nothing):
            return (), None
        if run == snapshot.run:
            return snapshot.decisions, run
        removed = self.store.removed_since(target, run, self.wanted.run)
        gone = removed.gone.keys() - {image.id for image in snapshot.inputs.survey.images}
        return [decision for decision in decisions if decision.image.id not in gone], run

    def _remarks(self, against: int | None) -> Iterator[str]:
        snapshot, target = self.snapshot, self.snapshot.inputs.target
        ending = self.store.endings(snapshot.run).get(target)
        run = snapshot.run if self.wanted.against is None else self.wanted.against
        if against is None:
            why = self.store.endings(run).get(target)
            said = f": {why.error}" if why is not None and why.error else ""
            yield f"nothing to compare with, as run {run} decided nothing there{said}"
        elif ending is not None and ending.outcome in (Outcome.REFUSED, Outcome.FAILED) and ending.error:
            yield f"run {snapshot.run} ended there as {ending.outcome.value}: {ending.error}"
        if self.tried.now is not None:
            yield "as if nothing changed since the snapshot: what only the passing of time changes is included"
        yield from snapshot.unknown
        if snapshot.inputs.basis is not None:
            yield from _differences(self.settings, snapshot.inputs.basis, snapshot.run)

    def _time(self, instant: datetime) -> str:
        return local_minute(instant, self.settings.timezone)


def _unread(problem: str) -> str:
    return (
        f"what is in use could not be read ({problem}), so images are kept whatever the policies say; "
        "--run tries them on another run"
    )


def _differences(settings: Settings, basis: Basis, run: int) -> Iterator[str]:
    """What the configuration says otherwise now, in one sentence."""
    pairs: Mapping[str, tuple[str, str]] = {
        "timezone": (str(basis.zone), str(settings.timezone)),
        "usage_memory": (format_duration(basis.usage_memory), format_duration(settings.usage_memory)),
        "limits.max_deletions": (str(basis.limits.max_deletions), str(settings.limits.max_deletions)),
        "limits.max_share": (f"{basis.limits.max_share:g}%", f"{settings.limits.max_share:g}%"),
    }
    others = [f"{key} {then} (now {now})" for key, (then, now) in pairs.items() if then != now]
    if others:
        yield f"decided as run {run} was configured: {', '.join(others)}"


def _by_policy(
    names: Iterable[str], before: Iterable[Decision], after: Iterable[Decision]
) -> dict[str, tuple[Planned, Planned]]:
    then, now = planned_by_policy(before), planned_by_policy(after)
    return {name: (then.get(name) or Planned(), now.get(name) or Planned()) for name in dict.fromkeys(names)}
