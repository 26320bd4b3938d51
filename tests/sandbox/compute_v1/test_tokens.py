"""Tokens of the sandbox are issued, shown, needed and rejected as the Compute API v1.0 page promises."""

from datetime import timedelta

import pytest

from janitor.sandbox.options import Options
from tests.sandbox.clock import Clock
from tests.sandbox.compute_v1.client import UNKNOWN, Client, client_of


def test_a_token_is_dated_in_the_two_shapes_of_the_vendors_sample(reader: Client) -> None:
    access = reader.sign_in()
    assert access["token"]["issued_at"] == "2026-11-23T03:00:00.000000"
    assert access["token"]["expires"] == "2026-11-23T04:00:00Z"
    assert len(access["token"]["id"]) == 32
    assert access["user"]["id"] == reader.sandbox.options.username
    assert access["user"]["roles"][0].keys() == {"name"}


def test_a_token_is_good_until_it_expires_and_not_a_second_longer(client: Client, clock: Clock) -> None:
    clock.forward(minutes=59, seconds=59)
    assert client.code("GET", "/images") == 0
    assert client.code("GET", "/tokens", params={"id": client.token}) == 0
    clock.forward(seconds=1)
    assert client.code("GET", "/images") == -3
    assert client.code("GET", "/tokens", params={"id": client.token}) == 50404


def test_the_lifetime_of_a_token_can_be_chosen(clock: Clock) -> None:
    with client_of(Options(images=1, token_lifetime=timedelta(seconds=10)), clock) as client:
        clock.forward(seconds=10)
        assert client.code("GET", "/images") == -3


def test_a_token_can_be_looked_up_without_one(reader: Client) -> None:
    token, reader.token = reader.token, None
    assert reader.ask("GET", "/tokens", params={"id": token})["access"]["token"]["id"] == token


def test_tokens_can_be_revoked_before_their_time(client: Client) -> None:
    client.sandbox.account.revoke_tokens()
    assert client.code("GET", "/images") == -3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b'{"auth":{"username":"sandbox@example.com","password":"wrong"}}', 50401, id="wrong-password"),
        pytest.param(b'{"auth":{"username":"x","password":"sandbox-password"}}', 50401, id="wrong-username"),
        pytest.param(b'{"auth":{"username":"\\ud800","password":"x"}}', 50401, id="half-a-character"),
        pytest.param(b'{"auth":{"username":"x"}}', -4, id="no-password"),
        pytest.param(b'{"auth":{"username":"x","password":1}}', -4, id="password-no-text"),
        pytest.param(b'{"auth":"x"}', -4, id="auth-no-object"),
        pytest.param(b"[]", -4, id="body-no-object"),
        pytest.param(b"auth=me", -8, id="not-json"),
        pytest.param(b"", -8, id="empty"),
        pytest.param(b"\xff\xfe{}", -8, id="not-unicode"),
        pytest.param(b"[" * 200_000, -8, id="bottomless"),
    ],
)
def test_bad_token_requests_are_refused(reader: Client, body: bytes, code: int) -> None:
    assert reader.code("POST", "/tokens", content=body) == code


ASKED = [("GET", "/images"), ("DELETE", f"/images?id={UNKNOWN}"), ("GET", "/instances"), ("GET", "/instances-detail")]


@pytest.mark.parametrize(("method", "path"), [*ASKED, ("POST", f"/instances/{UNKNOWN}/action")])
@pytest.mark.parametrize("token", [None, "", "nonsense"], ids=["none", "empty", "wrong"])
def test_every_call_but_those_for_tokens_needs_one(reader: Client, method: str, path: str, token: str | None) -> None:
    reader.token = token
    assert reader.code(method, path) == -3


@pytest.mark.parametrize(("method", "path"), [*ASKED, ("POST", "/tokens"), ("GET", "/tokens?id=x")])
def test_another_appkey_is_refused(reader: Client, method: str, path: str) -> None:
    reader.base += "x"
    assert reader.code(method, path) == -3


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/flavors"), ("PUT", "/images"), ("DELETE", "/tokens"), ("GET", "/images/"), ("DELETE", "/images/x")],
)
def test_what_the_api_does_not_know_is_not_supported_and_never_nonexistent(
    reader: Client, method: str, path: str
) -> None:
    assert reader.code(method, path) == -7
    assert reader.http.request(method, reader.sandbox.url + path).json()["header"]["resultCode"] == -7
