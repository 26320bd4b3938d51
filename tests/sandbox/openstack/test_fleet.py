"""The seeded fleet of an OpenStack project: the same for the same seed, and with every kind that only v2 tells of."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from janitor.sandbox.fleet import Fleet
from janitor.sandbox.models import OURS, StoredImage
from janitor.sandbox.openstack.fleet import make_cloud_fleet
from janitor.sandbox.openstack.images import image_document
from tests.factories import NOW
from tests.sandbox.openstack.client import client_of

OLD = timedelta(days=90)


def fleet(images: int = 200, seed: int = 1, *, oddities: bool = False) -> Fleet:
    return make_cloud_fleet(images, seed=seed, now=NOW, oddities=oddities)


def test_the_same_seed_gives_the_same_fleet_and_another_another() -> None:
    assert fleet() == fleet()
    ids = [{image.id for image in fleet(seed=seed).images} for seed in (1, 2)]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("oddities", [False, True], ids=["plain", "oddities"])
@pytest.mark.parametrize("images", [0, 1, 2, 7, 33, 99, 200, 1000, 6001])
def test_it_has_exactly_as_many_images_as_asked_for(images: int, oddities: bool) -> None:
    made = fleet(images, oddities=oddities).images
    assert len({image.id for image in made}) == len(made) == images


@pytest.mark.parametrize("seed", range(5))
def test_nothing_has_the_id_of_anything_else(seed: int) -> None:
    """A stack that has the id of an image seems to use it, for it names itself."""
    made = make_cloud_fleet(200, seed=seed, now=NOW, computes=3)
    every = (made.images, made.instances, made.volumes, made.launchers.stacks, made.launchers.clusters)
    ids = [one.id for kind in every for one in kind]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("images", [200, 6001])
def test_nothing_is_of_the_future_or_updated_before_its_creation(images: int) -> None:
    made = fleet(images)
    assert all(image.created_at <= image.updated_at <= NOW for image in made.images)
    assert all(volume.created_at <= NOW for volume in made.volumes)


def ours(image: StoredImage, visibility: str) -> bool:
    return image.owner == OURS and image.visibility == visibility


def members(image: StoredImage) -> set[str]:
    return set(image.members.values())


def old(image: StoredImage) -> bool:
    return NOW - image.created_at > OLD and not image.protected and image.status == "active"


def lapsed(tag: str) -> bool:
    return tag == "janitor-keep-until=2020-01-31"


PRESENT: dict[str, Callable[[StoredImage], object]] = {
    "nightly-build": lambda it: "nightly" in it.tags and "build_job" in it.properties,
    "queued-without-size": lambda it: it.status == "queued" and it.size is None,
    "forgotten-upload": lambda it: it.status == "queued" and NOW - it.updated_at > timedelta(days=2),
    "saving": lambda it: it.status == "saving",
    "uploading": lambda it: it.status == "uploading",
    "importing": lambda it: it.status == "importing",
    "killed": lambda it: it.status == "killed",
    "pending-delete": lambda it: it.status == "pending_delete",
    "deactivated": lambda it: it.status == "deactivated",
    "vendor": lambda it: it.is_public and it.owner != OURS and it.protected,
    "protected": lambda it: it.protected and it.owner == OURS,
    "own-public": lambda it: ours(it, "public") and old(it),
    "own-community": lambda it: ours(it, "community") and old(it),
    "their-community": lambda it: it.visibility == "community" and it.owner != OURS,
    "shared-and-accepted": lambda it: ours(it, "shared") and "accepted" in members(it) and old(it),
    "shared-and-pending": lambda it: ours(it, "shared") and members(it) == {"pending"} and old(it),
    "shared-and-rejected": lambda it: ours(it, "shared") and members(it) == {"rejected"} and old(it),
    "shared-with-nobody": lambda it: ours(it, "shared") and not it.members and old(it),
    "shared-with-us": lambda it: it.owner != OURS and it.members.get(OURS) == "accepted",
    "offered-to-us": lambda it: it.owner != OURS and it.members.get(OURS) == "pending",
    "hidden": lambda it: it.hidden and it.owner == OURS and old(it),
    "kept-by-tag": lambda it: "janitor-keep" in it.tags and old(it),
    "kept-until": lambda it: "janitor-keep-until=2099-12-31" in it.tags and old(it),
    "kept-until-it-lapsed": lambda it: any(map(lapsed, it.tags)) and old(it),
    "kept-until-who-knows": lambda it: "janitor-keep-until=the release" in it.tags and old(it),
    "snapshot": lambda it: {"base_image_ref", "instance_uuid"} <= it.properties.keys(),
    "held": lambda it: it.held,
    "markup": lambda it: "<!channel>" in str(it.name),
    "empty-name": lambda it: it.name == "",
    "null-name": lambda it: it.name is None,
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", PRESENT)
def test_the_default_fleet_has_every_kind_of_image(kind: str, seed: int) -> None:
    assert any(PRESENT[kind](image) for image in fleet(seed=seed).images)


def uses(made: Fleet) -> dict[str, set[Any]]:
    """Ids of images by the source that says they are in use."""
    return {
        "servers": {server.image for server in made.instances},
        "volumes": {volume.image for volume in made.volumes},
        "snapshots": {image.properties.get("base_image_ref") for image in made.images},
    }


@pytest.mark.parametrize("source", ["servers", "volumes", "snapshots"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_some_own_images_are_known_in_use_by_one_source_only(source: str, seed: int) -> None:
    made = fleet(seed=seed)
    known = uses(made)
    others: set[Any] = set().union(*(ids for name, ids in known.items() if name != source))
    assert {image.id for image in made.images if image.owner == OURS} & known[source] - others


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_servers_start_from_images_and_from_volumes_and_some_are_shelved(seed: int) -> None:
    made = fleet(seed=seed)
    assert {"ACTIVE", "SHUTOFF", "SHELVED_OFFLOADED", "ERROR"} <= {server.status for server in made.instances}
    assert "STOP" not in {server.status for server in made.instances}
    without = {server.id for server in made.instances if not isinstance(server.image, str) or not server.image}
    booted = {volume.instance for volume in made.volumes if volume.image}
    assert without
    assert without <= booted


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_snapshot_is_younger_than_its_base(seed: int) -> None:
    by_id = {image.id: image for image in fleet(seed=seed).images}
    based = [(image, by_id.get(image.properties.get("base_image_ref", ""))) for image in by_id.values()]
    pairs = [(image, base) for image, base in based if base]
    assert pairs
    assert all(base.created_at < image.created_at for image, base in pairs)


def test_only_images_that_a_volume_was_made_of_are_held_by_the_store() -> None:
    made = fleet()
    assert {image.id for image in made.images if image.held} <= uses(made)["volumes"]


def test_oddities_are_only_there_when_asked_for() -> None:
    assert not any(image.wire for image in fleet().images)
    odd = [image for image in fleet(400, oddities=True).images if image.wire]
    assert len(odd) == 18
    assert all({**image_document(image)} != {**image_document(replace(image, wire={}))} for image in odd)


# In an account


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_fleet_has_node_groups_and_stacks_of_every_kind(seed: int) -> None:
    with client_of(images=200, seed=seed) as client:
        account = client.sandbox.account
        groups = [group for cluster in account.clusters.values() for group in cluster.groups]
        assert 3 <= len(account.clusters) <= 5
        assert {group.nodes > 0 for group in groups} == {group.unlisted_image for group in groups} == {True, False}
        stacks = list(account.stacks.values())
        assert 5 <= len(stacks) <= 10
        assert {stack.parent is None for stack in stacks} == {stack.updated_at is None for stack in stacks}
        assert {"image" in stack.parameters for stack in stacks} == {True, False}
        own = {image.id for image in account.images.values() if image.owner == OURS}
        assert {group.image for group in groups} <= own
        assert any(stack.words() & own for stack in stacks)
        assert any(not stack.words() & own for stack in stacks), "some name theirs by name"


def test_kernels_are_there_when_asked_for() -> None:
    with client_of(images=200) as plain, client_of(images=200, kernels=True) as full:
        assert not any("kernel_id" in image.properties for image in plain.sandbox.account.images.values())
        images = full.sandbox.account.images
        assert len(images) == 200
        written = {image["id"]: image for image in full.listed()}
        whole = [image for image in written.values() if image["disk_format"] == "ami"]
        assert len(whole) == 2
        for image in whole:
            kernel, ramdisk = written[image["kernel_id"]], written[image["ramdisk_id"]]
            assert (kernel["disk_format"], ramdisk["disk_format"]) == ("aki", "ari")
            assert kernel["container_format"] == "aki"
        uses = full.sandbox.account.uses()
        kernels = [image for image in images.values() if image.disk_format in ("aki", "ari")]
        assert [image.id in uses for image in kernels].count(True) >= 4
        assert any(image.disk_format == "aki" and image.id not in uses for image in kernels)


@pytest.mark.parametrize("images", [0, 1, 3, 26, 51, 99])
def test_a_small_fleet_has_exactly_as_many_images_with_kernels_too(images: int) -> None:
    with client_of(images=images, kernels=True, computes=3) as client:
        assert len(client.sandbox.account.images) == images
