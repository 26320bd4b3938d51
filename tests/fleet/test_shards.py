"""Leases of shards: one worker each, for as long as it is heard, and only where the shard's files are."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from janitor.config.fleet import Fleet
from janitor.errors import FleetError
from janitor.fleet import schema
from janitor.fleet.database import Connection
from janitor.fleet.leases.shards import Leases, Worker, ask_to_drain, forget_dead, leases, workers
from tests.fleet.postgres import SHARDS

NEVER = timedelta(days=1)


def fleet_in(state: Path) -> Fleet:
    return Fleet("", state, SHARDS, state, None, timedelta(hours=6), 3, None, False)


class Hosts:
    """Workers on hosts, each of which has a folder of shards."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.connection = connection
        self.folder = folder
        self.identity = schema.check(connection, SHARDS)

    def worker(
        self, name: str, wanted: Iterable[int] = range(4), host: str = "one", lapse: timedelta = NEVER
    ) -> Leases:
        fleet = fleet_in(self.folder / host)
        return Leases(self.connection, fleet, self.identity, Worker(name, host, 123), wanted, lapse)

    def shard(self, number: int, host: str = "one") -> Path:
        return self.folder / host / f"shard-{number:03}"


@pytest.fixture
def hosts(connection: Connection, tmp_path: Path) -> Hosts:
    return Hosts(connection, tmp_path)


def test_a_first_lease_makes_folder_and_marker(hosts: Hosts) -> None:
    held = hosts.worker("a").renew()
    assert held.shards == {0, 1, 2, 3}
    assert not held.surplus
    assert [(hosts.shard(number) / "shard.json").stat().st_mode & 0o777 for number in range(4)] == [0o600] * 4
    assert [(lease.shard, lease.worker, lease.epoch, lease.place) for lease in leases(hosts.connection)] == [
        (number, "a", 1, f"one:{hosts.folder / 'one'}") for number in range(4)
    ]


def test_no_shard_is_leased_twice(hosts: Hosts) -> None:
    first, second = hosts.worker("a"), hosts.worker("b")
    first.renew()
    assert second.renew().shards == frozenset()
    handed = first.renew()
    assert handed.shards == {0, 1, 2, 3}
    assert handed.surplus == {2, 3}
    first.release(handed.surplus)
    assert second.renew().shards == {2, 3}
    assert first.renew().shards == {0, 1}
    assert not first.renew().lost


def test_the_shards_of_a_worker_that_is_heard_no_longer_are_anothers(hosts: Hosts) -> None:
    first = hosts.worker("a")
    first.renew()
    hosts.connection.rows("UPDATE workers SET heartbeat_at = now() - interval '30 s' WHERE worker = 'a'")
    second = hosts.worker("b", lapse=timedelta(seconds=20))
    assert second.renew().shards == {0, 1, 2, 3}
    came_back = first.renew()
    assert came_back.lost == {0, 1, 2, 3}
    assert came_back.shards == frozenset()
    assert {lease.epoch for lease in leases(hosts.connection)} == {2}


def test_a_worker_that_comes_back_before_anybody_leased_its_shards_has_them(hosts: Hosts) -> None:
    first = hosts.worker("a")
    first.renew()
    hosts.connection.rows("UPDATE workers SET heartbeat_at = now() - interval '2 d'")
    forget_dead(hosts.connection)
    assert workers(hosts.connection) == []
    held = first.renew()
    assert held.shards == {0, 1, 2, 3}
    assert not held.lost
    assert {lease.epoch for lease in leases(hosts.connection)} <= {1, 2}


def test_only_the_host_with_the_files_of_a_shard_has_it(hosts: Hosts) -> None:
    hosts.worker("a").renew()
    hosts.worker("a").end()
    elsewhere = hosts.worker("b", host="two")
    held = elsewhere.renew()
    assert held.shards == frozenset()
    assert [number for number, _why in held.refused] == [0, 1, 2, 3]
    here, there = hosts.shard(0, "two"), hosts.folder / "one"
    assert held.refused[0][1] == f"its files are not in {here}; the last to have it had them in one:{there}"
    hosts.shard(0, "two").parent.mkdir(exist_ok=True)
    hosts.shard(0).rename(hosts.shard(0, "two"))
    assert elsewhere.renew().shards == {0}
    assert hosts.worker("a").renew().shards == {1, 2, 3}


def test_what_is_lost_while_it_is_held_is_handed_over(hosts: Hosts) -> None:
    worker = hosts.worker("a")
    worker.renew()
    rmtree(hosts.shard(2))
    held = worker.renew()
    assert held.shards == {0, 1, 2, 3}
    assert held.surplus == {2}
    worker.release(held.surplus)
    assert worker.renew().shards == {0, 1, 3}


def test_files_of_another_shard_or_fleet_are_refused(hosts: Hosts, other: Connection) -> None:
    hosts.worker("a").renew()
    hosts.worker("a").end()
    rmtree(hosts.shard(0))
    copytree(hosts.shard(1), hosts.shard(0))
    hosts.shard(2).joinpath("shard.json").write_text("{}")
    other.rows("UPDATE shards SET marker = 'another' WHERE shard = 3")
    held = hosts.worker("a").renew()
    assert held.shards == {1}
    refused = dict(held.refused)
    assert "these are files of shard 1; the last" in refused[0]
    assert "it is not a marker of a shard" in refused[2]
    assert "these are not the files that the fleet knows" in refused[3]
    other.rows("UPDATE meta SET value = 'another' WHERE key = 'fleet'")
    hosts.identity = "another"
    assert "these are files of shard 1 of another fleet" in dict(hosts.worker("a").renew().refused)[1]


def test_a_marker_that_was_made_and_not_noted_is_that_of_the_first_lease(hosts: Hosts) -> None:
    hosts.worker("a").renew()
    hosts.worker("a").end()
    before = hosts.shard(0).joinpath("shard.json").read_text()
    hosts.connection.rows("UPDATE shards SET marker = NULL")
    assert hosts.worker("a").renew().shards == {0, 1, 2, 3}
    assert hosts.shard(0).joinpath("shard.json").read_text() == before


def test_files_of_another_shard_do_not_begin_one(hosts: Hosts) -> None:
    hosts.worker("a", [1]).renew()
    copytree(hosts.shard(1), hosts.shard(0))
    held = hosts.worker("b", [0]).renew()
    assert held.shards == frozenset()
    assert "shard.json: these are files of shard 1" in dict(held.refused)[0]


def test_a_folder_that_cannot_be_made_is_no_lease(hosts: Hosts) -> None:
    hosts.folder.joinpath("one").mkdir()
    hosts.shard(1).write_text("a file")
    worker = hosts.worker("a")
    held = worker.renew()
    assert held.shards == {0, 2, 3}
    assert "the shard's folder cannot be made" in dict(held.refused)[1]
    assert worker.renew().refused == held.refused


def test_a_worker_that_drains_hands_everything_over(hosts: Hosts) -> None:
    first, second = hosts.worker("a"), hosts.worker("b")
    first.renew()
    assert ask_to_drain(hosts.connection, "a")
    assert not ask_to_drain(hosts.connection, "nobody")
    held = first.renew()
    assert held.draining
    assert held.surplus == held.shards == {0, 1, 2, 3}
    first.release(held.surplus)
    assert second.renew().shards == {0, 1, 2, 3}
    assert first.renew().shards == frozenset()


def test_what_a_worker_wants_and_has_not_the_files_of_is_known_to_others(hosts: Hosts) -> None:
    first = hosts.worker("a", range(2))
    first.renew()
    (hosts.shard(1) / "shard.json").unlink()
    first.renew()
    [found] = workers(hosts.connection)
    assert (found.serves, found.refuses) == ((0,), (1,))


def test_who_ends_is_forgotten_and_its_shards_are_free(hosts: Hosts) -> None:
    first = hosts.worker("a")
    first.renew()
    first.end()
    assert workers(hosts.connection) == []
    assert hosts.worker("b").renew().shards == {0, 1, 2, 3}


def test_workers_are_listed(hosts: Hosts) -> None:
    hosts.worker("a", range(2)).renew()
    hosts.worker("b", range(2, 4)).renew()
    hosts.connection.rows("UPDATE workers SET heartbeat_at = now() - interval '31 s' WHERE worker = 'b'")
    assert [(each.name, each.host, each.pid, each.shards, each.silent) for each in workers(hosts.connection)] == [
        ("a", "one", 123, (0, 1), False),
        ("b", "one", 123, (2, 3), True),
    ]


def test_no_lease_without_postgresql(hosts: Hosts) -> None:
    hosts.connection.close()
    with pytest.raises(FleetError):
        hosts.worker("a").renew()
