"""A run reads a long list at the places that the run before recorded, and decides the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from janitor.core.image import Image
from janitor.core.result import Mode, RunResult
from janitor.run.orders import Site
from janitor.run.sites import Choice
from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options
from janitor.store import Store
from tests import runs
from tests.conftest import POLICY
from tests.factories import AMPLE, OLD, image_called
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
            markers.append(store.markers(results[0].targets[0].target))
    assert target.http.parallel_pages == 4
    assert len(markers[0]) > 15
    assert markers[1] == markers[0]
    assert not set(markers[0]) <= asked[0]
    assert set(markers[0]) <= asked[1]
    assert decided(results[0]) == decided(results[1]) != []


@dataclass
class PartialCloud(RecordingCloud):
    """Leaves an image out of its list as long as it is asked for several pages at a time."""

    left_out: str = ""

    def read_side_by_side(self) -> bool:
        return bool(self.asked_at)

    def images(self, markers: Sequence[str] = ()) -> Iterator[Image]:
        for image in super().images(markers):
            if not (markers and image.id == self.left_out):
                yield image


@pytest.mark.parametrize("side_by_side", [True, False])
def test_a_known_image_that_is_missing_side_by_side_is_looked_for_in_order(store: Store, side_by_side: bool) -> None:
    kernel = image_called("kernel", days=40)
    images = [kernel, image_called("needs", days=1, properties={"kernel_id": "kernel"})]
    cloud = PartialCloud(images, by_id=False, left_out="needs", marked=["kernel"] if side_by_side else [])
    results = [run_of([Site("prod", lambda: cloud)], [OLD], store, Mode.DELETE, AMPLE).perform() for _ in range(2)]
    assert [decided(result) for result in results] == [
        [("kernel", "keep", "needed"), ("needs", "keep", "too-young")],
    ] * 2
    assert cloud.deleted == []
    assert cloud.surveys == (3 if side_by_side else 2)
