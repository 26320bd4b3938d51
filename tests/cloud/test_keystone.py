"""Signing in to a cloud: what is sent, what a grant holds, where services are, and the message of each failure."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from keystoneauth1.fixture import V2Token
from keystoneauth1.identity import generic

from janitor.cloud.openstack import catalogue
from janitor.cloud.openstack.keystone import Grant, Identity, spelled_out
from janitor.cloud.openstack.service_types import Listed, Service
from janitor.errors import CloudError, Denied
from janitor.redaction import Redaction
from janitor.transport import HttpOptions, Transient
from janitor.transport.http import Transport
from janitor.transport.requests_adapter import session_over
from tests.identity_stand_in import (
    NOW,
    PASSWORD,
    PROJECT,
    USERNAME,
    Catalogue,
    Keystone,
    address,
    grant,
    refusal,
    serving,
)
from tests.loopback import Answered, Asked, Loopback, in_turn


def v2_of(server: Loopback) -> Identity:
    return spelled_out(f"{server.url}/v2.0", PROJECT, USERNAME, PASSWORD)


# What is granted


def test_spelled_out_credentials_are_sent_to_identity_v2() -> None:
    with serving(Keystone()) as server:
        given = grant(v2_of(server))
    assert given == Grant(
        token="t0ken-1",
        issued_at=NOW,
        expires=NOW + timedelta(hours=12),
        project=PROJECT,
        catalogue=catalogue.Catalogue(
            (
                Listed(Service.IMAGE, "image", 0, "KR1", "public", address("image", "KR1")),
                Listed(Service.COMPUTE, "compute", 1, "KR1", "public", address("compute", "KR1")),
            ),
            project=PROJECT,
        ),
    )
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v2.0/tokens")
    assert b'"tenantId": "1ab9fffdcfdb4f7f9fb84e8c7bdd4ee1"' in asked.body
    assert asked.headers["user-agent"].startswith("image-janitor/")


def test_a_project_is_the_configured_one_in_any_spelling() -> None:
    token = V2Token("t0ken-1", expires=NOW + timedelta(hours=12), issued=NOW, tenant_id=PROJECT)
    with serving(Keystone(scripted=[Answered(token)])) as server:
        spelled = spelled_out(f"{server.url}/v2.0", str(UUID(PROJECT)).upper(), USERNAME, PASSWORD)
        assert grant(spelled).project == PROJECT


def test_no_password_of_another_program_is_sent_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(Keystone()) as server:
        grant(v2_of(server))
    assert "authorization" not in server.asked[0].headers


def test_every_grant_is_a_sign_in_of_its_own() -> None:
    with serving(Keystone()) as server:
        identity = v2_of(server)
        assert [grant(identity).token for _ in range(3)] == ["t0ken-1", "t0ken-2", "t0ken-3"]


@pytest.mark.parametrize(
    ("path", "asked"), [("/gw/v1/keystone/v3", "/v3/auth/tokens"), ("/gw/v3/keystone/v2.0/", "/v2.0/tokens")]
)
def test_behind_a_gateway_that_tells_of_no_versions_the_one_at_the_end_counts(path: str, asked: str) -> None:
    keystone = Keystone()
    root = path.rpartition("/v")[0]

    def answer(request: Asked) -> Answered:
        if request.method == "GET":
            return refusal(404, "no such route")
        return keystone.answer(replace(request, path=request.path.removeprefix(root)))

    def sign_in(at: str) -> Grant:
        plugin = generic.Password(at, username=USERNAME, password=PASSWORD, project_id=PROJECT)
        return grant(Identity("sign-in", (PASSWORD,), plugin=plugin))

    with Loopback(answer) as server:
        assert sign_in(server.url + path).project == PROJECT
        with pytest.raises(CloudError, match="identity endpoints"):
            sign_in(server.url + root)
    assert [one.path for one in server.asked if one.method == "POST"] == [root + asked]


def test_nothing_is_sent_before() -> None:
    with serving(Keystone()) as server:
        v2_of(server)
    assert server.asked == []


# Where services are

SEVERAL: Catalogue = {
    "image": {"KR1": ["public", "internal"], "KR2": ["public"], "JP1": ["internal"]},
    "compute": {"KR1": ["public"]},
    "volumev2": {"KR1": ["public"]},
    "volumev3": {"KR1": ["public"], "KR2": ["public"]},
    "network": {"KR1": ["public"], "US1": ["public"]},
}


def test_the_regions_are_those_with_images() -> None:
    with serving(Keystone(SEVERAL)) as server:
        assert grant(v2_of(server)).catalogue.image_regions == ("KR1", "KR2")


def test_image_services_are_those_of_the_wanted_interface() -> None:
    with serving(Keystone(SEVERAL)) as server:
        places = grant(v2_of(server)).catalogue.image_places()
    assert [(place.url, place.regions) for place in places] == [
        (address("image", "KR1"), ("KR1",)),
        (address("image", "KR2"), ("KR2",)),
    ]


# Failures


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        pytest.param(
            refusal(401, "The request you have made requires authentication."),
            Denied,
            'HTTP 401 "The request you have made requires authentication.": the credentials are not accepted',
            id="401",
        ),
        pytest.param(refusal(403, "No."), Denied, 'HTTP 403 "No.": the credentials are not accepted', id="403"),
        pytest.param(Answered(b"<h1>no</h1>", 401), Denied, 'HTTP 401 "Unauthorized"', id="401-of-a-gateway"),
        pytest.param(
            refusal(400, f"no such thing as {PASSWORD}"), CloudError, 'HTTP 400 "no such thing as ***"', id="400"
        ),
        pytest.param(refusal(400, "two\n\tlines"), CloudError, '"two lines"', id="one-line"),
        pytest.param(refusal(400, "x" * 9999), CloudError, f'"{"x" * 300}"', id="cut"),
        pytest.param(refusal(404, "What?"), CloudError, 'HTTP 404 "What?"', id="404"),
        pytest.param(refusal(429, "slower"), Transient, "HTTP 429", id="429"),
        pytest.param(Answered(b"", 503), Transient, "HTTP 503", id="503"),
        pytest.param(Answered(dropped=True), Transient, "RemoteProtocolError", id="dropped"),
        pytest.param(Answered({}, cut=1), Transient, "RemoteProtocolError", id="cut-off"),
        pytest.param(Answered(b"<h1>hello</h1>"), CloudError, '"Invalid response from server."', id="no-json"),
        pytest.param(Answered({"a": 1}), CloudError, '"Invalid response from server."', id="no-access"),
        pytest.param(Answered({"access": 1}), CloudError, "no token with a service catalogue", id="no-token"),
        pytest.param(
            Answered({"access": {"token": {"id": 7}}}), CloudError, "no token with a service catalogue", id="a-number"
        ),
        pytest.param(
            Answered({"access": {"token": {"id": "t\nX: y", "tenant": {"id": "p"}}, "serviceCatalog": []}}),
            CloudError,
            "no token with a service catalogue",
            id="no-header-could-hold-it",
        ),
        pytest.param(
            Answered({"access": {"token": {"id": "tökén", "tenant": {"id": "p"}}, "serviceCatalog": []}}),
            CloudError,
            "no token with a service catalogue",
            id="nor-this",
        ),
        pytest.param(
            Answered({"access": {"token": {"id": "t", "tenant": {"id": PROJECT}}, "serviceCatalog": [7]}}),
            CloudError,
            "no token with a service catalogue",
            id="no-catalogue",
        ),
        pytest.param(
            Answered({"access": {"token": {"id": "t"}, "user": {"id": "u"}, "serviceCatalog": []}}),
            CloudError,
            "the token is for no project",
            id="unscoped",
        ),
        pytest.param(
            Answered({"access": {"token": {"id": "t", "tenant": {"id": "f" * 32}}, "serviceCatalog": []}}),
            CloudError,
            f"the token is for another project, {'f' * 32}, than configured, {PROJECT}",
            id="of-another-project",
        ),
        pytest.param(
            Answered(b"", 302, {"Location": "https://elsewhere.example/v2.0/tokens?x"}),
            CloudError,
            "HTTP 302, a redirect, which is not followed",
            id="redirect-elsewhere",
        ),
        pytest.param(
            Answered(b"", 301, {"Location": "//elsewhere.example/v2.0"}),
            CloudError,
            "HTTP 301, a redirect, which is not followed",
            id="redirect-without-a-scheme",
        ),
    ],
)
def test_each_failure_is_told_in_one_line(answer: Answered, kind: type[Exception], told: str) -> None:
    with serving(Keystone(scripted=[answer])) as server, pytest.raises((CloudError, Transient)) as caught:
        grant(v2_of(server))
    assert caught.type is kind
    said = str(caught.value)
    assert told in said
    assert "\n" not in said
    if kind is not Transient:
        assert said.startswith(f"sign-in at {server.url.removeprefix('http://')}: ")
    assert len(server.asked) == 1, "one try"
    assert PASSWORD not in said


def test_the_wish_to_be_asked_later_is_handed_on() -> None:
    keystone = Keystone(scripted=[refusal(429, "slower", **{"Retry-After": "7"})])
    with serving(keystone) as server, pytest.raises(Transient) as caught:
        grant(v2_of(server))
    assert caught.value.retry_after == 7


def test_a_redirect_of_what_holds_credentials_is_not_followed() -> None:
    keystone = Keystone()
    with serving(keystone) as server:
        keystone.scripted.append(Answered(b"", 308, {"Location": f"{server.url}/v2.0/tokens"}))
        with pytest.raises(CloudError, match=r"sign-in at .*: HTTP 308, a redirect, which is not followed"):
            grant(v2_of(server))
        assert server.paths() == ["POST /v2.0/tokens"]


def discovering(answers: Callable[[Asked], Answered], **request: Any) -> tuple[int, list[str]]:
    """What a GET during sign-in comes to, and what was asked."""
    transport = Transport(HttpOptions(), Redaction())
    with Loopback(answers) as server, closing(transport):
        session = session_over(transport, 5, "sign-in", secure=False)
        return session.get(f"{server.url}/identity", **request).status_code, server.paths()


def test_version_discovery_is_led_on_within_its_host() -> None:
    answers = in_turn(Answered(b"", 302, {"Location": "/identity/v3"}), Answered({}))
    assert discovering(answers) == (200, ["GET /identity", "GET /identity/v3"])


@pytest.mark.parametrize(
    ("location", "request_headers"),
    [
        pytest.param("https://127.0.0.1/identity", {}, id="another-scheme"),
        pytest.param("//localhost/identity", {}, id="another-host"),
        pytest.param("http://127.0.0.1:1/identity", {}, id="another-port"),
        pytest.param("http://127.0.0.1:x/identity", {}, id="no-port"),
        pytest.param("/identity/v3", {"X-Auth-Token": "t0ken"}, id="with-a-token"),
        pytest.param("/identity/v3", {"Authorization": "Basic eA=="}, id="with-a-password"),
    ],
)
def test_nothing_else_is_led_on(location: str, request_headers: dict[str, str]) -> None:
    with pytest.raises(CloudError, match="sign-in: HTTP 302, a redirect, which is not followed"):
        discovering(in_turn(Answered(b"", 302, {"Location": location}), Answered({})), headers=request_headers)


def test_nobody_there_is_a_failure_that_may_pass() -> None:
    with serving(Keystone()) as server:
        identity = v2_of(server)
    with pytest.raises(Transient, match="ConnectError"):
        grant(identity)


def test_an_answer_in_bits_is_waited_for_no_longer_than_asked() -> None:
    with (
        Loopback(lambda _: Answered(b"x" * 1000, dripped=0.01)) as server,
        pytest.raises(Transient, match="no complete"),
    ):
        grant(v2_of(server), seconds=0.3)


def test_secrets_are_told_of_and_not_shown() -> None:
    with serving(Keystone()) as server:
        identity = v2_of(server)
        assert identity.secrets == (PASSWORD,), "the name of a user is none"
        shown = repr(identity) + repr(grant(identity))
    assert not [secret for secret in (PASSWORD, "t0ken-1") if secret in shown]


def test_a_sign_in_by_https_goes_on_by_nothing_else() -> None:
    transport = Transport(HttpOptions(), Redaction())
    with serving(Keystone()) as server, closing(transport):
        session = session_over(transport, 5, "sign-in", secure=True)
        with pytest.raises(CloudError, match="redirect from https to http"):
            session.get(server.url)
        assert server.asked == []
        assert session_over(transport, 5, "sign-in", secure=False).get(server.url).status_code == 300
