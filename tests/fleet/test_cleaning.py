"""One account cleaned by a worker: as a single janitor does, and only while the account is this worker's."""

import shutil
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from janitor.cli.configuration import rules_of
from janitor.cli.fleet import cleaning, context
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.core.memory import Notice
from janitor.errors import DeliveryError, Exit, FleetError
from janitor.fleet.authority import AccountAuthority
from janitor.fleet.database import Connection
from janitor.fleet.outcomes import State
from janitor.fleet.ownership import Ownership, take
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from janitor.store import Store, exclusive
from tests.conftest import POLICY
from tests.fleet.black_hole import Proxy
from tests.fleet.fleets import Fleet, deletes, target_of


@pytest.fixture
def fleet(tmp_path: Path, url: str, connection: Connection, sandbox: Sandbox) -> Fleet:
    made = Fleet(tmp_path, url, connection)
    made.write(target_of(sandbox, "lab"))
    made.lease_all()
    return made


def test_an_account_is_cleaned_and_its_outcome_is_recorded(fleet: Fleet, sandbox: Sandbox) -> None:
    begun = fleet.begin()
    assert begun.enqueued.new == ("lab",)
    assert fleet.clean("lab", begun.night) is None
    outcome = fleet.outcome("lab", begun.night)
    assert (outcome.state, outcome.exit_code, outcome.epoch, outcome.attempt) == (State.DONE, Exit.OK, 1, 1)
    assert outcome.counts["deleted"] == len(deletes(sandbox)) > 0
    assert outcome.bytes
    with Store.open_existing(fleet.settings_of("lab").database) as store:
        assert (store.epoch(), store.requested_since(begun.deadline_at - timedelta(days=1))) == (
            1,
            len(deletes(sandbox)),
        )


def test_a_worker_with_another_configuration_refuses_the_account(fleet: Fleet, sandbox: Sandbox) -> None:
    begun = fleet.begin()
    (fleet.folder / "policies.yaml").write_text(POLICY.replace("90d", "9000d"), encoding="utf-8")
    digest = fleet.written.accounts().digest_of("lab")
    again = fleet.clean("lab", begun.night, digest=digest[::-1])
    assert again is not None
    outcome = fleet.outcome("lab", begun.night)
    assert (outcome.state, sandbox.requests) == (State.QUEUED, ())
    assert outcome.said is not None
    assert outcome.said.startswith("this worker has another configuration, or other policies")


def test_an_account_whose_database_is_missing_is_refused(fleet: Fleet, sandbox: Sandbox) -> None:
    night = fleet.begin().night
    fleet.clean("lab", night)
    fleet.begin()
    fleet.settings_of("lab").database.unlink()
    before = len(sandbox.requests)
    assert fleet.clean("lab", night) is not None
    outcome = fleet.outcome("lab", night)
    assert outcome.said is not None
    assert outcome.said.startswith("its database is missing here: ")
    assert len(sandbox.requests) == before
    assert not fleet.settings_of("lab").database.exists()


def test_policies_that_were_others_only_while_they_were_read_delete_nothing(
    fleet: Fleet, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = fleet.folder / "policies.yaml"
    deleting = file.read_text(encoding="utf-8")
    file.write_text(deleting.replace("90d", "9000d"), encoding="utf-8")
    night = fleet.begin().night
    queued = fleet.written.accounts().digest_of("lab")

    def meanwhile(settings: Settings) -> Rules:
        kept = file.read_bytes()
        file.write_text(deleting, encoding="utf-8")
        try:
            return rules_of(settings)
        finally:
            file.write_bytes(kept)

    monkeypatch.setattr(context, "rules_of", meanwhile)
    assert fleet.clean("lab", night, digest=queued) is not None
    assert deletes(sandbox) == []
    assert "other policies" in str(fleet.outcome("lab", night).said)


def restored(fleet: Fleet) -> None:
    """The account's database is that of before its last run, which deleted nothing as all was gone."""
    database = fleet.settings_of("lab").database
    night = fleet.begin().night
    fleet.clean("lab", night)
    files = [file for file in database.parent.iterdir() if file.name.startswith(database.name)]
    kept = fleet.folder / "kept"
    kept.mkdir()
    for file in files:
        shutil.copy(file, kept)
    fleet.begin()
    fleet.clean("lab", night)
    for file in kept.iterdir():
        shutil.copy(file, database.parent / file.name)


def test_a_database_that_was_restored_from_a_copy_deletes_nothing_at_first(fleet: Fleet, sandbox: Sandbox) -> None:
    there = sandbox.account.images
    restored(fleet)
    before = deletes(sandbox)
    sandbox.account.put_image(replace(there[before[0]], id=str(uuid.uuid4())))  # another that expired
    night = fleet.begin().night
    fleet.clean("lab", night)
    assert deletes(sandbox) == before
    outcome = fleet.outcome("lab", night)
    assert outcome.exit_code == Exit.LIMIT
    assert outcome.said is not None
    assert "the database and the fleet's PostgreSQL do not agree on what followed run 2" in outcome.said
    for _ in range(2):
        night = fleet.begin().night
        fleet.clean("lab", night)
    assert len(deletes(sandbox)) == len(before) + 1


def test_a_postgresql_that_was_restored_from_a_copy_deletes_nothing_at_first(fleet: Fleet, sandbox: Sandbox) -> None:
    there = sandbox.account.images
    night = fleet.begin().night
    fleet.clean("lab", night)
    for _ in range(2):
        fleet.begin()
        fleet.clean("lab", night)
    before = deletes(sandbox)
    sandbox.account.put_image(replace(there[before[0]], id=str(uuid.uuid4())))  # another that expired
    fleet.look.rows("UPDATE accounts SET epoch = 1, recorded_epoch = 1, last_run = 1")
    fleet.look.rows("DELETE FROM outcomes")
    fleet.begin()
    assert fleet.clean("lab", night) is None
    assert deletes(sandbox) == before
    outcome = fleet.outcome("lab", night)
    assert (outcome.state, outcome.exit_code) == (State.DONE, Exit.LIMIT)
    assert "do not agree on what followed run 1" in (outcome.said or "")


def test_a_worker_that_dies_before_its_run_leaves_the_doubt_to_the_next(
    fleet: Fleet, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = sandbox.account.images
    restored(fleet)
    before = deletes(sandbox)
    sandbox.account.put_image(replace(there[before[0]], id=str(uuid.uuid4())))
    night = fleet.begin().night

    def unreachable(_own: Ownership) -> None:
        raise FleetError("no answer")

    with monkeypatch.context() as dying:
        dying.setattr(Ownership, "record", unreachable)
        assert fleet.clean("lab", night) is not None
    fleet.clean("lab", night)
    assert (deletes(sandbox), fleet.outcome("lab", night).exit_code) == (before, Exit.LIMIT)


def test_what_an_attempt_deleted_that_could_not_end_counts_in_the_night(
    fleet: Fleet, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = fleet.begin().night

    def unreachable(_own: Ownership, _run: int) -> None:
        raise FleetError("no answer")

    with monkeypatch.context() as dying:
        dying.setattr(Ownership, "note_run", unreachable)
        assert fleet.clean("lab", night) is not None
    gone = deletes(sandbox)
    assert fleet.clean("lab", night) is None
    outcome = fleet.outcome("lab", night)
    assert (outcome.counts["deleted"], deletes(sandbox)) == (len(gone), gone)
    assert len(gone) > 0
    assert outcome.bytes


@pytest.mark.parametrize(
    ("retries", "given_up"),
    [
        (0, "given up: 1 attempt ended without saying how, as if its worker died"),
        (2, "given up: 3 attempts ended without saying how, as if their workers died"),
    ],
)
def test_an_account_whose_workers_all_die_is_given_up(
    fleet: Fleet, sandbox: Sandbox, retries: int, given_up: str
) -> None:
    fleet.write(target_of(sandbox, "lab"), retries=retries)
    night = fleet.begin().night
    fleet.look.rows("UPDATE outcomes SET attempt = %(died)s", died=retries + 1)
    assert fleet.clean("lab", night) is None
    outcome = fleet.outcome("lab", night)
    assert (outcome.state, outcome.attempt, sandbox.requests) == (State.FAILED, retries + 1, ())
    assert outcome.said == given_up
    assert outcome.counts == {}, "nothing is known of an account that has no database"


def test_what_died_workers_deleted_counts_in_an_account_that_is_given_up(
    fleet: Fleet, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = fleet.begin().night

    def dies(*_any: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Store, "journal_answer", dies)
        with pytest.raises(KeyboardInterrupt):
            fleet.clean("lab", night)
    fleet.look.rows("UPDATE outcomes SET attempt = 4")
    assert fleet.clean("lab", night) is None
    outcome = fleet.outcome("lab", night)
    assert outcome.state is State.FAILED
    assert outcome.counts["unconfirmed"] == len(deletes(sandbox)) > 0
    assert outcome.counts["deleted"] == 0
    assert "images" not in outcome.counts, "no survey of it has ended"


@pytest.mark.parametrize("error", [DeliveryError("no way"), ValueError("a bug")], ids=["error", "bug"])
def test_what_a_run_deleted_counts_where_the_attempt_fails_afterwards(
    fleet: Fleet, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fleet.write(target_of(sandbox, "lab"), retries=0)
    night = fleet.begin().night

    def fails(*_any: object) -> None:
        raise error

    monkeypatch.setattr(cleaning, "posted_in_time", fails)
    assert fleet.clean("lab", night) is None
    outcome = fleet.outcome("lab", night)
    assert (outcome.state, outcome.mode) == (State.FAILED, "delete")
    assert outcome.counts["deleted"] == len(deletes(sandbox)) > 0
    assert outcome.bytes
    assert "images" not in outcome.counts


def test_a_dry_run_records_its_mode_and_what_a_live_run_would_delete(fleet: Fleet, sandbox: Sandbox) -> None:
    configured = fleet.folder / "janitor.yaml"
    live = configured.read_text(encoding="utf-8")
    configured.write_text(live.replace("mode: delete", "mode: dry-run"), encoding="utf-8")
    night = fleet.begin().night
    fleet.clean("lab", night)
    tried = fleet.outcome("lab", night)
    assert (tried.mode, tried.counts["deleted"], tried.bytes, deletes(sandbox)) == ("dry-run", 0, 0, [])
    configured.write_text(live, encoding="utf-8")
    fleet.begin()
    fleet.clean("lab", night)
    outcome = fleet.outcome("lab", night)
    assert (outcome.mode, "would_delete" in outcome.counts, outcome.would_bytes) == ("delete", False, None)
    assert (tried.counts["would_delete"], tried.would_bytes) == (len(deletes(sandbox)), outcome.bytes)


def test_what_a_dry_run_may_not_delete_is_not_what_it_would(fleet: Fleet) -> None:
    configured = fleet.folder / "janitor.yaml"
    text = configured.read_text(encoding="utf-8").replace("mode: delete", "mode: dry-run")
    configured.write_text(text.replace("max_deletions: 1000", "max_deletions: 1"), encoding="utf-8")
    night = fleet.begin().night
    fleet.clean("lab", night)
    outcome = fleet.outcome("lab", night)
    assert (outcome.exit_code, outcome.counts["would_delete"], outcome.would_bytes) == (Exit.LIMIT, 0, 0)
    assert outcome.counts["to_delete"] > 1


def test_a_second_run_in_a_night_takes_nothing_from_what_the_first_one_announced(
    fleet: Fleet, sandbox: Sandbox
) -> None:
    night = fleet.begin().night
    fleet.clean("lab", night)
    gone = fleet.outcome("lab", night).counts["deleted"]
    notice = Notice("a policy", timedelta(days=3), utc_now(), utc_now() + timedelta(days=3))
    with Store.open(fleet.settings_of("lab").database) as store:
        store.announce(1, {("lab", deletes(sandbox)[0]): notice}, [], utc_now())
    fleet.begin()
    fleet.clean("lab", night)
    counts = fleet.outcome("lab", night).counts
    assert (counts["announced"], counts["deleted"]) == (1, gone)


def test_of_an_account_that_was_never_surveyed_nothing_is_claimed(fleet: Fleet, sandbox: Sandbox) -> None:
    fleet.write({**target_of(sandbox, "lab"), "password": "wrong"}, retries=0)
    night = fleet.begin().night
    fleet.clean("lab", night)
    assert not {"images", "to_delete", "waiting", "kept"} & set(fleet.outcome("lab", night).counts)


def test_an_account_that_another_worker_took_is_left_to_it(
    fleet: Fleet, sandbox: Sandbox, other: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = fleet.begin().night
    reserve = AccountAuthority.reserve

    def meanwhile(self: AccountAuthority, target: str, deletions: int) -> str | None:
        fleet.lease_all("second")
        take(other, "lab", self._ownership.shard, "second")
        return reserve(self, target, deletions)

    monkeypatch.setattr(AccountAuthority, "reserve", meanwhile)
    assert fleet.clean("lab", night) is not None, "or its job would be ended, although this worker may still have it"
    assert deletes(sandbox) == []
    outcome = fleet.outcome("lab", night)
    assert (outcome.state, outcome.exit_code) == (State.RUNNING, None)


def test_nothing_more_is_deleted_once_postgresql_does_not_answer(
    fleet: Fleet, sandbox: Sandbox, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = fleet.begin().night
    address = urlsplit(fleet.url)
    through = fleet.url.replace(f":{address.port}/", f":{proxy.port}/")
    reserve = AccountAuthority.reserve

    def meanwhile(self: AccountAuthority, target: str, deletions: int) -> str | None:
        why = reserve(self, target, deletions)
        proxy.stop_answering()
        return why

    monkeypatch.setattr(AccountAuthority, "reserve", meanwhile)
    again = fleet.clean("lab", night, fleet.cleaner(through))
    assert again is not None
    assert deletes(sandbox) == []
    with Store.open_existing(fleet.settings_of("lab").database) as store:
        [target] = store.load_run(1).targets
    assert target.survey is not None, "what is told is more than that PostgreSQL failed"
    assert "deletions were not sent" in str(target.error)


def test_an_account_whose_database_another_process_holds_waits_for_it(fleet: Fleet, sandbox: Sandbox) -> None:
    night = fleet.begin().night
    database = fleet.settings_of("lab").database
    with exclusive(database, "a stopped worker", utc_now()):
        assert fleet.clean("lab", night) is not None
    outcome = fleet.outcome("lab", night)
    assert (outcome.state, outcome.attempt, sandbox.requests) == (State.QUEUED, 0, ())
    assert fleet.clean("lab", night) is None
    assert fleet.outcome("lab", night).state is State.DONE


def test_an_account_that_fails_is_tried_again_and_then_reported(fleet: Fleet, sandbox: Sandbox) -> None:
    fleet.write({**target_of(sandbox, "lab"), "password": "wrong"}, retries=1)
    night = fleet.begin().night
    again = fleet.clean("lab", night)
    assert again is not None
    assert again.after == timedelta(seconds=7)
    assert fleet.outcome("lab", night).state is State.QUEUED
    assert fleet.clean("lab", night) is None
    outcome = fleet.outcome("lab", night)
    assert (outcome.state, outcome.exit_code, outcome.attempt) == (State.FAILED, Exit.FAILED, 2)
    assert outcome.said is not None
    assert "credentials are not accepted" in outcome.said


def test_a_worker_that_is_told_to_stop_hands_the_account_back(fleet: Fleet, sandbox: Sandbox) -> None:
    night = fleet.begin().night
    fleet.stop.set()
    again = fleet.clean("lab", night)
    assert again is not None
    assert (again.after, sandbox.requests) == (timedelta(), ())
    assert (fleet.outcome("lab", night).state, fleet.outcome("lab", night).attempt) == (State.QUEUED, 0)


def test_one_account_under_two_names_is_cleaned_by_one_of_them(fleet: Fleet, sandbox: Sandbox) -> None:
    fleet.write(target_of(sandbox, "lab"), target_of(sandbox, "shop"))
    fleet.lease_all()
    night, there = fleet.begin().night, sandbox.account.images
    fleet.clean("lab", night)
    gone = deletes(sandbox)
    sandbox.account.put_image(replace(there[gone[0]], id=str(uuid.uuid4())))  # another that expired
    fleet.clean("shop", night)
    assert deletes(sandbox) == gone
    outcome = fleet.outcome("shop", night)
    assert outcome.exit_code == Exit.LIMIT
    assert outcome.said is not None
    assert outcome.said.startswith(
        "nothing deleted, implausible survey: lab reaches the present endpoint and appkey, too: they are one account"
    )
    fleet.write(target_of(sandbox, "shop"))
    fleet.look.rows("UPDATE reached SET seen_at = seen_at - interval '9 days'")
    fleet.clean("shop", fleet.begin("shop").night)
    assert len(deletes(sandbox)) > len(gone)


def test_all_accounts_together_delete_no_more_than_the_fleet_may(fleet: Fleet, sandbox: Sandbox) -> None:
    with running(Options(images=120, seed=2)) as second:
        fleet.write(target_of(sandbox, "lab"), target_of(second, "shop"), max_deletions_per_night=40)
        fleet.lease_all()
        night = fleet.begin().night
        assert [fleet.clean(name, night) for name in ("lab", "shop")] == [None, None]
        spared = [each for each in (sandbox, second) if not deletes(each)]
        assert len(deletes(sandbox)) + len(deletes(second)) <= 40
    assert spared
    said: list[Any] = [fleet.outcome(name, night).said for name in ("lab", "shop")]
    assert any("fleet.max_deletions_per_night" in (each or "") for each in said)
