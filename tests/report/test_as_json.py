"""The report for programs: the keys are a contract, and so are the times."""

import json
from datetime import timedelta, timezone
from typing import Any

import pytest

from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.core.survey import Survey
from janitor.core.usage import Usage, User
from janitor.report.as_json import json_report
from janitor.report.tables import images_json
from tests.factories import (
    GIB,
    NOW,
    make_deletion,
    make_image,
    make_run,
    make_target,
    to_delete,
    to_keep,
    too_young,
    usage_of,
)


def test_a_run_is_exactly_this_object() -> None:
    doomed = to_delete(make_image("ci-web-41", id="i-1"))
    young = too_young(make_image("ci-web-50", id="i-2", size=None), due=NOW + timedelta(microseconds=500))
    target = make_target([doomed, young], [make_deletion(doomed)])
    assert json.loads(json_report(make_run(target, mode=Mode.DELETE))) == {
        "run": 12,
        "mode": "delete",
        "outcome": "ok",
        "error": None,
        "digest": None,
        "begun_by": None,
        "started_at": "2026-11-23T03:00:00Z",
        "finished_at": "2026-11-23T03:00:42Z",
        "targets": [
            {
                "target": "prod",
                "outcome": "ok",
                "error": None,
                "images": 2,
                "decisions": [
                    {
                        "image": "i-1",
                        "name": "ci-web-41",
                        "status": "active",
                        "size": 10 * GIB,
                        "verdict": "delete",
                        "policy": "ci-images",
                        "reason": "expired",
                        "detail": "created 2026-10-24, expired 2026-11-07 (14d after creation)",
                        "due": None,
                        "owner": None,
                        "contact": None,
                    },
                    {
                        "image": "i-2",
                        "name": "ci-web-50",
                        "status": "active",
                        "size": None,
                        "verdict": "keep",
                        "policy": "ci-images",
                        "reason": "too-young",
                        "detail": "created 2026-11-11, expires 2026-11-23 (14d after creation)",
                        "due": "2026-11-23T03:00:00.000500Z",
                        "owner": None,
                        "contact": None,
                    },
                ],
                "deletions": [{"image": "i-1", "outcome": "deleted", "detail": "confirmed gone"}],
                "settled": [],
                "remarks": [],
                "announced": [],
                "reminded": [],
                "undelivered": [],
                "spared": [],
                "gone": [],
                "changed": [],
                "since": None,
            }
        ],
        "remarks": [],
        "unseen": [],
    }


def test_the_keys_come_in_the_documented_order() -> None:
    report = json.loads(json_report(make_run(make_target([to_delete()], [make_deletion()]))))
    target = report["targets"][0]
    run = ["run", "mode", "outcome", "error", "digest", "begun_by", "started_at", "finished_at", "targets", "remarks"]
    assert list(report) == [*run, "unseen"]
    news = ["settled", "announced", "reminded", "undelivered", "spared", "gone", "changed", "remarks", "since"]
    assert list(target) == ["target", "outcome", "error", "images", "decisions", "deletions", *news]
    assert list(target["deletions"][0]) == ["image", "outcome", "detail"]


def test_times_are_in_utc_whatever_zone_they_come_in() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=9)))
    report = json.loads(json_report(make_run(make_target([too_young(due=local)]), started_at=local)))
    assert report["started_at"] == report["targets"][0]["decisions"][0]["due"] == "2026-11-23T03:00:00Z"


def test_every_decision_is_there_in_order() -> None:
    decisions = [to_keep(make_image(id=str(number))) for number in range(3_000)]
    report = json.loads(json_report(make_run(make_target(decisions))))
    assert [decision["image"] for decision in report["targets"][0]["decisions"]] == [str(n) for n in range(3_000)]


@pytest.mark.parametrize("outcome", DeletionOutcome)
def test_deletions_tell_their_outcome(outcome: DeletionOutcome) -> None:
    target = make_target([to_delete()], [make_deletion(outcome=outcome, detail="so it was")])
    assert json.loads(json_report(make_run(target)))["targets"][0]["deletions"][0]["outcome"] == outcome.value


def test_errors_are_told_of_the_run_and_of_its_targets() -> None:
    target = make_target(outcome=Outcome.FAILED, error="no answer")
    report = json.loads(json_report(make_run(target, outcome=Outcome.FAILED, error="the database is damaged")))
    assert (report["error"], report["targets"][0]["error"]) == ("the database is damaged", "no answer")


@pytest.mark.parametrize(
    "name", [None, "", "야간 빌드", "a\x1b[31m\x9b\n\u202e\u2028", "\ud800", '"\\'], ids=lambda name: ascii(name)
)
def test_names_come_back_as_they_are_and_cannot_act_on_a_terminal(name: str | None) -> None:
    text = json_report(make_run(make_target([to_delete(make_image(name))])))
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["targets"][0]["decisions"][0]["name"] == name


def seen(usage: Usage) -> Any:
    image = make_image(
        "web", id="ID-1", properties={"os_distro": "ubuntu"}, unreadable={"minRam": "lots"}, min_ram=None
    )
    survey = Survey((image, make_image("odd", properties=None)), usage, NOW, NOW + timedelta(seconds=9))
    return json.loads("".join(images_json(7, [("prod", survey)])))


def test_images_come_with_every_fact_and_who_uses_them() -> None:
    report = seen(usage_of({"id-1": (User("i-1", "web-1", source="servers"),)}))
    assert (report["run"], report["targets"][0]["target"]) == (7, "prod")
    assert report["targets"][0]["images"][0] == {
        "id": "ID-1",
        "name": "web",
        "status": "active",
        "public": False,
        "protected": False,
        "owned": True,
        "visibility": None,
        "owner": None,
        "os_hidden": False,
        "tags": [],
        "created_at": "2026-10-24T03:00:00Z",
        "updated_at": "2026-10-24T03:00:00Z",
        "size": 10 * GIB,
        "disk_format": "qcow2",
        "min_disk": 20,
        "min_ram": None,
        "properties": {"os_distro": "ubuntu"},
        "unreadable": {"minRam": "lots"},
        "used_by": [{"kind": "instance", "id": "i-1", "name": "web-1", "source": "servers"}],
    }


def test_what_could_not_be_read_is_null_and_not_nothing() -> None:
    target = seen(Usage(problem="no answer"))["targets"][0]
    assert target["images"][1]["properties"] is None
    assert target["usage_problem"] == "no answer"
    assert (target["started_at"], target["finished_at"]) == ("2026-11-23T03:00:00Z", "2026-11-23T03:00:09Z")
