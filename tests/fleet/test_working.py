"""The commands of a fleet as people type them: tables made, accounts queued, a worker that ends when it is told to."""

import json
import signal
import threading
from pathlib import Path

import pytest

from janitor.fleet.database import Connection, connect
from janitor.fleet.leases.shards import workers
from janitor.fleet.outcomes import State, outcomes
from janitor.sandbox.server import Sandbox
from tests.conftest import POLICY, Desk
from tests.fleet.fleets import Fleet, deletes, target_of
from tests.fleet.postgres import SHARDS, Databases

_LOOKS = 400


@pytest.fixture
def empty(databases: Databases) -> str:
    return databases.empty()


@pytest.fixture
def fleet(desk: Desk, empty: str, sandbox: Sandbox) -> Fleet:
    with connect(empty) as look:
        made = Fleet(desk.folder, empty, look)
        made.write(target_of(sandbox, "lab"))
    return made


def until_done(connection: Connection) -> None:
    """Wait until every account is done."""
    for _ in range(_LOOKS):
        [night] = connection.rows("SELECT max(night) AS night FROM nights")
        if all(each.state is State.DONE for each in outcomes(connection, night["night"])):
            return
        threading.Event().wait(0.05)
    raise AssertionError("the account was not cleaned")


def test_a_fleet_from_its_first_command_to_the_end_of_a_worker(
    desk: Desk, fleet: Fleet, sandbox: Sandbox, empty: str
) -> None:
    early = desk.janitor("fleet", "enqueue")
    assert early.returncode == 1
    assert "it has no tables of a fleet: run `janitor fleet init`" in early.stderr
    assert json.loads(desk.janitor("fleet", "init", "--format", "json").stdout)["new"] is True
    assert "is ready; fleet " in desk.janitor("fleet", "init").stdout
    queued = desk.janitor("fleet", "enqueue")
    assert "1 account queued; it is summed up by " in queued.stdout
    again = json.loads(desk.janitor("fleet", "enqueue", "--target", "l*", "--format", "json").stdout)
    assert (again["queued"], again["already"]) == ([], ["lab"])
    none = desk.janitor("fleet", "enqueue", "--target", "shop")
    assert (none.returncode, none.stderr.strip()) == (2, "janitor: no account has a name like shop")
    with connect(empty) as connection, desk.started("fleet", "work", "--shards", f"0-{SHARDS - 1}") as worker:
        until_done(connection)
        [working] = workers(connection)
        assert working.shards == tuple(range(SHARDS))
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(10)
        assert (worker.returncode, workers(connection)) == (0, []), errors
    assert deletes(sandbox)


def test_a_drained_worker_ends_by_itself(desk: Desk, fleet: Fleet, empty: str) -> None:
    desk.janitor("fleet", "init")
    with connect(empty) as connection, desk.started("fleet", "work") as worker:
        for _ in range(_LOOKS):
            if found := workers(connection):
                break
            threading.Event().wait(0.05)
        assert desk.janitor("fleet", "drain", found[0].name).returncode == 0
        _, errors = worker.communicate(30)
        assert worker.returncode == 0, errors
        assert "worker-drained" in errors


def test_a_worker_that_is_not_there_cannot_be_drained(desk: Desk, fleet: Fleet) -> None:
    desk.janitor("fleet", "init")
    done = desk.janitor("fleet", "drain", "nobody")
    assert (done.returncode, done.stderr.strip()) == (
        2,
        "janitor: there is no worker nobody: `janitor fleet status` lists them",
    )


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        pytest.param("accounts.yaml", "- {name: lab, api: tost}", "tost", id="account"),
        pytest.param("policies.yaml", "policies: [{}]", "policies.yaml", id="policy"),
    ],
)
def test_nothing_is_queued_where_what_is_written_is_wrong(
    desk: Desk, fleet: Fleet, empty: str, file: str, text: str, said: str
) -> None:
    for words in ("init", "enqueue"):
        assert desk.janitor("fleet", words).returncode == 0
    (desk.folder / file).write_text(text)
    done = desk.janitor("fleet", "enqueue")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    with connect(empty) as look:
        [night] = look.rows("SELECT max(night) AS night FROM nights")
        [lab] = outcomes(look, night["night"])
    assert lab.state is State.QUEUED
    account = "{name: lab, api: openstack, identity: 'http://x.example/v2.0', tenant_id: a, username: b, region: r"
    (desk.folder / "accounts.yaml").write_text(f"- {account}, password: '${{UNSET}}'}}")
    (desk.folder / "policies.yaml").write_text(POLICY)
    done = desk.janitor("fleet", "enqueue")
    assert done.returncode == 0, f"secrets are for the workers: {done.stderr}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param("16", "there is no shard 16: they are 0 to 15", id="beyond"),
        pytest.param("a", "are no shards: write numbers like 0-15 or 0-3,8", id="no-number"),
        pytest.param("3-1", "ends before it begins", id="backwards"),
    ],
)
def test_shards_that_there_cannot_be(desk: Desk, fleet: Fleet, words: str, said: str) -> None:
    done = desk.janitor("fleet", "work", "--shards", words)
    assert done.returncode == 2
    assert said in done.stderr


def test_without_a_fleet_these_commands_say_so(desk: Desk, sandbox: Sandbox) -> None:
    Path(desk.folder / "janitor.yaml").write_text(sandbox.configuration(), encoding="utf-8")
    for command in ("init", "enqueue", "work"):
        done = desk.janitor("fleet", command)
        assert (done.returncode, "has no key `fleet`" in done.stderr) == (2, True), done.stderr
