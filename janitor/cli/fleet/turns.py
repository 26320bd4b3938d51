"""The turn of a message among those of the whole fleet, as Slack limits how often a bot posts to a channel."""

import logging

from janitor.cli.fleet.context import Connections
from janitor.config import Settings
from janitor.errors import FleetError
from janitor.fleet.pace import sender_of, take_turn
from janitor.shutdown import Stop

_log = logging.getLogger("janitor.fleet")


def wait_for_turn(connections: Connections, settings: Settings, channel: str, stop: Stop) -> None:
    """Wait until a message may be sent, or this process is told to stop; without PostgreSQL, not at all."""
    assert settings.slack is not None
    sender = sender_of(settings.slack.token or settings.slack.webhook_url or "", channel)
    try:
        with connections.one() as connection:
            wait = take_turn(connection, sender)
    except FleetError as error:
        _log.warning("message-out-of-turn: %s", error)
        return
    stop.wait(wait.total_seconds())
