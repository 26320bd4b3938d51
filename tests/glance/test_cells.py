"""The janitor on a real Glance while a cell of Nova is down: a list of servers that is valid and incomplete."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.glance.cloud import Cloud
from tests.glance.desk import Desk, outcomes, reasons, there
from tests.glance.specimens import OLD, POLICIES

OLDER = pytest.mark.parametrize("newest", [None, (2, 68)], ids=["no-microversions", "none-that-has-stubs"])


@dataclass(frozen=True)
class Scene:
    """A project with two old images; of one of them a server is made, in a cell that can be down."""

    cloud: Cloud
    desk: Desk
    used: str
    free: str
    server: str

    def left(self) -> set[str]:
        """Those of the images that are still there."""
        return set(there(self.cloud, {one: one for one in (self.used, self.free)}))


@contextmanager
def cells(cloud: Cloud, folder: Path, newest: tuple[int, int] | None) -> Iterator[Scene]:
    """Such a scene, with Nova's newest microversion."""
    member, desk = cloud.member(), Desk(folder, cloud)
    desk.configure(member, POLICIES, max_shrink="100%")
    images = cloud.images(member)
    used, free = (images.upload(images.create(name)) for name in ("used", "free"))
    for image_id in (used, free):
        cloud.database.write(image_id, created_at=datetime.now(UTC) - OLD)
    cloud.nova.boot("elsewhere", member.project_id, None)
    server = cloud.nova.boot("web-1", member.project_id, used)
    usual, cloud.nova.newest = cloud.nova.newest, newest
    try:
        yield Scene(cloud, desk, used, free, server)
    finally:
        cloud.nova.newest, cloud.nova.down = usual, set()


def test_where_stubs_are_listed_nothing_goes_until_the_cell_is_back(cloud: Cloud, tmp_path: Path) -> None:
    """Even in the first run of all, which cannot know what was used before."""
    with cells(cloud, tmp_path, (2, 96)) as scene:
        cloud.nova.down = {scene.server}
        report = scene.desk.run()
        assert (report["exit"], report["deletions"]) == (1, [])
        assert "its cell is down" in report["error"]
        assert {reasons(report)[one][0] for one in (scene.used, scene.free)} == {"usage-unknown"}
        assert scene.left() == {scene.used, scene.free}
        cloud.nova.down = set()
        report = scene.desk.run()
        assert (report["exit"], outcomes(report)) == (0, {scene.free: "deleted"})
        assert reasons(report)[scene.used][0] == "in-use"


@OLDER
def test_where_a_cell_is_left_out_what_it_used_before_stays(
    cloud: Cloud, tmp_path: Path, newest: tuple[int, int] | None
) -> None:
    with cells(cloud, tmp_path, newest) as scene:
        assert reasons(scene.desk.run())[scene.used][0] == "in-use"
        cloud.nova.down = {scene.server}
        for _ in range(3):
            report = scene.desk.run()
            assert (report["exit"], report["deletions"]) == (0, [])
            assert reasons(report)[scene.used][0] == "recently-used"
        assert scene.left() == {scene.used}
