"""PostgreSQL away: said once, with what is wrong, and no reason for a worker to end otherwise than it was told to."""

import asyncio
import io
import logging
import re
import signal
import threading
from urllib.parse import urlsplit

import pytest
from procrastinate.exceptions import ConnectorException

from janitor.cli.logs import ToldByUs
from janitor.errors import FleetError
from janitor.fleet.database import Connection
from janitor.fleet.leases.shards import Held, Worker, workers
from janitor.fleet.work.reach import Reach
from janitor.fleet.work.worker import FleetWorker, Timing
from janitor.sandbox.server import Sandbox
from tests.conftest import Desk
from tests.fleet.black_hole import Proxy
from tests.fleet.fleets import Fleet, target_of
from tests.fleet.postgres import SHARDS, Databases


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


def test_it_is_said_once_that_it_is_away_and_once_that_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "janitor.fleet")
    reach = Reach("postgresql://janitor@127.0.0.1:1/janitor", "one")

    async def an_outage() -> None:
        await reach.lost("jobs", ConnectorException())
        await reach.lost("leases", FleetError("fleet database: no answer"))
        await reach.lost("jobs", ConnectorException())
        reach.found("jobs")
        assert len(caplog.records) == 1
        reach.found("leases")
        reach.found("leases")

    asyncio.run(an_outage())
    away, back = said(caplog)
    assert re.fullmatch(
        r"WARNING postgresql-away: fleet database janitor on 127.0.0.1:\d+: .*[Cc]onnection refused.*; "
        "nothing is begun until it answers",
        away,
    )
    assert back == "WARNING postgresql-back: it answers again"


def test_what_its_libraries_say_meanwhile_is_left_out() -> None:
    file = io.StringIO()
    handler = logging.StreamHandler(file)
    handler.addFilter(ToldByUs())
    for name, error in (
        ("psycopg.pool", None),
        ("procrastinate.utils", ConnectorException()),
        ("procrastinate.worker", ValueError()),
    ):
        caught = (type(error), error, None) if error is not None else None
        handler.handle(logging.getLogger(name).makeRecord(name, logging.ERROR, "", 1, name, (), caught))
    assert file.getvalue().splitlines()[0] == "procrastinate.worker"
    assert "psycopg.pool" not in file.getvalue()


def test_a_worker_ends_as_it_was_told_to_while_postgresql_does_not_answer(
    desk: Desk, url: str, connection: Connection, databases: Databases, proxy: Proxy, sandbox: Sandbox
) -> None:
    fleet = Fleet(desk.folder, databases.server.url(urlsplit(url).path[1:], port=proxy.port), connection)
    fleet.write(target_of(sandbox, "lab"))
    with desk.started("fleet", "work") as worker:
        for _ in range(400):
            if any(len(each.shards) == SHARDS for each in workers(connection)):
                break
            threading.Event().wait(0.05)
        proxy.stop_answering()
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(15)
    assert worker.returncode == 0, errors
    assert "Traceback" not in errors
    assert "Database error" not in errors


class Idle:
    """Cleans nothing."""


def kept(fleet: Fleet, *helds: Held) -> None:
    settings = fleet.written.fleet
    worker = FleetWorker(settings, Worker("w", "one", 1), Idle(), range(4), lambda _: None, timing=Timing())  # type: ignore[arg-type]
    for held in helds:
        worker._keep(held)


def test_shards_on_other_hosts_are_counted_in_one_line_and_only_what_is_wrong_is_an_error(
    desk: Desk, url: str, connection: Connection, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "janitor.fleet")
    fleet = Fleet(desk.folder, url, connection)
    fleet.write(target_of(sandbox, "lab"))
    last = "its files are not in /data/shards/shard-00{}; the last to have it had them in {}"
    elsewhere = tuple((shard, last.format(shard, "two:/data/shards")) for shard in (2, 3))
    here = (4, last.format(4, f"one:{fleet.written.fleet.state}"))
    other = (5, "/data/shards/shard-005: these are not the files that the fleet knows; the last to have it …")
    held = Held(frozenset({0, 1, 8}), refused=(*elsewhere, here, other))
    kept(fleet, held, held)
    assert said(caplog) == [
        f"ERROR shard-refused shard=4: {here[1]}",
        f"ERROR shard-refused shard=5: {other[1]}",
        "INFO shards-leased shards=0-1,8 on-other-hosts=2",
    ]
