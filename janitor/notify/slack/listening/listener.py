"""Listens to clicks: keeps one web socket to Slack open, makes another where it fails, and says that it is alive."""

import logging
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from slack_sdk.socket_mode.request import SocketModeRequest

from janitor.clock import utc_now
from janitor.config import Settings, Slack
from janitor.core.clicks.click import Place
from janitor.core.clicks.permission import Ours
from janitor.errors import CloudError, DeliveryError, StoreError, UsageError
from janitor.notify.slack.exchange import Exchange
from janitor.notify.slack.listening.answering import Answering
from janitor.notify.slack.listening.calls import Calls
from janitor.notify.slack.listening.people import People
from janitor.notify.slack.listening.rewriting import Rewriting
from janitor.notify.slack.listening.session import PATIENCE, Patience, Session, opened
from janitor.redaction import Redaction
from janitor.shutdown import Stop
from janitor.store import Store
from janitor.transport import HttpOptions, Transient
from janitor.transport.http import Transport

_log = logging.getLogger("janitor.notify.listening")

_LARGEST_ANSWER = 2**20
_CALL_WITHIN = 10.0
_ENDS_WITHIN = 5.0
_STEADY = 60.0
_CLICKS = "block_actions"

ANOTHER_APP = "`token` is of another app than `app_token`: clicks on what the bot posts would not come here"


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds: between looks at the socket, between signs of life, and before the first and the longest next try."""

    look: float = 0.5
    life: float = 15.0
    first: float = 1.0
    longest: float = 60.0


WAITS = Waits()


@dataclass(slots=True, kw_only=True)
class Listener:
    """Keeps a socket open until `stop` is set; what comes over it is answered by `answering`.

    `session` is the present socket, if there is one. Wide because tests replace the times that it waits.
    """

    database: Path
    calls: Calls
    answering: Answering
    stop: threading.Event
    patience: Patience = PATIENCE
    waits: Waits = WAITS
    clock: Callable[[], datetime] = utc_now
    session: Session | None = None
    _name: str = field(default_factory=lambda: uuid.uuid4().hex)
    _shown_at: float = float("-inf")
    _failure: str = ""

    def run(self) -> None:
        """Listen. A socket that fails is followed by another, after a wait that grows while none lasts."""
        wait = self.waits.first
        while not self.stop.is_set():
            try:
                lasted = self._listen()
            except Exception:  # noqa: BLE001 - a bug must not end the listening, which nobody would notice
                _log.exception("listening-crashed: this is a bug, please report it with the lines below")
                lasted = 0.0
            if lasted > _STEADY:
                wait = self.waits.first
            self.stop.wait(wait * random.uniform(0.5, 1.0))  # noqa: S311 - so that not all come back at once
            wait = min(wait * 2, self.waits.longest)
        self._end()

    def _listen(self) -> float:
        """Listen on one more socket, as long as it stands; for how many seconds it did.

        The one before, which Slack has asked to leave, is closed only once there is another.
        """
        fresh = self._connected()
        if fresh is None:
            return 0.0
        before, self.session = self.session, fresh
        if before is not None:
            before.close()
        while fresh.stands and not self.stop.wait(self.waits.look):
            self._show_life(fresh)
        if not fresh.is_connected():
            self.session = None
            fresh.close()
        return fresh.frames.age

    def _connected(self) -> Session | None:
        """A new socket over which Slack has said who we are; None, with the reason in the log, where there is none."""
        try:
            team, app = self.calls.bot(_CALL_WITHIN)
            frames = opened(self.calls.transport, self.calls.socket_url(_CALL_WITHIN), self.patience.connect)
        except (DeliveryError, CloudError, Transient) as error:
            self._failed(str(error))
            return None
        session = Session(frames, self.patience)
        session.begin(lambda request, acknowledge: self._take(request, acknowledge, Ours(team, session.app)))
        if not self._is_greeted(session):
            session.close()
            self._failed("Slack did not greet a new socket")
            return None
        if app not in (None, session.app):
            session.close()
            self._failed(ANOTHER_APP)
            return None
        self._failure = ""
        _log.info("listening team=%s app=%s", team, session.app)
        return session

    def _failed(self, why: str) -> None:
        """Log a failure, but not again for each time that it repeats itself."""
        if why != self._failure and not self.stop.is_set():
            self._failure = why
            _log.warning("not-listening: %s", why)

    def _is_greeted(self, session: Session) -> bool:
        until = time.monotonic() + self.patience.connect
        while session.stands and time.monotonic() < until and not self.stop.is_set():
            if session.greeted.wait(self.waits.look):
                return True
        return False

    def _take(self, request: SocketModeRequest, acknowledge: Callable[[], None], ours: Ours) -> None:
        """Answer a click; whatever else Slack sends to the app is none of ours, and only acknowledged."""
        if request.type == "interactive" and request.payload.get("type") == _CLICKS:
            self.answering(request.payload, acknowledge, ours)
        else:
            acknowledge()

    def _show_life(self, session: Session) -> None:
        """Record that Slack answers, now and then."""
        now = time.monotonic()
        frames = session.frames
        if frames.pong_at is None or frames.silent_for > self.patience.deaf or now - self._shown_at < self.waits.life:
            return
        at = self.clock()
        connected, heard = (at - timedelta(seconds=ago) for ago in (frames.age, frames.silent_for))
        try:
            with Store.open(self.database) as store:
                store.record_listener(self._name, connected, heard)
            self._shown_at = now
        except StoreError as error:
            _log.warning("life-not-recorded: %s", error)

    def _end(self) -> None:
        if self.session is not None:
            self.session.close()
        try:
            with Store.open(self.database) as store:
                store.end_listener(self._name)
        except StoreError as error:
            _log.warning("end-not-recorded: %s", error)
        _log.info("listening-ended")


@dataclass(frozen=True, slots=True)
class Listening:
    """What is known of a listener from outside: its socket, and the clicks since it began by what they came to."""

    _listener: Listener

    @property
    def counts(self) -> Counter[str]:
        """The clicks since the program began, by what they came to."""
        return self._listener.answering.counts

    @property
    def socket_age(self) -> float | None:
        """For how many seconds the present socket has been open; None without one."""
        session = self._listener.session
        return None if session is None or not session.is_connected() else session.frames.age

    @property
    def silent_for(self) -> float | None:
        """For how many seconds Slack has not answered a ping on it; None without one."""
        session = self._listener.session
        return None if session is None or not session.is_connected() else session.frames.silent_for


@contextmanager
def listening(
    settings: Settings, stop: Stop, *, patience: Patience = PATIENCE, waits: Waits = WAITS
) -> Iterator[Listening]:
    """Listen to clicks, in threads, until the block ends; then `stop` is set, if it is not yet.

    Slack need not be there. Raises UsageError without a bot token and an app token.
    """
    listener, rewriting = _made(settings, stop, patience, waits)
    threads = [
        threading.Thread(target=run, name=name, daemon=True)
        for name, run in (("listening", listener.run), ("rewriting", rewriting.run))
    ]
    for thread in threads:
        thread.start()
    try:
        yield Listening(listener)
    finally:
        stop.set()
        rewriting.changed()
        until = time.monotonic() + _ENDS_WITHIN
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))
        listener.calls.transport.close()


def calls_of(settings: Settings, stop: Stop) -> Calls:
    """The calls that listening makes. Raises UsageError without the tokens."""
    slack = settings.slack
    if slack is None or not slack.token or not slack.app_token:
        raise UsageError(f"{settings.source}: listening needs `token` and `app_token` under `slack`")
    redact = Redaction(slack.token, slack.app_token)
    transport = Transport(HttpOptions(route=settings.http.route), redact, stop, largest=_LARGEST_ANSWER)
    return Calls(slack.token, slack.app_token, slack.base_url, transport)


def _made(settings: Settings, stop: Stop, patience: Patience, waits: Waits) -> tuple[Listener, Rewriting]:
    calls = calls_of(settings, stop)
    slack = settings.slack
    assert slack is not None
    rewriting = _rewriting(settings, slack, calls, stop)
    answering = Answering(
        database=settings.database,
        zone=settings.timezone,
        people=People(calls, slack.approvers),
        teller=calls,
        changed=rewriting.changed,
    )
    listener = Listener(
        database=settings.database,
        calls=calls,
        answering=answering,
        stop=stop,
        patience=patience,
        waits=waits,
    )
    return listener, rewriting


def _rewriting(settings: Settings, slack: Slack, calls: Calls, stop: Stop) -> Rewriting:
    def rewrite(place: Place, text: str, blocks: Sequence[Mapping[str, Any]]) -> None:
        calls.rewrite(place, text, blocks, Exchange(calls.transport, lambda: _CALL_WITHIN, stop.wait, stop.is_set))

    return Rewriting(settings.database, settings.timezone, rewrite, bool(slack.approvers), stop)
