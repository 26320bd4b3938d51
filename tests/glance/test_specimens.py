"""The fleet of specimens: every one is in the cloud as its row says."""

from collections import Counter

import pytest

from tests.glance.cloud import Cloud
from tests.glance.images import Images
from tests.glance.specimens import SPECIMENS, Fleet, Specimen, make_fleet


@pytest.fixture(scope="module")
def fleet(cloud: Cloud) -> Fleet:
    return make_fleet(cloud)


@pytest.fixture(scope="module")
def images(cloud: Cloud, fleet: Fleet) -> Images:
    return cloud.images(fleet.ours)


@pytest.fixture(scope="module")
def everything(cloud: Cloud) -> Images:
    """The images of every project, as the administrator sees them."""
    return cloud.images(cloud.admin)


def test_keys_are_unique() -> None:
    assert Counter(specimen.key for specimen in SPECIMENS).most_common(1)[0][1] == 1


def test_the_lists_show_those_that_are_to_be_decided_about_and_no_others(fleet: Fleet, images: Images) -> None:
    shown = images.ids(limit=1000) | images.ids(limit=1000, os_hidden="true")
    assert {key for key, image_id in fleet.ids.items() if image_id in shown} == {
        specimen.key for specimen in SPECIMENS if specimen.reason is not None
    }
    assert fleet.expected().keys() == shown & set(fleet.ids.values())


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.key)
def test_each_is_as_its_row_says(fleet: Fleet, everything: Images, specimen: Specimen) -> None:
    image = everything.get(fleet.ids[specimen.key]).raise_for_status().json()
    owner = fleet.ours if specimen.ours else fleet.theirs
    wanted = {"name": specimen.name, "status": specimen.status, "owner": owner.project_id, **specimen.fields}
    wanted |= {"visibility": "public"} if specimen.public else {}
    wanted |= specimen.naming(fleet.ids)
    assert {key: image[key] for key in wanted} | {"tags": set(image["tags"])} == wanted | {
        "tags": set(specimen.fields.get("tags", ()))
    }


def test_what_is_in_use_is_used_and_nothing_else(cloud: Cloud, fleet: Fleet, images: Images) -> None:
    """By servers, volumes and images that we see, of which none need be anything else than there."""
    project = fleet.ours.project_id
    servers = {server["image"]["id"] for server in cloud.nova.of(project) if server["image"]}
    volumes = {volume["volume_image_metadata"]["image_id"] for volume in cloud.cinder.of(project)}
    by_id = {image_id: key for key, image_id in fleet.ids.items()}
    seen = [image for image in images.listed(limit=1000) if image["id"] in by_id]
    bases, kernels, ramdisks = (
        {image[name] for image in seen if name in image} for name in ("base_image_ref", "kernel_id", "ramdisk_id")
    )
    assert [{by_id[image_id] for image_id in used} for used in (servers, volumes, bases, kernels, ramdisks)] == [
        {"booted"},
        {"in-a-volume"},
        {"base"},
        {"kernel", "kernel-of-theirs"},
        {"ramdisk"},
    ]
