"""Makes a copy of the database in such a way that a signal ends it in time, and says what a kill has left."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from janitor.core.units import counted
from janitor.errors import Interrupted
from janitor.escaping import visible
from janitor.shutdown import Stop, stopping_on_signals, within
from janitor.store import Store
from janitor.store.transactions.copying import left_in

_PATIENCE = timedelta(seconds=5)
_SHOWN = 5


def copied(store: Store, file: Path) -> int:
    """Copy the database to a new file; returns its size. Raises Interrupted on a signal: then nothing is left.

    SQLite checks a copy in one call, in which Python handles no signals: so it is made in another thread.
    """
    stop = Stop()
    with stopping_on_signals(stop):
        size = within(partial(store.copy_to, file, stop), stop, _PATIENCE)
    if size is None:
        raise Interrupted(stop.signal_number)
    return size


def left_over(folder: Path) -> str | None:
    """What copies that were killed may have left in a folder, in a sentence; None for nothing."""
    left = left_in(folder)
    if not left:
        return None
    names = ", ".join(visible(str(file)) for file in left[:_SHOWN])
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return (
        f"{counted(len(left), 'file')} left by a copy that was killed, to be removed unless a copy is being made there "
        f"now: {names}{more}"
    )
