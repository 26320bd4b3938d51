"""The right to delete in an account: confirmed before each request is recorded and sent, and counted for the fleet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from janitor.core.image import Image
from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.core.survey.binding import Binding
from janitor.core.survey.mark import OF_FLEET, Mark
from janitor.errors import StoreError
from janitor.run.requesting import Epochs
from janitor.store import Store
from tests.factories import image_called
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.runs import outcomes, run_over

LOST = "another process owns the account since epoch 2"


@dataclass
class Right:
    """An authority that is lost at the confirmation of this number, and turns down more than `most` deletions."""

    lost_at: int | None = None
    most: int = 100
    confirmed: int = 0
    counted: dict[str, int] = field(default_factory=dict)

    def admit(self, epochs: Epochs) -> Mark | None:
        return None

    def confirm(self) -> None:
        self.confirmed += 1
        if self.lost_at is not None and self.confirmed >= self.lost_at:
            raise StoreError(LOST)

    def reaches(self, binding: Binding, images: Sequence[Image]) -> str | None:
        return None

    def reserve(self, target: str, deletions: int) -> str | None:
        if sum(self.counted.values()) + deletions > self.most:
            return "over the fleet's limit of this night"
        self.counted[target] = deletions
        return None

    def give_back(self, target: str, deletions: int) -> None:
        self.counted[target] -= deletions


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        yield store


def test_each_deletion_is_confirmed_before_it_is_recorded_and_before_it_is_sent(store: Store) -> None:
    right, cloud = Right(), RecordingCloud([image_called("a"), image_called("b")])
    result = run_over(store, cloud, authority=right)
    assert set(outcomes(result).values()) == {DeletionOutcome.DELETED}
    assert right.confirmed == 4
    assert right.counted == {"t0": 2}


def test_once_another_process_owns_the_account_nothing_is_recorded_or_sent(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b")])
    result = run_over(store, cloud, authority=Right(lost_at=1))
    (target,) = result.targets
    assert (target.outcome, target.error) == (Outcome.FAILED, f"{LOST}; 2 of 2 deletions were not sent")
    assert cloud.deleted == []
    assert store.asked_since("t0", result.run) == set()


def test_a_request_that_was_recorded_is_withdrawn_where_the_right_is_lost_before_it_is_sent(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b")])
    right = Right(lost_at=4)
    result = run_over(store, cloud, authority=right, deletions_at_once=1)
    (target,) = result.targets
    assert (target.outcome, target.error) == (Outcome.FAILED, f"{LOST}; 1 of 2 deletions were not sent")
    assert len(cloud.deleted) == 1
    assert store.asked_since("t0", result.run) == set(cloud.deleted)
    assert right.counted == {"t0": 1}


def test_a_plan_that_is_too_large_for_the_night_of_all_accounts_is_refused(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b")])
    (target,) = run_over(store, cloud, authority=Right(most=1)).targets
    assert (target.outcome, target.error) == (Outcome.REFUSED, "nothing deleted: over the fleet's limit of this night")
    assert cloud.deleted == []


def test_where_the_night_of_all_accounts_cannot_be_asked_the_survey_is_still_told(store: Store) -> None:
    class Unreachable(Right):
        def reserve(self, target: str, deletions: int) -> str | None:
            raise StoreError("nobody answers")

    cloud = RecordingCloud([image_called("a"), image_called("b")])
    (target,) = run_over(store, cloud, authority=Unreachable()).targets
    assert (target.outcome, target.error) == (Outcome.FAILED, "nothing deleted: nobody answers")
    assert (target.survey is not None, len(target.decisions), cloud.deleted) == (True, 2, [])


def test_a_dry_run_counts_nothing(store: Store) -> None:
    right = Right()
    run_over(store, RecordingCloud([image_called("a")]), mode=Mode.DRY_RUN, authority=right)
    assert (right.counted, right.confirmed) == ({}, 0)


def test_a_database_that_lacks_a_run_which_the_fleet_knows_deletes_nothing(store: Store) -> None:
    cloud = RecordingCloud([image_called("a")])
    (target,) = run_over(store, cloud, unknown_mark=Mark(41, OF_FLEET)).targets
    assert target.outcome is Outcome.REFUSED
    assert target.error is not None
    assert target.error.startswith(
        "nothing deleted: the database and the fleet's PostgreSQL do not agree on what followed run 41: one of them is "
        "an older copy, or the files of this shard are there twice."
    )
    assert cloud.deleted == []
    (later,) = run_over(store, cloud).targets
    assert later.outcome is Outcome.OK
    assert cloud.deleted == ["a"]


def test_an_epoch_is_kept_in_the_database(store: Store) -> None:
    assert store.epoch() == 0
    store.record_epoch(3)
    store.record_epoch(4)
    assert store.epoch() == 4
