"""Who has an account: only the last to take it may delete, and nobody whom PostgreSQL does not answer."""

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from janitor.core.memory import LastExemption
from janitor.errors import FleetError, Superseded
from janitor.fleet.database import Connection, connect
from janitor.fleet.ownership import Copy, Ownership, note_exemption, owners, take
from tests.factories import NOW
from tests.fleet.black_hole import Proxy
from tests.fleet.postgres import Databases, somebody_waits

SHARD = 7


def lease_to(connection: Connection, worker: str, shard: int = SHARD) -> None:
    connection.rows(
        "INSERT INTO shards (shard, worker) VALUES (%(shard)s, %(worker)s) "
        "ON CONFLICT (shard) DO UPDATE SET worker = excluded.worker",
        shard=shard,
        worker=worker,
    )


@pytest.fixture
def first(connection: Connection) -> Ownership:
    lease_to(connection, "first")
    return take(connection, "lab", SHARD, "first")


def taken_by_another(other: Connection) -> Ownership:
    lease_to(other, "second")
    return take(other, "lab", SHARD, "second")


def test_each_taking_is_an_epoch_of_its_account(connection: Connection, first: Ownership) -> None:
    assert (first.epoch, first.recorded) == (1, 0)
    assert take(connection, "lab", SHARD, "first").epoch == 2
    assert take(connection, "shop", SHARD, "first").epoch == 1


def test_the_last_to_take_an_account_has_it(first: Ownership, other: Connection) -> None:
    first.confirm()
    second = taken_by_another(other)
    with pytest.raises(Superseded, match="account lab: second took it in epoch 2, so that nothing follows of epoch 1"):
        first.confirm()
    second.confirm()


def test_who_takes_an_account_again_ends_its_own_earlier_hold(connection: Connection, first: Ownership) -> None:
    again = take(connection, "lab", SHARD, "first")
    with pytest.raises(Superseded):
        first.confirm()
    again.confirm()


def test_an_account_is_nobodys_once_its_shard_is_anothers(first: Ownership, other: Connection) -> None:
    lease_to(other, "second")
    with pytest.raises(Superseded, match="shard 7 is that of second now"):
        first.confirm()


def test_an_account_is_taken_by_the_holder_of_its_shard_alone(connection: Connection, first: Ownership) -> None:
    with pytest.raises(Superseded, match="shard 7 is that of first, so that second does not begin it"):
        take(connection, "lab", SHARD, "second")
    with pytest.raises(Superseded, match="shard 8 is nobody's"):
        take(connection, "shop", 8, "first")
    first.confirm()
    lease_to(connection, "first", 8)
    with pytest.raises(FleetError, match="account lab: it belongs to shard 7, and not to 8"):
        take(connection, "lab", 8, "first")


def test_an_account_is_not_taken_while_its_shard_changes_hands(
    connection: Connection, other: Connection, first: Ownership
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with other.together():
            lease_to(other, "second")
            taking = pool.submit(take, connection, "lab", SHARD, "first")
            assert somebody_waits(other, unless=taking.done)
        assert isinstance(taking.exception(), Superseded)
    take(other, "lab", SHARD, "second").confirm()


def test_what_failed_once_fails_for_good(first: Ownership, other: Connection, connection: Connection) -> None:
    lease_to(other, "second")
    with pytest.raises(Superseded):
        first.confirm()
    lease_to(other, "first")
    with pytest.raises(Superseded):
        first.confirm()
    take(connection, "lab", SHARD, "first").confirm()


def test_many_threads_confirm_at_once(first: Ownership) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda _: first.confirm(), range(200))) == [None] * 200


def test_a_black_hole_ends_it_within_two_seconds_and_for_good(
    first: Ownership, url: str, databases: Databases, proxy: Proxy
) -> None:
    with connect(databases.server.url(urlsplit(url).path[1:], port=proxy.port)) as connection:
        taken = take(connection, "lab", SHARD, "first")
        taken.confirm()
        proxy.stop_answering()
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            failed = [done.exception() for done in [pool.submit(taken.confirm) for _ in range(8)]]
        assert time.monotonic() - began < 4  # two seconds, and what a busy machine adds
        assert {type(error) for error in failed} == {FleetError}
        proxy.answer()
        began = time.monotonic()
        with pytest.raises(FleetError, match="no answer"):
            taken.confirm()
        assert time.monotonic() - began < 0.5


def test_an_answer_that_came_too_late_confirms_nothing(first: Ownership, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 2.5])
    monkeypatch.setattr("janitor.fleet.ownership.monotonic", lambda: next(times))
    with pytest.raises(FleetError, match="too late"):
        first.confirm()
    with pytest.raises(FleetError, match="too late"):
        first.confirm()


def test_a_restart_of_postgresql_ends_it(first: Ownership, connection: Connection, url: str) -> None:
    with connect(url) as killing:
        killing.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with pytest.raises(FleetError) as raised:
            first.confirm()
        assert type(raised.value) is FleetError
        taken = take(killing, "lab", SHARD, "first")
        taken.confirm()
        assert taken.epoch == 2


def test_an_account_that_postgresql_does_not_know_any_more_is_not_ours(first: Ownership, other: Connection) -> None:
    other.rows("DELETE FROM accounts")
    with pytest.raises(FleetError, match="no longer knows it"):
        first.confirm()


def test_what_is_in_the_database_of_the_account_is_recorded(connection: Connection, first: Ownership) -> None:
    first.record(None)
    again = take(connection, "lab", SHARD, "first")
    assert (again.epoch, again.recorded) == (2, 1)


def test_the_latest_run_of_an_account_is_known(connection: Connection, first: Ownership) -> None:
    assert first.last_run == 0
    first.note_run(12)
    first.note_run(11)
    assert take(connection, "lab", SHARD, "first").last_run == 12


def test_an_older_copy_in_which_images_are_kept_stays_an_older_copy(connection: Connection, first: Ownership) -> None:
    lost, own = LastExemption(1, NOW), LastExemption(2, NOW)
    note_exemption(connection, "lab", lost, lambda _known: True)
    note_exemption(connection, "lab", own, lambda _known: False)
    assert take(connection, "lab", SHARD, "first").last_exemption == lost
    note_exemption(connection, "lab", own, lambda _known: True)
    note_exemption(connection, "lab", lost, lambda _known: True)
    assert take(connection, "lab", SHARD, "first").last_exemption == own, "the last one is kept, in whatever order"


def test_who_was_superseded_records_nothing(first: Ownership, other: Connection) -> None:
    second = taken_by_another(other)
    with pytest.raises(Superseded):
        first.record(None)
    with pytest.raises(Superseded):
        first.raise_above(9)
    with pytest.raises(Superseded):
        first.note_run(3)
    second.confirm()
    again = take(other, "lab", SHARD, "second")
    assert (again.recorded, again.last_run) == (0, 0)


@pytest.mark.parametrize(
    ("recorded", "found", "shows"),
    [
        pytest.param(0, None, Copy.CURRENT, id="none-of-a-new-account"),
        pytest.param(0, 0, Copy.CURRENT, id="one-from-before-the-fleet"),
        pytest.param(4, 4, Copy.CURRENT, id="as-recorded"),
        pytest.param(4, 5, Copy.CURRENT, id="written-and-not-recorded"),
        pytest.param(4, 3, Copy.OLDER, id="restored-or-mounted-twice"),
        pytest.param(4, 0, Copy.OLDER, id="begun-anew"),
        pytest.param(4, None, Copy.MISSING, id="missing"),
        pytest.param(4, 6, Copy.AHEAD, id="the-epoch-just-taken"),
        pytest.param(0, 9, Copy.AHEAD, id="postgresql-restored"),
    ],
)
def test_the_epoch_in_a_database_shows_what_it_is(
    connection: Connection, first: Ownership, recorded: int, found: int | None, shows: Copy
) -> None:
    connection.rows("UPDATE accounts SET epoch = 5, recorded_epoch = %(recorded)s", recorded=recorded)
    assert take(connection, "lab", SHARD, "first").judge(found) is shows


def test_an_epoch_counts_on_above_that_of_a_newer_database(connection: Connection, first: Ownership) -> None:
    first.raise_above(9)
    assert first.epoch == 10
    first.confirm()
    first.record(None)
    assert take(connection, "lab", SHARD, "first").epoch == 11


def test_an_epoch_never_counts_back(connection: Connection, first: Ownership) -> None:
    again = take(connection, "lab", SHARD, "first")
    with pytest.raises(FleetError, match="was not changed"):
        again.raise_above(1)
    assert again.epoch == 2


def test_owners_are_listed(connection: Connection, first: Ownership) -> None:
    take(connection, "ant", SHARD, "first")
    assert [(owner.account, owner.shard, owner.worker, owner.epoch) for owner in owners(connection)] == [
        ("ant", 7, "first", 1),
        ("lab", 7, "first", 1),
    ]
