"""The connection to the fleet's PostgreSQL: every answer in bounded time, every error a sentence without its password.

Times of workers and leases are compared by the database's clock alone, so that no host's clock matters.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, LiteralString, TypeVar
from urllib.parse import parse_qsl

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo
from psycopg.pq.abc import PGconn
from psycopg.rows import RowFactory, dict_row

from janitor.errors import ConfigurationError, FleetError, Problem
from janitor.escaping import visible
from janitor.redaction import Redaction, credentials_in

T = TypeVar("T")
Row = dict[str, Any]

SCHEMA = "janitor_fleet"
_CONNECTING = timedelta(seconds=5)
PATIENCE = timedelta(seconds=30)
_HOLDING_UP = "-c idle_in_transaction_session_timeout=10000 -c lock_timeout=20000"
_LOOK_EVERY = 0.1
_LATE = "no answer in time; the connection is given up"
_BUSY = "what was asked before has no answer yet"
_HOST, _PORT = re.compile(r"[\w.,:%/-]*"), re.compile(r"[\d,]*")
_SHAPE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
_ENCODE = "in its password @ : / ? # % and blanks are percent-encoded, as %40 for @"
_NO_AUTHORITY = "root certificate file"
_AUTHORITY = "name the certificate of the server's authority in `fleet.database`: sslrootcert=/etc/janitor/ca.pem"
_ADVICE: dict[type[psycopg.Error], str] = {
    errors.InvalidPassword: "check the user and password of `fleet.database`",
    errors.InvalidAuthorizationSpecification: "check the user of `fleet.database`, and that the server admits it",
    errors.InvalidCatalogName: "create that database, or name another one in `fleet.database`",
    errors.InvalidSchemaName: "run `janitor fleet init`",
    errors.UndefinedTable: "run `janitor fleet init`",
    errors.UndefinedColumn: "run `janitor fleet init`",
    errors.UndefinedFunction: "run `janitor fleet init`",
    errors.InsufficientPrivilege: "give this user the grants of docs/fleet.md, after every `janitor fleet init` again",
    errors.DiskFull: "free some space on the server, then run again",
    errors.TooManyConnections: "allow more connections in max_connections, or let fewer workers run",
    errors.LockNotAvailable: "another process holds it up: try again in some seconds",
    errors.ReadOnlySqlTransaction: "name the primary server in `fleet.database`: this one is only a copy of it",
}


class Connection(psycopg.Connection[Row]):
    """A connection outside of transactions, but in `together`. Safe to use from several threads: each has its turn.

    One that gave no answer in time is closed, and stays so: what it was asked may have been done or not. It is no place
    to ask again, as it may lead to a server that is not the primary one any more.
    """

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[Row] = dict_row) -> None:
        super().__init__(pgconn, row_factory)
        self.where = "fleet database"
        self.redacted = Redaction()
        self.patience = PATIENCE.total_seconds()
        self._ends: float | None = None
        self._turn = threading.RLock()

    def wait(self, gen: PQGen[T], interval: float = _LOOK_EVERY, timeout: float | None = None) -> T:
        """What psycopg does to get every answer, within our patience; the socket of one without is closed."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        patience = self.patience if self._ends is None else max(self._ends - time.monotonic(), 0)
        try:
            return super().wait(gen, min(interval, patience), patience)
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise errors.ConnectionTimeout(_LATE) from None

    @contextmanager
    def within(self, patience: timedelta) -> Iterator[None]:
        """All that is asked in this block is answered in that time, with the wait for another thread's turn.

        Raises FleetError.
        """
        ends = time.monotonic() + patience.total_seconds()
        if not self._turn.acquire(timeout=patience.total_seconds()):
            raise FleetError(f"{self.where}: {_BUSY}")
        try:
            before, self._ends = self._ends, ends
            yield
        finally:
            self._ends = before
            self._turn.release()

    def rows(self, sql: LiteralString, **values: Any) -> list[Row]:
        """The rows that a statement finds or returns; none for one that has no result. Raises FleetError."""
        with self._turn, self.translated():
            cursor = self.execute(sql, values)
            return cursor.fetchall() if cursor.description is not None else []

    def row(self, sql: LiteralString, **values: Any) -> Row | None:
        """The first row of them, or None. Raises FleetError."""
        found = self.rows(sql, **values)
        return found[0] if found else None

    def run(self, script: str) -> None:
        """Statements without values and without results. Raises FleetError."""
        with self._turn, self.translated():
            self.execute(script.encode())

    @contextmanager
    def together(self) -> Iterator[None]:
        """A transaction: all of it is done, or nothing. Raises FleetError."""
        with self._turn, self.translated(), self.transaction():
            yield

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of psycopg as FleetError, without the password."""
        try:
            yield
        except psycopg.Error as error:
            raise FleetError(f"{self.where}: {self.redacted(_sentence(error))}") from error


class BoundedConnection(psycopg.AsyncConnection[Any]):
    """A connection of Procrastinate, closed where it gave no answer in time; notifications are waited for as long."""

    async def wait(self, gen: PQGen[T], interval: float = _LOOK_EVERY, timeout: float | None = None) -> T:
        """What psycopg does to get every answer."""
        if timeout is not None:
            return await super().wait(gen, interval, timeout)
        try:
            return await super().wait(gen, interval, PATIENCE.total_seconds())
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise errors.ConnectionTimeout(_LATE) from None


def connect(url: str, name: str = "janitor", patience: timedelta = PATIENCE) -> Connection:
    """A connection, whose answers are waited for so long each; `name` is what the server's lists call it.

    Raises FleetError, within some seconds for each address that the host has.
    """
    parameters = parameters_of(url)
    redacted = Redaction(*credentials_in(url), *filter(None, (parameters.get("password"),)))
    try:
        settings = settings_of(parameters, name, min(patience, _CONNECTING))
        connection = Connection.connect(**settings, autocommit=True, row_factory=dict_row)
    except psycopg.Error as error:
        raise FleetError(f"{where(parameters)}: {redacted(_sentence(error))}") from error
    connection.where = where(parameters)
    connection.redacted = redacted
    connection.patience = patience.total_seconds()
    return connection


def parameters_of(url: str) -> dict[str, Any]:
    """The parts of a URL.

    Raises ConfigurationError, which repeats no more of it than the name of a parameter: a password may be in the wrong
    place.
    """
    try:
        parameters = conninfo_to_dict(url)
    except psycopg.Error:
        parameters = {"host": "@"}
    if not _HOST.fullmatch(str(parameters.get("host", ""))) or not _PORT.fullmatch(str(parameters.get("port", ""))):
        unknown = _unknown_parameter(url)
        what = f"it is no address of a PostgreSQL, as {_SHAPE} is one; {_ENCODE}" if unknown is None else unknown
        raise ConfigurationError([Problem("fleet.database", None, what)])
    return parameters


def _unknown_parameter(url: str) -> str | None:
    """The first parameter that there is not, in words; only of what comes after the host, and so after a password."""
    _, at, behind = url.rpartition("@")
    names = [name for name, _ in parse_qsl(behind.partition("?")[2], keep_blank_values=True)] if at else []
    known = [option.keyword.decode() for option in Conninfo.get_defaults()]
    unknown = next((name for name in names if name not in known), None)
    if unknown is None:
        return None
    near = get_close_matches(unknown, known, n=1)
    return f"PostgreSQL has no parameter {visible(unknown)}{f', did you mean {near[0]}?' if near else ''}"


def settings_of(parameters: dict[str, Any], name: str, patience: timedelta = _CONNECTING) -> dict[str, Any]:
    """What to connect with: what the URL says, and ours.

    A server that vanished is noticed by TCP; all names are those of our schema; times are in UTC. A process that was
    stopped, or cut off, within a transaction holds others up for ten seconds at most; the server then undoes it.
    """
    ours = f"-c search_path={SCHEMA} -c TimeZone=UTC {_HOLDING_UP}"
    return {
        "connect_timeout": max(2, round(patience.total_seconds())),  # libpq takes no less
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        **parameters,
        "application_name": name,
        "options": f"{parameters.get('options', '')} {ours}".strip(),
    }


def where(parameters: dict[str, Any]) -> str:
    """The server and its database, in words."""
    host, port = parameters.get("host", "localhost"), parameters.get("port", 5432)
    return f"fleet database {parameters.get('dbname', '')} on {host}:{port}"


def _sentence(error: psycopg.Error) -> str:
    """What PostgreSQL said, and what a person does about it."""
    said = (error.diag.message_primary or str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".")
    advice = next((advice for kind, advice in _ADVICE.items() if isinstance(error, kind)), None)
    if _NO_AUTHORITY in said:
        advice = _AUTHORITY
    return said if advice is None else f"{said}: {advice}"
