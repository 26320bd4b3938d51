"""An object that has a key twice is ambiguous: an entry is unreadable there, an answer is not usable."""

import json
from typing import Any

import pytest

from janitor.cloud.common import wire
from janitor.cloud.openstack.records import read_image as read_v2
from janitor.cloud.toast.records import read_image as read_v1
from janitor.core.usage import EarlierUsage, Source
from janitor.errors import CloudError, Unavailable
from janitor.transport import Transient
from janitor.transport.json_body import Unreadable, parse, unreadable_in
from tests import openstack_account, toast_account
from tests.cloud.test_keystone import v2_of
from tests.factories import make_image
from tests.identity_stand_in import PASSWORD, USERNAME, Keystone, grant, serving
from tests.identity_stand_in import PROJECT as TENANT
from tests.loopback import Answered
from tests.openstack_account import PROJECT, Cloud
from tests.toast_account import Account, yes
from tests.usage_cloud import UsageCloud, usage_of


def twice(answer: Answered | dict[str, Any], key: str, value: object) -> bytes:
    """The same as text, in which the first object that has this key has it once more, with this value before it."""
    text = answer.payload.decode() if isinstance(answer, Answered) else json.dumps(answer)
    assert f'"{key}": ' in text
    return text.replace(f'"{key}": ', f'"{key}": {json.dumps(value)}, "{key}": ', 1).encode()


# What is read


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": 2, "a": 2}', '{"a": 1, "\\u0061": 2}', '{"a": NaN}'])
def test_what_an_object_does_not_say_is_no_value(text: str) -> None:
    for inside in ("%s", '{"x": %s}', "[%s]", '{"a": [{"b": %s}]}'):
        assert list(unreadable_in(parse(inside % text))) == ["a"]
    value = parse(text)["a"]
    for read in (wire.boolean, wire.integer, wire.amount, wire.instant, wire.text, wire.identifier, wire.label):
        assert read(value) is None
    assert len(wire.shown(value)) <= 60


def test_all_that_stood_there_is_shown() -> None:
    assert wire.shown(parse('{"a": true, "a": {"b": 1, "b": 2}}')["a"]) == '"true and {\\"b\\": \\"1 and 2\\"}"'


def test_half_pairs_are_replaced_wherever_they_stand() -> None:
    document = wire.document(b'{"\\ud800": 1, "a": ["\\udc00x"], "a": "\\ud83d\\ude00", "b": "\\ud14c"}')
    assert document is not None
    assert document.pop("\ufffd") == 1
    assert document.pop("b") == "테"
    assert document["a"].said == (["\ufffdx"], "😀")


def test_keys_that_become_equal_are_one_key_twice() -> None:
    document = wire.document(b'{"\\ud800": 1, "\\ud801": 2}')
    assert document is not None
    assert isinstance(document["\ufffd"], Unreadable)


# An image


@pytest.mark.parametrize(
    ("key", "value", "wire_key"),
    [
        ("protected", True, "protected"),
        ("isPublic", True, "isPublic"),
        ("status", "saving", "status"),
        ("name", "golden-1", "name"),
        ("createdAt", "2026-11-20T00:00:00Z", "createdAt"),
        ("properties", {}, "properties"),
        ("os_distro", "debian", "properties.os_distro"),
    ],
)
def test_an_image_of_v1_is_unreadable_in_a_key_that_it_has_twice(key: str, value: object, wire_key: str) -> None:
    image = read_v1(parse(twice(toast_account.entry("i1"), key, value).decode()))
    assert image.unreadable.keys() == {wire_key}
    assert (image.protected, image.public) == (key == "protected", key == "isPublic")


@pytest.mark.parametrize(
    ("key", "value", "wire_key"),
    [
        ("protected", True, "protected"),
        ("visibility", "public", "visibility"),
        ("owner", "another", "owner"),
        ("os_hidden", True, "os_hidden"),
        ("tags", ["keep"], "tags"),
        ("created_at", "2026-11-20T00:00:00Z", "created_at"),
        ("os_distro", "debian", "properties.os_distro"),
    ],
)
def test_an_image_of_v2_is_unreadable_in_a_key_that_it_has_twice(key: str, value: object, wire_key: str) -> None:
    image = read_v2(parse(twice(openstack_account.entry("i1"), key, value).decode()), PROJECT)
    assert image.unreadable.keys() == {wire_key}
    assert image.protected is (key == "protected")
    assert image.public is (key == "visibility")


def test_an_image_that_is_looked_up_is_read_alike() -> None:
    body = twice(openstack_account.entry("i1"), "protected", False)
    cloud = Cloud().scripted("GET /v2/images/i1", Answered(body))
    with openstack_account.serving(cloud) as (client, _):
        image = client.latest("i1")
    assert image is not None
    assert image.protected
    assert make_image().differences(image)


# What is around the entries


@pytest.mark.parametrize(
    ("call", "key", "value"),
    [
        (toast_account.IMAGES, "images", []),
        (toast_account.IMAGES, "header", {}),
        (toast_account.IMAGES, "isSuccessful", False),
        (toast_account.IMAGES, "resultCode", -1),
        (toast_account.IMAGES, "resultMessage", "x"),
        (toast_account.TOKENS, "access", {}),
        (toast_account.TOKENS, "id", "t1"),
        (toast_account.TOKENS, "expires", "2030-01-01T00:00:00Z"),
    ],
)
def test_an_answer_of_v1_that_has_a_key_twice_is_of_no_use(call: str, key: str, value: object) -> None:
    account = Account()
    good = account.token() if call == toast_account.TOKENS else yes(images=[])
    account.scripted(call, *[Answered(twice(good, key, value))] * 3)
    with toast_account.serving(account) as (client, _), pytest.raises(Unavailable, match="given twice"):
        toast_account.ids(client)


def test_a_deletion_of_v1_that_is_answered_so_is_not_known_to_be_done() -> None:
    account = Account().scripted(toast_account.DELETE, *[Answered(twice(yes(), "isSuccessful", False))] * 3)
    with toast_account.serving(account) as (client, _), pytest.raises(Unavailable):
        client.delete("i1")


@pytest.mark.parametrize("key", ["images", "first", "next"])
def test_a_page_of_v2_that_has_a_key_twice_is_of_no_use(key: str) -> None:
    page = Answered({"images": [openstack_account.entry("i1")], "first": "/v2/images", "next": "/v2/images?marker=i1"})
    cloud = Cloud().scripted(openstack_account.IMAGES, *[Answered(twice(page, key, None))] * 3)
    with openstack_account.serving(cloud) as (client, _), pytest.raises(Unavailable, match=f"{key} is given twice"):
        openstack_account.ids(client)


LINKED = Answered({"servers": [], "servers_links": [{"rel": "next", "href": "http://x/?marker=s1"}]})
USED = Answered({"servers": [openstack_account.server("s1", {"id": "i1"})], "servers_links": []})


@pytest.mark.parametrize(
    ("page", "key", "value"),
    [
        (LINKED, "servers", []),
        (LINKED, "servers_links", []),
        (LINKED, "rel", "self"),
        (LINKED, "href", "http://x/?marker=s2"),
        (USED, "image", ""),
        (USED, "status", "DELETED"),
        (USED, "name", "x"),
    ],
)
def test_a_list_of_servers_that_has_a_key_twice_is_unread(page: Answered, key: str, value: object) -> None:
    cloud = Cloud().scripted(openstack_account.SERVERS, *[Answered(twice(page, key, value))] * 3)
    with openstack_account.serving(cloud) as (client, _):
        usage = client.usage([], EarlierUsage())
    assert "given twice" in str(usage.problem)
    assert [reading.source for reading in usage.readings if reading.problem and "twice" in reading.problem] == [
        Source.SERVERS
    ]


def test_an_instance_of_v1_that_has_its_image_twice_is_unread() -> None:
    list_ = yes(instances=[{"id": "1", "name": "web", "image": "i1"}])
    account = Account().scripted(toast_account.INSTANCES, Answered(twice(list_, "image", "")))
    with toast_account.serving(account) as (client, _), pytest.raises(Unavailable, match="cannot be read"):
        client.usage((), EarlierUsage())


def test_a_stack_names_all_that_its_documents_hold() -> None:
    cloud = UsageCloud([("image", "R1", "/image"), ("orchestration", "R1", "/heat/v1/p70j3ct")])
    cloud.images = {"/image": [openstack_account.entry(name) for name in ("first", "second", "third", "fourth")]}
    inner = '{"a": "first", "a": "second"}'
    template = Answered(b'{"x": "third", "x": "fourth"}')
    cloud.stacks = {"st": ("stack", {"json": inner}, {})}
    cloud.failing = {"/template": template}
    assert usage_of(cloud).by_image.keys() == {"first", "second", "third", "fourth"}


# Signing in, where a library reads the answer


@pytest.mark.parametrize(
    ("key", "value"), [("access", {}), ("id", "t2"), ("publicURL", "https://elsewhere.example"), ("expires", None)]
)
def test_a_token_that_has_a_key_twice_is_of_no_use(key: str, value: object) -> None:
    keystone = Keystone()
    credentials = {"username": USERNAME, "password": PASSWORD}
    good = Keystone().v2({"passwordCredentials": credentials, "tenantId": TENANT})
    keystone.scripted = [Answered(twice(good, key, value))]
    with serving(keystone) as server, pytest.raises((Transient, CloudError), match=f"{key} is given twice"):
        grant(v2_of(server))
