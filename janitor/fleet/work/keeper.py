"""The leases of a worker, kept on a connection of their own, which is made anew after a failure."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from janitor.config.fleet import Fleet
from janitor.errors import FleetError
from janitor.fleet.database import PATIENCE, Connection, connect
from janitor.fleet.leases.shards import LAPSE, Held, Leases, Worker

_TO_END = timedelta(seconds=2)

_log = logging.getLogger("janitor.fleet")


class Keeper:
    """Keeps the leases of a worker, on a connection of its own, made anew after a failure."""

    def __init__(
        self, fleet: Fleet, identity: str, worker: Worker, wanted: Iterable[int], lapse: timedelta = LAPSE
    ) -> None:
        self._fleet = fleet
        self._identity = identity
        self._worker = worker
        self._wanted = tuple(wanted)
        self._lapse = lapse
        self._connection: Connection | None = None
        self._leases: Leases | None = None

    def renew(self, idle: frozenset[int]) -> Held:
        """Be heard, and lease; the shards that are others' to have, and `idle`, are given back. Raises FleetError."""
        try:
            leases = self._current()
            if idle:
                leases.release(idle)
            return leases.renew()
        except FleetError:
            self._close()
            raise

    def end(self) -> None:
        """Give everything back; without PostgreSQL, which is waited for as long as the end may take, it lapses."""
        try:
            leases = self._current(_TO_END)
            assert self._connection is not None
            with self._connection.within(_TO_END):
                leases.end()
        except FleetError as error:
            _log.warning("leases-not-given-back: %s", error)
        self._close()

    def _current(self, patience: timedelta = PATIENCE) -> Leases:
        if self._leases is None:
            self._connection = connect(self._fleet.database, f"{self._worker.name} leases", patience)
            self._leases = Leases(
                self._connection, self._fleet, self._identity, self._worker, self._wanted, self._lapse
            )
        return self._leases

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._leases = None
