"""With what a preview is compared: what a run had decided, and which run that is."""

from collections.abc import Iterator, Sequence
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
    """What a run had decided; `run` is that run. `why` are sentences on the choice.

    `decided`: it decided something, or saw nothing to decide on. `run` is None where there is none to compare with;
    `first`: as no live run has carried out its own plan in the target, so that nothing was to be deleted before.
    Images that our own runs deleted between that run and the snapshot, or until now, are left out.
    """

    run: int | None
    mode: Mode | None = None
    decided: bool = False
    decisions: Sequence[Decision] = ()
    why: Sequence[str] = field(default=())
    first: bool = False

    @property
    def against(self) -> int | None:
        """The run whose decisions these are; None where there are none to compare with."""
        return self.run if self.decided else None


@dataclass(frozen=True, slots=True)
class Choice:
    """What decides on the run to compare with: --run and --against, None where not given, and the configured mode."""

    of_run: int | None
    against: int | None
    mode: Mode


def baseline_of(
    store: Store, whole: RecordedSnapshot, snapshot: RecordedSnapshot, tried: Tried, choice: Choice
) -> Baseline:
    """With what a snapshot is compared, which was `whole`, and counts as `snapshot`.

    That is the last live run that carried out its plan there, whatever dry runs tried, and people deleted, since.
    """
    target = snapshot.inputs.target
    run, why = (choice.against, []) if choice.against is not None else _chosen(store, snapshot, tried, choice)
    if run is None:
        return Baseline(None, why=why, first=store.latest_carried_out(target, choice.of_run)[0] is None)
    mode = store.mode_of(run)
    decisions = whole.decisions if run == snapshot.run else store.decisions(run, target)
    ending = store.endings(run).get(target)
    if not decisions and (ending is None or not ending.saw_nothing):
        return Baseline(run, mode, why=why)
    if run == snapshot.run:
        return Baseline(run, mode, True, snapshot.decisions, why)
    listed = {image.id for image in snapshot.inputs.survey.images}
    gone = store.removed_since(target, run, choice.of_run).gone.keys() - listed
    return Baseline(run, mode, True, [each for each in decisions if each.image.id not in gone], why)


def _chosen(store: Store, snapshot: RecordedSnapshot, tried: Tried, choice: Choice) -> tuple[int | None, list[str]]:
    """The run to compare with where none is given, and sentences where that needs words."""
    run, target = snapshot.run, snapshot.inputs.target
    live, kept = store.latest_carried_out(target, choice.of_run)
    if live is not None and kept:
        return live, []
    if live is not None:
        return None, [f"the details of run {live}, the last live one here, were dropped: every deletion counts as new"]
    none = "no live run has carried out its own plan here" + (
        "" if choice.of_run is None else f" until run {choice.of_run}"
    )
    if choice.mode is Mode.DELETE and choice.of_run is None:
        return None, [f"{none}, so every deletion counts as new"]
    is_dry = store.mode_of(run) is Mode.DRY_RUN
    ending = store.endings(run).get(target)
    did = "applied a reviewed list" if ending is not None and ending.applied else "deleted nothing here"
    beside = f"run {run}, a dry run," if is_dry else f"run {run}, which {did},"
    first = f"{none}, so {beside} is compared with: a live run would be the first"
    return run, [first, *(_tried_already(store, snapshot) if is_dry and _went_by(snapshot.inputs.basis, tried) else ())]


def _tried_already(store: Store, snapshot: RecordedSnapshot) -> Iterator[str]:
    other = store.decided_by_others(snapshot.inputs.target, snapshot.run)
    beside = (
        f"run {other} went by others (--against {other})"
        if other is not None
        else "no earlier run is known to have gone by others"
    )
    yield f"run {snapshot.run} was a dry run of these same policies, so nothing can be new beside it; {beside}"


def _went_by(basis: Basis | None, tried: Tried) -> bool:
    """Whether a run is known to have gone by the policies and exemptions that are tried."""
    if basis is None or basis.policies != tuple(tried.policies):
        return False
    return list(map(_said, basis.exemptions)) == list(map(_said, tried.exemptions))


def _said(exemption: Exemption) -> tuple[object, ...]:
    """What a file says by an exemption, whatever that file is called."""
    return (exemption.image, exemption.until, exemption.why)
