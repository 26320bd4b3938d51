"""What a run does for the database when it has ended: old details go, and SQLite looks at what has changed much.

It never makes a run fail or wait: what cannot be done now is left to the next run. Each transaction is short.
"""

import logging
from datetime import timedelta

from janitor.errors import StoreError
from janitor.shutdown import Stop
from janitor.store import Store
from janitor.store.history.forgetting import KINDS

_log = logging.getLogger("janitor.run.upkeep")

_A_TIME = 1_000
_AT_MOST = 100_000
"""How many rows go in one transaction, and of each kind in one run: the rest is for the next nights."""


def keep_up(store: Store, run: int, keep_history: timedelta | None, stop: Stop) -> None:
    """Drop the details of runs that are older than `keep_history`, where one is given, and optimize the database.

    Nothing is dropped by a clock that no answer of an API has confirmed in this run, nor by one that is ahead for one
    night: what counts is the earlier of this clock and that of the run before.
    """
    try:
        if keep_history is not None:
            _drop(store, run, keep_history, stop)
        store.optimize()
    except StoreError as error:
        _log.warning("upkeep-left-to-the-next-run: %s", error)


def _drop(store: Store, run: int, keep_history: timedelta, stop: Stop) -> None:
    clock, earlier = store.last_clock(run + 1), store.last_clock(run)
    if clock is None or clock[0] != run or earlier is None:
        return
    before = min(clock[1], earlier[1]) - keep_history
    store.mark_dropped(before)
    if held := store.held_back(before):
        _log.info("history-held-back %s", " ".join(f"{kind}={count}" for kind, count in held.items()))
    rows = 0
    for kind in KINDS:
        due = store.rows_due(kind, before, _AT_MOST)
        for start in range(0, len(due), _A_TIME):
            if stop.is_set():
                return
            store.drop_rows(kind, due[start : start + _A_TIME])
        rows += len(due)
    if rows:
        _log.info("history-dropped before=%s rows=%d", before.isoformat(), rows)
