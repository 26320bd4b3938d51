"""Tries whether clicks could be listened to, without listening: a socket is opened, and closed again."""

from janitor.clock import utc_now
from janitor.config import Settings
from janitor.errors import CloudError, DeliveryError, StoreError
from janitor.notify.slack.listening.calls import Calls
from janitor.notify.slack.listening.listener import ANOTHER_APP, calls_of
from janitor.notify.slack.listening.session import Session, opened
from janitor.notify.slack.words import advice_on
from janitor.shutdown import Stop
from janitor.store import Store
from janitor.transport import Transient

_WITHIN = 10.0
_NO_CHANNEL = "C0"
_NO_SCOPE = "missing_scope"


def probe(settings: Settings, approvers: tuple[str, ...]) -> str:
    """A sentence that a connection to Slack was opened.

    Raises DeliveryError, also where nobody's click would count: without the scopes to read the members of channels, or
    the groups of approvers.
    """
    calls = calls_of(settings, Stop())
    try:
        team, app = calls.bot(_WITHIN)
        _check_app(Session(opened(calls.transport, calls.socket_url(_WITHIN), _WITHIN)), app)
        _check_members(calls)
        for group in (each for each in approvers if each.startswith("S")):
            calls.group(group, _WITHIN)
    except (CloudError, Transient) as error:
        raise DeliveryError(f"clicks cannot be listened to: {error}", advice=advice_on("", None)) from error
    finally:
        calls.transport.close()
    return f"opened a connection over which clicks would come, in the workspace {team}{_unheard(settings)}"


def _unheard(settings: Settings) -> str:
    """That nobody listens at present, if that is so: then messages have no buttons. Nothing where it is not known."""
    try:
        if settings.database.exists():
            with Store.open(settings.database) as store:
                if store.is_heard(utc_now()):
                    return ""
    except StoreError:
        return ""
    return "; nobody listens now, so messages have no buttons: `janitor serve` does, or `janitor serve --listen-only`"


def _check_app(session: Session, app: str | None) -> None:
    """Raises DeliveryError if the socket is not that of the app whose bot posts."""
    session.connect()
    try:
        if not session.greeted.wait(_WITHIN):
            raise DeliveryError("Slack did not greet a new socket")
        if app not in (None, session.app):
            raise DeliveryError(ANOTHER_APP, advice="copy both tokens from the pages of one app")
    finally:
        session.close()


def _check_members(calls: Calls) -> None:
    """Raises DeliveryError if the bot may not ask for the members of channels. There is no channel of this id."""
    try:
        calls.members(_NO_CHANNEL, _WITHIN)
    except DeliveryError as error:
        if _NO_SCOPE in str(error):
            raise
