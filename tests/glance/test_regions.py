"""One real Glance for two regions of a real Keystone, each with a Nova of its own: what any server uses stays."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.glance.cloud import Cloud
from tests.glance.configuration import REGION
from tests.glance.desk import Desk, outcomes, reasons, there
from tests.glance.specimens import OLD, POLICIES
from tests.glance.stand_ins import Nova

SECOND = "RegionTwo"
ASKED = {"servers": "required"}
"""The other sources by what the catalogue has: a second region has no volumes here."""
TWO_TARGETS = [
    {"name": "one", "cloud": "anywhere", "region": REGION},
    {"name": "two", "cloud": "anywhere", "region": SECOND},
]


@dataclass(frozen=True)
class Scene:
    """A project with three old images, of which a server in each region uses one, and nothing the last."""

    cloud: Cloud
    desk: Desk
    second: Nova
    in_first: str
    in_second: str
    free: str

    def left(self) -> set[str]:
        """Those of the images that are still there."""
        return set(there(self.cloud, {one: one for one in (self.in_first, self.in_second, self.free)}))


@pytest.fixture(scope="module", autouse=True)
def _regions(cloud: Cloud) -> None:
    cloud.identity.region(SECOND)


@contextmanager
def two_regions(
    cloud: Cloud, folder: Path, image_url: str | None, targets: Sequence[dict[str, Any]]
) -> Iterator[Scene]:
    """Such a scene; the second region has images at that URL, or none."""
    member = cloud.member()
    images = cloud.images(member)
    first, second, free = (images.upload(images.create(f"old-{number}")) for number in range(3))
    for image_id in (first, second, free):
        cloud.database.write(image_id, created_at=datetime.now(UTC) - OLD)
    desk = Desk(folder, cloud)
    desk.configure(member, POLICIES, [{"usage": ASKED, **target} for target in targets])
    with ExitStack() as stack:
        nova = stack.enter_context(Nova(cloud.identity))
        stack.enter_context(cloud.identity.offering("compute", nova.endpoint, SECOND))
        if image_url is not None:
            stack.enter_context(cloud.identity.offering("image", image_url, SECOND))
        cloud.nova.boot("web-1", member.project_id, first)
        nova.boot("web-2", member.project_id, second)
        yield Scene(cloud, desk, nova, first, second, free)


ONE = {"one-url": "{}", "written-otherwise": "{}//v2/", "in-one-region-only": None}


@pytest.mark.parametrize("url", ONE.values(), ids=ONE.keys())
@pytest.mark.parametrize(("region", "name"), [(REGION, "ours"), ("*", f"ours-{REGION}")], ids=["one", "every"])
def test_what_servers_of_either_region_use_stays(
    cloud: Cloud, tmp_path: Path, url: str | None, region: str, name: str
) -> None:
    image_url = None if url is None else url.format(cloud.glance.url)
    with two_regions(cloud, tmp_path, image_url, [{"region": region}]) as scene:
        for deleted in ({scene.free: "deleted"}, {}):
            report = scene.desk.run()
            found = {image_id: reason for image_id, (reason, _) in reasons(report).items()}
            assert (report["target"], report["exit"], outcomes(report)) == (name, 0, deleted)
            assert [found[one] for one in (scene.in_first, scene.in_second)] == ["in-use", "in-use"]
        assert scene.left() == {scene.in_first, scene.in_second}


def test_a_region_whose_servers_cannot_be_listed_keeps_every_image(cloud: Cloud, tmp_path: Path) -> None:
    with two_regions(cloud, tmp_path, cloud.glance.url, [{"region": REGION}]) as scene:
        scene.second.status = 403
        report = scene.desk.run()
        assert (report["exit"], report["deletions"]) == (1, [])
        assert f"servers in {SECOND}" in report["error"]
        assert scene.left() == {scene.in_first, scene.in_second, scene.free}


def test_two_targets_of_the_two_regions_are_a_mistake(cloud: Cloud, tmp_path: Path) -> None:
    with two_regions(cloud, tmp_path, cloud.glance.url, TWO_TARGETS) as scene:
        done = scene.desk.command()
        assert (done.returncode, done.stdout) == (2, "")
        assert "is the same project and image service as target one" in done.stderr
        assert scene.left() == {scene.in_first, scene.in_second, scene.free}


@pytest.mark.parametrize(
    "targets",
    [
        pytest.param([{"region": "*"}], id="every-region-of-one-target"),
        pytest.param(TWO_TARGETS, id="two-targets"),
        pytest.param([{"region": REGION}], id="one-of-the-regions"),
    ],
)
def test_one_glance_under_two_urls_is_cleaned_under_neither(
    cloud: Cloud, tmp_path: Path, targets: list[dict[str, Any]]
) -> None:
    elsewhere = cloud.glance.url.replace("127.0.0.1", "localhost")
    with two_regions(cloud, tmp_path, elsewhere, targets) as scene:
        for words in ((), ("--accept-survey",)):
            report = scene.desk.report(*words)
            assert report["exit"] == 4
            assert {target["outcome"] for target in report["targets"]} == {"refused"}
            for target in report["targets"]:
                assert "one image service under two names" in target["error"]
                assert target["deletions"] == []
        assert scene.left() == {scene.in_first, scene.in_second, scene.free}


def test_joined_by_an_image_endpoint_it_is_cleaned_once(cloud: Cloud, tmp_path: Path) -> None:
    elsewhere = cloud.glance.url.replace("127.0.0.1", "localhost")
    target = {"region": REGION, "image_endpoint": cloud.glance.url}
    with two_regions(cloud, tmp_path, elsewhere, [target]) as scene:
        report = scene.desk.run()
        assert (report["exit"], outcomes(report)) == (0, {scene.free: "deleted"})
        assert scene.left() == {scene.in_first, scene.in_second}
