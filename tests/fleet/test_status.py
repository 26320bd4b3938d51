"""`fleet status`: the night, the queue, the workers, shards that nobody has, owners; quick where there are many."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from janitor.cli.fleet.standing import state_of
from janitor.core.units import in_ranges
from janitor.fleet import nights, outcomes
from janitor.fleet.database import Connection
from janitor.fleet.outcomes import Awaited, Ending
from janitor.fleet.queue import app_of, enqueue
from janitor.report.fleet.status import FleetState, FreeShard, OwnerState, status_json, status_page
from tests.conftest import Desk
from tests.fleet.fleets import Fleet
from tests.fleet.postgres import SHARDS

AT = datetime(2026, 6, 1, 3, tzinfo=UTC)
NIGHT = AT.date()
FREE = FreeShard(5, "w1", "host:/data", (), 0)


def text_of(state: FleetState, *, whole: bool = False, wide: bool = False) -> str:
    return "".join(status_page(state, UTC, whole=whole).plain(1000 if wide else 80))


def job_of(connection: Connection, account: str, *, silent: bool) -> None:
    """The job of an account is being carried out by a worker of Procrastinate's."""
    age = "1 minute" if silent else "0 minutes"
    worker = connection.row(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %(age)s::interval) RETURNING id", age=age
    )
    assert worker is not None
    connection.rows(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %(worker)s WHERE lock = %(account)s",
        worker=worker["id"],
        account=account,
    )


def worker_of(connection: Connection, name: str, shards: list[int], *, silent: bool = False) -> None:
    connection.rows(
        "INSERT INTO workers (worker, host, pid, state, serves, heartbeat_at) "
        "VALUES (%(name)s, 'host', 1, '/data', %(serves)s, now() - %(age)s::interval)",
        name=name,
        serves=shards,
        age="1 minute" if silent else "0 minutes",
    )
    connection.rows(
        "INSERT INTO shards (shard, worker, epoch, place, marker) "
        "SELECT unnest(%(shards)s::int[]), %(name)s, 1, 'host:/data', 'm'",
        shards=shards,
        name=name,
    )


@pytest.fixture
def night(url: str, connection: Connection) -> None:
    """Four accounts: one is done, one waits, one is being cleaned, and the worker of one has died."""
    nights.begin(connection, NIGHT, AT, timedelta(hours=6))
    every = [Awaited(name, shard, "d") for name, shard in (("lab", 0), ("shop", 1), ("web", 2), ("x\x1b[31m", 9))]
    enqueue(connection, app_of(url, "a test"), every, NIGHT)
    worker_of(connection, "alive", [0, 1])
    worker_of(connection, "dead", [2, 3], silent=True)
    connection.rows("INSERT INTO accounts (account, shard, epoch, worker) VALUES ('lab', 0, 4, 'alive')")
    outcomes.begin(connection, NIGHT, "lab", 4, "alive", AT)
    outcomes.finish(connection, NIGHT, "lab", 4, Ending(3, mode="dry-run"), AT)
    connection.rows("DELETE FROM procrastinate_jobs WHERE lock = 'lab'")
    job_of(connection, "shop", silent=False)
    job_of(connection, "web", silent=True)


@pytest.mark.usefixtures("night")
def test_a_fleet_is_shown_as_it_stands(connection: Connection) -> None:
    state = state_of(connection, SHARDS)
    assert state.night is not None
    assert state.night.states == {"queued": 3, "running": 0, "done": 1, "failed": 0, "applied": 0}
    assert (state.night.troubled, state.night.tried) == (1, 1)
    assert state.oldest is not None
    assert (state.oldest.account, state.queued) == ("x\x1b[31m", 1)
    assert [job.account for job in state.stalled] == ["web"]
    assert [(each.name, each.silent, each.shards) for each in state.workers] == [
        ("alive", False, (0, 1)),
        ("dead", True, (2, 3)),
    ]
    assert [shard.shard for shard in state.free] == list(range(2, SHARDS))
    assert state.free[0] == FreeShard(2, "dead", "host:/data", (), 0)
    text = text_of(state)
    assert "Night 2026-06-01, begun 2026-06-01 03:00 UTC, to be summed up by 2026-06-01 09:00 UTC" in " ".join(
        text.split()
    )
    assert "4 accounts: 3 queued, 0 running, 1 done, 0 failed, 1 of them a dry run, which deletes nothing" in " ".join(
        text.split()
    )
    assert "1 account did not end well: `janitor fleet report` says which" in text
    assert "the oldest is x\\x1b[31m, for " in text
    assert "\x1b" not in text
    assert "Workers: 1 living, 1 silent" in text
    assert "Shards: 16, 14 with no living worker" in text
    assert "shards 2-3: no living worker wants it and has its files" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    assert "lab: epoch 4, shard 0, alive" in text


@pytest.mark.usefixtures("night")
def test_a_worker_that_has_the_files_of_a_free_shard_is_named(connection: Connection) -> None:
    connection.rows("UPDATE workers SET serves = '{0,1,2}' WHERE worker = 'alive'")
    assert "a worker is about to have it: alive" in text_of(state_of(connection, SHARDS))
    connection.rows("UPDATE workers SET draining = true")
    assert "about to have it" not in text_of(state_of(connection, SHARDS))


@pytest.mark.usefixtures("night")
def test_files_that_are_no_longer_where_they_were_last_are_not_said_to_be_there(connection: Connection) -> None:
    assert "which were last in host:/data: start one there that wants it" in text_of(
        state_of(connection, SHARDS), wide=True
    )
    connection.rows("UPDATE workers SET refuses = '{2}' WHERE worker = 'alive'")
    state = state_of(connection, SHARDS)
    assert [(shard.shard, shard.refused_by) for shard in state.free[:2]] == [(2, ("alive",)), (3, ())]
    assert "last in host:/data, where alive does not find them" in text_of(state, wide=True)
    connection.rows("UPDATE workers SET host = 'elsewhere'")
    assert state_of(connection, SHARDS).free[0].refused_by == ()


@pytest.mark.usefixtures("night")
def test_who_is_drained_is_told_which_of_its_shards_wait(desk: Desk, url: str, connection: Connection) -> None:
    Fleet(desk.folder, url, connection).write({"name": "lab"})
    worker_of(connection, "beside", [7])
    connection.rows("UPDATE workers SET serves = '{1,7}' WHERE worker = 'beside'")
    done = desk.janitor("fleet", "drain", "alive")
    assert done.returncode == 0, done.stderr
    assert "others have the files of shard 1 and take over; shard 0: no other worker wants to have it" in done.stdout
    alone = desk.janitor("fleet", "drain", "beside").stdout
    assert "shard 7: no other worker" in alone
    assert "take over" not in alone


@pytest.mark.usefixtures("night")
def test_programs_are_told_everything(connection: Connection) -> None:
    told = json.loads("".join(status_json(state_of(connection, SHARDS))))
    assert told["night"]["accounts"] == {"queued": 3, "running": 0, "done": 1, "failed": 0, "applied": 0}
    assert [(each["account"], each["epoch"]) for each in told["owners"]] == [("lab", 4)]
    assert (told["queue"]["queued"], told["queue"]["stalled"][0]["account"]) == (1, "web")
    assert [(each["worker"], each["silent"]) for each in told["workers"]] == [("alive", False), ("dead", True)]
    assert (told["shards"], len(told["free_shards"])) == (SHARDS, 14)


def test_long_lists_are_cut_unless_all_is_asked_for(connection: Connection) -> None:
    owners = [OwnerState(f"account-{number:03}", 1, "w", 1, AT) for number in range(300)]
    free = [replace(FREE, shard=shard, place=f"host:/{shard}", queued=shard) for shard in range(0, 40, 2)]
    state = replace(state_of(connection, SHARDS), owners=owners, free=free)
    text = text_of(state)
    assert "No night yet" in text
    assert "and 290 more: --all lists them" in text
    assert "and 10 more: --all lists them" in text
    assert len(text.splitlines()) < 60
    assert text.index("shard 38 (38 accounts waiting)") < text.index("shard 36 (36 accounts waiting)")
    whole = text_of(state, whole=True)
    assert "more: --all" not in whole
    assert "account-299" in whole


def test_numbers_in_a_row_are_written_as_ranges() -> None:
    assert in_ranges([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"


def test_the_status_of_ten_thousand_accounts_takes_less_than_two_seconds(
    desk: Desk, url: str, connection: Connection
) -> None:
    Fleet(desk.folder, url, connection).write({"name": "lab"})
    nights.begin(connection, NIGHT, AT, timedelta(hours=6))
    every = [Awaited(f"account-{number:05}", number % SHARDS, "d") for number in range(10_000)]
    enqueue(connection, app_of(url, "a test"), every, NIGHT)
    connection.rows("INSERT INTO accounts (account, shard, epoch, worker) SELECT account, shard, 1, 'w' FROM outcomes")
    began = time.process_time()
    assert "10,000 accounts: 10,000 queued" in text_of(state_of(connection, SHARDS))
    assert time.process_time() - began < 2  # other processes make the machine slow, not this one
    shown = desk.janitor("fleet", "status")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "10,000 accounts: 10,000 queued, 0 running, 0 done, 0 failed" in shown.stdout
    assert "Owners: 10,000 accounts taken so far" in shown.stdout
    assert len(json.loads(desk.janitor("fleet", "status", "--format", "json").stdout)["owners"]) == 10_000
