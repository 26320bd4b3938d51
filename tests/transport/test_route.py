"""By which proxy a server is asked: what is read of a URL and of exceptions, and what is sent then."""

import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from janitor.errors import CloudError
from janitor.redaction import Redaction
from janitor.transport import Call, HttpOptions, Reply, Transient
from janitor.transport.http import Transport
from janitor.transport.route import Proxy, Route, read_no_proxy, read_proxy
from janitor.transport.trust import Trust, context_of, trust_in
from tests.certificates import certificate_in
from tests.loopback import Answered, Loopback, in_turn
from tests.proxy_stand_in import HttpProxy, SocksProxy
from tests.raw_server import RawServer, endless, saying

# What is read


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        pytest.param("http://proxy:3128", Proxy("http", "proxy", 3128), id="http"),
        pytest.param("proxy:3128", Proxy("http", "proxy", 3128), id="without-a-scheme"),
        pytest.param("proxy", Proxy("http", "proxy", 80), id="host-alone"),
        pytest.param("HTTPS://Proxy/", Proxy("https", "proxy", 443), id="https"),
        pytest.param("socks5://proxy", Proxy("socks5", "proxy", 1080), id="socks"),
        pytest.param("socks5h://[::1]:9050", Proxy("socks5h", "::1", 9050), id="socks-by-name"),
        pytest.param("http://me:p%40ss@proxy:1", Proxy("http", "proxy", 1, "me", "p@ss"), id="credentials"),
    ],
)
def test_a_proxy_is_read(text: str, proxy: Proxy) -> None:
    assert read_proxy(text, "") == proxy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("ftp://proxy:3128", "is not a supported kind of proxy", id="scheme"),
        pytest.param("socks4://proxy", "is not a supported kind of proxy", id="socks4"),
        pytest.param("http://", "names no host", id="no-host"),
        pytest.param("http://:3128", "names no host", id="port-alone"),
        pytest.param("http://proxy:99999", "is not the URL of a proxy", id="port"),
        pytest.param("http://proxy:x", "is not the URL of a proxy", id="port-of-letters"),
        pytest.param("http://[::1", "is not the URL of a proxy", id="bracket"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_said(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as error:
        read_proxy(text.replace("//", "//me:secret@") if "[" not in text else text, "")
    assert "secret" not in str(error.value)


def test_a_socks_proxy_needs_what_speaks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'image-janitor\[socks\]'"):
        read_proxy("socks5://proxy", "")


def test_a_proxy_is_shown_without_its_credentials() -> None:
    proxy = read_proxy("http://me:secret@[::1]:3128", "HTTPS_PROXY")
    assert (str(proxy), "secret" in repr(proxy)) == ("http://[::1]:3128", False)


@pytest.mark.parametrize(
    ("written", "url", "held"),
    [
        pytest.param("*", "http://any.example", True, id="everything"),
        pytest.param("example.com", "http://example.com", True, id="name"),
        pytest.param("example.com", "http://images.Example.COM.", True, id="below"),
        pytest.param(".example.com", "http://images.example.com", True, id="leading-dot-below"),
        pytest.param(".example.com", "http://example.com", True, id="leading-dot-itself"),
        pytest.param("*.example.com", "http://images.example.com", True, id="star"),
        pytest.param("example.com", "http://notexample.com", False, id="no-border"),
        pytest.param("a.example, b.example", "https://b.example", True, id="list"),
        pytest.param("a.example b.example", "https://b.example", True, id="by-blanks"),
        pytest.param("example.com:8080", "http://example.com:8080", True, id="port"),
        pytest.param("example.com:8080", "http://example.com", False, id="another-port"),
        pytest.param("example.com:443", "https://example.com", True, id="usual-port"),
        pytest.param("10.1.2.3", "http://10.1.2.3:8774", True, id="address"),
        pytest.param("10.0.0.0/8", "http://10.1.2.3:8774", True, id="range"),
        pytest.param("10.1.2.3/8", "http://10.9.9.9", True, id="range-with-bits"),
        pytest.param("10.0.0.0/8", "http://11.1.2.3", False, id="outside"),
        pytest.param("10.0.0.0/8", "http://ten.example", False, id="names-are-not-resolved"),
        pytest.param("10.0.0.1:80", "http://10.0.0.1", True, id="address-and-port"),
        pytest.param("10.0.0.1:80", "http://10.0.0.1:81", False, id="address-and-another-port"),
        pytest.param("::1", "http://[::1]:8774", True, id="v6"),
        pytest.param("[::1]", "http://[::1]:8774", True, id="v6-in-brackets"),
        pytest.param("[0:0::1]:8774", "http://[::1]:8774", True, id="v6-and-port"),
        pytest.param("[::1]:8774", "http://[::1]", False, id="v6-and-another-port"),
        pytest.param("fd00::/8", "http://[fd12::7]", True, id="v6-range"),
        pytest.param("[fd00::]/8", "http://[fd12::7]", True, id="v6-range-in-brackets"),
        pytest.param("fd00::/8", "http://[fe80::7]", False, id="v6-outside"),
        pytest.param("10.0.0.0/8", "http://[::ffff:10.1.2.3]", True, id="v4-in-v6"),
        pytest.param("localhost", "http://127.0.0.1", False, id="localhost-is-a-name"),
        pytest.param("169.254/16, x/y", "http://169.254.1.1", False, id="no-range"),
        pytest.param("", "http://example.com", False, id="nothing"),
    ],
)
def test_exceptions(written: str, url: str, held: bool) -> None:
    proxy = read_proxy("http://proxy:1", "")
    route = Route(proxy, proxy, read_no_proxy(written, ""))
    assert (route.proxy_for(url) is None) is held


def test_a_range_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match=r'"10\.0\.0\.0/99" is not a range'):
        read_no_proxy("10.0.0.0/99", "")


# What is sent


def ask(url: str, route: Route, seconds: float = 5, **parts: Any) -> Reply:
    with closing(Transport(HttpOptions(route=route), Redaction(), **parts)) as transport:
        return transport.request(Call("GET /images", "GET", url), seconds)


def through(proxy: str, no_proxy: str = "", trust: Trust | None = None) -> Route:
    known = read_proxy(proxy, "HTTPS_PROXY")
    return Route(known, known, read_no_proxy(no_proxy, "NO_PROXY"), trust or Trust())


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(in_turn(Answered({"images": []}))) as loopback:
        yield loopback


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[Loopback, Trust]]:
    """A server of https, and what believes it."""
    certificate = certificate_in(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with Loopback(in_turn(Answered({"images": []})), tls) as loopback:
        yield loopback, Trust(str(certificate), (), "SSL_CERT_FILE")


def test_http_is_asked_through_the_proxy(server: Loopback) -> None:
    with HttpProxy(server.url) as proxy:
        reply = ask("http://images.invalid/v2", through(proxy.url.replace("//", "//me:p%40ss@")))
    assert (reply.status, server.paths()) == (200, ["GET /v2"])
    assert proxy.requests[0].startswith(b"GET http://images.invalid/v2 HTTP/1.1")
    assert b64encode(b"me:p@ss") in proxy.requests[0]


def test_https_is_asked_through_a_tunnel(encrypted: tuple[Loopback, Trust]) -> None:
    server, trust = encrypted
    with HttpProxy(server.url) as proxy:
        reply = ask(server.url.replace("127.0.0.1", "localhost"), through(proxy.url, trust=trust))
    assert reply.status == 200
    assert proxy.requests[0].startswith(b"CONNECT localhost:")


def test_what_is_excepted_is_asked_directly(server: Loopback) -> None:
    with HttpProxy(server.url) as proxy:
        assert ask(server.url, through(proxy.url, "127.0.0.0/8")).status == 200
    assert proxy.requests == []


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks(scheme: str, server: Loopback) -> None:
    with SocksProxy(server.url, password=b"p@ss") as proxy:
        way = proxy.url.replace("http://", f"{scheme}://me:p%40ss@")
        assert ask("http://images.invalid/v2", through(way)).status == 200
    assert proxy.names == ["images.invalid"]


def test_https_by_socks(encrypted: tuple[Loopback, Trust]) -> None:
    server, trust = encrypted
    with SocksProxy(server.url) as proxy:
        way = through(proxy.url.replace("http:", "socks5:"), trust=trust)
        assert ask(server.url.replace("127.0.0.1", "localhost"), way).status == 200


def test_what_is_no_socks_proxy_is_a_failure_that_may_pass() -> None:
    with RawServer(saying(b"HTTP/1.1 400 Bad\r\n\r\n")) as server:
        with pytest.raises(Transient, match="ProxyError") as error:
            ask("http://images.invalid", through(server.url.replace("http:", "socks5:")))
        assert not error.value.lost


@pytest.mark.parametrize("url", ["http://images.invalid", "https://images.invalid"])
def test_a_proxy_that_is_not_there_is_named(url: str, server: Loopback) -> None:
    with RawServer(saying(b"")) as gone:
        there = gone.url
    way = f"through the proxy {there} (HTTPS_PROXY)"
    with pytest.raises(Transient, match="Connection refused") as error:
        ask(url, through(there.replace("//", "//me:secret@")))
    assert str(error.value).endswith(way)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_drips_is_named(scheme: str) -> None:
    bits = b"HTTP/1.1 100 Continue\r\n\r\n"
    with endless(bits, 0.01) as proxy, pytest.raises(Transient, match="through the proxy"):
        ask("https://images.invalid", through(proxy.url.replace("http:", f"{scheme}:")), seconds=0.3)


@pytest.mark.parametrize(
    ("url", "kind"), [("http://images.invalid", CloudError), ("https://images.invalid", Transient)]
)
def test_a_proxy_that_wants_a_password_is_named(url: str, kind: type[Exception], server: Loopback) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with HttpProxy(server.url, refusal) as proxy, pytest.raises(kind, match=r"407.*through the proxy"):
        ask(url, through(proxy.url))


# What servers are checked by


def test_only_what_is_named_is_believed(encrypted: tuple[Loopback, Trust], tmp_path: Path) -> None:
    server, trust = encrypted
    url = server.url.replace("127.0.0.1", "localhost")
    assert ask(url, Route(trust=trust)).status == 200
    assert ask(url, Route(), verify=False).status == 200
    assert ask(url, Route(), verify=context_of(trust)).status == 200
    for other in (Trust(), Trust(str(certificate_in(tmp_path / "other")), (), "ca_file")):
        with pytest.raises(Transient, match="CERTIFICATE_VERIFY_FAILED"):
            ask(url, Route(trust=other))


def test_certificates_are_read_once_for_all_targets_and_again_where_they_are_others(tmp_path: Path) -> None:
    file = certificate_in(tmp_path)
    trust = Trust(str(file), (), "ca_file")
    first = context_of(trust)
    assert context_of(Trust(str(file), (), "ca_file")) is first
    assert context_of(Trust()) is context_of(Trust())
    for its_own in (trust, Trust()):
        assert context_of(its_own, shared=False) is not context_of(its_own, shared=False)
    certificate_in(tmp_path / "renewed").replace(file)
    renewed = context_of(trust)
    assert renewed is not first
    assert renewed.get_ca_certs() != first.get_ca_certs()


def test_certificates_that_were_checked_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    make = ssl.create_default_context

    def made(*, cafile: str, capath: str | None) -> ssl.SSLContext:
        read.append(cafile)
        return make(cafile=cafile, capath=capath)

    monkeypatch.setattr(ssl, "create_default_context", made)
    trust = trust_in(str(certificate_in(tmp_path)), "ca_file")
    assert trust_in(str(trust.file), "SSL_CERT_FILE").file == trust.file
    assert context_of(trust).cert_store_stats()["x509"] == 1
    assert read == [trust.file]


def test_certificates_that_are_gone_by_now_are_named(tmp_path: Path) -> None:
    with pytest.raises(Transient, match=r"the certificates of .*gone\.pem \(SSL_CERT_FILE\) cannot be read"):
        ask("https://127.0.0.1:9", Route(trust=Trust(str(tmp_path / "gone.pem"), (), "SSL_CERT_FILE")))


def test_the_environment_is_not_looked_at(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "[::1],fd00::/8")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    assert ask(server.url, Route()).status == 200
