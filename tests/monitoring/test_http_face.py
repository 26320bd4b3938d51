"""Clients of the metrics address: however many and slow they are, they take little and are ended."""

import logging
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge

from janitor.cli.commands.serving import serve
from janitor.cli.logs import OncePerMinute
from janitor.monitoring.http_face import Bounds, showing

LONG = timedelta(minutes=10)
SHORT = timedelta(seconds=0.2)
TO_MAKE_IT = timedelta(seconds=2)
"""For an answer of many megabytes, on a busy machine."""


@contextmanager
def face(bounds: Bounds) -> Iterator[int]:
    with showing("127.0.0.1", 0, CollectorRegistry, lambda: None, bounds) as port:
        yield port


@contextmanager
def calling(port: int, sent: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        yield connection


def rest_of(connection: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionError:
        pass
    return received


def healthy(port: int) -> bool:
    with httpx.Client(trust_env=False, timeout=20) as http:
        return http.get(f"http://127.0.0.1:{port}/healthz").status_code == 200


def soon_healthy(port: int) -> bool:
    try:
        return healthy(port)
    except httpx.TransportError:
        return threading.Event().wait(0.05)


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTT", b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: "])
def test_a_request_whose_head_does_not_come_is_hung_up_on(sent: bytes) -> None:
    with face(Bounds(head=SHORT, answer=LONG)) as port, calling(port, sent) as connection:
        assert rest_of(connection) == b""


def test_a_head_that_drips_is_hung_up_on_though_something_always_came() -> None:
    with face(Bounds(head=SHORT, answer=LONG)) as port, calling(port, b"GET /healthz HTTP/1.1\r\n") as connection:
        over = threading.Event()

        def drip() -> None:
            for _ in range(400):
                if over.wait(0.05):
                    return
                try:
                    connection.sendall(b"X: y\r\n")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        assert rest_of(connection) == b""
        over.set()
        thread.join()


def test_an_answer_that_is_not_taken_is_given_up() -> None:
    big = CollectorRegistry()
    Gauge("big", "More than the buffers of a connection hold.", ["text"], registry=big).labels("x" * 20_000_000)
    with (
        showing("127.0.0.1", 0, lambda: big, lambda: None, Bounds(1, LONG, TO_MAKE_IT)) as port,
        calling(port) as connection,
    ):
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(10) == b"HTTP/1.1 2"
        assert any(soon_healthy(port) for _ in range(200)), "the only place is free again"


def test_one_connection_too_many_is_closed_at_once_and_the_others_stay() -> None:
    with face(Bounds(connections=3, head=LONG)) as port, ExitStack() as stack:
        kept = [stack.enter_context(calling(port)) for _ in range(3)]
        for _ in range(5):
            with calling(port) as refused:
                assert rest_of(refused) == b""
        kept[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert rest_of(kept[0]).startswith(b"HTTP/1.1 200 OK")
        assert healthy(port)


def test_a_connection_is_for_one_request() -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with face(Bounds()) as port, calling(port, request * 2) as connection:
        assert rest_of(connection).count(b"HTTP/1.1 200 OK") == 1


def test_a_thousand_idle_connections_leave_file_descriptors_to_the_run(caplog: pytest.LogCaptureFixture) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 4096:
        pytest.skip("the system allows too few file descriptors to try")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, before[1]))
    try:
        with face(Bounds(head=LONG)) as port, ExitStack() as stack:
            ours = [stack.enter_context(calling(port)) for _ in range(1100)]
            assert all(rest_of(connection) == b"" for connection in ours[64:])
            with Path("/dev/null").open("rb") as file:
                assert file.fileno() < len(ours) + 200, "as many as we hold ourselves, and 64 of the service"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert {record.name for record in caplog.records} == {"janitor.monitoring.http_face"}


def test_the_bounds_are_those_that_are_documented() -> None:
    assert Bounds() == Bounds(64, timedelta(seconds=5), timedelta(seconds=5))
    [host] = [option.default for option in serve.params if option.name == "metrics_host"]
    assert host == "127.0.0.1"


# The log


def lines(*warnings: tuple[float, str, str]) -> list[str]:
    """What is written of these warnings, each at its second, of a logger, in its words."""
    sparing = OncePerMinute(["janitor.monitoring.http_face", "uvicorn"], lambda: clock[-1])
    written, clock = [], [0.0]
    for now, name, words in warnings:
        clock.append(now)
        record = logging.LogRecord(name, logging.WARNING, "", 0, words, (), None)
        if sparing.filter(record):
            written.append(record.getMessage())
    return written


def test_one_kind_of_failure_is_one_line_a_minute() -> None:
    every = [(second, "uvicorn.error", "Invalid HTTP request received.") for second in range(130)]
    first = "Invalid HTTP request received."
    more = f"{first} (and 59 times since the last line of this kind)"
    assert lines(*every) == [first, more, more]


def test_two_kinds_are_two_lines_and_what_does_not_loop_is_all_written() -> None:
    assert lines((0, "uvicorn.error", "a"), (1, "uvicorn.error", "b"), (2, "uvicorn.error", "a")) == ["a", "b"]
    assert lines((0, "janitor.run", "a"), (1, "janitor.run", "a"), (2, "uvicorner", "b"), (2, "uvicorner", "b")) == [
        *"aabb"
    ]
