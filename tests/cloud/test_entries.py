"""What the lists say of each image has a digest, by which it is known again."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from janitor.cloud.common.entries import Entries
from janitor.cloud.openstack.records import read_image as read_v2
from janitor.cloud.toast.records import read_image as read_v1
from janitor.core.image import Image
from janitor.errors import CloudError
from tests import toast_account
from tests.loopback import Answered
from tests.toast_account import Account, entry


def digests(*entries: Any) -> dict[str, bytes]:
    """The digests of the images of a v1.0 list with these entries."""
    account = Account()
    account.entries = list(entries)
    with toast_account.serving(account) as (client, _):
        client_ids = toast_account.ids(client)
        found = dict(client.digests())
        assert found.keys() <= set(client_ids)
        return found


def test_the_same_entry_has_the_same_digest_in_another_list() -> None:
    first, second = digests(entry("i1"), entry("i2")), digests(entry("i2"), entry("i3"))
    assert first["i2"] == second["i2"]
    assert len({*first.values(), *second.values()}) == 3
    assert {len(digest) for digest in first.values()} == {16}


@pytest.mark.parametrize("changed", [{"name": "another"}, {"unknown": 1}, {"size": "10"}])
def test_an_entry_that_differs_in_anything_has_another(changed: dict[str, Any]) -> None:
    assert digests(entry("i1"))["i1"] != digests({**entry("i1"), **changed})["i1"]


def test_an_image_that_several_entries_make_up_has_none() -> None:
    assert digests(entry("i1"), {**entry("i1"), "name": "another"}, entry("i2")).keys() == {"i2"}


def test_one_that_is_listed_again_as_it_is_keeps_it() -> None:
    assert digests(entry("i1"), entry("i1")) == digests(entry("i1"))


@pytest.mark.parametrize("parse", [read_v1, lambda entry: read_v2(entry, "p1")], ids=["v1", "v2"])
def test_the_same_entry_read_by_another_reader_has_another(parse: Callable[[dict[str, Any]], Image]) -> None:
    text = json.dumps({"id": "i1"}).encode()
    found = {Entries(parse, reader).of_page([text], None)[0][0].digest for reader in ("v1", "v2 p1", "v2 p2")}
    assert len(found) == 3


def test_an_answer_with_an_entry_that_is_not_json_is_not_usable() -> None:
    broken = json.dumps({"header": {"isSuccessful": True, "resultCode": 0}, "images": [entry("i1")]})
    body = broken.replace('"active"', '"act\xff"').encode("latin-1")
    account = Account().scripted(toast_account.IMAGES, *[Answered(body)] * 9)
    with (
        toast_account.serving(account) as (client, _),
        pytest.raises(CloudError, match="an entry of the list is not JSON"),
    ):
        list(client.images())
