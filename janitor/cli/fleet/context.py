"""What every process of a fleet has: its accounts as they are written now, and connections to its PostgreSQL."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from janitor.cli.configuration import accounts_from, rules_of
from janitor.config import Settings
from janitor.config.fleet import Fleet
from janitor.config.fleet.accounts import Accounts
from janitor.config.fleet.loading import fleet_of
from janitor.config.policy_files import Rules
from janitor.errors import FleetError
from janitor.fleet.database import Connection, connect

_log = logging.getLogger("janitor.fleet")


class Written:
    """The accounts and policies as they are in their files, read again once one of these has changed.

    Safe to use from several threads at once.
    """

    def __init__(self, config: Path | None) -> None:
        """Raises ConfigurationError with every problem, and UsageError where no fleet is configured."""
        self._config = config
        self._lock = threading.Lock()
        self._accounts = accounts_from(config)
        self._rules: Rules | None = None

    def accounts(self) -> Accounts:
        """The accounts as they are written now. Raises ConfigurationError, and UsageError without a fleet."""
        with self._lock:
            if not self._accounts.are_current:
                _log.info("configuration-changed: it is read again")
                self._accounts, self._rules = accounts_from(self._config), None
            return self._accounts

    def rules(self) -> Rules:
        """The policies and exemptions of all accounts. Raises ConfigurationError."""
        accounts = self.accounts()
        with self._lock:
            if self._rules is None:
                self._rules = rules_of(accounts.settings)
            return self._rules

    @property
    def last(self) -> Settings:
        """The configuration of the whole fleet as it was read last."""
        return self._accounts.settings

    @property
    def fleet(self) -> Fleet:
        """The key `fleet` as it was read last."""
        return fleet_of(self._accounts.settings)


class Connections:
    """A connection to the fleet's PostgreSQL for each thread, made when first needed, and anew once it has failed."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._own = threading.local()
        self._lock = threading.Lock()
        self._made: list[tuple[threading.Thread, Connection]] = []

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """This thread's connection; where what is done with it raises FleetError, it is given up. Raises FleetError."""
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None or connection.closed:
            connection = self._own.connection = connect(self._url, self._name)
            self._keep(connection)
        try:
            yield connection
        except FleetError:
            connection.close()
            raise

    def close(self) -> None:
        """Close all of them."""
        for _, connection in self._made:
            connection.close()

    def _keep(self, made: Connection) -> None:
        """Remember a connection of this thread; those of threads that have ended are closed: nobody asks them again."""
        with self._lock:
            for thread, connection in self._made:
                if not thread.is_alive():
                    connection.close()
            self._made = [(thread, each) for thread, each in self._made if not each.closed]
            self._made.append((threading.current_thread(), made))
