"""What tests and simulations rely on: the log of requests, what cannot be read, and that sockets change nothing."""

import json

from tests.sandbox.openstack.client import Client, an_image, client_of, put
from tests.sandbox.openstack.paths import SERVERS, VOLUMES


def test_requests_are_recorded_with_0_for_yes_and_the_status_for_no(client: Client) -> None:
    image = an_image()
    put(client, image, an_image("p", protected=True))
    client.listed("?limit=3")
    for path in (f"/image/v2/images/{image.id}", f"/image/v2/images/{an_image('p').id}"):
        client.send("DELETE", path)
    client.send("GET", f"/image/v2/images/{image.id}")
    client.send("GET", f"/image/v2/images/{image.id}/members")
    for path in (SERVERS, VOLUMES):
        client.send("GET", path)
    client.send("GET", "/image")
    recorded = [(one.name, one.method, one.image, one.code) for one in client.sandbox.requests]
    assert recorded == [
        ("issue-token", "POST", None, 0),
        ("list-images", "GET", None, 0),
        ("delete-image", "DELETE", image.id, 0),
        ("delete-image", "DELETE", an_image("p").id, 403),
        ("show-image", "GET", image.id, 404),
        ("list-members", "GET", image.id, 404),
        ("list-servers", "GET", None, 0),
        ("list-volumes", "GET", None, 0),
        ("discover", "GET", None, 0),
    ]
    assert client.sandbox.requests[1].query == {"limit": "3"}


def test_values_that_cannot_be_read_are_there_when_asked_for() -> None:
    with client_of(images=200) as plain, client_of(images=300, oddities=True) as odd:
        assert not any(image.wire for image in plain.sandbox.account.images.values())
        written = {image["name"]: image for image in odd.listed() if isinstance(image["name"], str)}
        assert written["ci-odd-protected-1"]["protected"] == "maybe"
        assert "visibility" not in written["ci-odd-visibility-2"]
        assert written["ci-odd-tags-13"]["tags"] == "nightly"
        stored = {image.name: image for image in odd.sandbox.account.images.values()}
        half = odd.send("GET", f"/image/v2/images/{stored['ci-odd-name-17'].id}")
        assert json.loads(half.content)["name"] == "ci-half-\ud83d-17"


def test_what_holds_without_sockets_holds_behind_one() -> None:
    with client_of(way="socket", images=60) as client:
        account = client.sandbox.account
        assert len(client.listed()) > 30
        assert client.send("HEAD", "/image/v2/images").status_code == 405
        doomed = next(i for i in account.images if account.is_deletable(i))
        assert client.status("DELETE", f"/{doomed}") == 204
