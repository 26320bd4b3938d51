"""A PostgreSQL for all tests of a process, and a database for each test."""

from collections.abc import Iterator

import pytest

from janitor.errors import FleetError
from janitor.fleet.database import Connection, connect
from janitor.fleet.local_postgres import Binaries, running
from tests.fleet.black_hole import Proxy
from tests.fleet.postgres import Databases, found


def pytest_report_header() -> str:
    try:
        return f"tests of the fleet: {found()}"
    except FleetError as error:
        return f"tests of the fleet: skipped: {error}"


@pytest.fixture(scope="session")
def programs() -> Binaries:
    """PostgreSQL; the test is skipped where there is none."""
    try:
        return found()
    except FleetError as error:
        pytest.skip(f"{error}; `make test-fleet` installs it where that is possible")


@pytest.fixture(scope="session")
def databases(programs: Binaries) -> Iterator[Databases]:
    with running(programs) as server:
        yield Databases(server)


@pytest.fixture
def url(databases: Databases) -> str:
    """The address of a database with a fleet's tables."""
    return databases.migrated()


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with connect(url) as opened:
        yield opened


@pytest.fixture
def other(url: str) -> Iterator[Connection]:
    """A second connection to the same database."""
    with connect(url) as opened:
        yield opened


@pytest.fixture
def proxy(databases: Databases) -> Iterator[Proxy]:
    """What stands between the test and PostgreSQL, and can stop answering."""
    with Proxy(databases.server.port) as between:
        yield between
