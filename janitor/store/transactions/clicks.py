"""Answers to announcements by clicks, and the signs of life of those who listen to them."""

from collections.abc import Sequence
from datetime import datetime

from janitor.core.clicks.announcement import Announced
from janitor.core.clicks.click import Click
from janitor.core.clicks.keeping import Kept
from janitor.core.clicks.permission import Refusal
from janitor.store.transactions import OnFile
from janitor.store.trust import announcements, clicks, listening
from janitor.store.trust.announcements import Offer, Offered
from janitor.store.trust.clicks import AnsweredClick


class Clicks(OnFile):
    """Keeps what buttons are for, and what clicks came to."""

    def offered(self, given: str) -> Offered | None:
        """What a button with this id is for, if it is known and stands in an accepted message."""
        with self._file.reading() as db:
            return announcements.offered(db, given)

    def answer_click(
        self, click: Click, announced: Sequence[Announced], *, until: datetime, why: str, at: datetime
    ) -> list[AnsweredClick]:
        """Do what a permitted click asks for, for all of these images or for none; recorded when this returns.

        A deletion that is requested at the same time comes either before or after it, and the answer says which.
        """
        with self._file.writing() as db:
            return [clicks.answer_click(db, click, each, until=until, why=why, at=at) for each in announced]

    def record_refusal(self, click: Click, refusal: Refusal, at: datetime) -> None:
        """Record that a click had no effect, and why."""
        with self._file.writing() as db:
            clicks.record_refusal(db, click, refusal, at)

    def counts_of_clicks(self) -> dict[str, int]:
        """How many clicks came to what, since the database exists."""
        with self._file.reading() as db:
            return clicks.counts_of_clicks(db)

    def offers_to_rewrite(self) -> list[tuple[Offer, dict[str, Kept]]]:
        """The messages that no longer say what is so, each with what was kept through its announcements, by their ids.

        An exemption that a person ended is among them.
        """
        with self._file.reading() as db:
            return [(offer, clicks.shown_in(db, offer.offer)) for offer in announcements.offers_to_rewrite(db)]

    def mark_rewritten(self, offer: Offer) -> None:
        """Record that a message was rewritten by what was so when the offer was read."""
        with self._file.writing() as db:
            announcements.mark_rewritten(db, offer)

    def record_listener(self, listener: str, connected_at: datetime, heard_at: datetime) -> None:
        """Record a sign of life of a listener: since when it is connected, and when Slack last answered it."""
        with self._file.writing() as db:
            listening.record_listener(db, listener, connected_at, heard_at)

    def end_listener(self, listener: str) -> None:
        """Record that a listener has ended."""
        with self._file.writing() as db:
            listening.end_listener(db, listener)

    def is_heard(self, now: datetime) -> bool:
        """Whether a click would be heard: whether Slack answered a listener less than two minutes ago."""
        with self._file.reading() as db:
            return listening.is_heard(db, now)
