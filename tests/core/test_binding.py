"""Whether a target is still the account that it was: by what it reaches and the known images."""

import pytest

from janitor.cloud.toast.client import ToastClient
from janitor.core.survey.binding import Binding, Known, recognise
from tests.factories import make_known
from tests.fakes import OURS, THEIRS
from tests.openstack_account import PROJECT
from tests.openstack_account import Cloud as OpenStackCloud
from tests.openstack_account import serving as serving_openstack
from tests.toast_account import APPKEY

# Whether it is the same


@pytest.mark.parametrize(
    ("bound", "seen", "same", "words"),
    [
        pytest.param(OURS, make_known("ab", ""), True, "", id="bound-to-it"),
        pytest.param(THEIRS, make_known("abcd", "abcx"), True, "3 of the 4 own images", id="most-are-listed"),
        pytest.param(
            THEIRS, make_known("abcd", "abxy"), False, "of the 4 own images that run 7 knew, 2", id="half-are"
        ),
        pytest.param(THEIRS, make_known("abcd", "wxyz"), False, "janitor target rebind prod", id="none-is"),
        pytest.param(THEIRS, make_known("", "wxyz"), False, "no own image to recognise it by", id="no-own-image"),
        pytest.param(THEIRS, make_known("", "wxyz", run=None), True, "no survey was accepted", id="no-good-survey"),
        pytest.param(None, make_known("", "wxyz", run=None), True, "", id="new"),
        pytest.param(None, make_known("abcde", "abcde"), True, "Bound to the present endpoint", id="of-before"),
        pytest.param(None, make_known("abcde", "vwxya"), True, "Bound to", id="of-before-and-mostly-replaced"),
        pytest.param(None, make_known("abcd", "vwxy"), True, "Bound to", id="of-before-and-few"),
        pytest.param(None, make_known("abcde", "vwxyz"), False, "is not recorded", id="of-before-and-none-left"),
    ],
)
def test_whether_a_target_is_the_account_that_it_was(
    bound: Binding | None, seen: Known, same: bool, words: str
) -> None:
    found = recognise("prod", OURS, bound, seen)
    assert (found.same, words in found.words, bool(words)) == (same, True, bool(found.words))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (Binding("toast", "d1"), Binding("toast", "d2"), "endpoint or appkey"),
        (Binding("openstack", "p1", "https://a"), Binding("openstack", "p2", "https://a"), "project p1 -> p2"),
        (
            Binding("openstack", "p", "https://a"),
            Binding("openstack", "p", "https://b"),
            "endpoint https://a -> https://b",
        ),
        (Binding("toast", "d1"), Binding("openstack", "p", "https://a"), "api: toast -> openstack"),
    ],
)
def test_what_changed_is_said(before: Binding, after: Binding, words: str) -> None:
    assert before.changes(after) == words


# What a client reaches


@pytest.mark.parametrize(
    ("endpoint", "appkey", "same"),
    [
        ("https://api.example.com/compute", APPKEY, True),
        ("HTTPS://API.example.com.:443//compute/", APPKEY, True),
        ("https://api.example.com/compute", "another", False),
        ("https://api.example.com:8443/compute", APPKEY, False),
        ("https://api.example.com/compute/v2", APPKEY, False),
        ("https://other.example.com/compute", APPKEY, False),
    ],
)
def test_an_appkey_at_an_endpoint_is_one_account_however_it_is_written(endpoint: str, appkey: str, same: bool) -> None:
    usual = ToastClient("https://api.example.com/compute", APPKEY, "u", "p").binding()
    found = ToastClient(endpoint, appkey, "u", "p").binding()
    assert (found == usual) is same
    assert (len(found.account), appkey in str(found) + repr(found)) == (64, False)


def test_a_project_at_an_image_service_is_one_account() -> None:
    with serving_openstack(OpenStackCloud()) as (client, listening):
        assert client.binding() == Binding("openstack", PROJECT, f"{listening.url}/image")
