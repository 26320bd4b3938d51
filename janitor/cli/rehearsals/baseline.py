"""With what a preview is compared: what a run had decided, and which run that is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from janitor.cli.rehearsals.snapshots import RecordedSnapshot
from janitor.core.basis import Basis
from janitor.core.decision import Decision
from janitor.core.memory import Exemption
from janitor.core.replay.preview import Tried
from janitor.core.result import Mode
from janitor.store import Store


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a run had decided; `against` is that run, None where it decided nothing. `why` are sentences on the choice.

    Images that our own runs deleted between that run and the snapshot, or until now, are left out.
    """

    run: int
    mode: Mode
    against: int | None
    decisions: Sequence[Decision] = ()
    why: Sequence[str] = field(default=())


def baseline_of(
    store: Store,
    whole: RecordedSnapshot,
    snapshot: RecordedSnapshot,
    tried: Tried,
    wanted: tuple[int | None, int | None],
) -> Baseline:
    """With what a snapshot is compared, which was `whole`, and counts as `snapshot`; `wanted` are --run and --against.

    A dry run of the very policies that are tried has decided what they decide: then it is the last live run, if that
    went by others.
    """
    target, (of_run, against) = snapshot.inputs.target, wanted
    run, why = (against, []) if against is not None else _chosen(store, snapshot, tried)
    mode = store.mode_of(run)
    decisions = whole.decisions if run == snapshot.run else store.decisions(run, target)
    ending = store.endings(run).get(target)
    if not decisions and (ending is None or not ending.saw_nothing):
        return Baseline(run, mode, None, why=why)
    if run == snapshot.run:
        return Baseline(run, mode, run, snapshot.decisions, why)
    gone = store.removed_since(target, run, of_run).gone.keys() - {image.id for image in snapshot.inputs.survey.images}
    return Baseline(run, mode, run, [each for each in decisions if each.image.id not in gone], why)


def _chosen(store: Store, snapshot: RecordedSnapshot, tried: Tried) -> tuple[int, list[str]]:
    """The run to compare with where none is given, and sentences where that needs words."""
    run, target = snapshot.run, snapshot.inputs.target
    if store.mode_of(run) is not Mode.DRY_RUN or not _went_by(snapshot.inputs.basis, tried):
        return run, []
    tried_already = f"run {run} was a dry run of these same policies"
    live = store.latest_decided(target, run, live=True)
    if live is not None:
        basis = store.basis(live)
        if _went_by(basis, tried):
            return run, []
        by = "went by others" if basis is not None else "did not record by which policies it went"
        return live, [f"{tried_already}, so they are compared with the last live run before it, run {live}, which {by}"]
    other = store.decided_by_others(target, run)
    beside = (
        f"run {other} went by others (--against {other})"
        if other is not None
        else "no earlier run is known to have gone by others"
    )
    return run, [f"{tried_already}, so nothing can be new beside it; {beside}"]


def _went_by(basis: Basis | None, tried: Tried) -> bool:
    """Whether a run is known to have gone by the policies and exemptions that are tried."""
    if basis is None or basis.policies != tuple(tried.policies):
        return False
    return list(map(_said, basis.exemptions)) == list(map(_said, tried.exemptions))


def _said(exemption: Exemption) -> tuple[object, ...]:
    """What a file says by an exemption, whatever that file is called."""
    return (exemption.image, exemption.until, exemption.why)
