"""Kernels and ramdisks: which images others need, and the message if that is unknown."""

from typing import Any

import pytest

from janitor.cloud.toast.records import read_image
from janitor.core.image import MISSING, Image
from janitor.core.needs import needs_of
from janitor.transport.json_body import parse
from tests.factories import make_image


def ami(**properties: Any) -> Image:
    return make_image("uec", id="whole", disk_format="ami", properties=properties)


KERNEL = make_image("kernel", id="Kernel-1", disk_format="aki")


@pytest.mark.parametrize(
    "named",
    ["Kernel-1", " kernel-1 ", "https://images.example/v2/images/kernel-1", "glance:kernel-1"],
    ids=["as-it-is", "folded", "url", "urn"],
)
def test_an_image_needs_what_it_names(named: str) -> None:
    for key, part in (("kernel_id", "kernel"), ("ramdisk_id", "ramdisk")):
        assert needs_of([ami(**{key: named}), KERNEL]).words_of(KERNEL) == f"the {part} of image uec"


def test_a_part_may_be_called_by_its_name_where_ids_are_no_uuids() -> None:
    """Every image of that name may be meant."""
    twins = [make_image("Vmlinuz", id="k1"), make_image("Vmlinuz", id="k2"), make_image("vmlinuz-2", id="k3")]
    needs = needs_of([ami(kernel_id="Vmlinuz"), *twins])
    assert [needs.words_of(image) is not None for image in twins] == [True, True, False]


def test_where_ids_are_uuids_another_word_for_a_part_leaves_in_doubt_which_it_is() -> None:
    kernel = make_image("vmlinuz", id="b2b33ee8-0e6d-4ae7-a5c2-0e2a44e4c0f1", disk_format="aki")
    whole = make_image("uec", id="0d3b1b9c-6a8e-4f6e-9f3e-2f0b1c5a7d11", properties={"kernel_id": "vmlinuz"})
    assert needs_of([whole, kernel]).words_of(kernel) is not None
    gone = make_image("uec", id=whole.id, properties={"kernel_id": "11111111-0e6d-4ae7-a5c2-0e2a44e4c0f1"})
    assert needs_of([gone, kernel]).words_of(kernel) is None


@pytest.mark.parametrize("disk_format", ["aki", "raw", "qcow2", "iso"])
@pytest.mark.parametrize(
    "facts",
    [
        {"properties": {"kernel_id": "ci-kernel"}},
        {"properties": {"ramdisk_id": " ci-kernel\u200b"}},
        {"properties": {}, "unreadable": {"properties.kernel_id": '{"name": "ci-kernel"}'}},
        {"properties": {}, "unreadable": {"properties.kernel_id": '"ci-kernel" and "x"'}},
        {"properties": None, "unreadable": {"properties": '["kernel_id=ci-kernel"]'}},
    ],
    ids=["by-name", "in-other-spelling", "in-an-object", "a-key-twice", "no-object"],
)
def test_an_image_that_bears_the_name_of_a_part_is_needed_whatever_its_format(
    facts: dict[str, Any], disk_format: str
) -> None:
    kernel = make_image("ci-kernel", id="b2b33ee8-0e6d-4ae7-a5c2-0e2a44e4c0f1", disk_format=disk_format)
    whole = make_image("uec", id="0d3b1b9c-6a8e-4f6e-9f3e-2f0b1c5a7d11", **facts)
    assert needs_of([whole, kernel]).words_of(kernel) is not None
    other = make_image("ci-web", id="c2b33ee8-0e6d-4ae7-a5c2-0e2a44e4c0f1", disk_format="qcow2")
    assert needs_of([whole, kernel, other]).words_of(other) is None


@pytest.mark.parametrize(
    ("image", "needed"),
    [
        pytest.param(ami(kernel_id="kernel-1"), True, id="own"),
        pytest.param(make_image("x", owned=False, properties={"kernel_id": "kernel-1"}), True, id="of-another-project"),
        pytest.param(make_image("x", status="deleted", properties={"kernel_id": "kernel-1"}), False, id="gone"),
        pytest.param(make_image("x", status="pending_delete", properties={"kernel_id": "kernel-1"}), False, id="going"),
        pytest.param(ami(), False, id="names-none"),
        pytest.param(make_image("x", id="kernel-1", properties={"kernel_id": "KERNEL-1"}), False, id="itself-only"),
    ],
)
def test_whoever_is_listed_and_not_gone_needs_its_parts(image: Image, needed: bool) -> None:
    assert (needs_of([image]).words_of(KERNEL) is not None) is needed


@pytest.mark.parametrize(
    ("disk_format", "kept"), [("aki", True), ("ARI", True), (None, True), ("ami", False), ("qcow2", False)]
)
@pytest.mark.parametrize(
    "facts",
    [
        {"properties": None, "unreadable": {"properties": "5"}},
        {"properties": None},
        {"unreadable": {"properties.kernel_id": "[1]"}},
        {"properties": {"kernel_id": " "}},
        {"properties": {"ramdisk_id": "https://images.example/v2/images/"}},
        {"properties": {"kernel_id": "null"}},
    ],
    ids=["all-properties", "nobody-knows-why", "one", "blank", "a-url-of-none", "a-word-for-none"],
)
def test_where_parts_cannot_be_read_any_kernel_may_be_one(
    facts: dict[str, Any], disk_format: str | None, kept: bool
) -> None:
    image = make_image("part", id="p", disk_format=disk_format)
    words = needs_of([make_image("strange", id="s", **facts), image]).words_of(image)
    assert (words is not None) is kept
    assert words is None or "image strange, whose properties cannot be read" in words


@pytest.mark.parametrize("said", [MISSING, "null"])
def test_properties_that_are_left_out_keep_no_image_but_their_own(said: str) -> None:
    """Else one image without them, public ones included, would keep every stuck upload for ever."""
    strange = make_image("strange", id="s", properties=None, unreadable={"properties": said})
    assert needs_of([strange, KERNEL]).words_of(KERNEL) is None


@pytest.mark.parametrize("disk_format", ["aki", "raw", "qcow2"])
@pytest.mark.parametrize(
    "unreadable",
    [
        {"properties.kernel_id": '["Kernel-1"]'},
        {"properties.kernel_id": '"kernel-1" and "x"'},
        {"properties.kernel_id": 'listed as "x" and as "kernel-1"'},
        {"properties": '"kernel_id=kernel-1"'},
    ],
    ids=["a-list", "a-key-twice", "two-records", "no-object"],
)
def test_what_stands_in_unreadable_words_is_needed_whatever_its_format(
    unreadable: dict[str, str], disk_format: str
) -> None:
    kernel = make_image("kernel", id="Kernel-1", disk_format=disk_format)
    whole = make_image("uec", id="whole", properties={}, unreadable=unreadable)
    assert str(needs_of([whole]).words_of(kernel)).endswith("of image uec")


def test_what_stands_in_other_unreadable_words_is_no_part() -> None:
    whole = make_image("uec", id="whole", properties={}, unreadable={"properties.note": '["Kernel-1"]'})
    assert needs_of([whole]).words_of(KERNEL) is None


def test_both_ids_of_a_key_that_is_there_twice_are_needed() -> None:
    first, second = (f"{letter * 8}-1111-4222-8333-944444444444" for letter in "ab")
    listed = parse('{"id": "w", "properties": {"kernel_id": "%s", "kernel_id": "%s"}}' % (first, second))  # noqa: UP031
    needs = needs_of([read_image(listed)])
    assert {first, second} <= needs.by_id.keys()
