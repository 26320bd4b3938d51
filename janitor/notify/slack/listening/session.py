"""One web socket to Slack: slack-sdk's own client of Socket Mode, over our transport and within bounds.

slack-sdk finds the proxy and the certificates by itself, reads without bounds, takes a socket that never answered a
ping for a good one, and connects again by itself, at once and for ever. Here it does none of that: whoever made a
session looks whether it still `stands`, and makes another.
"""

import logging
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from os import urandom
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import Connection, ConnectionState
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from janitor.errors import CloudError
from janitor.notify.slack.clients import silent
from janitor.notify.slack.listening.frames import BOUNDS, Bounds, Frames
from janitor.redaction import Redaction, secrets_of_webhook
from janitor.transport import Call, Transient
from janitor.transport.http import Transport

_log = logging.getLogger("janitor.notify.listening")

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_MOST_WAITING = 100
_GREETING = 1.0  # which another thread may still be reading
_UNUSED = "-"  # a proxy for slack-sdk, so that it reads none from the environment

Handle = Callable[[SocketModeRequest, Callable[[], None]], object]
"""What is done with an envelope; it calls the second once Slack is to be told that it was dealt with."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: how often Slack is pinged, after how long without a pong a socket is deaf, and how long one is made."""

    ping: float = 10.0
    deaf: float = 60.0
    connect: float = 10.0


PATIENCE = Patience()


def opened(transport: Transport, url: str, seconds: float, bounds: Bounds = BOUNDS) -> Frames:
    """A web socket at this URL, which is a secret. Raises CloudError and Transient, which do not show it."""
    key = b64encode(urandom(16)).decode()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
    }
    call = Call("the socket", "GET", f"http{url.removeprefix('ws')}", headers=headers)
    try:
        reply, switched = transport.switch(call, seconds)
    except Transient as error:
        raise CloudError(
            f"Slack did not open a socket: {Redaction(*secrets_of_webhook(call.url))(str(error))}"
        ) from error
    if switched is None:
        raise CloudError(f"Slack did not open a socket: {reply.status_words}")
    expected = b64encode(sha1(f"{key}{_MAGIC}".encode(), usedforsecurity=False).digest()).decode()
    if reply.headers.get("sec-websocket-accept", "").strip() != expected:
        switched.close()
        raise CloudError("the answer to the request for a socket is not that of a web socket")
    return Frames(switched, bounds)


class _Socket(Connection):
    """slack-sdk's connection over a socket that is open; it is deaf where no pong has come for too long."""

    def __init__(self, frames: Frames, deaf_after: float, **rest: Any) -> None:
        super().__init__(url="", logger=silent(), **rest)
        self.frames = frames
        self.sock = frames  # type: ignore[assignment]  # it has all methods of a socket that are used
        self._deaf_after = deaf_after

    def disconnect(self) -> None:
        """Close the socket; a read that waits ends. Two threads may do so at once."""
        self.frames.close()
        with self.sock_send_lock:
            self.sock = None

    def check_state(self) -> None:
        """Ping Slack; a deaf socket is closed."""
        if self.sock is None:
            return
        if self.frames.silent_for > self._deaf_after:
            _log.warning("socket-deaf: Slack answered no ping for %g seconds", self._deaf_after)
            self.disconnect()
            return
        try:
            self.ping(f"{self.session_id}:{time.time()}")
        except OSError as error:
            _log.info("socket-lost: %s", error)
            self.disconnect()


class Session(SocketModeClient):
    """A session over one socket.

    `app` is the app's id as Slack said in its greeting, which sets `greeted`; `leaving` is set once Slack asks to
    connect again.
    """

    def __init__(self, frames: Frames, patience: Patience = PATIENCE) -> None:
        super().__init__(
            app_token="",
            logger=silent(),
            web_client=WebClient(logger=silent()),
            auto_reconnect_enabled=False,
            ping_interval=patience.ping,
            concurrency=4,
            proxy=_UNUSED,
        )
        self.app = ""
        self.greeted = threading.Event()
        self.leaving = False
        self.message_listeners.append(self._greeted)
        self._socket = _Socket(
            frames,
            patience.deaf,
            ping_interval=patience.ping,
            on_message_listener=self.enqueue_message,
            on_error_listener=self._lost,
            on_close_listener=lambda code, _reason: _log.info("socket-closed code=%s", code),
        )

    def begin(self, handle: Handle) -> None:
        """Begin to listen; what arrives is given to `handle`, in one of a few threads."""

        def take(_client: BaseSocketModeClient, request: SocketModeRequest) -> None:
            self._take(request, handle)

        self.socket_mode_request_listeners.append(take)
        self.connect()

    def connect(self) -> None:
        """Begin to read, and to ping."""
        self.current_session_state = ConnectionState()  # type: ignore[no-untyped-call]
        self.current_session = self._socket
        self.current_app_monitor_started = True
        self.current_app_monitor.start()

    @property
    def stands(self) -> bool:
        """Whether the socket is open, and Slack has not asked to connect again."""
        return self.is_connected() and not self.leaving

    @property
    def frames(self) -> Frames:
        """Its socket."""
        return self._socket.frames

    def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: ARG002 - slack-sdk's signature
        """Slack asks to connect again: another session is to be made."""
        self.leaving = True

    def enqueue_message(self, message: str) -> None:
        """Take what has arrived, unless too much waits: an envelope that is not acknowledged is shown as failed."""
        if self.message_queue.qsize() < _MOST_WAITING:
            super().enqueue_message(message)
        else:
            _log.warning("message-dropped: %d others wait", _MOST_WAITING)

    def _lost(self, error: Exception) -> None:
        if not self.closed:
            _log.info("socket-lost: %s", error)

    def _greeted(self, _client: BaseSocketModeClient, message: dict[str, Any], _raw: str | None) -> None:
        about = message.get("connection_info")
        if message.get("type") == "hello" and isinstance(about, dict) and isinstance(about.get("app_id"), str):
            self.app = about["app_id"]
            self.greeted.set()

    def _take(self, request: SocketModeRequest, handle: Handle) -> None:
        self.greeted.wait(_GREETING)
        try:
            handle(request, lambda: self._acknowledge(request.envelope_id))
        except Exception:  # noqa: BLE001 - slack-sdk would keep it to itself
            _log.exception("click-crashed: this is a bug, please report it with the lines below")

    def _acknowledge(self, envelope_id: str) -> None:
        """Tell Slack that an envelope was dealt with. Where the socket is gone, Slack shows a warning instead."""
        try:
            self.send_socket_mode_response(SocketModeResponse(envelope_id))
        except (SlackClientError, OSError) as error:
            _log.warning("not-acknowledged: %s", error)

    def close(self) -> None:
        """End the session: what has arrived is still dealt with."""
        self.closed = True
        self.message_queue.put(None)  # which wakes the thread that waits for a message
        super().close()
