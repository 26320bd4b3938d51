"""Runs a sandbox on 127.0.0.1: in the foreground until a signal, or beside the caller's own work."""

import asyncio
import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.types import ASGIApp, Receive
from uvicorn.protocols.http.h11_impl import H11Protocol

from janitor.clock import utc_now
from janitor.errors import JanitorError, UsageError
from janitor.sandbox.account import Account
from janitor.sandbox.app import Hook, make_app
from janitor.sandbox.configuration import fleet_text, slack_text
from janitor.sandbox.faults import Faults
from janitor.sandbox.faults.injector import until_gone
from janitor.sandbox.members import Member
from janitor.sandbox.members.many import ONLY, Members
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import RecordedRequest, RequestLog

if TYPE_CHECKING:
    from janitor.sandbox.slack.server import SlackServer

_log = logging.getLogger("janitor.sandbox")
_HOST = "127.0.0.1"
_DEFAULTS = Options()
_KEPT_IN_FOREGROUND = 10_000
_MORE_CHANNELS = ("#team-data", "#team-web")


@dataclass(slots=True)
class Sandbox:
    """A running sandbox: where it listens, its accounts by name, and the requests that they received.

    It has one account, unless the options ask for many: then what is of one account is had from `members` only.
    """

    origin: str
    options: Options
    members: Members
    log: RequestLog

    @property
    def _only(self) -> Member:
        if self.options.accounts is not None:
            raise LookupError(f"this sandbox has {len(self.members)} accounts: choose one of its `members`")
        return self.members[ONLY]

    @property
    def url(self) -> str:
        """The URL for a client's configuration."""
        return self._only.url

    @property
    def accounts(self) -> Mapping[str, Account]:
        """What it holds in each region."""
        return self._only.accounts

    @property
    def account(self) -> Account:
        """What it holds, in the first region."""
        return self._only.account

    @property
    def faults(self) -> Faults:
        """The faults; they may be set at any time, which restarts them, in every account. `Faults()` ends them."""
        return self.members.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.members.faults = faults

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """Every request so far, in the order in which they were answered."""
        return self.log.all()

    @property
    def deletions(self) -> tuple[RecordedRequest, ...]:
        """Those of them that ask to delete an image, whether or not their clients lived to read the answer."""
        return self.log.deletions()

    def configuration(self, **values: str) -> str:
        """The text of a janitor.yaml that works against it; see `configuration_text` for the arguments.

        With many accounts it names the file of `accounts_text`; see `fleet_text` then.
        """
        if self.options.accounts is not None:
            return fleet_text(self.origin, self.options.accounts, **values)
        return self._only.configuration(**values)

    def accounts_text(self) -> str:
        """The text of the file that lists its accounts as targets."""
        return "".join(self.members.targets())


@contextmanager
def running(
    options: Options = _DEFAULTS, clock: Callable[[], datetime] = utc_now, hook: Hook | None = None
) -> Iterator[Sandbox]:
    """A sandbox on a free port, whatever port the options name; it has certainly stopped when the block ends.

    `clock` is the sandbox's own: it dates the fleet, expires tokens, advances uploads and is in the Date header.
    """
    with _listening(replace(options, port=0), clock, hook) as (sandbox, _server, _thread):
        yield sandbox


def serve(
    options: Options,
    *,
    announce: Callable[..., None],
    show: Callable[[str], None] = lambda _page: None,
    clock: Callable[[], datetime] = utc_now,
    ending: Iterable[int] = (signal.SIGINT, signal.SIGTERM),
    **configuration: str,
) -> None:
    """Run in the foreground until one of the signals `ending`, then return. Only from the main thread.

    Once the socket listens, `announce` is given the text of a janitor.yaml that works against it, with many accounts
    also that of their list; `configuration` is for `Sandbox.configuration`. With an embedded Slack, `show` is given the
    address of its page. Raises UsageError if a port is not available.
    """
    with (
        _embedded_slack(options, clock) as slack,
        _listening(options, clock, None, _KEPT_IN_FOREGROUND) as (sandbox, server, thread),
    ):
        with _stopped_by_signals(server, ending):
            lists = () if options.accounts is None else (sandbox.accounts_text(),)
            announce(sandbox.configuration(**configuration, **_named(slack)), *lists)
            if slack is not None:
                show(slack.page)
            _log.info("sandbox-listening url=%s images=%d seed=%d", sandbox.members.url, options.images, options.seed)
            thread.join()
        _log.info("sandbox-stopped requests=%d", len(sandbox.requests))


@contextmanager
def _embedded_slack(options: Options, clock: Callable[[], datetime]) -> Iterator["SlackServer | None"]:
    if not options.slack:
        yield None
        return
    from janitor.sandbox.slack.server import SlackServer

    try:
        slack = SlackServer(options.slack_port)
    except OSError as error:
        raise UsageError(_port_problem(options.slack_port, error, "--slack-port")) from error
    slack.clock = clock
    for channel in _MORE_CHANNELS:
        slack.join(channel)
    with slack:
        yield slack


def _named(slack: "SlackServer | None") -> dict[str, str]:
    if slack is None:
        return {}
    channel = next(iter(slack.channels))
    return {"slack": slack_text(slack.page, slack.base_url, slack.token, slack.app_token, channel)}


class _Server(uvicorn.Server):
    """Reports when it has started, or ended without starting."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self.settled.set()


def furnished(
    options: Options, origin: str, clock: Callable[[], datetime], hook: Hook | None, most_requests: int | None = None
) -> tuple[Sandbox, ASGIApp]:
    """A sandbox and its application, which is to be served at the origin."""
    log = RequestLog(most_requests)
    members = Members(options, origin, clock, log)
    return Sandbox(origin, options, members, log), make_app(members, options, hook)


@contextmanager
def _listening(
    options: Options, clock: Callable[[], datetime], hook: Hook | None, most_requests: int | None = None
) -> Iterator[tuple[Sandbox, _Server, threading.Thread]]:
    with _bound(options.port) as listener:
        origin = f"http://{_HOST}:{listener.getsockname()[1]}"
        sandbox, app = furnished(options, origin, clock, hook, most_requests)
        server = _Server(_config(app))
        with _in_thread(server, listener) as thread:
            yield sandbox, server, thread


class _Line:
    """The connection of one client."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def hang_up(self) -> None:
        self._transport.close()

    async def hold(self, receive: Receive, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(until_gone(receive), seconds)


class _Protocol(H11Protocol):
    """Lets the application see the connection of a request: uvicorn cannot close it without an error."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "line": _Line(transport)}


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )


@contextmanager
def _in_thread(server: _Server, listener: socket.socket) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
    thread.start()
    server.settled.wait()
    if not server.started:
        raise JanitorError("the sandbox did not start")
    try:
        yield thread
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    # The protocol is explicit because asyncio turns off Nagle's algorithm only then: 40 ms an answer otherwise.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
            listener.listen(128)
        except OSError as error:
            raise UsageError(_port_problem(port, error)) from error
        yield listener


def _port_problem(port: int, error: OSError, option: str = "--port") -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {_HOST} is taken: choose another with {option}, or any free one with {option} 0"
    return f"cannot listen on port {port} of {_HOST}: {os.strerror(error.errno or 0)}"


@contextmanager
def _stopped_by_signals(server: _Server, ending: Iterable[int]) -> Iterator[None]:
    """These signals ask the server to stop; a second one does not wait for requests in flight."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    before: dict[int, Any] = {number: signal.signal(number, stop) for number in ending}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
