"""Images and instances as they are read from answers: never in the direction of deletion."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from janitor.cloud.toast.records import read_image
from janitor.core.usage import EarlierUsage, User
from janitor.errors import Unavailable
from tests.factories import make_image
from tests.loopback import Answered
from tests.toast_account import (
    INSTANCES,
    Account,
    entry,
    serving,
    yes,
)


def test_an_image_is_read_whole() -> None:
    assert read_image(entry("i1", extra="ignored")) == make_image(
        "name of i1",
        id="i1",
        status="active",
        public=False,
        protected=False,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
        updated_at=datetime(2026, 11, 2, 0, 0, 0, 500_000, tzinfo=UTC),
        size=10 * 2**30,
        disk_format="qcow2",
        min_disk=20,
        min_ram=0,
        properties={"os_distro": "ubuntu"},
    )


def test_values_that_images_have_in_common_are_held_once() -> None:
    facts: list[dict[str, Any]] = [{"properties": {"os_version": "22.04 LTS", "build": build}} for build in ("7", "8")]
    first, second = (read_image(json.loads(json.dumps(entry(**fact)))) for fact in facts)
    assert first.properties is not None
    assert second.properties is not None
    assert first.properties["os_version"] is second.properties["os_version"]
    assert first.status is second.status
    assert first.disk_format is second.disk_format
    assert first.unreadable is second.unreadable


def test_everything_may_be_written_as_text() -> None:
    spelled: dict[str, Any] = {
        "isPublic": "false",
        "protected": "false",
        "size": str(10 * 2**30),
        "minDisk": "20",
        "minRam": "0",
    }
    assert read_image(entry(**spelled)) == read_image(entry())


def without(key: str) -> dict[str, Any]:
    facts = entry()
    del facts[key]
    return facts


@pytest.mark.parametrize(("key", "field_name"), [("isPublic", "public"), ("protected", "protected")])
@pytest.mark.parametrize("value", [None, 0, 1, "", "False", "no", [], {}], ids=repr)
def test_a_flag_that_cannot_be_read_is_set(key: str, field_name: str, value: Any) -> None:
    image = read_image(entry(**{key: value}))
    assert getattr(image, field_name) is True
    assert image.unreadable == {key: json.dumps(value)}


@pytest.mark.parametrize(
    ("key", "field_name", "expected", "unreadable"),
    [
        ("isPublic", "public", True, {"isPublic": "missing"}),
        ("protected", "protected", True, {"protected": "missing"}),
        ("status", "status", "", {"status": "missing"}),
        ("name", "name", None, {"name": "missing"}),
        ("createdAt", "created_at", None, {}),
        ("updatedAt", "updated_at", None, {}),
        ("size", "size", None, {}),
        ("diskFormat", "disk_format", None, {}),
        ("minDisk", "min_disk", None, {}),
        ("minRam", "min_ram", None, {}),
        ("properties", "properties", None, {"properties": "missing"}),
    ],
)
def test_a_missing_key(key: str, field_name: str, expected: object, unreadable: dict[str, str]) -> None:
    image = read_image(without(key))
    assert (getattr(image, field_name), image.unreadable) == (expected, unreadable)


@pytest.mark.parametrize(
    ("key", "value", "field_name", "expected", "unreadable"),
    [
        ("status", None, "status", "", "null"),
        ("status", 5, "status", "", "5"),
        ("status", "ACTIVE", "status", "ACTIVE", None),
        ("name", None, "name", None, None),
        ("name", 5, "name", None, "5"),
        ("name", "", "name", "", None),
        ("createdAt", None, "created_at", None, None),
        ("createdAt", 1494901070, "created_at", None, "1494901070"),
        ("createdAt", "yesterday", "created_at", None, '"yesterday"'),
        ("createdAt", "0001-01-01T00:00:00Z", "created_at", None, '"0001-01-01T00:00:00Z"'),
        ("size", None, "size", None, None),
        ("size", -1, "size", None, "-1"),
        ("size", 1.5, "size", None, "1.5"),
        ("size", True, "size", None, "true"),
        ("size", "10 GB", "size", None, '"10 GB"'),
        ("size", 2**70, "size", None, str(2**70)),
        ("diskFormat", 5, "disk_format", None, "5"),
        ("properties", None, "properties", None, "null"),
        ("properties", {}, "properties", {}, None),
        ("properties", "os=ubuntu", "properties", None, '"os=ubuntu"'),
        ("properties", [], "properties", None, "[]"),
    ],
)
def test_an_odd_value(key: str, value: Any, field_name: str, expected: object, unreadable: str | None) -> None:
    image = read_image(entry(**{key: value}))
    assert getattr(image, field_name) == expected
    assert image.unreadable == ({} if unreadable is None else {key: unreadable})


def test_odd_properties_are_left_out_one_by_one() -> None:
    image = read_image(entry(properties={"a": "text", "b": True, "c": 5, "d": None, "e": {"x": 1}, "f": [1]}))
    assert image.properties == {"a": "text", "b": "true", "c": "5"}
    assert image.unreadable == {"properties.d": "null", "properties.e": '{"x": 1}', "properties.f": "[1]"}


def test_usage_names_the_instances_of_each_image() -> None:
    instances = [
        {"id": "2", "name": "web", "image": "i1"},
        {"id": "1", "name": "web", "image": " I1 "},
        {"id": "3", "name": "db", "image": {"id": "i1"}},
        {"image": "i2"},
        {"id": "4", "name": "from-volume", "image": None},
        {"id": "5", "name": "empty", "image": ""},
    ]
    with serving(Account(instances=instances)) as (client, _):
        usage = client.usage((), EarlierUsage())
    assert usage.problem is None
    assert usage.by_image == {
        "i1": (user("3", "db"), user("1", "web"), user("2", "web")),
        "i2": (user("", ""),),
    }


def user(user_id: str, name: str) -> User:
    return User(user_id, name, source="servers")


def test_an_instance_without_the_key_is_of_no_image_only_where_a_person_says_so() -> None:
    account = Account(instances=[{"id": "6", "name": "web-6"}])
    with serving(account) as (client, _), pytest.raises(Unavailable, match="web-6 does not name its image") as caught:
        client.usage((), EarlierUsage())
    assert "`usage: {imageless: none}`" in str(caught.value)
    with serving(account, imageless=True) as (client, _):
        assert client.usage((), EarlierUsage()).by_image == {}


@pytest.mark.parametrize(
    ("instance", "imageless"), [({"image": ""}, False), ({"image": None}, False), ({}, True)], ids=repr
)
def test_an_image_under_another_key_is_used_all_the_same(instance: dict[str, Any], imageless: bool) -> None:
    account = Account(instances=[{"id": "6", "name": "web-6", "imageId": "I2", **instance}])
    with serving(account, imageless=imageless) as (client, _):
        assert client.usage((), EarlierUsage()).by_image == {"i2": (user("6", "web-6"),)}


@pytest.mark.parametrize(
    "image",
    [
        "https://images.example/v2/images/0c5d1c1e-1111-4222-8333-944444444444",
        "urn:uuid:0C5D1C1E-1111-4222-8333-944444444444",
        "https://images.example/v2/images/0c5d1c1e-1111-4222-8333-944444444444?x=1",
    ],
)
def test_an_id_inside_a_url_is_read(image: str) -> None:
    with serving(Account(instances=[{"id": "1", "image": image}])) as (client, _):
        assert "0c5d1c1e-1111-4222-8333-944444444444" in client.usage((), EarlierUsage()).by_image


@pytest.mark.parametrize(
    "instance",
    [
        "text",
        None,
        5,
        {"image": 5},
        {"image": ["i1"]},
        {"image": {}},
        {"image": {"id": None}},
        {"image": False},
        {"image": " "},
        {"image": {"id": " "}},
        {"image": []},
        {"image": "", "imageId": " "},
        {"image": "i1", "imageRef": {}},
        {"image": "https://images.example/v2/images/"},
        {"image": "urn:uuid:"},
        {"imageId": "i2"},
        {"image_id": ""},
    ],
    ids=repr,
)
def test_an_instance_that_cannot_be_read_is_an_error(instance: object) -> None:
    with serving(Account(instances=[{"image": "i1"}, instance])) as (client, _), pytest.raises(Unavailable):
        client.usage((), EarlierUsage())


@pytest.mark.parametrize("answer", [yes(), yes(instances=None), yes(instances={})], ids=["missing", "null", "object"])
def test_a_broken_instance_list_never_reads_as_nothing_used(answer: Answered) -> None:
    with serving(Account().scripted(INSTANCES, *[answer] * 3)) as (client, _), pytest.raises(Unavailable):
        client.usage((), EarlierUsage())
