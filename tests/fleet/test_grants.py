"""The roles and grants of docs/fleet.md: enough for all that a worker does, and for no more."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from procrastinate import App
from procrastinate.jobs import Job, Status

from janitor.errors import FleetError
from janitor.fleet import nights, outputs, probing, reservations, schema
from janitor.fleet.database import Connection, connect
from janitor.fleet.jobs import OwnJobs
from janitor.fleet.leases import shards
from janitor.fleet.outcomes import State, outcomes
from janitor.fleet.pace import take_turn
from janitor.fleet.queue import app_of, enqueue_answer
from janitor.fleet.tables import STEPS
from janitor.sandbox.server import Sandbox
from tests.conftest import Desk
from tests.documentation import blocks, document
from tests.fleet.fleets import Fleet, deletes, target_of
from tests.fleet.postgres import SHARDS, Databases
from tests.fleet.test_working import until_done

NIGHT, NOW = date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)
ROLES, GRANTS = blocks("plpgsql", document("docs/fleet.md"))
OWNER, WORKER, DATABASE = "janitor_owner", "janitor_worker", "janitor"


@pytest.fixture(scope="module")
def prepared(databases: Databases) -> Iterator[Databases]:
    """The roles and the database as the page makes them; both roles have the password that the server's others have."""
    server = databases.server
    with server.administering() as administrator:
        for statement in filter(str.strip, ROLES.split(";")):
            administrator.execute(statement.encode())
        for role in (OWNER, WORKER):
            password = psycopg.conninfo.conninfo_to_dict(server.url())["password"]
            administrator.execute(f"ALTER ROLE {role} PASSWORD '{password}'".encode())
    with connect(server.url(DATABASE, OWNER)) as owner:
        assert schema.migrate(owner, SHARDS).new
        for _ in range(2):  # as after every upgrade
            owner.run(GRANTS)
    yield databases
    with server.administering() as administrator:
        administrator.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


@pytest.fixture
def address(prepared: Databases) -> str:
    return prepared.server.url(DATABASE, WORKER)


@pytest.fixture
def worker(address: str) -> Iterator[Connection]:
    with connect(address) as connection:
        yield connection


def test_a_night_is_queued_and_worked_off_by_a_worker_with_these_grants(
    desk: Desk, sandbox: Sandbox, address: str, worker: Connection
) -> None:
    Fleet(desk.folder, address, worker).write(target_of(sandbox, "lab"))
    assert desk.janitor("fleet", "enqueue").returncode == 0
    with desk.started("fleet", "work") as working:
        until_done(worker)
        [found] = shards.workers(worker)
        assert desk.janitor("fleet", "drain", found.name).returncode == 0
        working.send_signal(signal.SIGTERM)
        _, errors = working.communicate(20)
        assert working.returncode == 0, errors
    assert deletes(sandbox)
    [night] = worker.rows("SELECT max(night) AS night FROM nights")
    assert [each.state for each in outcomes(worker, night["night"])] == [State.DONE]


def test_they_are_enough_for_nights_answers_and_limits(worker: Connection, address: str) -> None:
    nights.begin(worker, NIGHT, NOW, timedelta(hours=6))
    assert reservations.reserve(worker, NIGHT, "lab", 1, 5, 10) is None
    assert reservations.give_back(worker, NIGHT, "lab", 1, 2)
    reservations.settle(worker, NIGHT, "lab", 2, 1)
    assert nights.claim(worker, NIGHT, "one", NOW)
    assert nights.summed_up(worker, NIGHT, "one", NOW)
    assert nights.forget(worker, NOW + timedelta(days=500)) == 1
    identity = outputs.ask(worker, "lab", ["images"], "kim@desk", "d")
    app = app_of(address, "a test")
    enqueue_answer(worker, app, "lab", 3, identity)
    outputs.answer(worker, identity, "none", "", 0)
    outputs.forget(worker)
    shards.forget_dead(worker)
    take_turn(worker, "a sender")
    asyncio.run(_all_that_the_queue_does(app))


async def _all_that_the_queue_does(app: App) -> None:
    """Periodic jobs are noted once; jobs are taken, handed back, looked for and ended; workers come and go."""
    jobs = app.job_manager
    periodic = Job(id=None, queue="other", lock=None, queueing_lock=None, task_name="any", task_kwargs={"timestamp": 1})
    async with app.open_async():
        await jobs.defer_periodic_job(periodic, periodic_id="nightly", defer_timestamp=1)
        number = await jobs.register_worker()
        await jobs.update_heartbeat(number)
        job = await jobs.fetch_job(["other"], number)
        assert job is not None
        assert list(await jobs.get_stalled_jobs(seconds_since_heartbeat=30)) == []
        assert isinstance(jobs, OwnJobs)
        assert await jobs.free_forgotten(number, []) == []
        await jobs.retry_job(job)
        again = await jobs.fetch_job(["other"], number)
        assert again is not None
        await jobs.finish_job(again, Status.SUCCEEDED, delete_job=True)
        await jobs.unregister_worker(number)
        await jobs.prune_stalled_workers(30)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("CREATE TABLE novelties ()", id="make-a-table"),
        pytest.param("CREATE SCHEMA novelties", id="make-a-schema"),
        pytest.param("ALTER TABLE accounts ADD COLUMN novelty text", id="change-a-table"),
        pytest.param("DROP TABLE outcomes", id="drop-a-table"),
        pytest.param("TRUNCATE outcomes", id="empty-a-table"),
        pytest.param("UPDATE meta SET value = '1'", id="change-what-the-fleet-is"),
        pytest.param("DELETE FROM accounts", id="forget-epochs"),
        pytest.param("DELETE FROM outcomes", id="forget-outcomes"),
        pytest.param("DELETE FROM shards", id="forget-shards"),
        pytest.param("CREATE TEMPORARY TABLE novelties ()", id="make-a-temporary-table"),
        pytest.param("SET ROLE janitor_owner", id="become-the-owner"),
    ],
)
def test_a_worker_can_do_no_more(worker: Connection, statement: str) -> None:
    with pytest.raises(FleetError, match=r"permission denied|must be owner"):
        worker.run(statement)


def test_a_worker_that_is_to_make_tables_is_told_what_it_lacks(worker: Connection) -> None:
    later = (*STEPS, "CREATE TABLE novelties ()")
    with pytest.raises(FleetError, match="its tables are those of an earlier version: run `janitor fleet init`"):
        schema.check(worker, SHARDS, later)
    with pytest.raises(FleetError, match="may not make the tables: `janitor fleet init` needs the URL of"):
        schema.migrate(worker, SHARDS, later)


def test_a_worker_without_a_grant_is_told_where_they_are(worker: Connection, address: str, prepared: Databases) -> None:
    assert probing.probe(address, SHARDS).endswith("its tables are those of this version, and its user may work")
    with connect(prepared.server.url(DATABASE, OWNER)) as owner:
        owner.rows("REVOKE UPDATE ON janitor_fleet.nights FROM janitor_worker")
        try:
            with pytest.raises(FleetError, match=r"give this user the grants of docs/fleet\.md"):
                worker.rows("UPDATE nights SET claimed_by = NULL")
            with pytest.raises(FleetError, match="its user janitor_worker lacks UPDATE on nights: give it the grants"):
                probing.probe(address, SHARDS)
            owner.rows("GRANT UPDATE ON janitor_fleet.nights TO janitor_worker")
            owner.rows("REVOKE USAGE ON SEQUENCE janitor_fleet.procrastinate_jobs_id_seq FROM janitor_worker")
            with pytest.raises(FleetError, match="lacks USAGE on procrastinate_jobs_id_seq: give it the grants"):
                probing.probe(address, SHARDS)
        finally:
            owner.rows("GRANT UPDATE ON janitor_fleet.nights TO janitor_worker")
            owner.rows("GRANT USAGE ON ALL SEQUENCES IN SCHEMA janitor_fleet TO janitor_worker")


def test_nobody_else_may_connect_and_no_role_is_a_superuser(prepared: Databases) -> None:
    with pytest.raises(FleetError, match="permission denied for database"), connect(prepared.server.url(DATABASE)):
        pass
    with prepared.server.administering() as administrator:
        found = administrator.execute(
            "SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s) "
            "AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)",
            (OWNER, WORKER),
        ).fetchall()
    assert sorted(found) == [(OWNER,), (WORKER,)]
