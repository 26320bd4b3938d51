"""A run against a recording cloud and a real database: what is sent, what is reported, and its exit code."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.core.decision import Decision, Reason
from janitor.core.planning.deletion import Answer
from janitor.core.planning.plan import Limits
from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.core.usage import Source, Unread, Usage, User, UserKind
from janitor.errors import CloudError, Exit, NotSent, Refused, RetryLater, StoreError, Unavailable
from janitor.run import exit_code
from janitor.shutdown import Stop
from janitor.store import Store
from tests.factories import NOW, image_called, usage_of
from tests.fakes import RecordingCloud
from tests.runs import outcomes, run_over


def test_a_dry_run_sends_no_delete(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b")])
    result = run_over(store, cloud, mode=Mode.DRY_RUN)
    assert cloud.deleted == []
    assert cloud.surveys == 1
    assert [d.image.id for d in result.targets[0].to_delete] == ["a", "b"]
    assert result.targets[0].deletions == ()
    assert exit_code(result) is Exit.OK


def test_dry_and_live_runs_decide_the_same(store: Store) -> None:
    fleet = [image_called("a"), image_called("b", days=1), image_called("c", protected=True)]
    dry = run_over(store, RecordingCloud(fleet), mode=Mode.DRY_RUN)
    live = run_over(store, RecordingCloud(fleet))
    assert dry.targets[0].decisions == live.targets[0].decisions


def test_a_live_run_deletes_exactly_the_plan_oldest_first(store: Store) -> None:
    cloud = RecordingCloud(
        [
            image_called("new", days=20),
            image_called("oldest", days=90),
            image_called("young", days=1),
            image_called("pub", public=True),
        ]
    )
    result = run_over(store, cloud, deletions_at_once=1)
    assert cloud.deleted == ["oldest", "new"]
    assert outcomes(result) == {"oldest": DeletionOutcome.DELETED, "new": DeletionOutcome.DELETED}
    assert (result.outcome, exit_code(result)) == (Outcome.OK, Exit.OK)
    assert cloud.closed


YES, ABSENT = Answer.ACCEPTED, Answer.ABSENT
NO, LOST = Refused("in use", code=30409), Unavailable("DELETE /images: timed out, tried 5 times")
CONFIRMED = [
    pytest.param(YES, {}, DeletionOutcome.DELETED, Exit.OK, id="yes-and-gone"),
    pytest.param(YES, {"undone": {"a"}}, DeletionOutcome.ACCEPTED, Exit.OK, id="yes-and-still-listed"),
    pytest.param(ABSENT, {}, DeletionOutcome.ALREADY_GONE, Exit.OK, id="gone-before-us"),
    pytest.param(NO, {}, DeletionOutcome.REFUSED, Exit.DELETIONS_FAILED, id="no"),
    pytest.param(NO, {"lost": {"a"}}, DeletionOutcome.ALREADY_GONE, Exit.OK, id="no-and-yet-gone"),
    pytest.param(LOST, {"lost": {"a"}}, DeletionOutcome.DELETED, Exit.OK, id="answer-lost-and-gone"),
    pytest.param(LOST, {}, DeletionOutcome.FAILED, Exit.DELETIONS_FAILED, id="answer-lost-and-still-listed"),
]


@pytest.mark.parametrize(("answer", "cloud", "outcome", "code"), CONFIRMED)
def test_outcomes_are_what_the_second_survey_confirms(
    store: Store, answer: Answer | CloudError, cloud: dict[str, Any], outcome: DeletionOutcome, code: Exit
) -> None:
    result = run_over(
        store, RecordingCloud([image_called("a"), image_called("young", days=1)], answers={"a": answer}, **cloud)
    )
    assert outcomes(result) == {"a": outcome}
    assert exit_code(result) is code
    assert result.outcome is (Outcome.PARTIAL if code else Outcome.OK)


RESTING = RetryLater("DELETE /images: HTTP 429, and Retry-After of 3600 s exceeds give_up_after of 2min")


@pytest.mark.parametrize("told", ["when-asked", "when-looked-at"])
def test_an_api_that_asks_for_a_long_rest_gets_it(store: Store, told: str) -> None:
    fleet = [image_called(f"i{number:02}") for number in range(40)]
    when: dict[str, Any] = {"answers": {"i03": RESTING}} if told == "when-asked" else {"now": {"i03": RESTING}}
    cloud = RecordingCloud(fleet, **when)
    result = run_over(store, cloud, deletions_at_once=1)
    sent = 4 if told == "when-asked" else 3
    assert len(cloud.deleted) == sent
    assert result.targets[0].error == f"{40 - sent} of 40 deletions were not sent: {RESTING}"
    assert exit_code(result) is Exit.FAILED
    cloud.answers, cloud.now = {}, {}
    assert len(outcomes(run_over(store, cloud))) == 37, "planned again"


def test_a_deletion_that_is_not_sent_for_a_rest_is_not_called_one_that_failed(store: Store) -> None:
    unsent = NotSent("DELETE /images: not sent: the API asked to wait another 3600 s")
    cloud = RecordingCloud([image_called("a"), image_called("b"), image_called("c")], answers={"b": unsent})
    result = run_over(store, cloud, deletions_at_once=1)
    assert outcomes(result) == {"a": DeletionOutcome.DELETED}
    assert result.targets[0].error == f"2 of 3 deletions were not sent: {unsent}"
    assert store.unsettled("t0") == []
    with store._file.reading() as db:
        assert [image for (image,) in db.execute("SELECT image FROM deletions")] == ["a"]


def test_a_tag_on_an_image_exempts_it(store: Store) -> None:
    cloud = RecordingCloud([image_called("a", tags=("janitor-keep",)), image_called("b", tags=("nightly",))])
    result = run_over(store, cloud)
    assert outcomes(result) == {"b": DeletionOutcome.DELETED}
    assert {d.image.id: d.reason for d in result.targets[0].decisions}["a"] is Reason.EXEMPT


def test_a_use_that_was_seen_holds_for_as_long_as_its_source_is_unread(store: Store) -> None:
    by_volume = usage_of({"a": (User("v1", "data", UserKind.VOLUME),)})
    cloud = RecordingCloud([image_called("a"), image_called("young", days=1)], used=by_volume)
    run_over(store, cloud)
    cloud.used = Usage(unread=frozenset({Unread(Source.VOLUMES)}))
    for night in range(1, 4):
        [decision, _] = run_over(store, cloud, now=NOW + timedelta(days=night)).targets[0].decisions
        assert (decision.reason, decision.detail) == (
            Reason.RECENTLY_USED,
            "it was in use when volumes could last be read",
        )
    cloud.used = Usage()
    assert outcomes(run_over(store, cloud, now=NOW + timedelta(days=4))) == {"a": DeletionOutcome.DELETED}


def test_what_an_optional_source_did_not_tell_is_said(store: Store) -> None:
    used = Usage(unread=frozenset({Unread(Source.VOLUMES)}), remarks=("volumes could not be read",))
    result = run_over(store, RecordingCloud([image_called("a")], used=used))
    assert result.targets[0].survey.remarks == ("volumes could not be read",)
    assert store.load_run(result.run).targets[0].survey.remarks == ("volumes could not be read",)
    assert outcomes(result) == {"a": DeletionOutcome.DELETED}


def test_a_use_holds_while_its_kind_cannot_be_read(store: Store) -> None:
    by_volume = usage_of({"a": (User("v", "data", UserKind.VOLUME),)})
    run_over(store, RecordingCloud([image_called("a")], used=by_volume))
    unread = Usage(unread=frozenset({Unread(Source.VOLUMES)}), remarks=("volumes could not be read",))
    result = run_over(store, RecordingCloud([image_called("a")], used=unread), usage_memory=timedelta(hours=24))
    assert [d.reason for d in result.targets[0].decisions] == [Reason.RECENTLY_USED]


def test_one_failure_does_not_stop_the_others(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b"), image_called("c")], answers={"a": NO, "b": LOST})
    result = run_over(store, cloud)
    assert set(cloud.deleted) == {"a", "b", "c"}
    assert outcomes(result) == {
        "a": DeletionOutcome.REFUSED,
        "b": DeletionOutcome.FAILED,
        "c": DeletionOutcome.DELETED,
    }
    assert result.outcome is Outcome.PARTIAL


def test_without_a_second_survey_nothing_is_called_deleted(store: Store) -> None:
    cloud = RecordingCloud([image_called("a")], survey_errors=[None, Unavailable("HTTP 502")])
    result = run_over(store, cloud)
    assert outcomes(result) == {"a": DeletionOutcome.ACCEPTED}
    assert result.outcome is Outcome.FAILED
    assert "HTTP 502" in (result.targets[0].error or "")


def test_over_a_limit_nothing_is_deleted_and_the_list_is_complete(store: Store) -> None:
    cloud = RecordingCloud([image_called(f"i{number}") for number in range(4)])
    result = run_over(store, cloud, limits=Limits(max_deletions=3, max_share=50))
    target = result.targets[0]
    assert cloud.deleted == []
    assert (target.outcome, exit_code(result)) == (Outcome.REFUSED, Exit.LIMIT)
    assert len(target.to_delete) == 4
    assert target.error is not None
    for figure in ("4 deletions", "max_deletions allows 3", "4 of 4", "100.0%", "max_share allows 50%"):
        assert figure in target.error


EDGES = [
    pytest.param(Limits(2, 100), 2, 2, False, id="exactly-as-many-as-allowed"),
    pytest.param(Limits(1, 100), 2, 2, True, id="one-more"),
    pytest.param(Limits(100, 50), 2, 4, False, id="exactly-the-share"),
    pytest.param(Limits(100, 50), 3, 5, True, id="over-the-share"),
    pytest.param(Limits(0, 100), 1, 9, True, id="none-allowed"),
    pytest.param(Limits(0, 0), 0, 3, False, id="nothing-planned-is-within-any-limit"),
]


@pytest.mark.parametrize(("limits", "old", "owned", "refused"), EDGES)
def test_limits_are_exceeded_not_reached(store: Store, limits: Limits, old: int, owned: int, refused: bool) -> None:
    foreign = [image_called("public", public=True), image_called("gone", status="deleted")]
    mine = [image_called(f"i{number}", days=30 if number < old else 1) for number in range(owned)]
    result = run_over(store, RecordingCloud(mine + foreign), limits=limits)
    assert (result.outcome is Outcome.REFUSED) is refused
    assert result.targets[0].survey.owned == owned


def test_a_limit_holds_in_a_dry_run_too(store: Store) -> None:
    result = run_over(store, RecordingCloud([image_called("a")]), limits=Limits(0, 0), mode=Mode.DRY_RUN)
    assert (result.outcome, exit_code(result)) == (Outcome.REFUSED, Exit.LIMIT)


def test_unreadable_usage_keeps_everything_and_fails_the_target(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b")], used=Unavailable("GET /instances-detail: HTTP 500"))
    result = run_over(store, cloud)
    assert cloud.deleted == []
    assert {d.reason.value for d in result.targets[0].decisions} == {"usage-unknown"}
    assert (result.outcome, exit_code(result)) == (Outcome.FAILED, Exit.FAILED)
    assert "HTTP 500" in (result.targets[0].error or "")


def test_an_image_in_use_is_not_deleted(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b")], used=usage_of({"a": (User("i", "web-1"),)}))
    run_over(store, cloud)
    assert cloud.deleted == ["b"]


def test_targets_are_independent(store: Store) -> None:
    broken = RecordingCloud([image_called("a")], survey_errors=[Unavailable("no route")])
    sound = RecordingCloud([image_called("a")])
    result = run_over(store, broken, sound)
    assert [target.outcome for target in result.targets] == [Outcome.FAILED, Outcome.OK]
    assert result.targets[0].error == "no route"
    assert (broken.deleted, sound.deleted) == ([], ["a"])
    assert exit_code(result) is Exit.FAILED


def test_a_refused_target_outranks_a_failed_one(store: Store) -> None:
    failed = RecordingCloud([], survey_errors=[Unavailable("no route")])
    refused = RecordingCloud([image_called(str(number)) for number in range(3)])
    assert exit_code(run_over(store, failed, refused, limits=Limits(2, 100))) is Exit.LIMIT


def test_everything_is_recorded_before_the_first_delete(store: Store) -> None:
    seen: list[tuple[int, int]] = []

    def look(image_id: str) -> None:
        recorded = store.load_run(1).targets[0]
        seen.append((len(recorded.decisions), len(store.surveys(1)["t0"].images)))

    run_over(store, RecordingCloud([image_called("a"), image_called("b", days=1)], on_delete=look))
    assert seen == [(2, 2)]


class FailingJournal(Store):
    """A database that can no longer be written from the second request on."""

    def journal_request(self, run: int, target: str, decision: Decision, at: datetime) -> int:
        if decision.image.id != "i0":
            raise StoreError("disk full")
        return super().journal_request(run, target, decision, at)


def test_no_journal_no_delete(tmp_path: Path) -> None:
    cloud = RecordingCloud([image_called(f"i{number}") for number in range(5)])
    with FailingJournal.open(tmp_path / "janitor.db") as failing:
        result = run_over(failing, cloud, deletions_at_once=1)
    assert cloud.deleted == ["i0"]
    assert outcomes(result) == {"i0": DeletionOutcome.DELETED}
    assert result.targets[0].error == "disk full; 4 of 5 deletions were not sent"


def test_a_stop_sends_nothing_new(store: Store) -> None:
    stop = Stop()
    cloud = RecordingCloud([image_called(f"i{number}") for number in range(5)], on_delete=lambda _: stop.set())
    result = run_over(store, cloud, deletions_at_once=1, stop=stop)
    assert cloud.deleted == ["i0"]
    assert outcomes(result) == {"i0": DeletionOutcome.DELETED}
    assert "4 of 5 deletions were not sent" in (result.targets[0].error or "")


def test_a_stop_during_the_survey_deletes_nothing(store: Store) -> None:
    stop = Stop()
    stop.set()
    cloud = RecordingCloud([image_called("a")])
    assert run_over(store, cloud, stop=stop).outcome is Outcome.FAILED
    assert cloud.deleted == []


def test_deletions_run_a_few_at_a_time(store: Store) -> None:
    together = threading.Barrier(3, timeout=10)
    cloud = RecordingCloud(
        [image_called(f"i{number}") for number in range(6)], on_delete=lambda _: void(together.wait())
    )
    run_over(store, cloud, deletions_at_once=3)
    assert len(cloud.deleted) == 6


def void(_value: object) -> None:
    """Forget a value."""
