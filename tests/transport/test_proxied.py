"""A run in an environment with proxies and certificates: everything takes the same way, and what is wrong is named."""

import re

import pytest

from janitor.sandbox.server import Sandbox
from tests.conftest import Desk
from tests.loopback import Answered, Loopback, in_turn
from tests.proxy_stand_in import HttpProxy
from tests.raw_server import RawServer, saying
from tests.slack_stand_in import SlackStandIn


def test_a_run_goes_through_the_proxy(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    with HttpProxy(sandbox.url) as proxy:
        there = proxy.url
        sandbox_desk.environment["http_proxy"] = there.replace("//", "//me:the-secret@")
        checked = sandbox_desk.janitor("check", "--live")
        done = sandbox_desk.janitor("run", "--dry-run")
    assert (checked.returncode, done.returncode) == (0, 0), checked.stdout + done.stdout + done.stderr
    assert len(proxy.requests) > 1
    assert f"network        sandbox: through the proxy {there} (http_proxy)" in checked.stdout
    assert "the-secret" not in checked.stdout + checked.stderr + done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["webhook", "bot"])
def test_slack_is_asked_through_the_proxy(kind: str, sandbox_desk: Desk) -> None:
    way = "webhook_url: 'http://hooks.invalid/services/T000/B000/webhook-secret'"
    if kind == "bot":
        way = "token: xoxb-stand-in-secret, channel: '#cloud-images', base_url: 'http://slack.invalid/api'"
    with SlackStandIn() as slack, HttpProxy(slack.address) as proxy:
        slack.names |= {"hooks.invalid", "slack.invalid"}
        sandbox_desk.environment |= {"ALL_PROXY": proxy.url, "NO_PROXY": "127.0.0.0/8,[::1]"}
        sandbox_desk.amend(f"slack: {{{way}, post: always}}\n")
        done = sandbox_desk.janitor("run", "--dry-run")
        assert done.returncode == 0, done.stderr
        assert slack.posted


def test_the_heartbeat_and_references_are_asked_through_the_proxy_of_the_file(sandbox_desk: Desk) -> None:
    with Loopback(in_turn(Answered(b"images: none"))) as server, HttpProxy(server.url) as proxy:
        sandbox_desk.amend(
            f"http: {{proxy: '{proxy.url}', no_proxy: 127.0.0.1}}\nheartbeat_url: http://beat.invalid/ping\n"
        )
        done = sandbox_desk.janitor("run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert server.paths() == ["GET /ping/start", "GET /ping"]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_is_not_there_is_named(scheme: str, sandbox_desk: Desk) -> None:
    with RawServer(saying(b"")) as server:
        gone = server.url.replace("http:", f"{scheme}:")
    sandbox_desk.amend("http: {attempts: 1}\n")
    sandbox_desk.environment["ALL_PROXY"] = gone
    done = sandbox_desk.janitor("run")
    assert done.returncode == 1
    assert f"through the proxy {gone} (ALL_PROXY)" in re.sub(r"\s+", " ", done.stdout)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "/nowhere.pem"),
        ("SSL_CERT_FILE", "policies/old.yaml"),
        ("SSL_CERT_DIR", "/nowhere"),
        ("REQUESTS_CA_BUNDLE", "/nowhere.pem"),
        ("ALL_PROXY", "socks9://localhost"),
        ("https_proxy", "http://"),
        ("NO_PROXY", "::/999"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_what_cannot_be_used_is_wrong_usage(command: str, name: str, value: str, sandbox_desk: Desk) -> None:
    sandbox_desk.environment[name] = value
    done = sandbox_desk.janitor(command)
    assert (done.returncode, done.stderr.startswith(f"{name}: ")) == (2, True), done.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"NO_PROXY": "fd00::/8,[::1],::1/128,.internal,localhost"},
        {"http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.0/8"},
        {"http_proxy": "", "ALL_PROXY": "", "SSL_CERT_FILE": "", "SSL_CERT_DIR": "", "REQUESTS_CA_BUNDLE": ""},
    ],
)
def test_an_odd_environment_stops_no_run(environment: dict[str, str], sandbox_desk: Desk) -> None:
    sandbox_desk.environment |= environment
    done = sandbox_desk.janitor("run", "--dry-run")
    assert done.returncode == 0, done.stderr


def test_help_says_what_is_read(desk: Desk) -> None:
    said = desk.janitor("--help").stdout
    assert all(
        name in said for name in ("https_proxy", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "`janitor check`")
    )


def test_the_demonstration_needs_no_proxy(desk: Desk) -> None:
    desk.environment["http_proxy"] = "http://127.0.0.1:9"
    assert desk.janitor("demo").returncode == 0
