"""Reading the Image API's records: the documented shapes as they are, and everything else never towards deletion."""

from datetime import UTC, datetime
from typing import Any

import pytest

from janitor.cloud.openstack.records import read_image, read_sharing
from janitor.core.image import Sharing
from tests.factories import make_image

PROJECT = "f7ac731cc11f40efbc03a9f9e1d1d21f"
DOCUMENTED: dict[str, Any] = {
    "id": "6d4bd12c-1b3a-4c34-8e8f-6d6f4f1e9d11",
    "name": "ci-web-41",
    "status": "active",
    "visibility": "shared",
    "protected": False,
    "owner": PROJECT,
    "os_hidden": False,
    "tags": ["nightly", "ci"],
    "created_at": "2026-10-24T03:00:00Z",
    "updated_at": "2026-10-24T03:05:00Z",
    "size": 10737418240,
    "virtual_size": None,
    "disk_format": "qcow2",
    "container_format": "bare",
    "min_disk": 20,
    "min_ram": 0,
    "checksum": "d41d8cd98f00b204e9800998ecf8427e",
    "os_hash_algo": "sha512",
    "os_hash_value": "cf83e1357eefb8bd",
    "self": "/v2/images/6d4bd12c-1b3a-4c34-8e8f-6d6f4f1e9d11",
    "file": "/v2/images/6d4bd12c-1b3a-4c34-8e8f-6d6f4f1e9d11/file",
    "schema": "/v2/schemas/image",
    "os_distro": "ubuntu",
    "hypervisor_type": "kvm",
    "kernel_id": None,
}
READ = make_image(
    "ci-web-41",
    id=DOCUMENTED["id"],
    status="active",
    public=False,
    protected=False,
    created_at=datetime(2026, 10, 24, 3, 0, tzinfo=UTC),
    updated_at=datetime(2026, 10, 24, 3, 5, tzinfo=UTC),
    size=10737418240,
    disk_format="qcow2",
    min_disk=20,
    min_ram=0,
    properties={"os_distro": "ubuntu", "hypervisor_type": "kvm"},
    owned=True,
    visibility="shared",
    owner=PROJECT,
    os_hidden=False,
    tags=("ci", "nightly"),
)


def test_the_documented_image_is_read_as_it_is() -> None:
    assert read_image(DOCUMENTED, PROJECT) == READ


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in DOCUMENTED.items() if name != key}


ABSENT = object()


@pytest.mark.parametrize(
    ("key", "value", "fact", "read"),
    [
        pytest.param("visibility", "public", "public", True, id="public"),
        pytest.param("visibility", "community", "public", True, id="community-may-be-used-by-others"),
        pytest.param("visibility", "private", "public", False, id="private"),
        pytest.param("visibility", "secret", "public", True, id="a-visibility-that-we-do-not-know"),
        pytest.param("visibility", None, "public", True, id="null-visibility"),
        pytest.param("visibility", ABSENT, "public", True, id="no-visibility"),
        pytest.param("protected", ABSENT, "protected", True, id="no-protection-told"),
        pytest.param("protected", "maybe", "protected", True, id="unreadable-protection"),
        pytest.param("protected", "false", "protected", False, id="protection-as-text"),
        pytest.param("owner", "another", "owned", False, id="another-projects"),
        pytest.param("owner", None, "owned", False, id="nobodys"),
        pytest.param("owner", ABSENT, "owned", False, id="owner-missing"),
        pytest.param("owner", 7, "owned", False, id="owner-unreadable"),
        pytest.param("status", ABSENT, "status", "", id="no-status"),
        pytest.param("created_at", "yesterday", "created_at", None, id="unreadable-date"),
        pytest.param("created_at", ABSENT, "created_at", None, id="no-date"),
        pytest.param("updated_at", None, "updated_at", None, id="null-date"),
        pytest.param("size", None, "size", None, id="size-of-a-queued-image"),
        pytest.param("size", -1, "size", None, id="negative-size"),
        pytest.param("tags", [], "tags", (), id="no-tags"),
        pytest.param("tags", ABSENT, "tags", None, id="tags-missing"),
        pytest.param("tags", "nightly", "tags", None, id="tags-are-no-list"),
        pytest.param("tags", ["nightly", 7], "tags", None, id="a-tag-is-no-text"),
        pytest.param("os_hidden", True, "os_hidden", True, id="hidden"),
        pytest.param("os_hidden", ABSENT, "os_hidden", False, id="a-service-that-hides-nothing"),
        pytest.param("os_hidden", "perhaps", "os_hidden", None, id="hidden-unreadable"),
        pytest.param("name", None, "name", None, id="nameless"),
    ],
)
def test_what_is_odd_is_never_read_towards_deletion(key: str, value: object, fact: str, read: object) -> None:
    entry = without(key) if value is ABSENT else DOCUMENTED | {key: value}
    assert getattr(read_image(entry, PROJECT), fact) == read


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("visibility", "secret", {"visibility": '"secret"'}),
        ("visibility", ABSENT, {"visibility": "missing"}),
        ("owner", ABSENT, {"owner": "missing"}),
        ("created_at", ABSENT, {"created_at": "missing"}),
        ("created_at", "yesterday", {"created_at": '"yesterday"'}),
        ("tags", "nightly", {"tags": '"nightly"'}),
        ("os_distro", ["a", "b"], {"properties.os_distro": '["a", "b"]'}),
        ("properties", "none", {"properties": '"none"'}),
    ],
)
def test_what_could_not_be_read_is_said(key: str, value: object, said: dict[str, str]) -> None:
    entry = without(key) if value is ABSENT else DOCUMENTED | {key: value}
    assert read_image(entry, PROJECT).unreadable == said


def test_properties_stand_beside_the_fields_or_by_themselves() -> None:
    entry = without("hypervisor_type") | {"properties": {"hypervisor_type": "kvm", "count": 3, "on": True}}
    assert read_image(entry, PROJECT).properties == {
        "os_distro": "ubuntu",
        "hypervisor_type": "kvm",
        "count": "3",
        "on": "true",
    }


@pytest.mark.parametrize(
    ("members", "sharing"),
    [
        pytest.param([], Sharing(), id="nobody"),
        pytest.param(
            [
                {"member_id": "b", "status": "accepted"},
                {"member_id": "a", "status": "accepted"},
                {"member_id": "c", "status": "pending"},
                {"member_id": "d", "status": "rejected"},
            ],
            Sharing(("a", "b"), ("c",)),
            id="documented",
        ),
        pytest.param([{"member_id": "a", "status": "perhaps"}], Sharing(("a",)), id="a-status-that-we-do-not-know"),
        pytest.param([{"member_id": "a"}], Sharing(("a",)), id="no-status"),
        pytest.param([{"status": "accepted"}], Sharing(("unknown",)), id="nameless-member"),
        pytest.param(["a"], Sharing(("unknown",)), id="unreadable-member"),
    ],
)
def test_a_member_that_cannot_be_read_counts_as_one_that_accepted(members: list[Any], sharing: Sharing) -> None:
    assert read_sharing(members) == sharing
