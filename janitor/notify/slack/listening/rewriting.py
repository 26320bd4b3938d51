"""Rewrites messages in which images were kept: the database says which, so that none is lost when a program ends."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from janitor.core.clicks.click import Place
from janitor.core.clicks.keeping import Kept
from janitor.errors import DeliveryError, StoreError
from janitor.notify.slack.buttons import answered
from janitor.store import Offer, Store

_log = logging.getLogger("janitor.notify.listening")

_AGAIN = 30.0
_MOST_REFUSALS = 3

Rewrite = Callable[[Place, str, Sequence[Mapping[str, Any]]], None]
"""Changes a message. Raises DeliveryError."""


@dataclass(slots=True)
class Rewriting:
    """Rewrites what is to be rewritten, in a thread of its own, until `stop` is set.

    A message that Slack refuses three times stays as it is; whatever else fails is tried again every 30 seconds.
    """

    database: Path
    zone: ZoneInfo
    rewrite: Rewrite
    approvers: bool
    stop: threading.Event
    again: float = _AGAIN
    _due: threading.Event = field(default_factory=threading.Event)
    _refusals: Counter[int] = field(default_factory=Counter)

    def changed(self) -> None:
        """There is something new."""
        self._due.set()

    def run(self) -> None:
        """Rewrite, and wait for more."""
        while not self.stop.is_set():
            self._due.clear()
            try:
                self.rewrite_all()
            except Exception:  # noqa: BLE001 - a bug must not end the thread, which nobody would notice
                _log.exception("rewriting-crashed: this is a bug, please report it with the lines below")
            self._due.wait(self.again)

    def rewrite_all(self) -> None:
        """Rewrite all messages that no longer say what is so, once."""
        try:
            with Store.open(self.database) as store:
                for offer, kept in store.offers_to_rewrite():
                    if not self.stop.is_set() and self._is_settled(offer, kept):
                        store.mark_rewritten(offer)
        except StoreError as error:
            _log.warning("messages-not-rewritten: %s", error)

    def _is_settled(self, offer: Offer, kept: Mapping[str, Kept]) -> bool:
        """Whether a message was rewritten, or will not be."""
        blocks = answered(offer.blocks, kept, self.zone, approvers=self.approvers)
        try:
            self.rewrite(offer.place, offer.text, blocks)
        except DeliveryError as error:
            _log.warning("message-not-rewritten channel=%s: %s", offer.place.channel, error)
            self._refusals[offer.offer] += error.refused
            return self._refusals[offer.offer] >= _MOST_REFUSALS
        return True
