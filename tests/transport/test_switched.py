"""A connection that was switched to another protocol: bytes both ways at once, bounded, by whatever way it was made."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from janitor.redaction import Redaction
from janitor.transport import Call, HttpOptions
from janitor.transport.http import Transport
from janitor.transport.route import Route, read_proxy
from janitor.transport.switched import Switched
from janitor.transport.trust import Trust
from tests.certificates import certificate_in
from tests.proxy_stand_in import HttpProxy, SocksProxy

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
MUCH = bytes(range(256)) * 4096


@contextmanager
def server(speak: Callable[[socket.socket], None], certificate: Path | None = None) -> Iterator[str]:
    """A server of one connection, which reads the head of a request and then speaks; gives its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        context.load_cert_chain(certificate)

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with context.wrap_socket(connection, server_side=True) if certificate else connection as plain:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += plain.recv(1)
                speak(plain)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{listening.getsockname()[1]}/"
    thread.join(5)


def echo(connection: socket.socket) -> None:
    connection.sendall(SWITCHED + b"first")
    while content := connection.recv(65536):
        connection.sendall(content)


def switched(url: str, route: Route = Route()) -> tuple[Transport, Switched]:  # noqa: B008 - a value
    transport = Transport(replace(HttpOptions(), route=route), Redaction())
    headers = {"Connection": "Upgrade", "Upgrade": "echo"}
    reply, connection = transport.switch(Call("echo", "GET", url, headers=headers), 5)
    assert reply.status == 101
    assert connection is not None
    return transport, connection


def all_of(connection: Switched, size: int) -> bytes:
    content = b""
    while len(content) < size:
        content += connection.read(5)
    return content


WAYS = ("plain", "tls", "tls-through-a-proxy", "tls-through-socks")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Switched]:
    """A connection to a server that says back what it is told, made in each of the ways there are."""
    certificate = None if request.param == "plain" else certificate_in(tmp_path)
    trust = Trust(str(certificate), (), "the test") if certificate else Trust()
    with server(echo, certificate) as url:
        if request.param in ("plain", "tls"):
            transport, connection = switched(url, Route(trust=trust))
            yield connection
        else:
            with (HttpProxy if request.param == "tls-through-a-proxy" else SocksProxy)(url) as proxy:
                there = proxy.url.replace("http:", "socks5:") if "socks" in request.param else proxy.url
                transport, connection = switched(url, Route(https=read_proxy(there, "the test"), trust=trust))
                yield connection
        connection.close()
        transport.close()


def test_bytes_go_both_ways_at_once(way: Switched) -> None:
    assert way.read(5) == b"first"
    writing = threading.Thread(target=lambda: way.write(MUCH, 5))
    writing.start()
    assert all_of(way, len(MUCH)) == MUCH
    writing.join()


def test_nothing_is_waited_for_longer_than_wanted(way: Switched) -> None:
    assert way.read(5) == b"first"
    with pytest.raises(TimeoutError):
        way.read(0.02)
    way.write(b"second", 5)
    assert way.read(5) == b"second"


def test_closing_ends_a_read_that_waits(way: Switched) -> None:
    assert way.read(5) == b"first"
    ended: list[BaseException] = []

    def read() -> None:
        try:
            way.read(60)
        except ConnectionError as error:
            ended.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    way.close()
    reading.join(5)
    assert len(ended) == 1
    with pytest.raises(ConnectionError):
        way.write(b"more", 5)


def test_the_end_of_the_other_side_is_an_error() -> None:
    with server(lambda connection: connection.sendall(SWITCHED)) as url:
        transport, connection = switched(url)
        with pytest.raises(ConnectionError, match="closed the connection"):
            connection.read(5)
        transport.close()


def test_an_answer_that_switches_nothing_is_a_usual_one() -> None:
    with server(lambda c: c.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")) as url:
        transport = Transport(HttpOptions(), Redaction())
        reply, connection = transport.switch(Call("echo", "GET", url), 5)
        assert (reply.status, reply.body, connection) == (403, b"no", None)
        transport.close()


def test_writing_to_a_side_that_reads_nothing_ends() -> None:
    over = threading.Event()

    def sleep(connection: socket.socket) -> None:
        connection.sendall(SWITCHED)
        over.wait(30)

    with server(sleep) as url:
        transport, connection = switched(url)
        with pytest.raises(TimeoutError):
            connection.write(bytes(64 * 2**20), 0.2)
        over.set()
        connection.close()
        transport.close()
