"""Images of the sandbox are listed and deleted as the Compute API v1.0 page promises, and as each option changes it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from janitor.sandbox.models import MISSING
from janitor.sandbox.options import Absent, Booleans, MarkerReading, Options, SortDirection, Times
from tests.sandbox.clock import START
from tests.sandbox.compute_v1.client import UNKNOWN, Client, client_of, newest_first, own_image

# The list


def test_an_image_is_written_as_on_the_vendors_page(reader: Client) -> None:
    for written in reader.page():
        stored = reader.sandbox.account.images[written["id"]]
        assert list(written) == [
            *("createdAt", "diskFormat", "id", "isPublic", "minDisk", "minRam"),
            *("name", "properties", "protected", "size", "status", "updatedAt"),
        ]
        assert written["name"] == stored.name
        assert written["isPublic"] is stored.is_public
        assert written["protected"] is stored.protected
        assert written["size"] == stored.size
        assert written["createdAt"] == f"{stored.created_at:%Y-%m-%dT%H:%M:%SZ}"
        assert written["properties"] == stored.properties


@pytest.mark.parametrize("sort", list(SortDirection))
@pytest.mark.parametrize("marker", list(MarkerReading))
@pytest.mark.parametrize("cap", [1000, 7])
def test_pages_follow_creation_order_marker_reading_and_cap(
    sort: SortDirection, marker: MarkerReading, cap: int
) -> None:
    with client_of(Options(images=50, sort=sort, marker=marker, page_cap=cap)) as client:
        expected = newest_first(client)
        if sort is SortDirection.ASC:
            expected.reverse()
        assert client.ids() == expected[:cap]
        for limit in (1, 5, 20):
            for place in (0, 30, 48, 49):
                start = place + (marker is MarkerReading.EXCLUSIVE)
                ids = client.ids(limit=limit, marker=expected[place])
                assert ids == expected[start : start + min(limit, cap)]


def test_images_of_the_same_instant_are_each_listed_once() -> None:
    with client_of() as client:
        for image_id in client.sandbox.account.images:
            client.sandbox.account.change_image(image_id, created_at=START)
        listed: list[str] = []
        while page := client.ids(limit=7, **({"marker": listed[-1]} if listed else {})):
            listed += page
        assert listed == newest_first(client)


def test_an_image_that_is_added_or_dated_again_takes_its_place_in_the_list(client: Client) -> None:
    account, before = client.sandbox.account, client.ids()
    added = replace(account.images[before[10]], id=UNKNOWN, created_at=START)
    account.put_image(added)
    assert client.ids() == [UNKNOWN, *before]
    account.change_image(UNKNOWN, created_at=START - timedelta(days=9999))
    assert client.ids() == [*before, UNKNOWN]


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1.5", "", " 5", "²", "9" * 5000])
def test_a_bad_limit_is_an_invalid_parameter(reader: Client, limit: str) -> None:
    assert reader.code("GET", "/images", params={"limit": limit}) == -4


def test_a_marker_must_be_an_image_that_exists(client: Client) -> None:
    doomed = own_image(client)
    assert client.code("GET", "/images", params={"marker": doomed.id.upper()}) == 0
    client.sandbox.account.remove_image(doomed.id)
    refusal = client.ask("GET", "/images", params={"marker": doomed.id})["header"]
    assert refusal["resultCode"] == 30400
    assert f"no image found with id {doomed.id}" in refusal["resultMessage"]
    assert client.code("GET", "/images", params={"marker": "nonsense"}) == -4


def test_booleans_and_numbers_can_be_strings() -> None:
    with client_of(Options(images=50, booleans=Booleans.STRING)) as client:
        for written in client.page():
            stored = client.sandbox.account.images[written["id"]]
            assert written["isPublic"] == str(stored.is_public).lower()
            assert written["protected"] == str(stored.protected).lower()
            assert written["size"] == (None if stored.size is None else str(stored.size))
            assert written["minDisk"] == str(stored.min_disk)
        flavor = client.ask("GET", "/instances-detail")["instances"][0]["flavor"]
        assert isinstance(flavor["ram"], str)


def test_times_can_have_fractions_and_no_zone() -> None:
    with client_of(Options(images=50, times=Times.FRACTION)) as client:
        for written in client.page():
            stored = client.sandbox.account.images[written["id"]]
            assert written["createdAt"] == f"{stored.created_at:%Y-%m-%dT%H:%M:%S.%f}"


def test_times_can_be_mixed_within_one_image() -> None:
    with client_of(Options(images=50, times=Times.MIXED)) as client:
        shapes = {(image["createdAt"][-1] == "Z", image["updatedAt"][-1] == "Z") for image in client.page()}
        assert shapes == {(True, False), (False, True)}


def test_oddities_are_on_the_wire_as_they_are() -> None:
    with client_of(Options(images=300, oddities=True)) as client:
        by_name = {json.dumps(image["name"]): image for image in client.page()}
        assert by_name['"ci-odd-protected-1"']["protected"] == "maybe"
        assert "isPublic" not in by_name['"ci-odd-public-2"']
        assert by_name['"ci-odd-created-3"']["createdAt"] is None
        assert '"ci-half-\\ud83d-13"' in by_name


def test_a_test_can_put_anything_on_the_wire(client: Client) -> None:
    image = own_image(client, wire={"status": "importing", "size": MISSING, "extra": [1]})
    written = client.image(image.id)
    assert (written["status"], "size" in written, written["extra"]) == ("importing", False, [1])
    client.sandbox.account.change_image(image.id, wire={})
    assert client.image(image.id)["status"] == "active"


# Deleting


def test_a_deleted_image_is_gone_and_nothing_else_is(client: Client) -> None:
    image, before = own_image(client), client.ids()
    answer = client.ask("DELETE", "/images", params={"id": image.id})
    assert answer == {"header": {"isSuccessful": True, "resultCode": 0, "resultMessage": "SUCCESS"}}
    assert client.ids() == [image_id for image_id in before if image_id != image.id]


@pytest.mark.parametrize("status", ["queued", "saving", "killed", "deactivated"])
def test_nothing_stops_the_deletion_of_an_unfinished_image(client: Client, status: str) -> None:
    assert client.code("DELETE", "/images", params={"id": own_image(client, status=status).id}) == 0


REFUSED = {
    "public": ({"visibility": "public"}, 30403),
    "public-and-unprotected": ({"visibility": "public", "protected": False}, 30403),
    "protected": ({"protected": True}, 30403),
    "deleted-already": ({"status": "deleted"}, -5),
    "pending-delete": ({"status": "pending_delete"}, -5),
}


@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED)
def test_some_images_are_not_deleted(client: Client, changes: dict[str, Any], code: int) -> None:
    image = own_image(client, **changes)
    assert client.code("DELETE", "/images", params={"id": image.id}) == code
    assert client.sandbox.account.images[image.id] == image


@pytest.mark.parametrize("status", ["ACTIVE", "STOP", "ERROR"])
def test_an_image_in_use_is_not_deleted_until_its_instance_is_gone(client: Client, status: str) -> None:
    image = own_image(client)
    instance = next(iter(client.sandbox.account.instances.values()))
    client.sandbox.account.change_instance(instance.id, image=image.id, status=status)
    assert client.code("DELETE", "/images", params={"id": image.id}) == 30409
    client.sandbox.account.remove_instance(instance.id)
    assert client.code("DELETE", "/images", params={"id": image.id}) == 0


@pytest.mark.parametrize("query", [{}, {"id": ""}, {"id": "nonsense"}, {"id": "../" + UNKNOWN}])
def test_a_malformed_id_is_an_invalid_parameter(reader: Client, query: dict[str, str]) -> None:
    assert reader.code("DELETE", "/images", params=query) == -4


@pytest.mark.parametrize(
    ("absent", "image_code", "instance_code"), [(Absent.NONEXISTENT, -5, -5), (Absent.NOT_FOUND, 30404, 10404)]
)
def test_what_is_not_there_has_the_code_chosen(absent: Absent, image_code: int, instance_code: int) -> None:
    with client_of(Options(images=20, absent=absent)) as client:
        image = own_image(client)
        assert client.code("DELETE", "/images", params={"id": image.id}) == 0
        assert client.code("DELETE", "/images", params={"id": image.id}) == image_code
        assert client.code("GET", "/instances", params={"id": UNKNOWN}) == instance_code
