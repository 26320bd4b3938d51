"""The way to Slack is that of all requests: the same certificates and proxies, for the socket too."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from janitor.config import load_settings
from janitor.notify.slack.listening.listener import listening
from janitor.sandbox.slack.sockets import Sockets
from janitor.shutdown import Stop
from tests.certificates import certificate_in
from tests.notify.slack.listening.announced import OFTEN, QUICK, Desk, until
from tests.proxy_stand_in import HttpProxy, SocksProxy
from tests.slack_stand_in import SlackStandIn


class Encrypted(SlackStandIn):
    """The stand-in, spoken to in TLS."""

    def __init__(self, certificate: Path) -> None:
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.address = self.address.replace("http:", "https:")
        self.sockets = Sockets(self.address)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certificate_in(tmp_path)


@pytest.fixture
def slack(certificate: Path) -> Iterator[SlackStandIn]:
    with Encrypted(certificate) as started:
        yield started


@pytest.mark.parametrize("way", ["direct", "proxy", "socks"])
def test_clicks_come_by_the_configured_way(desk: Desk, certificate: Path, way: str) -> None:
    with ExitStack() as ways:
        http = f"ca_file: '{certificate}'"
        if way != "direct":
            proxy = ways.enter_context((HttpProxy if way == "proxy" else SocksProxy)(desk.slack.address))
            http += f", proxy: '{proxy.url if way == 'proxy' else proxy.url.replace('http:', 'socks5:')}'"
        desk.settings()
        config = desk.folder / "janitor.yaml"
        config.write_text(f"{config.read_text()}http: {{{http}}}\n")
        first, _ = desk.announce()
        with listening(load_settings(config, {}), Stop(), patience=QUICK, waits=OFTEN) as listener:
            assert desk.slack.sockets.wait_for(1)
            assert desk.slack.click(first, "Keep 30 days").wait()
            assert until(lambda: (listener.silent_for or 9) < 0.5), "pings are answered, too"
        if way != "direct":
            assert len(proxy.requests) > 1
    assert len(desk.exemptions()) == 1


def test_an_unknown_certificate_is_not_believed(desk: Desk) -> None:
    with listening(desk.settings(), Stop(), patience=QUICK, waits=OFTEN) as listener:
        assert until(lambda: listener._listener._failure != "")
        assert "CERTIFICATE_VERIFY_FAILED" in listener._listener._failure
    assert desk.slack.sockets.ever == 0


def test_a_socket_that_is_not_encrypted_is_not_opened_by_an_address_that_is(desk: Desk, certificate: Path) -> None:
    desk.slack.sockets = Sockets("http://127.0.0.1:1")
    desk.settings()
    config = desk.folder / "janitor.yaml"
    config.write_text(f"{config.read_text()}http: {{ca_file: '{certificate}'}}\n")
    with listening(load_settings(config, {}), Stop(), patience=QUICK, waits=OFTEN) as listener:
        assert until(lambda: "names no address for a socket" in listener._listener._failure)
