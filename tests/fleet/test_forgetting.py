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
    connection.rows("UPDATE shards SET marker = 'lost', place = 'one:/data/shards', worker = NULL")
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


@pytest.mark.parametrize(
    ("shard", "code", "said"),
    [
        pytest.param("99", 2, "--shard: there is no shard 99: they are 0 to 15", id="beyond"),
        pytest.param("shard-007", 2, "'shard-007' is no number of a shard: write 7", id="its-folder"),
        pytest.param("x", 2, "'x' is no number of a shard, like 7", id="no-number"),
        pytest.param("5", 1, "shard 5: nobody ever had it", id="never-had"),
        pytest.param("3", 1, "shard 3: first has it and its files: stop that worker first", id="had-now"),
    ],
)
def test_it_warns_and_asks_only_where_it_would_do_it(
    desk: Desk, url: str, connection: Connection, sandbox: Sandbox, shard: str, code: int, said: str
) -> None:
    Fleet(desk.folder, url, connection).write(target_of(sandbox, "lab"))
    connection.rows("INSERT INTO workers (worker, host, pid, state) VALUES (%(name)s, 'one', 1, '/')", name=WORKER)
    connection.rows("INSERT INTO shards (shard, worker, marker, place) VALUES (3, %(name)s, 'a', 'b')", name=WORKER)
    done = desk.janitor("fleet", "forget", "--shard", shard, "--yes")
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "lost for good" not in done.stderr


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
