"""The tables of a fleet, made and brought up to date: ours, and those of Procrastinate by its own migrations."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from procrastinate.schema import SchemaManager
from psycopg.errors import InsufficientPrivilege

from janitor.errors import FleetError
from janitor.fleet.database import SCHEMA, Connection
from janitor.fleet.tables import STEPS

_LOCK = 6_105_124_190
"""An advisory lock of PostgreSQL: who holds it changes tables."""
_OLDEST = 130_000
_VERSION, _QUEUE, _IDENTITY, _SHARDS = "version", "procrastinate", "fleet", "shards"
_INIT = "run `janitor fleet init`"


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done: the identity of the fleet, whether it is new, and how many steps were made."""

    fleet: str
    new: bool
    steps: int


def migrate(connection: Connection, shards: int, steps: Sequence[str] = STEPS) -> Migrated:
    """Make the tables, or bring them up to date; safe beside another who does the same.

    `shards` is how many the fleet has, for ever. Raises FleetError, also where a newer version made the tables.
    """
    _check_server(connection)
    with _as_owner(connection):
        with _alone(connection):
            new = not _made(connection)
            if new:
                _begin(connection, shards)
        done = _migrate_queue(connection)
        while _step(connection, steps):
            done += 1
        return Migrated(check(connection, shards, steps), new, done)


@contextmanager
def _as_owner(connection: Connection) -> Iterator[None]:
    """Where a right is missing, it is not one to grant: the role is another one than that of the owner."""
    try:
        yield
    except FleetError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        raise FleetError(
            f"{connection.where}: its user {connection.info.user} may not make the tables: `janitor fleet init` needs "
            "the URL of their owner in `fleet.database`, and everything else that of another role (docs/fleet.md)"
        ) from error


def check(connection: Connection, shards: int, steps: Sequence[str] = STEPS) -> str:
    """The identity of the fleet. Raises FleetError unless its tables are those of this version, with these shards."""
    if not _made(connection):
        raise FleetError(f"{connection.where}: it has no tables of a fleet: {_INIT}")
    noted = _noted(connection)
    version, queue, ours = int(noted[_VERSION]), noted.get(_QUEUE, ""), _migrations()[-1].name
    if version > len(steps) or queue > ours:
        raise FleetError(f"{connection.where}: a newer version made its tables: update the janitor on this host")
    if version < len(steps) or queue < ours:
        raise FleetError(f"{connection.where}: its tables are those of an earlier version: {_INIT}")
    if int(noted[_SHARDS]) != shards:
        raise FleetError(
            f"{connection.where}: this fleet has {noted[_SHARDS]} shards, and `fleet.shards` is {shards}: with another "
            "number nobody would find the databases of the accounts, so it has to stay"
        )
    return noted[_IDENTITY]


def _check_server(connection: Connection) -> None:
    if connection.info.server_version < _OLDEST:
        raise FleetError(f"{connection.where}: it is a PostgreSQL before version 13, which is too old")


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """A transaction, while nobody else changes tables."""
    with connection.together():
        connection.rows("SELECT pg_advisory_xact_lock(%(key)s)", key=_LOCK)
        yield


def _made(connection: Connection) -> bool:
    found = connection.row("SELECT to_regclass(%(name)s) IS NOT NULL AS made", name=f"{SCHEMA}.meta")
    return bool(found and found["made"])


def _begin(connection: Connection, shards: int) -> None:
    """The schema, which an administrator may have made, and what is noted of the fleet."""
    found = connection.row("SELECT to_regnamespace(%(name)s) IS NOT NULL AS made", name=SCHEMA)
    if not (found and found["made"]):
        connection.run(f"CREATE SCHEMA {SCHEMA}")
    connection.run("CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL)")
    for key, value in ((_IDENTITY, str(uuid.uuid4())), (_SHARDS, str(shards)), (_VERSION, "0")):
        _note(connection, key, value)


def _noted(connection: Connection) -> dict[str, str]:
    return {row["key"]: row["value"] for row in connection.rows("SELECT key, value FROM meta")}


def _note(connection: Connection, key: str, value: str) -> None:
    connection.rows(
        "INSERT INTO meta VALUES (%(key)s, %(value)s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key=key,
        value=value,
    )


def _step(connection: Connection, steps: Sequence[str]) -> bool:
    """Make the next step of our tables; False where there is none."""
    with _alone(connection):
        version = int(_noted(connection)[_VERSION])
        if version >= len(steps):
            return False
        connection.run(steps[version])
        _note(connection, _VERSION, str(version + 1))
        return True


def _migrate_queue(connection: Connection) -> int:
    """Make Procrastinate's tables, or apply the migrations since; how many steps these were.

    Each has a transaction of its own: some could not follow another in the same one.
    """
    with _alone(connection):
        if _QUEUE not in _noted(connection):
            connection.run(SchemaManager.get_schema())
            _note(connection, _QUEUE, _migrations()[-1].name)
            return 1
    return sum(_apply(connection, file) for file in _migrations())


def _apply(connection: Connection, migration: Path) -> bool:
    with _alone(connection):
        if _noted(connection)[_QUEUE] >= migration.name:
            return False
        connection.run(migration.read_text(encoding="utf-8"))
        _note(connection, _QUEUE, migration.name)
        return True


def _migrations() -> list[Path]:
    """The migrations of the Procrastinate that is installed, in order: their names begin with its versions."""
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
