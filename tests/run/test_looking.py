"""Requests of a run for single images: those that no list shows, their sharing, and a last check before deletion."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from janitor.core.decision import Reason, Verdict
from janitor.core.image import Image, Sharing
from janitor.core.planning.plan import Limits
from janitor.core.result import DeletionOutcome, Outcome, RunResult
from janitor.errors import Exit, Unavailable
from janitor.run import exit_code
from janitor.store import Store
from tests.factories import AMPLE, NOW, image_called
from tests.fakes import RecordingCloud
from tests.replays import decided_again
from tests.runs import outcomes, run_over


def test_what_no_list_shows_is_found_by_what_was_known_deleted_and_confirmed(store: Store) -> None:
    run_over(store, RecordingCloud([image_called("stuck", days=1), image_called("young", days=1)]))
    cloud = RecordingCloud([image_called("young", days=1)], hidden=[image_called("stuck"), image_called("never seen")])
    result = run_over(store, cloud)
    assert outcomes(result) == {"stuck": DeletionOutcome.DELETED}
    assert cloud.hidden == [image_called("never seen")]


@pytest.mark.parametrize(("undone", "outcome"), [(set(), DeletionOutcome.DELETED), ({"a"}, DeletionOutcome.ACCEPTED)])
def test_what_no_list_shows_is_confirmed_by_its_id(store: Store, undone: set[str], outcome: DeletionOutcome) -> None:
    run_over(store, RecordingCloud([image_called("a", days=1), image_called("young", days=1)]))
    cloud = RecordingCloud([image_called("young", days=1)], hidden=[image_called("a")], undone=undone)
    assert outcomes(run_over(store, cloud)) == {"a": outcome}


def test_only_own_images_that_we_did_not_delete_are_asked_for(store: Store) -> None:
    first = [
        image_called("gone"),
        image_called("theirs", owned=False),
        image_called("vanished", days=1),
        image_called("young", days=1),
    ]
    run_over(store, RecordingCloud(first), limits=AMPLE)
    cloud = RecordingCloud([image_called("young", days=1)])
    run_over(store, cloud)
    assert cloud.unlisted_asked == ["vanished"]


def test_sharing_is_asked_only_of_what_would_go_and_keeps_it(store: Store) -> None:
    fleet = [
        image_called("shared"),
        image_called("alone"),
        image_called("young", days=1),
        image_called("safe", protected=True),
    ]
    cloud = RecordingCloud(fleet, shared={"shared": Sharing(("p1",)), "alone": Sharing((), ("p2",))})
    result = run_over(store, cloud)
    assert cloud.sharing_asked == [["alone", "shared"], ["alone"]], "again just before the deletion"
    assert outcomes(result) == {"alone": DeletionOutcome.DELETED}
    reasons = {d.image.id: d.reason for d in result.targets[0].decisions}
    assert reasons["shared"] is Reason.SHARED
    assert store.load_run(result.run).targets[0].decisions == result.targets[0].decisions


def test_over_a_limit_nobody_is_asked_with_whom_images_are_shared(store: Store) -> None:
    fleet = [image_called("a"), image_called("b"), image_called("young", days=1)]
    cloud = RecordingCloud(fleet, shared={"a": Sharing(("p1",))})
    result = run_over(store, cloud, limits=Limits(1, 100))
    assert (cloud.sharing_asked, cloud.deleted, exit_code(result)) == ([], [], Exit.LIMIT)
    [first, second, _] = result.targets[0].decisions
    words = "; sharing was not checked, as the plan is over the limit"
    assert [d.verdict for d in (first, second)] == [Verdict.DELETE] * 2
    assert all(d.detail.endswith(words) for d in (first, second))
    assert store.load_run(result.run) == result
    assert decided_again(store.inputs(result.run)["t0"]) == result.targets[0].decisions
    applied = run_over(store, cloud, limits=Limits(1, 100), approved={"t0": result.targets[0].to_delete})
    assert (cloud.sharing_asked, cloud.deleted) == ([["a", "b"], ["b"]], ["b"]), "who applies the plan asks"
    assert "now keep [shared]" in applied.targets[0].review.changed[0].detail


@pytest.mark.parametrize("answer", [Sharing(("p1",)), Sharing(problem="HTTP 403")])
def test_an_image_that_another_project_accepted_since_it_was_decided_on_stays(store: Store, answer: Sharing) -> None:
    cloud = RecordingCloud(
        [image_called("a"), image_called("b")], shared={"a": Sharing(pending=("p1",)), "b": Sharing()}
    )

    def accept(_image: str) -> None:
        assert isinstance(cloud.shared, dict)
        cloud.shared["b"] = answer

    cloud.on_delete = accept
    result = run_over(store, cloud, deletions_at_once=1)
    assert cloud.deleted == ["a"]
    [change] = result.targets[0].review.changed
    assert (change.decision.image.id, change.detail[:40]) == ("b", "changed during this run: now keep [share")


def test_where_an_api_knows_no_sharing_nothing_is_said_of_it(store: Store) -> None:
    result = run_over(store, RecordingCloud([image_called("a"), image_called("b")]), limits=Limits(1, 100))
    assert not any("shared" in d.detail for d in result.targets[0].decisions)


def test_sharing_that_nobody_tells_deletes_nothing(store: Store) -> None:
    cloud = RecordingCloud([image_called("a")], shared=Unavailable("GET members: HTTP 500"))
    result = run_over(store, cloud)
    assert (cloud.deleted, result.targets[0].error) == ([], "GET members: HTTP 500")
    assert exit_code(result) is Exit.FAILED


CHANGED: dict[str, Any] = {
    "name": "golden-1",
    "status": "queued",
    "public": True,
    "protected": True,
    "created_at": NOW - timedelta(days=29),
    "updated_at": NOW,
    "size": 1,
    "disk_format": "raw",
    "min_disk": 1,
    "min_ram": 1,
    "properties": {"keep": "yes"},
    "owned": False,
    "visibility": "community",
    "owner": "another",
    "os_hidden": True,
    "tags": ("janitor-keep",),
    "unreadable": {"size": "big"},
}
"""Another value of every field of an image but its id."""


def test_another_value_of_every_field_is_tried() -> None:
    assert CHANGED.keys() == {*Image.fields()} - {"id"}, "a new field is compared, so try it"


@pytest.mark.parametrize("name", CHANGED)
def test_what_changed_since_the_survey_is_not_deleted(store: Store, name: str) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b")])
    cloud.now = {"a": image_called("a").replace(**{name: CHANGED[name]}), "b": image_called("b")}
    result = run_over(store, cloud)
    assert cloud.deleted == ["b"]
    [change] = result.targets[0].review.changed
    assert (change.decision.image.id, change.detail) == ("a", f"changed during this run: {name}")
    assert result.outcome is Outcome.OK


def test_what_cannot_be_looked_at_again_is_not_asked_for(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b")], now={"a": Unavailable("sign-in: no usable answer")})
    result = run_over(store, cloud)
    assert cloud.deleted == ["b"]
    assert result.targets[0].error == "1 of 2 deletions were not sent: sign-in: no usable answer"
    assert exit_code(result) is Exit.FAILED


def test_what_is_gone_when_it_is_looked_at_again_is_not_asked_for(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("b")], now={"a": None})
    cloud.on_delete = lambda _: cloud.listed.remove(image_called("a"))
    result = run_over(store, cloud, deletions_at_once=1)
    assert cloud.deleted == ["b"]
    assert outcomes(result) == {"a": DeletionOutcome.ALREADY_GONE, "b": DeletionOutcome.DELETED}
    assert result.targets[0].deletions[0].detail.startswith("already gone when checked again")
    assert exit_code(result) is Exit.OK
    assert store.load_run(result.run) == result
    assert store.unsettled("t0") == []


def test_what_is_gone_when_it_is_looked_at_and_listed_afterwards_has_failed(store: Store) -> None:
    result = run_over(store, RecordingCloud([image_called("a"), image_called("b")], now={"a": None}))
    assert outcomes(result) == {"a": DeletionOutcome.FAILED, "b": DeletionOutcome.DELETED}


def unseen_story(store: Store) -> tuple[RecordingCloud, RunResult]:
    """A killed upload that no list shows is known from before, and may no longer be read."""
    young = [image_called(f"young-{number}", days=1) for number in range(3)]
    cloud = RecordingCloud([image_called("old"), *young], hidden=[image_called("stuck", status="killed")])
    run_over(store, RecordingCloud([*young, image_called("stuck", days=1, status="killed")]))
    cloud.unseen = {"stuck"}
    return cloud, run_over(store, cloud)


def test_what_may_not_be_seen_is_kept_and_the_target_goes_on(store: Store) -> None:
    cloud, result = unseen_story(store)
    assert cloud.deleted == ["old"]
    [kept] = [d for d in result.targets[0].decisions if d.image.id == "stuck"]
    assert (kept.verdict, kept.reason, kept.detail) == (
        Verdict.KEEP,
        Reason.UNSETTLED_RECORD,
        "it is no longer listed, but may still exist: reading it by its id is not permitted",
    )
    assert (exit_code(result), result.targets[0].survey.owned) == (Exit.OK, 4)
    assert store.load_run(result.run) == result
    again = run_over(store, cloud)
    assert [d.detail for d in again.targets[0].decisions if d.image.id == "stuck"] == [kept.detail], "for as long"
    cloud.unseen = set()
    assert outcomes(run_over(store, cloud)) == {"stuck": DeletionOutcome.DELETED}


def test_what_may_not_be_seen_afterwards_is_not_known_to_be_gone(store: Store) -> None:
    cloud = RecordingCloud([image_called("a"), image_called("young", days=1)], unseen={"a"})
    first = run_over(store, replace(cloud, by_id=True, now={"a": image_called("a")}))
    assert outcomes(first) == {"a": DeletionOutcome.ACCEPTED}
    cloud.listed = [image_called("young", days=1)]
    second = run_over(store, cloud)
    assert (second.targets[0].earlier.settled, second.targets[0].deletions) == ((), ())
    cloud.unseen = set()
    assert [d.outcome for d in run_over(store, cloud).targets[0].earlier.settled] == [DeletionOutcome.DELETED]
