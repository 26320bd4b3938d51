"""A shard whose files are lost is begun anew, and nothing is deleted by what nobody remembers; connections end."""

import shutil
import threading
import uuid
from dataclasses import replace

import pytest

from janitor.cli.fleet.context import Connections
from janitor.errors import Exit, FleetError
from janitor.fleet.database import Connection
from janitor.fleet.leases.shards import forget
from janitor.fleet.outcomes import State
from janitor.sandbox.server import Sandbox
from tests.conftest import Desk
from tests.fleet.fleets import WORKER, Fleet, deletes, target_of


def test_a_shard_that_was_lost_is_begun_anew_and_deletes_nothing_at_first(
    desk: Desk, url: str, connection: Connection, sandbox: Sandbox
) -> None:
    fleet = Fleet(desk.folder, url, connection)
    fleet.write(target_of(sandbox, "lab"))
    fleet.lease_all()
    there = sandbox.account.images
    night = fleet.begin().night
    fleet.clean("lab", night)
    before = deletes(sandbox)
    sandbox.account.put_image(replace(there[before[0]], id=str(uuid.uuid4())))  # another that expired
    database = fleet.settings_of("lab").database
    shard = int(database.parent.name.removeprefix("shard-"))
    shutil.rmtree(database.parent)
    connection.rows("UPDATE shards SET marker = 'lost', worker = NULL")
    assert desk.janitor("fleet", "forget", "--shard", str(shard)).returncode == 2  # there is nobody to ask
    done = desk.janitor("fleet", "forget", "--shard", str(shard), "--yes")
    assert (done.returncode, done.stdout) == (
        0,
        f"shard {shard} begins with new files at the next worker; the next run of 1 account deletes nothing\n",
    )
    fleet.lease_all()
    fleet.begin()
    assert fleet.clean("lab", night) is None
    outcome = fleet.outcome("lab", night)
    assert (outcome.state, outcome.exit_code, deletes(sandbox)) == (State.DONE, Exit.LIMIT, before)
    for _ in range(2):
        fleet.begin()
        fleet.clean("lab", night)
    assert len(deletes(sandbox)) == len(before) + 1


def test_a_shard_that_a_living_worker_has_is_not_given_up(connection: Connection) -> None:
    connection.rows("INSERT INTO workers (worker, host, pid, state) VALUES (%(name)s, 'one', 1, '/')", name=WORKER)
    connection.rows("INSERT INTO shards (shard, worker, marker) VALUES (3, %(name)s, 'a')", name=WORKER)
    with pytest.raises(FleetError, match="first has it and its files: stop that worker first"):
        forget(connection, 3)
    connection.rows("UPDATE workers SET heartbeat_at = now() - interval '1 hour'")
    assert forget(connection, 3) == 0
    with pytest.raises(FleetError, match="nobody ever had it"):
        forget(connection, 3)


def test_connections_of_threads_that_ended_are_closed(url: str) -> None:
    made: list[Connection] = []
    connections = Connections(url, "a test")

    def ask() -> None:
        with connections.one() as connection:
            made.append(connection)

    for _ in range(3):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert [connection.closed for connection in made] == [True, True, False]
    connections.close()
    assert made[-1].closed
