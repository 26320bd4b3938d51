"""A run reads a long list at the places that the run before recorded, and decides the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.core.image import Image
from janitor.core.result import Mode, RunResult
from janitor.core.survey.pages import PagesRead
from janitor.errors import CloudError, RetryLater
from janitor.run.orders import Site
from janitor.run.sites import Choice
from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options
from janitor.store import Store
from tests import runs
from tests.conftest import POLICY
from tests.factories import AMPLE, NOW, OLD, image_called
from tests.fakes import RecordingCloud
from tests.in_process import in_process
from tests.runs import run_of


def decided(result: RunResult) -> list[tuple[str, str, str]]:
    return [(d.image.id, str(d.verdict), str(d.reason)) for target in result.targets for d in target.decisions]


@pytest.mark.parametrize("api", Api)
def test_the_second_run_asks_where_the_first_one_noted(tmp_path: Path, api: Api) -> None:
    sandbox, transport = in_process(Options(api=api, images=200))
    settings, rules = runs.settings_on(tmp_path, sandbox, "http: {page_size: 10}", mode=Mode.DRY_RUN, policies=POLICY)
    [target] = settings.targets
    asked, results, markers = [], [], []
    for _ in range(2):
        since = len(sandbox.requests)
        results.append(runs.perform(settings, rules, Mode.DRY_RUN, Choice(settings.targets), http_transport=transport))
        asked.append({request.query.get("marker") for request in sandbox.requests[since:]})
        with Store.open(settings.database) as store:
            markers.append(store.markers(results[0].targets[0].target, NOW) or [])
    assert target.http.parallel_pages == 4
    assert len(markers[0]) > 15
    assert markers[1] == markers[0]
    assert not set(markers[0]) <= asked[0]
    assert set(markers[0]) <= asked[1]
    assert decided(results[0]) == decided(results[1]) != []


@pytest.mark.parametrize(
    ("api", "images", "asked"), [(Api.OPENSTACK, 200, True), (Api.OPENSTACK, 9, False), (Api.TOAST, 200, False)]
)
def test_the_first_run_asks_by_time_where_the_api_allows_that(
    tmp_path: Path, api: Api, images: int, asked: bool
) -> None:
    sandbox, transport = in_process(Options(api=api, images=images))
    settings, rules = runs.settings_on(tmp_path, sandbox, "http: {page_size: 10}", mode=Mode.DRY_RUN, policies=POLICY)
    results, times = [], []
    for _ in range(2):
        since = len(sandbox.requests)
        results.append(runs.perform(settings, rules, Mode.DRY_RUN, Choice(settings.targets), http_transport=transport))
        times.append([request for request in sandbox.requests[since:] if "created_at" in request.query])
    assert bool(times[0]) is asked
    assert not times[1]
    assert decided(results[0]) == decided(results[1]) != []


def test_a_first_run_that_deletes_reads_page_by_page_before(tmp_path: Path) -> None:
    sandbox, transport = in_process(Options(api=Api.OPENSTACK, images=200))
    lines = ("http: {page_size: 10}", "limits: {max_deletions: 1000, max_share: 100%}")
    settings, rules = runs.settings_on(tmp_path, sandbox, *lines, mode=Mode.DELETE, policies=POLICY)
    runs.perform(settings, rules, Mode.DELETE, Choice(settings.targets), http_transport=transport)
    deleted = next(at for at, request in enumerate(sandbox.requests) if request.method == "DELETE")
    before = sandbox.requests[:deleted]
    last_by_time = max(at for at, request in enumerate(before) if "created_at" in request.query)
    in_order = [request.query for request in before[last_by_time:] if request.path.endswith("/v2/images")]
    assert len([query for query in in_order if not {"os_hidden", "visibility", "created_at"} & query.keys()]) >= 19


@dataclass
class PartialCloud(RecordingCloud):
    """Leaves an image out of its list as long as it is asked for several pages at a time.

    Only then it shows entries without an id, if any, or turns such requests down.
    """

    left_out: str = ""
    nameless: tuple[Image, ...] = ()
    turns_down: bool = False

    def pages_read(self) -> PagesRead:
        side_by_side = bool(self.asked_at)
        return PagesRead(tuple(self.marked), side_by_side, turned_down=side_by_side and self.turns_down)

    def images(self, markers: Sequence[str] | None = ()) -> Iterator[Image]:
        for image in super().images(markers):
            if not (markers and image.id == self.left_out):
                yield image
        if markers and self.turns_down:
            raise RetryLater("not now")

    def unidentified(self) -> Sequence[Image]:
        return self.nameless if self.asked_at else ()

    def irregularities(self) -> list[str]:
        return ["the list omits an image"] if self.by_id and self.left_out and self.asked_at else []


KERNEL = image_called("kernel", days=40)
NEEDS = image_called("needs", days=1, properties={"kernel_id": "kernel"})
NEEDED = [("kernel", "keep", "needed"), ("needs", "keep", "too-young")]


def nights(store: Store, cloud: PartialCloud, *modes: Mode, **parts: Any) -> list[RunResult]:
    return [run_of([Site("prod", lambda: cloud)], [OLD], store, mode, AMPLE, **parts).perform() for mode in modes]


@pytest.mark.parametrize("side_by_side", [True, False])
@pytest.mark.parametrize("by_id", [True, False])
def test_a_known_image_that_is_missing_side_by_side_is_looked_for_in_order(
    store: Store, side_by_side: bool, by_id: bool
) -> None:
    marked = ["kernel"] if side_by_side else []
    cloud = PartialCloud([KERNEL, NEEDS], by_id=by_id, left_out="needs", marked=marked)
    results = nights(store, cloud, Mode.DELETE, Mode.DELETE)
    assert [decided(result) for result in results] == [NEEDED, NEEDED]
    assert cloud.deleted == []
    assert cloud.surveys == (3 if side_by_side else 2)


@pytest.mark.parametrize("by_id", [True, False])
def test_nothing_is_deleted_by_a_list_that_was_not_read_in_order(store: Store, by_id: bool) -> None:
    cloud = PartialCloud([KERNEL], by_id=by_id, marked=["kernel"])
    nights(store, cloud, Mode.DRY_RUN)
    cloud.listed, cloud.left_out = [KERNEL, NEEDS], "needs"
    cloud.irregularities = list  # type: ignore[method-assign]
    [result] = nights(store, cloud, Mode.DELETE)
    [change] = result.targets[0].review.changed
    assert decided(result) == [("kernel", "delete", "expired")]
    assert change.detail == "changed during this run: now keep [needed] the kernel of image needs"
    assert cloud.deleted == []


def test_a_list_that_cannot_be_read_in_order_deletes_nothing(store: Store) -> None:
    cloud = PartialCloud([KERNEL], marked=["kernel"])
    nights(store, cloud, Mode.DRY_RUN)
    cloud.survey_errors = [None, CloudError("no answer")]
    [result] = nights(store, cloud, Mode.DELETE)
    assert result.targets[0].error == (
        "1 of 1 deletions were not sent: the list was not read page by page, and reading it again failed: no answer"
    )
    assert cloud.deleted == []


def test_entries_without_an_id_in_either_reading_count(store: Store) -> None:
    cloud = PartialCloud([KERNEL, NEEDS.replace(properties={})], by_id=False, marked=["kernel"])
    nights(store, cloud, Mode.DRY_RUN)
    cloud.left_out, cloud.nameless = "needs", (NEEDS.replace(id=""),)
    [result] = nights(store, cloud, Mode.DELETE)
    assert decided(result)[0] == ("kernel", "keep", "in-use")
    assert result.targets[0].error is not None
    assert "entries of the image list without an id rose from 0 to 1" in result.targets[0].error


def test_a_service_that_turns_down_several_at_a_time_is_asked_for_one_from_the_next_run_on(store: Store) -> None:
    cloud = PartialCloud([KERNEL, NEEDS], marked=["kernel"], turns_down=True)
    three = nights(store, cloud, *[Mode.DRY_RUN] * 3, clock=lambda: NOW)
    assert [night.targets[0].outcome for night in three] == ["ok", "failed", "ok"]
    assert cloud.asked_at == []
    [later] = nights(store, cloud, Mode.DRY_RUN, clock=lambda: NOW + timedelta(days=31))
    assert later.targets[0].outcome == "failed", "it is tried again after a month"
