"""Whatever an answer is made of, it ends: at the deadline, or at the size that its purpose allows."""

import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from janitor.errors import CloudError
from janitor.redaction import Redaction
from janitor.transport import Call, HttpOptions, Reply, Transient
from janitor.transport.http import Transport
from tests.raw_server import RawServer, endless, saying

OK = b"HTTP/1.1 200 OK\r\n"
NEVER_ENDING_NAME = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"  # a gzip header that says that a file name follows
LONG = 30.0  # far beyond what a test may take: what ends sooner was ended by a bound


@contextmanager
def transporting(**parts: Any) -> Iterator[Transport]:
    transport = Transport(HttpOptions(), Redaction(), **parts)
    try:
        yield transport
    finally:
        transport.close()


def ask(url: str, seconds: float, **parts: Any) -> Reply:
    with transporting(**parts) as transport:
        return transport.request(Call("GET /images", "GET", f"{url}/images"), seconds)


@pytest.mark.parametrize("pause", [0, 0.02], ids=["at-once", "dripping"])
@pytest.mark.parametrize(
    ("head", "bits"),
    [
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="continue"),
        pytest.param(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", id="early-hints"),
        pytest.param(OK + b"X-Long: ", b"x", id="header"),
        pytest.param(OK + b"Content-Encoding: gzip\r\n\r\n" + NEVER_ENDING_NAME, b"x", id="name-in-gzip"),
        pytest.param(OK + b"\r\n", b"x", id="body"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n1", b";x=y", id="chunk-extension"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ", b"x", id="trailer"),
    ],
)
def test_what_never_ends_is_ended(head: bytes, bits: bytes, pause: float) -> None:
    with endless(bits, pause, head) as server, pytest.raises((Transient, CloudError)):
        ask(server.url, 0.3)


@pytest.mark.parametrize("pause", [0, 0.02], ids=["at-once", "dripping"])
def test_interim_answers_without_end_end_at_the_deadline(pause: float) -> None:
    with endless(b"HTTP/1.1 100 Continue\r\n\r\n", pause) as server:
        with pytest.raises(Transient, match=r"no complete answer within 0\.3 s") as error:
            ask(server.url, 0.3)
        assert error.value.lost


def test_an_interim_answer_is_passed_over() -> None:
    with RawServer(saying(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}")) as server:
        assert ask(server.url, LONG).body == b"{}"


def test_a_second_answer_to_one_request_is_not_taken_for_the_next_one() -> None:
    whole = OK + b"Content-Length: 2\r\n\r\n"

    def script(connection: socket.socket) -> None:
        connection.sendall(whole + b"{}" + whole + b"[]")
        connection.recv(65536)

    call = "GET /images", "GET"
    with RawServer(script) as server, transporting() as transport:
        assert transport.request(Call(*call, server.url), LONG).body == b"{}"
        with pytest.raises(Transient, match="an answer came before its request") as error:
            transport.request(Call(*call, server.url), LONG)
        assert error.value.lost
        assert transport.request(Call(*call, server.url), LONG).body == b"{}", "on a connection of its own"
    assert len(server.requests) == 2


def test_a_stop_ends_what_never_ends() -> None:
    stop = threading.Event()
    with endless(b"HTTP/1.1 100 Continue\r\n\r\n", 0.02) as server, transporting(stop=stop) as transport:
        threading.Timer(0.1, stop.set).start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("janitor.transport.deadline._GRACE", 0.05)
            with pytest.raises(Transient, match="before the program had to stop"):
                transport.request(Call("GET /images", "GET", server.url), LONG)


def bomb(times: int) -> bytes:
    """A small body that is 256 MiB when it was unpacked so often."""
    body = gzip.compress(bytes(2**20)) * 256
    for _ in range(times - 1):
        body = gzip.compress(body)
    return body


def answered(encoding: str, body: bytes) -> bytes:
    return OK + f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_bomb_is_not_unpacked_beyond_the_bound() -> None:
    packed = answered("gzip", gzip.compress(bytes(256 * 2**20), 1))
    with RawServer(saying(packed)) as server:
        tracemalloc.start()
        try:
            with pytest.raises(CloudError, match="GET /images: the answer is larger than 1 MiB"):
                ask(server.url, LONG, largest=2**20)
            assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "why"),
    [
        pytest.param("gzip, gzip", "encoded more than once", id="gzip-twice"),
        pytest.param("gzip,identity , x-gzip", "encoded more than once", id="with-identity-between"),
        pytest.param("gzip\r\nContent-Encoding: gzip", "encoded more than once", id="in-two-lines"),
        pytest.param("deflate", "encoded as 'deflate'", id="deflate"),
        pytest.param("br", "encoded as 'br'", id="brotli"),
        pytest.param("x" * 99, f"encoded as '{'x' * 40}'", id="long"),
    ],
)
def test_other_encodings_are_refused(encoding: str, why: str) -> None:
    with (
        RawServer(saying(answered(encoding, bomb(2)))) as server,
        pytest.raises(CloudError, match=f"GET /images: the answer is {why}, which was not requested"),
    ):
        ask(server.url, LONG)


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "x-gzip", "GZIP", "identity, gzip"])
def test_what_was_asked_for_is_read(encoding: str) -> None:
    body = gzip.compress(b'{"images": []}') if "gzip" in encoding.lower() else b'{"images": []}'
    with RawServer(saying(answered(encoding, body))) as server:
        assert ask(server.url, LONG).body == b'{"images": []}'


@pytest.mark.parametrize(
    ("packed", "body"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(gzip.compress(b""), b"", id="empty"),
        pytest.param(gzip.compress(b"one, ") + gzip.compress(b"two"), b"one, two", id="two-members"),
        pytest.param(gzip.compress(bytes(3 * 2**20)), bytes(3 * 2**20), id="whole-pieces"),
        pytest.param(gzip.compress(bytes(2**20 - 1)), bytes(2**20 - 1), id="a-byte-less-than-a-piece"),
    ],
)
def test_gzip_is_unpacked_whole(packed: bytes, body: bytes) -> None:
    with RawServer(saying(answered("gzip", packed))) as server:
        assert ask(server.url, LONG).body == body


@pytest.mark.parametrize("kept", [1, 9, 12, -8, -1])
def test_gzip_that_ends_early_is_no_answer(kept: int) -> None:
    packed = gzip.compress(b'{"images": []}')[:kept]
    with RawServer(saying(answered("gzip", packed))) as server, pytest.raises(Transient, match="ends early"):
        ask(server.url, LONG)


def test_what_is_no_gzip_is_no_answer() -> None:
    with RawServer(saying(answered("gzip", zlib.compress(b"{}")))) as server, pytest.raises(Transient):
        ask(server.url, LONG)


def test_a_body_is_bounded_as_it_is_sent_too() -> None:
    head = OK + b"Content-Encoding: gzip\r\n\r\n" + NEVER_ENDING_NAME
    with endless(b"x" * 4096, 0, head) as server, pytest.raises(CloudError, match="larger than 1 MiB"):
        ask(server.url, LONG, largest=2**20)


def test_a_request_that_nobody_reads_is_ended() -> None:
    with RawServer(lambda connection: server.over.wait(LONG)) as server, transporting() as transport:
        call = Call("POST /images", "POST", server.url, body=bytes(64 * 2**20))
        with pytest.raises(Transient, match="no complete answer within"):
            transport.request(call, 0.3)


def test_a_greeting_that_never_ends_is_ended() -> None:
    hello = b"\x16\x03\x03\x40\x00"  # the beginning of a handshake, 16 KiB long
    with endless(b"x", 0.02, hello) as server, pytest.raises(Transient, match="no complete answer within") as error:
        ask(server.url.replace("http:", "https:"), 0.3)
    assert not error.value.lost, "the request was not sent"


def test_a_name_that_nobody_resolves_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*_: object, **__: object) -> list[Any]:
        over.wait(LONG)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        with pytest.raises(Transient, match="no complete answer within") as error:
            ask("http://images.example", 0.2)
        assert not error.value.lost
    finally:
        over.set()


def test_a_connection_that_comes_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, begun = threading.Event(), threading.Event()
    ours, theirs = socket.socketpair()

    def late(*_: object, **__: object) -> socket.socket:
        begun.set()
        made.wait(LONG)
        return ours

    monkeypatch.setattr(socket, "create_connection", late)
    with pytest.raises(Transient):
        ask("http://127.0.0.1:9", 0.1)
    assert begun.is_set()
    made.set()
    theirs.settimeout(LONG)
    with theirs:
        assert theirs.recv(1) == b"", "the other side hung up"


def test_what_is_quoted_of_an_answer_is_bounded() -> None:
    with RawServer(saying(OK + b"X" + bytes(20_000) + b": y\r\n\r\n")) as server, pytest.raises(Transient) as error:
        ask(server.url, LONG)
    assert len(str(error.value)) < 400


def test_a_name_that_is_not_known_was_not_asked() -> None:
    with pytest.raises(Transient, match="ConnectError") as error:
        ask("http://images.invalid", LONG)
    assert not error.value.lost
