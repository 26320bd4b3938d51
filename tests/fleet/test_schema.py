"""The tables of a fleet: made once, brought up to date step by step, by whoever comes first."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from urllib.parse import urlsplit

import pytest
from procrastinate import App
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager

from janitor.errors import FleetError
from janitor.fleet import nights, schema
from janitor.fleet.database import Connection, connect
from janitor.fleet.outcomes import Awaited
from janitor.fleet.queue import app_of, enqueue
from janitor.fleet.tables import STEPS
from tests.fleet.postgres import Databases

NEW = "CREATE TABLE novelties (novelty text)"


def test_a_fleet_is_made_once_and_keeps_its_identity(databases: Databases) -> None:
    with connect(databases.empty()) as connection:
        made = schema.migrate(connection, 16)
        assert made.new
        assert made.steps == len(STEPS) + 1
        assert schema.migrate(connection, 16) == schema.Migrated(made.fleet, new=False, steps=0)
        assert schema.check(connection, 16) == made.fleet


def test_what_several_make_at_once_is_made_once(databases: Databases) -> None:
    url = databases.empty()

    def migrate(_number: int) -> schema.Migrated:
        with connect(url) as connection:
            return schema.migrate(connection, 16)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(migrate, range(4)))
    assert len({each.fleet for each in made}) == 1
    assert sum(each.new for each in made) == 1
    assert sum(each.steps for each in made) == len(STEPS) + 1


def test_a_further_step_is_made_and_asked_for(url: str) -> None:
    with connect(url) as connection:
        with pytest.raises(FleetError, match="earlier version: run `janitor fleet init`"):
            schema.check(connection, 16, (*STEPS, NEW))
        assert schema.migrate(connection, 16, (*STEPS, NEW)).steps == 1
        assert connection.rows("SELECT * FROM novelties") == []
        with pytest.raises(FleetError, match="newer version made its tables"):
            schema.check(connection, 16)
        with pytest.raises(FleetError, match="newer version made its tables"):
            schema.migrate(connection, 16)


def test_a_step_that_fails_leaves_nothing_behind(url: str) -> None:
    with connect(url) as connection:
        with pytest.raises(FleetError, match="division"):
            schema.migrate(connection, 16, (*STEPS, f"{NEW}; SELECT 1 / 0"))
        assert schema.migrate(connection, 16, (*STEPS, NEW)).steps == 1


def test_migrations_of_the_queue_are_applied_in_order(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in Path(SchemaManager.get_migrations_path()).glob("*.sql"):
        copyfile(file, tmp_path / file.name)
    (tmp_path / "98.00.00_01_pre_first.sql").write_text("CREATE TABLE novelties (novelty text)")
    (tmp_path / "98.00.00_50_post_second.sql").write_text("ALTER TABLE novelties ADD COLUMN cost int")
    with connect(url) as connection:
        schema.check(connection, 16)
        monkeypatch.setattr(SchemaManager, "get_migrations_path", lambda: str(tmp_path))
        with pytest.raises(FleetError, match="run `janitor fleet init`"):
            schema.check(connection, 16)
        assert schema.migrate(connection, 16).steps == 2
        assert connection.rows("SELECT novelty, cost FROM novelties") == []
        monkeypatch.undo()
        with pytest.raises(FleetError, match="newer version made its tables"):
            schema.check(connection, 16)


def test_the_number_of_shards_stays(url: str) -> None:
    with connect(url) as connection, pytest.raises(FleetError, match="this fleet has 16 shards"):
        schema.check(connection, 17)


def test_an_empty_database_is_no_fleet(databases: Databases) -> None:
    with connect(databases.empty()) as connection, pytest.raises(FleetError, match="no tables of a fleet: run"):
        schema.check(connection, 16)


GRANTS = """
GRANT USAGE ON SCHEMA janitor_fleet TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA janitor_fleet TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA janitor_fleet TO {role};
"""


def test_a_worker_needs_no_right_to_change_tables(
    url: str, connection: Connection, databases: Databases, role: str
) -> None:
    connection.run(GRANTS.format(role=role))
    night = date(2026, 3, 1)
    with connect(databases.server.url(urlsplit(url).path[1:], role)) as worker:
        schema.check(worker, 16)
        nights.begin(worker, night, datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=6))
        app = app_of(databases.server.url(urlsplit(url).path[1:], role), "a test")
        assert enqueue(worker, app, [Awaited("lab", 3, "d")], night).new == ("lab",)
        asyncio.run(_carried_out(app))
        with pytest.raises(FleetError, match="give this user the grants"):
            worker.run("CREATE TABLE janitor_fleet.novelties ()")


async def _carried_out(app: App) -> None:
    """A job, from when it is taken until it has ended."""
    async with app.open_async():
        job = await app.job_manager.fetch_job(["shard-003"], await app.job_manager.register_worker())
        assert job is not None
        await app.job_manager.finish_job(job, Status.SUCCEEDED, delete_job=True)


@pytest.fixture
def role(databases: Databases) -> Iterator[str]:
    """A role that may connect, with the password of the others."""
    password = str(urlsplit(databases.server.url()).password)
    with databases.server.administering() as administrator:
        administrator.execute(f"CREATE ROLE plain LOGIN PASSWORD '{password}'".encode())
    yield "plain"
    with databases.server.administering() as administrator:
        administrator.execute("ALTER ROLE plain NOLOGIN")  # it owns nothing, and its rights end with its database
