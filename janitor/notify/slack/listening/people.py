"""Who is a member of a channel, and who an approver: as Slack says, remembered briefly."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

from janitor.core.clicks.permission import Standing
from janitor.errors import DeliveryError
from janitor.notify.slack.listening.calls import Calls

_log = logging.getLogger("janitor.notify.listening")

_REMEMBERED = 120.0
_ABSENT_FOR = 5.0
_PAGE_WITHIN = 10.0

Ids = frozenset[str]


class _List:
    """One list of people, asked for in a thread of its own so that nobody has to wait for all of it."""

    def __init__(self, ask: Callable[[], Ids], ticks: Callable[[], float]) -> None:
        self._ask = ask
        self._ticks = ticks
        self._asked: Future[Ids] | None = None
        self._asked_at = 0.0
        self._lock = threading.Lock()

    def holds(self, person: str, seconds: float) -> bool | None:
        """Whether it holds a person; None where that is not known within this time.

        A person who is not in it may have been added since: then it is asked for again, unless that was just done.
        """
        until = self._ticks() + seconds
        for age in (_REMEMBERED, _ABSENT_FOR):
            try:
                found = self._within(age).result(max(until - self._ticks(), 0.0))
            except (NotYet, DeliveryError):
                return None
            if person in found:
                return True
        return False

    def _within(self, age: float) -> Future[Ids]:
        """The list as it was asked for no longer ago than this; a failed one is asked for again."""
        with self._lock:
            asked = self._asked
            old = self._ticks() - self._asked_at > age
            failed = asked is not None and asked.done() and asked.exception() is not None
            if asked is None or failed or (old and asked.done()):
                asked = self._asked = Future()
                self._asked_at = self._ticks()
                threading.Thread(target=self._fill, args=(asked,), name="slack-people", daemon=True).start()
            return asked

    def _fill(self, asked: Future[Ids]) -> None:
        try:
            asked.set_result(self._ask())
        except DeliveryError as error:
            _log.warning("people-unknown: %s", error)
            asked.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            asked.set_exception(error)


class People:
    """Members of channels, and the approvers: ids of people (U…, W…) and of user groups (S…)."""

    def __init__(self, calls: Calls, approvers: Iterable[str], ticks: Callable[[], float] = time.monotonic) -> None:
        self._calls = calls
        self._ticks = ticks
        self._named = frozenset(one for one in approvers if not one.startswith("S"))
        self._groups = {one: self._list(calls.group, one) for one in approvers if one.startswith("S")}
        self._channels: dict[str, _List] = {}
        self._lock = threading.Lock()

    def _list(self, ask: Callable[[str, float], Ids], name: str) -> _List:
        return _List(lambda: ask(name, _PAGE_WITHIN), self._ticks)

    def standing(self, person: str, channel: str, seconds: float, *, of_approvers: bool) -> Standing:
        """What a person may do in a channel, as far as that is known within this time.

        `of_approvers`: only an approver may do what is asked for; without that nobody asks who they are.
        """
        until = self._ticks() + seconds
        if of_approvers:
            return Standing(None, self._is_approver(person, seconds))
        member = self._members(channel).holds(person, seconds)
        return Standing(member, None if member else self._is_approver(person, max(until - self._ticks(), 0.0)))

    def _members(self, channel: str) -> _List:
        with self._lock:
            return self._channels.setdefault(channel, self._list(self._calls.members, channel))

    def _is_approver(self, person: str, seconds: float) -> bool | None:
        if person in self._named:
            return True
        until = self._ticks() + seconds
        known = [group.holds(person, max(until - self._ticks(), 0.0)) for group in self._groups.values()]
        if any(known):
            return True
        return None if None in known else False
