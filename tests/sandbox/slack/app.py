"""An app that listens: slack-sdk's own client, the messages of its log, and the clicks that it took."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from slack_sdk import WebClient
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from janitor.sandbox.slack.workspace import Workspace

Took = list[dict[str, Any]]


def someone_listens(database: Path) -> bool:
    """Whether runs know by their database that clicks are listened to, so that their messages have buttons."""
    address = f"{database.absolute().as_uri()}?mode=rw"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(address, uri=True)) as opened:
        return bool(opened.execute("SELECT count(*) FROM listeners").fetchone()[0])
    return False  # it is only being made


@contextmanager
def listening(slack: Workspace, before: Callable[[], object] = lambda: None) -> Iterator[Took]:
    """The payloads that it took, each acknowledged after `before`."""
    took: Took = []

    def take(client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        took.append(request.payload)
        before()
        client.send_socket_mode_response(SocketModeResponse(request.envelope_id))

    web = WebClient(base_url=slack.base_url)
    client = SocketModeClient(slack.app_token, web_client=web, ping_interval=0.02, concurrency=2)
    client.socket_mode_request_listeners.append(take)
    client.connect()
    try:
        yield took
    finally:
        # Both, for whoever connects sets the one to the other.
        client.default_auto_reconnect_enabled = client.auto_reconnect_enabled = False
        # It reads for up to three seconds before it notices that it was closed, unless the other side closes.
        for socket in list(slack.sockets.open):
            socket.close()
        try:
            client.close()
        except AttributeError:  # its two threads closed it at once
            client.close()
        client.disconnect()  # what a thread opened meanwhile
