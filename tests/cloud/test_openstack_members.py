"""With whom images of an OpenStack cloud are shared: who is asked about, and what cannot be read."""

import pytest

from janitor.core.image import Sharing
from janitor.errors import Unavailable
from tests.loopback import Answered
from tests.openstack_account import Cloud, calls, entry, no, serving


def test_with_whom_an_image_is_shared() -> None:
    cloud = Cloud(members={"i1": [{"member_id": "p1", "status": "accepted"}, {"member_id": "p2", "status": "pending"}]})
    with serving(cloud) as (client, _):
        assert client.sharing(client.images()) == {"i1": Sharing(("p1",), ("p2",)), "i2": Sharing()}


@pytest.mark.parametrize(("ignored", "asked"), [(False, ["i1", "i2"]), (True, [])])
def test_what_may_be_shared_is_told_without_asking(ignored: bool, asked: list[str]) -> None:
    cloud = Cloud(entries=[entry("i1"), entry("i2", visibility="private"), entry("i3", visibility="public")])
    with serving(cloud, shared_ignored=ignored) as (client, listening):
        assert [image.id for image in client.shareable(client.images())] == asked
    assert not [call for call in calls(listening) if "members" in call]


@pytest.mark.parametrize(
    ("visibility", "answer", "sharing"),
    [
        pytest.param("private", no(403, "Only shared images have members."), None, id="private-images-have-none"),
        pytest.param(
            "private",
            no(403),
            Sharing(problem='GET /v2/images/{id}/members: HTTP 403 "no"'),
            id="other-words",
        ),
        pytest.param("shared", no(403), Sharing(problem='GET /v2/images/{id}/members: HTTP 403 "no"'), id="forbidden"),
        pytest.param("shared", no(404), Sharing(problem='GET /v2/images/{id}/members: HTTP 404 "no"'), id="no-members"),
        pytest.param("private", no(404), Sharing(problem='GET /v2/images/{id}/members: HTTP 404 "no"'), id="unknown"),
        pytest.param(
            "private",
            Answered({"members": [{"member_id": "p", "status": "accepted"}]}),
            Sharing(("p",)),
            id="an-old-one",
        ),
    ],
)
def test_members_that_cannot_be_read_may_have_accepted(
    visibility: str, answer: Answered, sharing: Sharing | None
) -> None:
    cloud = Cloud(entries=[entry("i1", visibility=visibility)]).scripted("GET /v2/images/i1/members", answer)
    with serving(cloud) as (client, _):
        assert client.sharing(client.images()).get("i1") == sharing


def test_members_that_nobody_answers_for_fail_the_target() -> None:
    cloud = Cloud().scripted("GET /v2/images/i1/members", *[no(503)] * 3)
    with serving(cloud) as (client, _), pytest.raises(Unavailable):
        client.sharing(client.images())


def test_what_can_have_no_members_is_not_asked_about() -> None:
    cloud = Cloud(entries=[entry("i1", visibility="public"), entry("i2", visibility="community")])
    with serving(cloud) as (client, listening):
        assert client.sharing(client.images()) == {}
    assert not [call for call in calls(listening) if "members" in call]


def test_a_service_that_tells_private_from_shared_is_asked_once_about_private_ones() -> None:
    private = [entry(f"i{number}", visibility="private") for number in range(20)]
    cloud = Cloud(entries=[*private, entry("s1")])
    for image in private:
        cloud.scripted(f"GET /v2/images/{image['id']}/members", no(403, "Only shared images have members."))
    with serving(cloud) as (client, listening):
        assert client.sharing(client.images()) == {"s1": Sharing()}
    assert len([call for call in calls(listening) if "members" in call]) < 10


def test_sharing_may_be_ignored() -> None:
    with serving(Cloud(), shared_ignored=True) as (client, listening):
        assert client.sharing(client.images()) == {}
    assert not [call for call in calls(listening) if "members" in call]
