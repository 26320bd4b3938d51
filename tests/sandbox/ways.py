"""The ways to a sandbox: behind a socket, without one, and as a command."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol, TypeVar

import httpx

from janitor.clock import utc_now
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from tests.conftest import Desk
from tests.in_process import in_process

WAYS = ["socket", "in-process"]


class SignsIn(Protocol):
    """A client of any API."""

    http: httpx.Client

    def sign_in(self) -> object: ...


AnyClient = TypeVar("AnyClient", bound=SignsIn)


@contextmanager
def reached(
    way: str, options: Options, clock: Callable[[], datetime] = utc_now
) -> Iterator[tuple[Sandbox, httpx.BaseTransport | None]]:
    """A sandbox, and the transport by which httpx reaches it; None is the usual one, over a socket."""
    if way == "socket":
        with running(options, clock) as sandbox:
            yield sandbox, None
    else:
        yield in_process(options, clock)


@contextmanager
def signed_in(client: AnyClient) -> Iterator[AnyClient]:
    """The client, which has signed in, and is closed afterwards."""
    with client.http:
        client.sign_in()
        yield client


@contextmanager
def printed(desk: Desk, key: str, *words: str) -> Iterator[str]:
    """What a small sandbox that runs as a command prints for a key of a target, such as its endpoint."""
    command = desk.command("sandbox", "--port", "0", "--images", "5", *words)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **desk.settings_for_process()
    ) as process:
        assert process.stdout is not None
        try:
            yield next(line for line in process.stdout if f"{key}:" in line).split('"')[1]
        finally:
            process.terminate()
            process.stdout.read()
