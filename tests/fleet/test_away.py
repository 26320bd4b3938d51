"""PostgreSQL is away: who works or serves stays, goes on once it answers, and ends in time when it is told to."""

import asyncio
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest

from janitor.cli.fleet.context import Connections
from janitor.config.fleet import Fleet as Configured
from janitor.config.fleet.loading import fleet_of
from janitor.core.cron import Cron
from janitor.fleet.database import Connection
from janitor.fleet.serving import Periodic
from janitor.fleet.work.orders import Order
from janitor.fleet.work.worker import FleetWorker, Timing, _together, worker_here
from janitor.shutdown import Stop
from tests.conftest import Desk
from tests.fleet.black_hole import Proxy
from tests.fleet.fleets import Fleet
from tests.fleet.postgres import SHARDS, Databases

SOON = timedelta(milliseconds=100)
IMPATIENT = Timing(sign=SOON, look=SOON, patience=SOON, connecting=timedelta(milliseconds=300))
_LOOKS = 600


class Recorder:
    """Cleans nothing, and records what it was asked."""

    def __init__(self, url: str) -> None:
        self.connections = Connections(url, "recorder")
        self.stop = Stop()
        self.working: Counter[int] = Counter()
        self.orders: list[str] = []

    def clean(self, order: Order) -> None:
        self.orders.append(order.account)


def until(true: Callable[[], bool]) -> None:
    for _ in range(_LOOKS):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not come to that")


@contextmanager
def at_work(work: Callable[[], None], stop: Stop) -> Iterator[Callable[[], None]]:
    """In a thread until the block ends, and it raised nothing; gives what fails once it has ended by itself."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  it is looked at in the thread of the test
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def lives() -> None:
        assert (thread.is_alive(), raised) == (True, [])

    try:
        yield lives
    finally:
        stop.set()
        thread.join(30)
    assert (thread.is_alive(), raised) == (False, [])


@contextmanager
def away(databases: Databases) -> Iterator[None]:
    """PostgreSQL is stopped, and started again after the block."""
    databases.server.stop()
    try:
        yield
    finally:
        databases.server.start()


@pytest.fixture
def fleet(tmp_path: Path, url: str, connection: Connection) -> Fleet:
    made = Fleet(tmp_path, url, connection)
    made.write({"name": "lab"})
    return made


def configured(fleet: Fleet) -> Configured:
    return fleet_of(fleet.written.last)


def test_a_worker_outlives_a_postgresql_that_is_away_for_longer_than_it_waits_for_a_connection(
    fleet: Fleet, url: str, databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    cleaner = Recorder(url)
    worker = FleetWorker(
        configured(fleet), worker_here(), cleaner, range(SHARDS), lambda _output: None, timing=IMPATIENT
    )
    with at_work(worker.work, cleaner.stop) as lives:
        until(lambda: bool(worker.held.shards))
        with away(databases):
            until(lambda: "postgresql-away" in caplog.text)
            threading.Event().wait(1)  # longer than it waits for a connection, several times
            lives()
        with Connections(url, "who enqueues").one() as look:
            Fleet(fleet.folder, url, look).begin()
            look.close()
        until(lambda: cleaner.orders == ["lab"])
    cleaner.connections.close()


def test_what_serves_outlives_a_postgresql_that_is_away_for_longer_than_it_waits_for_a_connection(
    url: str, databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[datetime] = []
    looked: list[bool] = []
    hour = datetime(2026, 6, 1, 2, 59, tzinfo=UTC)
    now = [hour]
    stop = Stop()
    served = Periodic(
        url,
        "serves",
        Cron.parse("0 3 * * *"),
        ZoneInfo("UTC"),
        begun.append,
        lambda: looked.append(True),
        stop,
        lambda: now[0],
        every=SOON,
        connecting=timedelta(milliseconds=300),
    )
    with at_work(served.serve, stop) as lives:
        until(lambda: bool(looked))
        with away(databases):
            until(lambda: "postgresql-away" in caplog.text)
            threading.Event().wait(1)
            lives()
        looked.clear()
        now[0] += timedelta(minutes=1)
        until(lambda: bool(looked) and begun == [now[0]])


@pytest.fixture
def through(url: str, proxy: Proxy) -> str:
    """The address of the database by way of what can stop answering."""
    return url.replace(f":{urlsplit(url).port}/", f":{proxy.port}/")


def test_what_serves_ends_in_time_with_0_and_answers_who_asks_for_metrics(
    desk: Desk, through: str, proxy: Proxy, connection: Connection
) -> None:
    Fleet(desk.folder, through, connection).write({"name": "lab"})
    desk.amend('schedule: "0 3 * * *"\ntimezone: UTC\n')
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with desk.started("fleet", "serve", "--metrics-port", str(port)) as process:
        until(lambda: len(connection.rows("SELECT id FROM procrastinate_workers")) == 1)
        proxy.stop_answering()
        assert b"janitor_fleet_database_reached 0.0" in asked(port, "/metrics")
        assert asked(port, "/healthz") == b"ok\n"
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(20)[1]
    assert (process.returncode, "Traceback" in errors) == (0, False), errors


def asked(port: int, path: str) -> bytes:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        read: bytes = answer.read()
    return read


def test_who_is_told_to_stop_waits_for_all_that_it_has_begun() -> None:
    ended: list[str] = []

    async def idle() -> None:
        await asyncio.Event().wait()

    async def busy() -> None:
        """As Procrastinate does: told once, it waits for its jobs; told again, it gives them up."""
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            ended.append("busy")

    async def told() -> None:
        both = asyncio.create_task(_together([idle(), busy()]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        both.cancel()
        await asyncio.wait([both])

    asyncio.run(told())
    assert ended == ["busy"]
