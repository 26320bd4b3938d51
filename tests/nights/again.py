"""Whether the decisions of every night of a simulation can be repeated from its database, also of runs that died."""

from collections import Counter
from collections.abc import Mapping

from janitor.cli import configuration
from janitor.cli.rehearsals.snapshots import RecordedSnapshot, snapshot_of
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.core.decision import Decision
from janitor.core.replay.inputs import Inputs
from janitor.core.replay.preview import Tried
from janitor.store import Store
from tests.nights.ground import Broken
from tests.replays import decided_again, is_whole


def check_deciding_again(settings: Settings, counts: Counter[str]) -> None:
    """Repeat the decisions of every night, and preview them by the policies that ruled. Raises Broken if any differ."""
    last = configuration.rules_of(settings)
    known: dict[int, dict[str, Inputs]] = {}
    with Store.open_existing(settings.database) as store:
        for summary in store.runs(limit=None):
            inputs = known[summary.run] = store.inputs(summary.run)
            for target in store.load_run(summary.run).targets:
                if not target.decisions:
                    continue
                if decided_again(inputs[target.target]) != target.decisions:
                    raise Broken(f"run {summary.run} is decided again as another")
                by_files = _previewed(
                    snapshot_of(settings, store, summary.run, inputs[target.target]), last, target.decisions
                )
                counts["decided again"] += 1
                counts["decided again by the files"] += by_files
        _read_in_order(store, known, counts)


def _read_in_order(store: Store, known: Mapping[int, Mapping[str, Inputs]], counts: Counter[str]) -> None:
    """Read each night as what changed since the one before. Raises Broken where that is not what its run knew."""
    with store.past() as past:
        for night in (night for target in past.targets() for night in past.nights(target)):
            if not is_whole(night, known[night.run][night.target]):
                raise Broken(f"run {night.run} is read otherwise after the one before")
            counts["read after the one before"] += 1


def _previewed(past: RecordedSnapshot, last: Rules, decisions: tuple[Decision, ...]) -> bool:
    """Preview a run by the policies that ruled, read from the `last` files where these are the same: whether so.

    Raises Broken where that decides otherwise.
    """
    ruled = (past.basis.policies, past.basis.exemptions)
    same = (tuple(last.policies), tuple(last.exemptions)) == ruled
    tried = Tried(last.policies, last.exemptions) if same else Tried(*ruled)
    if past.unknown or tuple(past.decisions) != decisions:
        raise Broken(f"a preview does not know what run {past.run} decided")
    if tuple(past.replayed(tried).decisions) != decisions:
        raise Broken(f"a preview of the policies of run {past.run} decides otherwise")
    return same
