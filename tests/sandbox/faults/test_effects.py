"""What each fault does to an answer and to the account, and what it leaves alone."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from janitor.sandbox.faults import Fault, Faults, Rule
from tests.sandbox.clock import START, Clock
from tests.sandbox.compute_v1.client import Client
from tests.sandbox.faults.rules import one


def test_an_http_error_is_answered_and_the_account_is_not_asked(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.HTTP_ERROR, 1, status=502)
    assert client.send("DELETE", "/images", params={"id": image.id}).status_code == 502
    assert image.id in client.sandbox.account.images
    assert client.sandbox.requests[-1].code is None
    assert client.delete(image.id) == 0


@pytest.mark.parametrize("code", [-1, -2, -3, -4, -5, -6, -7, -8, 10404, 30400, 30404, 30409, 30500, 50401])
def test_each_code_is_answered_in_the_documented_form(quick: Client, code: int) -> None:
    [image] = quick.own()
    quick.sandbox.faults = one(Fault.RESULT_CODE, code=code)
    response = quick.send("DELETE", "/images", params={"id": image.id})
    header = response.json()["header"]
    assert (response.status_code, header["isSuccessful"], header["resultCode"]) == (200, False, code)
    assert isinstance(header["resultMessage"], str)
    assert image.id in quick.sandbox.account.images


def test_too_many_requests_say_how_long_to_wait(client: Client) -> None:
    client.sandbox.faults = one(Fault.TOO_MANY_REQUESTS, 1, retry_after=timedelta(seconds=7))
    response = client.send("GET", "/images")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert client.ids()


def test_a_body_is_cut_off_half_way_after_the_account_did_as_asked(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.CUT_OFF_BODY, 1)
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending complete"):
        client.send("DELETE", "/images", params={"id": image.id})
    assert image.id not in client.sandbox.account.images
    assert client.delete(image.id) == -5


def test_a_foreign_body_is_a_web_page_where_json_should_be(client: Client) -> None:
    client.sandbox.faults = Faults(
        0, tuple(Rule(Fault.FOREIGN_BODY, at=frozenset({n}), status=s) for n, s in [(1, None), (2, 404)])
    )
    for status in (200, 404):
        response = client.send("GET", "/images")
        assert (response.status_code, response.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert response.text.startswith("<html>")


def test_a_dropped_connection_gives_no_answer_and_asks_nobody(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.DROPPED_CONNECTION, 1)
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending"):
        client.send("DELETE", "/images", params={"id": image.id})
    assert client.sandbox.requests[-1].code is None
    assert client.delete(image.id) == 0


def test_a_delay_holds_back_an_answer_that_the_account_has_given(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.DELAY, 1, delay=timedelta(minutes=5))
    with pytest.raises(httpx.ReadTimeout):
        client.send("DELETE", "/images", params={"id": image.id}, timeout=0.05)
    assert image.id not in client.sandbox.account.images
    assert client.delete(image.id) == -5


def test_a_delay_within_patience_only_costs_time(client: Client) -> None:
    client.sandbox.faults = one(Fault.DELAY, delay=timedelta(milliseconds=5))
    assert len(client.ids()) > 40
    assert client.faults() == [("list-images", 1, ("delay",))]


def test_a_dead_token_is_dead_until_a_new_one_is_issued(client: Client) -> None:
    client.sandbox.faults = one(Fault.DEAD_TOKEN, 2)
    assert [client.code("GET", "/images") for _ in range(3)] == [0, -3, -3]
    client.sign_in()
    assert client.code("GET", "/images") == 0


def test_a_vanished_marker_is_deleted_by_somebody_just_before(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.VANISHED_MARKER)
    assert image.id in client.ids()  # no marker, nothing vanishes
    assert client.code("GET", "/images", params={"marker": image.id}) == 30400
    assert image.id not in client.ids()
    assert client.faults() == [("list-images", 2, ("vanished-marker",))]


def test_only_an_image_vanishes_that_its_owner_could_delete(quick: Client) -> None:
    account = quick.sandbox.account
    stay = [image.id for image in account.images.values() if not account.is_deletable(image.id)]
    used = {instance.image for instance in account.instances.values()}
    assert {"public", "protected", "used"} == {
        kind
        for image in map(account.images.get, stay)
        if image
        for kind, holds in (("public", image.is_public), ("protected", image.protected), ("used", image.id in used))
        if holds
    }
    quick.sandbox.faults = one(Fault.VANISHED_MARKER)
    for marker in stay:
        assert quick.code("GET", "/images", params={"marker": marker}) == 0
    assert quick.faults() == []


def test_a_repeated_page_is_the_one_before_whatever_was_asked_between(client: Client) -> None:
    client.sandbox.faults = one(Fault.REPEATED_PAGE, 1, 3)
    first = client.ids(limit=5)  # there is none before it
    second = client.ids(limit=5, marker=first[-1])
    assert set(first).isdisjoint(second)
    client.ask("GET", "/instances")
    assert client.ids(limit=5, marker=second[-1]) == second
    assert client.faults() == [("list-images", 3, ("repeated-page",))]


def test_a_truncated_list_ends_with_an_empty_page(client: Client) -> None:
    client.sandbox.faults = one(Fault.TRUNCATED_LIST, 2)
    first = client.ids(limit=5)
    assert client.ids(limit=5, marker=first[-1]) == []
    assert len(client.ids(limit=5, marker=first[-1])) == 5


@pytest.mark.parametrize("path", ["/instances", "/instances-detail"])
def test_an_empty_instance_list_is_a_success_without_instances(quick: Client, path: str) -> None:
    quick.sandbox.faults = one(Fault.EMPTY_INSTANCES, 1)
    answer = quick.ask("GET", path)
    assert (answer["header"]["resultCode"], answer["instances"]) == (0, [])
    assert quick.ask("GET", path)["instances"]


def test_a_deletion_not_done_is_accepted_and_the_image_stays(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.DELETION_NOT_DONE, 1)
    assert client.delete(image.id.upper()) == 0
    assert client.sandbox.account.images[image.id] == image
    assert image.id in client.ids()
    assert client.delete(image.id) == 0
    assert image.id not in client.ids()


def test_a_deletion_not_done_is_refused_where_it_would_be(quick: Client) -> None:
    protected = next(image for image in quick.sandbox.account.images.values() if image.protected)
    quick.sandbox.faults = one(Fault.DELETION_NOT_DONE)
    assert quick.delete(protected.id) == 30403
    assert quick.delete("00000000-0000-4000-a000-000000000000") == -5


def test_an_upload_whose_deletion_is_not_done_goes_on(quick: Client, clock: Clock) -> None:
    account = quick.sandbox.account
    stopped = next(instance for instance in account.instances.values() if instance.status == "STOP")
    image = account.upload_image(stopped.id, "snapshot")
    quick.sandbox.faults = one(Fault.DELETION_NOT_DONE)
    assert quick.delete(image.id) == 0
    clock.forward(minutes=1)
    assert account.images[image.id].status == "active"


def test_a_deletion_unacknowledged_is_done_without_an_answer(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.DELETION_UNACKNOWLEDGED, 1)
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending"):
        client.send("DELETE", "/images", params={"id": image.id})
    last = client.sandbox.requests[-1]
    assert (last.image, last.code, last.faults) == (image.id, 0, ("deletion-unacknowledged",))
    assert client.delete(image.id) == -5


@pytest.mark.parametrize("offset", [timedelta(hours=-2), timedelta(minutes=10)], ids=["slow", "fast"])
def test_a_clock_that_is_off_dates_answers_and_tokens(client: Client, offset: timedelta) -> None:
    client.sandbox.faults = one(Fault.CLOCK_OFF, offset=offset)
    token = client.sign_in()["token"]
    assert token["expires"] == f"{START + timedelta(hours=1) + offset:%Y-%m-%dT%H:%M:%SZ}"
    assert token["issued_at"] == f"{START + offset:%Y-%m-%dT%H:%M:%S.000000}"
    response = client.send("GET", "/images")  # the token is as good as any
    assert response.json()["header"]["resultCode"] == 0
    assert parsedate_to_datetime(response.headers["date"]) == START + offset
    shown = client.ask("GET", "/tokens", params={"id": client.token})
    assert shown["access"]["token"]["expires"] == token["expires"]


def test_a_clock_that_is_off_dates_errors_as_well(quick: Client) -> None:
    rules = (Rule(Fault.CLOCK_OFF, offset=timedelta(hours=1)), Rule(Fault.HTTP_ERROR))
    quick.sandbox.faults = Faults(0, rules)
    response = quick.send("POST", "/tokens", json={})
    assert (response.status_code, parsedate_to_datetime(response.headers["date"])) == (503, START + timedelta(hours=1))
    quick.sandbox.faults = Faults(0, rules[:1])
    assert quick.code("POST", "/tokens", json={}) == -4  # no token to date
