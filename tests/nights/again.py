"""Whether the decisions of every night of a simulation can be repeated from its database, also of runs that died."""

from collections import Counter
from pathlib import Path

from janitor.store import Store
from tests.nights.ground import Broken
from tests.replays import decided_again


def check_deciding_again(database: Path, counts: Counter[str]) -> None:
    """Repeat the decisions of every night. Raises Broken if any differ."""
    with Store.open_existing(database) as store:
        for summary in store.runs(limit=None):
            inputs = store.inputs(summary.run)
            for target in store.load_run(summary.run).targets:
                if not target.decisions:
                    continue
                if decided_again(inputs[target.target]) != target.decisions:
                    raise Broken(f"run {summary.run} is decided again as another")
                counts["decided again"] += 1
