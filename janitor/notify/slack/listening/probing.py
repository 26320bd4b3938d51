"""Tries whether clicks could be listened to, without listening: a socket is opened, and closed again."""

from janitor.config import Settings
from janitor.errors import CloudError, DeliveryError
from janitor.notify.slack.listening.listener import calls_of
from janitor.notify.slack.listening.session import opened
from janitor.shutdown import Stop
from janitor.transport import Transient

_WITHIN = 10.0


def probe(settings: Settings, approvers: tuple[str, ...]) -> str:
    """A sentence that a connection to Slack was opened, and the groups of approvers were read. Raises DeliveryError."""
    calls = calls_of(settings, Stop())
    try:
        team = calls.team(_WITHIN)
        opened(calls.transport, calls.socket_url(_WITHIN), _WITHIN).close()
        for group in (each for each in approvers if each.startswith("S")):
            calls.group(group, _WITHIN)
    except (CloudError, Transient) as error:
        raise DeliveryError(f"clicks cannot be listened to: {error}") from error
    finally:
        calls.transport.close()
    return f"opened a connection over which clicks would come, in the workspace {team}"
