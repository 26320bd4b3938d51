"""Answers one click: is it permitted, then it is recorded, then Slack is told, and last of all people."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from janitor.clock import utc_now
from janitor.core.clicks.click import Click, Place, Wish
from janitor.core.clicks.keeping import Answer, kept_until
from janitor.core.clicks.permission import (
    Ours,
    Refusal,
    Standing,
    needs_approver,
    refusal_of_origin,
    refusal_of_person,
    refusal_of_place,
)
from janitor.errors import DeliveryError, StoreError
from janitor.notify.slack.listening import words
from janitor.notify.slack.listening.payload import Received, read
from janitor.store import Offered, Store

_log = logging.getLogger("janitor.notify.listening")

IN_TIME = timedelta(seconds=2)
"""How long the database is waited for: Slack waits three seconds for all of an answer."""

_ASKING = 0.8
_TELLING = 2.0
_QUIET = (Answer.KEPT, Answer.ENDED)
UNRECORDED = "unrecorded"
"""What a click came to that the database could not take; it is not acknowledged."""


class Directory(Protocol):
    """Says who may do what."""

    def standing(self, person: str, channel: str, seconds: float, *, of_approvers: bool) -> Standing:
        """What a person may do in a channel, as far as that is known within this time."""


class Teller(Protocol):
    """Tells people something alone."""

    def is_for_answers(self, url: object) -> bool:
        """Whether an address that came with a click is one at which clicks are answered."""

    def answer(self, url: str, thread: str | None, text: str, seconds: float) -> None:
        """Answer there. Raises DeliveryError."""

    def whisper(self, place: Place, thread: str | None, person: str, text: str, seconds: float) -> None:
        """Show a message to one person of a channel. Raises DeliveryError."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the person is told alone, if anything, and whether there is something new for everybody."""

    alone: str
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Answers clicks. `changed` is called once messages are to change.

    `counts` are the clicks since the program began, by what they came to.
    """

    database: Path
    zone: ZoneInfo
    people: Directory
    teller: Teller
    changed: Callable[[], object] = lambda: None
    clock: Callable[[], datetime] = utc_now
    counts: Counter[str] = field(default_factory=Counter)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, payload: Mapping[str, Any], acknowledge: Callable[[], object], ours: Ours) -> None:
        """Answer one click, signed in as `ours`.

        Unless the database takes all of it, it is not acknowledged, and nothing has happened.
        """
        received = read(payload)
        until = time.monotonic() + _ASKING
        try:
            with Store.open(self.database, IN_TIME) as store:
                told = self._answered(store, received, ours, until)
        except StoreError as error:
            self._count(UNRECORDED)
            _log.error("click-not-recorded person=%s: %s", received.person.id or "unknown", error)
            return
        acknowledge()
        if told.changed:
            self.changed()
            self._leave_mark()
        if told.alone:
            self._tell(received, told.alone)

    def _answered(self, store: Store, received: Received, ours: Ours, until: float) -> "_Told":
        """What people are told, once all is recorded. Raises StoreError."""
        click = received.click
        if click is None:
            return self._refused(store, _unreadable(received), Refusal.UNREADABLE)
        offered, refusal = self._permitted(store, click, ours, until)
        if refusal is not None or offered is None:
            return self._refused(store, click, refusal or Refusal.UNKNOWN)
        return self._done(store, click, offered)

    def _permitted(self, store: Store, click: Click, ours: Ours, until: float) -> tuple[Offered | None, Refusal | None]:
        """What the button is for, and why the click is refused, if it is. What is foreign is not even looked up."""
        refusal = refusal_of_origin(click, ours)
        if refusal is not None:
            return None, refusal
        offered = store.offered(click.of)
        refusal = refusal_of_place(click, offered.places if offered else ())
        if refusal is not None:
            return offered, refusal
        left = max(until - time.monotonic(), 0.0)
        asked = self.people.standing(click.person.id, click.place.channel, left, of_approvers=needs_approver(click))
        return offered, refusal_of_person(click, asked)

    def _refused(self, store: Store, click: Click, refusal: Refusal) -> "_Told":
        store.record_refusal(click, refusal, self.clock())
        self._count(refusal.value)
        _log.warning("click-refused person=%s: %s", click.person.id or "unknown", refusal.value)
        return _Told(words.refused(refusal))

    def _done(self, store: Store, click: Click, offered: Offered) -> "_Told":
        now = self.clock()
        until = kept_until(click.days, now, self.zone)
        done = store.answer_click(click, offered.announced, until=until, why=_why(click, offered), at=now)
        self._count(*(one.answer.value for one in done))
        for one in done:
            _log.info(
                "click target=%s image=%s person=%s: %s",
                one.announced.target,
                one.announced.image,
                click.person.id,
                one.answer.value,
            )
        alone = "" if all(one.answer in _QUIET for one in done) else words.answers(done, until, self.zone)
        return _Told(alone, changed=any(one.answer.exempts or one.answer is Answer.ENDED for one in done))

    def _count(self, *words: str) -> None:
        with self._counting:
            self.counts.update(words)

    def _leave_mark(self) -> None:
        """Leave the mark by which an older copy of the database is recognised. Without it the click counts, too."""
        try:
            with Store.open(self.database) as store:
                store.leave_mark()
        except StoreError as error:
            _log.error("mark-not-left: %s", error)

    def _tell(self, received: Received, text: str) -> None:
        """Tell the person alone, at the address that came with the click, or else as the bot; which few may hear."""
        try:
            if self.teller.is_for_answers(received.answer_to):
                return self.teller.answer(str(received.answer_to), received.thread, text, _TELLING)
        except DeliveryError as error:
            _log.info("answer-not-taken: %s", error)
        try:
            self.teller.whisper(received.place, received.thread, received.person.id, text, _TELLING)
        except DeliveryError as error:
            _log.warning("answer-not-told person=%s: %s", received.person.id or "unknown", error)


def _unreadable(received: Received) -> Click:
    return Click("", "", received.person, received.place, Wish.KEEP, 0, "")


def _why(click: Click, offered: Offered) -> str:
    """The reason of an exemption: through which message it was granted."""
    return f"kept for {click.days} days in Slack, on the message of run {offered.run} in {offered.channel}"
