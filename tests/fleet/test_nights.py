"""Nights and their outcomes: begun once, summed up once, and not overwritten by who was superseded."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from janitor.errors import FleetError, Superseded
from janitor.fleet import nights, outcomes, reservations
from janitor.fleet.database import Connection
from janitor.fleet.outcomes import Awaited, Ending, State
from tests.fleet.postgres import somebody_waits

NIGHT = date(2026, 3, 1)
AT = datetime(2026, 3, 1, 2, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
DELETED = Ending(
    0,
    {"deleted": 3},
    bytes=2**40,
    money=Decimal("12.50"),
    currency="USD",
    said="3 deleted",
    report='{"b": 1, "a": "\\u0000"}',
)


@pytest.fixture
def night(connection: Connection) -> date:
    nights.begin(connection, NIGHT, AT, timedelta(hours=6))
    outcomes.expect(connection, NIGHT, [Awaited("lab", 7, "d1"), Awaited("Shop", 3, "d2"), Awaited("가게", 3, "d3")])
    return NIGHT


def begun(connection: Connection, epoch: int = 1, account: str = "lab") -> int:
    return outcomes.begin(connection, NIGHT, account, epoch, f"worker-{epoch}", AT)


def of_lab(connection: Connection, *names: str) -> tuple[Any, ...]:
    found = next(outcome for outcome in outcomes.outcomes(connection, NIGHT) if outcome.account == "lab")
    return tuple(getattr(found, name) for name in names)


def test_a_night_is_begun_once(connection: Connection, night: date) -> None:
    again = nights.begin(connection, night, AT + timedelta(hours=1), timedelta(hours=1))
    assert (again.begun_at, again.deadline_at) == (AT, AT + timedelta(hours=6))
    assert nights.night_of(connection) == nights.night_of(connection, night) == again
    assert nights.night_of(connection, date(2026, 3, 2)) is None
    nights.begin(connection, date(2026, 3, 2), AT, timedelta(hours=1))
    last = nights.night_of(connection)
    assert last is not None
    assert last.night == date(2026, 3, 2)
    assert [each.night for each in nights.not_summed_up(connection)] == [night, date(2026, 3, 2)]


@pytest.mark.parametrize("end", [outcomes.finish, outcomes.fail], ids=["done", "failed"])
def test_no_attempt_follows_one_after_which_none_does(connection: Connection, night: date, end: Any) -> None:
    assert not outcomes.has_ended(connection, night, "lab")
    begun(connection)
    assert not outcomes.has_ended(connection, night, "lab")
    end(connection, night, "lab", 1, DELETED, LATER)
    assert outcomes.has_ended(connection, night, "lab")
    with pytest.raises(Superseded, match=r"epoch 1 has it, and it is (done|failed), so that epoch 2 does not"):
        begun(connection, 2)
    outcomes.expect(connection, night, [Awaited("lab", 7, "d1")])
    assert not outcomes.has_ended(connection, night, "lab")
    assert begun(connection, 2) == 1


def test_one_sums_up_a_night(connection: Connection, night: date) -> None:
    assert nights.claim(connection, night, "a", AT)
    assert not nights.claim(connection, night, "b", AT + timedelta(minutes=14))
    assert not nights.summed_up(connection, night, "b", AT)
    assert nights.summed_up(connection, night, "a", AT)
    assert not nights.summed_up(connection, night, "a", AT)
    assert not nights.claim(connection, night, "b", AT + timedelta(days=9))
    assert nights.not_summed_up(connection) == []


def test_a_night_that_goes_on_while_it_is_told_is_told_once_more(connection: Connection, night: date) -> None:
    assert nights.claim(connection, night, "one", AT)
    nights.begin_again(connection, night, AT, AT + timedelta(hours=8))
    assert not nights.summed_up(connection, night, "one", AT)
    [again] = nights.not_summed_up(connection)
    assert (again.told, again.deadline_at) == (True, AT + timedelta(hours=8))
    assert nights.claim(connection, night, "two", AT)


def test_who_claims_and_dies_is_followed_by_another(connection: Connection, night: date) -> None:
    assert nights.claim(connection, night, "a", AT)
    assert nights.claim(connection, night, "b", AT + timedelta(minutes=15))
    assert not nights.summed_up(connection, night, "a", AT + timedelta(minutes=16))
    assert nights.summed_up(connection, night, "b", AT + timedelta(minutes=16))


def test_nights_are_kept_for_400_days(connection: Connection, night: date) -> None:
    begun(connection)
    reservations.reserve(connection, night, "lab", 1, 2, None)
    assert nights.forget(connection, AT + timedelta(days=400)) == 0
    assert nights.forget(connection, AT + timedelta(days=401)) == 1
    assert nights.night_of(connection) is None
    assert outcomes.outcomes(connection, night) == []


def test_every_account_has_one_outcome_from_when_it_is_queued(connection: Connection, night: date) -> None:
    assert [outcome.account for outcome in outcomes.outcomes(connection, night)] == ["Shop", "lab", "가게"]
    assert outcomes.states(connection, night) == {
        State.QUEUED: 3,
        State.RUNNING: 0,
        State.DONE: 0,
        State.FAILED: 0,
        State.APPLIED: 0,
    }
    assert begun(connection) == 1
    assert of_lab(connection, "state", "epoch", "attempt", "worker", "started_at") == (
        State.RUNNING,
        1,
        1,
        "worker-1",
        AT,
    )
    outcomes.finish(connection, night, "lab", 1, DELETED, LATER)
    assert of_lab(connection, "state", "finished_at", "exit_code", "counts", "bytes", "money", "currency", "said") == (
        State.DONE,
        LATER,
        0,
        {"deleted": 3},
        2**40,
        Decimal("12.50"),
        "USD",
        "3 deleted",
    )
    assert outcomes.states(connection, night)[State.DONE] == 1


def test_a_report_is_kept_letter_by_letter(connection: Connection, night: date) -> None:
    begun(connection)
    outcomes.finish(connection, night, "lab", 1, DELETED, LATER)
    assert outcomes.report_of(connection, night, "lab") == DELETED.report
    assert outcomes.report_of(connection, night, "Shop") is None
    assert list(outcomes.reports(connection, night)) == [("lab", DELETED.report)]


def test_all_reports_are_read_some_at_a_time(
    connection: Connection, night: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, account in enumerate(("lab", "Shop", "가게"), 1):
        begun(connection, number, account)
        outcomes.finish(connection, night, account, number, Ending(0, report=account), LATER)
    monkeypatch.setattr(outcomes, "_AT_ONCE", 2)
    assert [account for account, _report in outcomes.reports(connection, night)] == ["Shop", "lab", "가게"]


def test_what_is_not_known_of_an_ending_is_not_zero(connection: Connection, night: date) -> None:
    begun(connection)
    outcomes.fail(connection, night, "lab", 1, Ending(1, said="signing in failed"), LATER)
    assert of_lab(connection, "state", "exit_code", "bytes", "money", "said") == (
        State.FAILED,
        1,
        None,
        None,
        "signing in failed",
    )


def test_a_lower_epoch_never_overwrites_a_higher_one(connection: Connection, night: date) -> None:
    begun(connection, 1)
    assert begun(connection, 2) == 2
    changes: list[Callable[[], object]] = [
        lambda: begun(connection, 1),
        lambda: outcomes.finish(connection, night, "lab", 1, DELETED, LATER),
        lambda: outcomes.fail(connection, night, "lab", 1, DELETED, LATER),
        lambda: outcomes.put_back(connection, night, "lab", 1, "told to stop"),
    ]
    for change in changes:
        with pytest.raises(
            Superseded,
            match="account lab, night 2026-03-01: epoch 2 has it, and it is running, so that epoch 1 does not",
        ):
            change()
    outcomes.finish(connection, night, "lab", 2, Ending(0), LATER)
    with pytest.raises(Superseded):
        outcomes.finish(connection, night, "lab", 1, DELETED, LATER)
    assert of_lab(connection, "state", "epoch", "worker", "counts") == (State.DONE, 2, "worker-2", {})


def test_an_epoch_begins_once(connection: Connection, night: date) -> None:
    begun(connection, 1)
    with pytest.raises(Superseded):
        begun(connection, 1)


def test_an_account_that_was_not_queued_has_no_outcome(connection: Connection, night: date) -> None:
    with pytest.raises(Superseded, match="it was not queued"):
        begun(connection, 1, "unknown")


def test_what_is_put_back_waits_and_counts_unless_told_to_stop(connection: Connection, night: date) -> None:
    begun(connection, 1)
    outcomes.put_back(connection, night, "lab", 1, "PostgreSQL was restarted")
    assert of_lab(connection, "state", "attempt", "said") == (State.QUEUED, 1, "PostgreSQL was restarted")
    assert begun(connection, 2) == 2
    outcomes.put_back(connection, night, "lab", 2, None, counts=False)
    assert of_lab(connection, "state", "attempt", "said") == (State.QUEUED, 1, None)
    assert begun(connection, 3) == 2


def test_an_account_that_is_queued_again_keeps_what_it_ended_with_until_it_ends_again(
    connection: Connection, night: date
) -> None:
    begun(connection)
    outcomes.finish(connection, night, "lab", 1, DELETED, LATER)
    outcomes.expect(connection, night, [Awaited("lab", 7, "d9")])
    assert of_lab(connection, "state", "digest", "attempt", "counts") == (State.QUEUED, "d9", 0, {"deleted": 3})
    begun(connection, 2)
    assert of_lab(connection, "counts", "bytes", "money", "mode") == ({}, None, None, None)  # it may delete by now


def test_what_is_dropped_keeps_what_it_ended_with_before(connection: Connection, night: date) -> None:
    begun(connection)
    outcomes.finish(connection, night, "lab", 1, Ending(0, {"deleted": 3}), LATER)
    outcomes.expect(connection, night, [Awaited("lab", 7, "d9")])
    outcomes.refuse(connection, night, "lab", "another configuration", LATER, final=False)
    outcomes.drop(connection, night, ["lab", "Shop"], "no longer listed")
    assert of_lab(connection, "state", "said", "exit_code", "counts") == (State.DONE, None, 0, {"deleted": 3})
    shop = next(each for each in outcomes.outcomes(connection, night) if each.account == "Shop")
    assert (shop.state, shop.said, shop.exit_code) == (State.FAILED, "no longer listed", None)


def test_who_refuses_an_account_says_why_and_changes_nothing_that_runs(connection: Connection, night: date) -> None:
    outcomes.refuse(connection, night, "lab", "another digest", LATER, final=False)
    assert of_lab(connection, "state", "said", "finished_at") == (State.QUEUED, "another digest", None)
    begun(connection)
    outcomes.refuse(connection, night, "lab", "no files", LATER, final=True)
    assert of_lab(connection, "state", "said") == (State.RUNNING, None)
    outcomes.refuse(connection, night, "Shop", "no files", LATER, final=True)
    assert outcomes.states(connection, night)[State.FAILED] == 1


def test_deletions_of_a_night_are_reserved_up_to_the_limit(connection: Connection, night: date) -> None:
    assert reservations.reserve(connection, night, "lab", 1, 60, 100) is None
    assert reservations.reserve(connection, night, "Shop", 1, 41, 100) == (
        "41 deletions are too many for the night: all accounts may have 100 together "
        "(`fleet.max_deletions_per_night`), of which 60 are reserved"
    )
    assert reservations.reserve(connection, night, "Shop", 1, 40, 100) is None
    assert reservations.give_back(connection, night, "lab", 1, 25)
    assert reservations.reserve(connection, night, "lab", 1, 25, 100) is None
    assert reservations.reserve(connection, night, "lab", 1, 1, 100) is not None
    assert reservations.reserve(connection, night, "lab", 1, 1_000, None) is None
    assert reserved(connection) == 1_100


def test_accounts_that_reserve_at_once_reserve_no_more_than_the_limit(
    connection: Connection, other: Connection, night: date
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with other.together():
            assert reservations.reserve(other, night, "lab", 1, 60, 100) is None
            reserving = pool.submit(reservations.reserve, connection, night, "Shop", 1, 60, 100)
            assert somebody_waits(other, unless=reserving.done)
        assert "60 are reserved" in str(reserving.result())
    assert reserved(connection) == 60


def test_no_more_is_given_back_than_was_reserved(connection: Connection, night: date) -> None:
    reservations.reserve(connection, night, "lab", 1, 10, 100)
    assert reservations.give_back(connection, night, "lab", 1, 6)
    assert not reservations.give_back(connection, night, "lab", 1, 5)
    assert not reservations.give_back(connection, night, "lab", 2, 1)
    assert not reservations.give_back(connection, night, "Shop", 1, 1)
    assert reserved(connection) == 4


def test_what_a_worker_that_died_had_reserved_stays_until_the_journal_says_what_it_did(
    connection: Connection, night: date
) -> None:
    reservations.reserve(connection, night, "lab", 1, 10, 100)
    reservations.reserve(connection, night, "lab", 2, 8, 100)
    reservations.reserve(connection, night, "Shop", 1, 5, 100)
    reservations.reserve(connection, night, "lab", 3, 4, 100)
    assert reservations.settle(connection, night, "lab", 3, requested=7) == 11
    assert reserved(connection) == 7 + 5 + 4
    assert reservations.settle(connection, night, "lab", 3, requested=7) == 0
    assert reservations.settle(connection, night, "lab", 3, requested=9) == 0
    assert reserved(connection) == 7 + 5 + 4


def test_nothing_is_reserved_in_a_night_that_was_not_begun(connection: Connection) -> None:
    with pytest.raises(FleetError, match="the night 2026-03-01 was not begun"):
        reservations.reserve(connection, NIGHT, "lab", 1, 1, None)


def reserved(connection: Connection) -> int:
    """What is reserved in the night, which is what its accounts have reserved and not given back."""
    night = nights.night_of(connection, NIGHT)
    noted = connection.row("SELECT sum(deletions - given_back) AS kept FROM reservations")
    assert night is not None
    assert noted is not None
    assert night.reserved == noted["kept"]
    return night.reserved
