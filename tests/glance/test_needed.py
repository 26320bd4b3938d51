"""Images that others need, and images of other projects beside ours, on a real Glance: kernels, ramdisks."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.glance.cloud import Cloud
from tests.glance.desk import Desk, outcomes, reasons, there
from tests.glance.identity import Person
from tests.glance.images import Images
from tests.glance.specimens import OLD

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Scene:
    """Two projects, of which ours is cleaned."""

    cloud: Cloud
    desk: Desk
    me: Person
    other: Person
    ours: Images
    theirs: Images

    def old(self, images: Images, name: str, age: timedelta = OLD, **fields: Any) -> str:
        """The id of a new active image of that age."""
        image_id = images.upload(images.create(name, **fields))
        self.cloud.database.write(image_id, created_at=datetime.now(UTC) - age)
        return image_id

    def part(self, word: str) -> str:
        """One of ours of a format that names its container, too."""
        return self.old(self.ours, word, disk_format=word, container_format=word)

    def machine(self, images: Images, kernel: str, ramdisk: str) -> str:
        """An image that names these two as its parts."""
        parts = {"kernel_id": kernel, "ramdisk_id": ramdisk}
        return self.old(images, "machine", OLD, disk_format="ami", container_format="ami", **parts)

    def publish(self, image_id: str) -> None:
        self.cloud.images(self.cloud.admin).change(image_id, visibility="public")

    def accept(self, image_id: str) -> None:
        """Accept an image that they share with us."""
        self.theirs.share(image_id, self.me.project_id)
        self.ours.reply(image_id, self.me.project_id, "accepted")

    def left(self, *ids: str) -> set[str]:
        """Those of these images that are still there."""
        return set(there(self.cloud, {image_id: image_id for image_id in ids}))


@pytest.fixture
def scene(cloud: Cloud, tmp_path: Path) -> Scene:
    me, other = cloud.member(), cloud.member()
    desk = Desk(tmp_path, cloud)
    desk.configure(me)
    return Scene(cloud, desk, me, other, cloud.images(me), cloud.images(other))


# Kernels and ramdisks


def hide(scene: Scene, machine: str) -> None:
    scene.ours.change(machine, os_hidden=True)


def deactivate(scene: Scene, machine: str) -> None:
    scene.ours.deactivate(machine)


@pytest.mark.parametrize("change", [None, hide, deactivate], ids=["active", "hidden", "deactivated"])
def test_a_kernel_and_a_ramdisk_go_in_the_run_after_the_image_that_names_them(
    scene: Scene, change: Callable[[Scene, str], None] | None
) -> None:
    kernel, ramdisk, orphan = scene.part("aki"), scene.part("ari"), scene.part("aki")
    machine = scene.machine(scene.ours, kernel, ramdisk.upper())
    if change is not None:
        change(scene, machine)
    first = scene.desk.run()
    decided = {image_id: reason for image_id, (reason, _) in reasons(first).items()}
    assert {key: decided[key] for key in (machine, kernel, ramdisk, orphan)} == {
        machine: "expired",
        kernel: "needed",
        ramdisk: "needed",
        orphan: "expired",
    }
    assert (first["exit"], outcomes(first)) == (0, dict.fromkeys((machine, orphan), "deleted"))
    assert scene.left(machine, kernel, ramdisk, orphan) == {kernel, ramdisk}
    assert outcomes(scene.desk.run()) == dict.fromkeys((kernel, ramdisk), "deleted")


def test_an_image_that_stays_holds_its_kernel_in_every_run(scene: Scene) -> None:
    kernel, ramdisk = scene.part("aki"), scene.part("ari")
    machine = scene.machine(scene.ours, kernel, ramdisk)
    scene.ours.change(machine, protected=True)
    for _ in range(2):
        found = reasons(scene.desk.run())
        assert [found[key][0] for key in (machine, kernel, ramdisk)] == ["protected", "needed", "needed"]
    assert scene.left(kernel, ramdisk) == {kernel, ramdisk}


def test_an_image_that_is_half_deleted_holds_none(scene: Scene) -> None:
    kernel, ramdisk = scene.part("aki"), scene.part("ari")
    machine = scene.machine(scene.ours, kernel, ramdisk)
    scene.cloud.database.write(machine, status="deleted")
    report = scene.desk.run()
    assert reasons(report)[machine] == ("gone", None)
    assert outcomes(report) == dict.fromkeys((kernel, ramdisk), "deleted")


VISIBLE = {"public": (Scene.publish, "public"), "accepted": (Scene.accept, "not-owned")}


@pytest.mark.parametrize(("show", "reason"), VISIBLE.values(), ids=VISIBLE.keys())
def test_a_kernel_of_ours_stays_as_long_as_an_image_of_others_is_listed_that_names_it(
    scene: Scene, show: Callable[[Scene, str], None], reason: str
) -> None:
    kernel, ramdisk = scene.part("aki"), scene.part("ari")
    machine = scene.machine(scene.theirs, kernel, ramdisk)
    show(scene, machine)
    for _ in range(2):
        report = scene.desk.run()
        found = reasons(report)
        assert [found[key][0] for key in (machine, kernel, ramdisk)] == [reason, "needed", "needed"]
        assert report["deletions"] == []
    scene.theirs.delete(machine).raise_for_status()
    assert outcomes(scene.desk.run()) == dict.fromkeys((kernel, ramdisk), "deleted")


ID = {"type": ["null", "string"], "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}


@pytest.fixture
def _schema(cloud: Cloud) -> Iterator[None]:
    """A schema of properties, by which kernels and ramdisks are ids or null, as in the file of Glance."""
    file = cloud.folder / "schema-image.json"
    file.write_text(json.dumps({"kernel_id": ID, "ramdisk_id": ID}))
    cloud.restart_glance()
    yield
    file.unlink()
    cloud.restart_glance()


@pytest.mark.usefixtures("_schema")
def test_images_that_have_null_for_a_kernel_hold_none(scene: Scene) -> None:
    orphan, queued = scene.part("aki"), scene.ours.create("queued", disk_format=None)
    plain = scene.old(scene.ours, "golden-disk", kernel_id=None, ramdisk_id=None)
    scene.cloud.database.write(queued, created_at=datetime.now(UTC) - OLD, updated_at=datetime.now(UTC) - OLD)
    assert scene.ours.get(plain).json()["kernel_id"] is None
    report = scene.desk.run()
    assert outcomes(report) == dict.fromkeys((orphan, queued), "deleted")
    assert scene.left(plain, orphan, queued) == {plain}


# Images of other projects in a family

FAMILY = """\
policies:
  - name: family
    match: {name: "baked-*"}
    expire: {after: 14d}
    keep: {newest: 2, per: policy}
"""


@pytest.mark.parametrize(("show", "reason"), VISIBLE.values(), ids=VISIBLE.keys())
def test_images_of_others_take_no_place_of_ours(scene: Scene, show: Callable[[Scene, str], None], reason: str) -> None:
    scene.desk.configure(scene.me, FAMILY)
    ours = [scene.old(scene.ours, f"baked-{number}", OLD + number * DAY) for number in range(4)]
    theirs = [scene.old(scene.theirs, f"baked-{number}", OLD - number * DAY) for number in range(1, 4)]
    for image_id in theirs:
        show(scene, image_id)
    report = scene.desk.run()
    found = reasons(report)
    assert [found[image_id][0] for image_id in ours] == ["kept-newest", "kept-newest", "expired", "expired"]
    assert {found[image_id][0] for image_id in theirs} == {reason}
    assert outcomes(report) == dict.fromkeys(ours[2:], "deleted")
    assert scene.left(*ours, *theirs) == {*ours[:2], *theirs}
