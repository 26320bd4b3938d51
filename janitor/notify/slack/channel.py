"""Sends messages to Slack, by an incoming webhook or as a bot, and says truthfully how many of them were accepted.

No message or log line from here ever contains the webhook's URL or the token.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackClientError

from janitor.errors import DeliveryError
from janitor.notify.channel import Turn
from janitor.notify.slack.answers import Accepts, Problem, document_of, problem_of_api, problem_of_webhook
from janitor.notify.slack.clients import Bot, Webhook
from janitor.notify.slack.exchange import Exchange, Unanswered
from janitor.notify.slack.message import Message
from janitor.notify.slack.words import advice_on
from janitor.redaction import Redaction, secrets_of_webhook
from janitor.report import Listing
from janitor.transport import Call, HttpOptions, Reply
from janitor.transport.http import Transport
from janitor.transport.route import Route

if TYPE_CHECKING:
    import httpx

_BURST = 3
_LAST_MESSAGES = 2
_LAST_SECONDS = 3.0
_LARGEST_ANSWER = 2**20
_CSV = {"Content-Type": "text/csv; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a report: the channel as configured (None for a webhook), and the thread of its first message.

    `id` is Slack's own id of the channel, and `thread` the time stamp of that message, if known; `latest` is that of
    the message accepted last.
    """

    channel: str | None
    id: str
    thread: str | None
    latest: str | None = None


Accepted = Callable[[int, Place, datetime | None], None]

_NO_TIME = Problem("not sent: the program is stopping")


def _nobody(_count: int, _place: Place, _date: datetime | None) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackChannel:
    """The destination of reports: a webhook, or a channel to which the bot with this token posts.

    Rate limits are waited out; broken connections and server errors are retried a few times. `accepts` says which
    answers count. `pace` is the time between the messages of one report after the first few, and `turn` waits before
    each until others of the same bot have sent theirs. Once `ending` says so, nothing is waited for or retried, and at
    most two more messages are sent. `route` is the way to Slack; an `http_transport` replaces sockets.
    Raises ValueError without a webhook or a bot. Wide because each is a setting of its own, or replaces time and
    sockets in tests.
    """

    webhook_url: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    channel: str | None = None
    base_url: str = "https://slack.com/api/"
    accepts: Accepts = Accepts.SLACK
    timeout: timedelta = timedelta(seconds=30)
    pace: timedelta = timedelta(seconds=1)
    turn: Turn = field(default=lambda _channel: None, repr=False)
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)
    ending: Callable[[], bool] = field(default=lambda: False, repr=False)
    route: Route = field(default_factory=Route, repr=False)
    http_transport: "httpx.BaseTransport | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.webhook_url and not (self.token and self.channel):
            raise ValueError("Slack needs a webhook, or a token and a channel")

    def send(self, messages: Sequence[Message], *, place: Place | None = None, accepted: Accepted = _nobody) -> int:
        """Post these messages, in order; returns how many were accepted, which is all of them.

        A bot posts the first into the channel and the others into its thread, or all into the thread of `place`.
        `accepted` is called after each with how many were accepted by now, their place, and the time by Slack's clock,
        if known. Raises DeliveryError, which says how many were accepted, at the first that Slack does not accept; none
        after it is sent.
        """
        place = place or Place(None if self.webhook_url else self.channel, self.channel or "", None)
        hurried = 0
        with self._exchange() as exchange:
            for delivered, message in enumerate(messages):
                hurried += self.ending()
                if delivered >= _BURST and not hurried:
                    self.sleep(self.pace.total_seconds())
                if not hurried:
                    self.turn(self.channel or "")
                answer = _NO_TIME if hurried > _LAST_MESSAGES else self._posted(message, place, exchange)
                if isinstance(answer, Problem):
                    which = f"message {delivered + 1} of {len(messages)}" if len(messages) > 1 else "the message"
                    raise self._failure(which, answer, delivered)
                place, date = answer
                accepted(delivered + 1, place, date)
        return len(messages)

    def attach(self, listing: Listing, title: str, place: Place) -> None:
        """Attach a file to the thread of a report. Raises DeliveryError, also if there is no thread."""
        if place.thread is None or self.webhook_url or not self.token:
            raise DeliveryError("Slack did not accept the file: its answer named no thread for it")
        with self._exchange() as exchange:
            try:
                problem = self._attached(listing, title, place, exchange)
            except Unanswered as error:
                problem = error.problem
            except SlackClientError as error:
                problem = Problem(f"it cannot be sent ({type(error).__name__})")
        if problem is not None:
            raise self._failure("the file", problem)

    def ask(self, what: str, call: Callable[[Bot], object]) -> dict[str, Any]:
        """The answer to a call of the Web API that posts nothing; `what` names what Slack is to accept.

        Raises DeliveryError unless Slack accepts it.
        """
        with self._exchange() as exchange:
            try:
                call(self._bot(exchange))
                problem = _problem_of_call(exchange.last)
            except Unanswered as error:
                problem = error.problem
            except SlackClientError as error:
                problem = Problem(f"it cannot be sent ({type(error).__name__})")
        if problem is not None:
            raise self._failure(what, problem)
        return document_of(exchange.last.body) or {}

    def _failure(self, what: str, problem: Problem, delivered: int = 0) -> DeliveryError:
        text = self._redacted(f"Slack did not accept {what}: {problem.text}")
        advice = advice_on(problem.word, self.channel)
        return DeliveryError(text, delivered=delivered, refused=problem.refused, advice=advice)

    def probe(self) -> str:
        """Post one short message which says that reports will arrive here; gives a sentence. Raises DeliveryError."""
        text = "Image Janitor can post here: its reports will arrive in this channel."
        self.send([Message(text, [{"type": "section", "text": {"type": "plain_text", "text": text}}])])
        return "posted a test message " + ("through the webhook" if self.webhook_url else f"to {self.channel}")

    @contextmanager
    def _exchange(self) -> Iterator[Exchange]:
        """Sends the calls of one report."""
        redact = Redaction(*self._secrets)
        transport = Transport(HttpOptions(route=self.route), redact, None, self.http_transport, largest=_LARGEST_ANSWER)
        try:
            yield Exchange(transport, self._seconds, self.sleep, self.ending)
        finally:
            transport.close()

    def _posted(self, message: Message, place: Place, exchange: Exchange) -> tuple[Place, datetime | None] | Problem:
        """The place and time of the accepted message, or why it was not accepted. Never raises for what Slack does."""
        post = self._by_webhook if self.webhook_url else self._as_bot
        try:
            return post(message, place, exchange)
        except Unanswered as error:
            return error.problem
        except SlackClientError as error:
            return Problem(f"it cannot be sent ({type(error).__name__})")

    def _by_webhook(
        self, message: Message, place: Place, exchange: Exchange
    ) -> tuple[Place, datetime | None] | Problem:
        assert self.webhook_url is not None
        Webhook(self.webhook_url, exchange.send).send(
            text=message.text, blocks=message.blocks, unfurl_links=False, unfurl_media=False
        )
        reply = exchange.last
        problem = problem_of_webhook(reply.status, reply.body, self.accepts)
        return problem or (place, reply.date())

    def _as_bot(self, message: Message, place: Place, exchange: Exchange) -> tuple[Place, datetime | None] | Problem:
        self._bot(exchange).chat_postMessage(
            channel=place.id,
            thread_ts=place.thread,
            text=message.text,
            blocks=message.blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
        reply = exchange.last
        problem = problem_of_api(reply.status, reply.body, self.accepts)
        return problem or (_opened(place, document_of(reply.body) or {}), reply.date())

    def _attached(self, listing: Listing, title: str, place: Place, exchange: Exchange) -> Problem | None:
        """Why the file is not in the thread. Slack chooses the URL that it is sent to, which gets no token."""
        content = listing.csv.encode()
        bot = self._bot(exchange)
        bot.files_getUploadURLExternal(filename=listing.filename, length=len(content))
        begun = document_of(exchange.last.body) or {}
        problem = _problem_of_call(exchange.last)
        url, file = begun.get("upload_url"), begun.get("file_id")
        if problem is not None or not isinstance(url, str) or not isinstance(file, str):
            return problem or Problem("its answer named no URL for the upload")
        if self.base_url.startswith("https:") and not url.startswith("https:"):
            return Problem("the URL for the upload is not https")
        uploaded = exchange.send(Call("upload", "POST", url, headers=_CSV, body=content))
        if uploaded.status != HTTPStatus.OK:
            return Problem(f"the answer to the upload was {uploaded.status_words}")
        bot.files_completeUploadExternal(
            files=[{"id": file, "title": title}], channel_id=place.id, thread_ts=place.thread
        )
        problem = _problem_of_call(exchange.last)
        if problem is None and not (document_of(exchange.last.body) or {}).get("files"):
            return Problem("its answer named no file")
        return problem

    def _bot(self, exchange: Exchange) -> Bot:
        assert self.token is not None
        return Bot(self.token, self.base_url, exchange.send)

    def _redacted(self, text: str) -> str:
        """Foreign text without secrets that it may quote, and without unprintable characters."""
        return "".join(mark for mark in Redaction(*self._secrets)(text) if mark.isprintable())

    @property
    def _secrets(self) -> list[str]:
        return [*secrets_of_webhook(self.webhook_url or ""), self.token or ""]

    def _seconds(self) -> float:
        seconds = self.timeout.total_seconds()
        return min(seconds, _LAST_SECONDS) if self.ending() else seconds


def _problem_of_call(reply: Reply) -> Problem | None:
    """Why a call that posts no message was not accepted."""
    return problem_of_api(reply.status, reply.body, Accepts.SLACK, stamped=False)


def _opened(place: Place, said: Mapping[str, object]) -> Place:
    """The place of a report of which one more message was accepted; without a thread if the server names none."""
    channel, stamp = said.get("channel"), said.get("ts")
    if not (isinstance(channel, str) and channel and isinstance(stamp, str) and stamp):
        return replace(place, latest=None)
    return replace(place, id=channel, thread=place.thread or stamp, latest=stamp)
