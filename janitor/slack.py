"""Sends messages to Slack, by an incoming webhook or as a bot, and says truthfully how many of them arrived.

Nothing said here, nor anything logged, ever holds the webhook's URL or the token.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry import HttpRequest, HttpResponse, RetryHandler, RetryState
from slack_sdk.webhook import WebhookResponse

from janitor.errors import DeliveryError
from janitor.report import Listing, Message

_LONGEST_WAIT = 60.0
_WAITS_TOGETHER = 180.0
_RATE_LIMITED_TRIES = 10
_BROKEN_TRIES = 3
_BURST = 3
_LAST_MESSAGES = 2
_LAST_SECONDS = 3

# A word is all that we repeat of an answer: a proxy's page may quote the address, which is a secret.
_WORD = re.compile(r"[a-z][a-z0-9_]{0,60}")
_HINTS = {
    "channel_not_found": "is the channel right, and is the bot a member?",
    "not_in_channel": "invite the bot to the channel",
    "is_archived": "the channel is archived",
    "channel_is_archived": "the channel is archived",
    "invalid_auth": "the token is not accepted",
    "not_authed": "the token is not accepted",
    "token_revoked": "the token was revoked",
    "token_expired": "the token has expired",
    "account_inactive": "the bot was removed",
    "missing_scope": "the bot lacks a scope: it needs chat:write, and files:write for files",
    "ratelimited": "it kept asking to wait",
    "rate_limited": "it kept asking to wait",
    "no_service": "the webhook was removed",
    "no_team": "the webhook was removed",
    "invalid_token": "the webhook was removed",
}
_BUSY = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
# What webhooks refuse with, whatever status a server puts above it.
_REFUSALS = _HINTS.keys() | {
    "action_prohibited",
    "fatal_error",
    "internal_error",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_payload",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_active_hooks",
    "no_text",
    "posting_to_general_channel_denied",
    "rollup_error",
    "service_unavailable",
    "team_disabled",
    "too_many_attachments",
    "user_not_found",
}

# What slack-sdk lets through when there is no usable answer; AttributeError is how it meets JSON that is no object.
_NO_ANSWER = (SlackClientError, HTTPException, OSError, ValueError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why something was not taken; `refused` where it was this very thing that Slack did not want."""

    text: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report stands: the channel as configured (none for a webhook), and the thread that its first message
    opened, by Slack's own id of the channel and the message's time stamp, where there is one."""

    channel: str | None
    id: str
    thread: str | None


Accepted = Callable[[int, Place], None]

_NO_TIME = _Problem("we are asked to end, and there is no time left for it")


def _nobody(_count: int, _place: Place) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackChannel:
    """Where reports go: a webhook, or else a channel as the bot whose token this is.

    Rate limits are waited out, broken connections and server errors tried a few times. `pace` lies between the
    messages of one report after the first few. Once `ending` says so, nothing is waited for nor tried again, and two
    more messages at most are sent. Raises ValueError where there is neither a webhook nor a bot.
    """

    webhook_url: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    channel: str | None = None
    base_url: str = WebClient.BASE_URL
    timeout: timedelta = timedelta(seconds=30)
    pace: timedelta = timedelta(seconds=1)
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)
    ending: Callable[[], bool] = field(default=lambda: False, repr=False)

    def __post_init__(self) -> None:
        if not self.webhook_url and not (self.token and self.channel):
            raise ValueError("Slack needs a webhook, or a token and a channel")

    def send(self, messages: Sequence[Message], *, place: Place | None = None, accepted: Accepted = _nobody) -> int:
        """Post these messages, in order; returns how many were accepted, which is all of them.

        A bot posts the first into the channel and the others into its thread, or all into the thread of `place`.
        `accepted` is told after each how many were accepted by now, and where they stand. Raises DeliveryError, which
        says how many were, at the first that Slack does not take; none after it is sent.
        """
        patience = _Patience(self.sleep, self.ending)
        place = place or Place(None if self.webhook_url else self.channel, self.channel or "", None)
        hurried = 0
        for delivered, message in enumerate(messages):
            hurried += self.ending()
            if delivered >= _BURST and not hurried:
                self.sleep(self.pace.total_seconds())
            answer = _NO_TIME if hurried > _LAST_MESSAGES else self._posted(message, place, patience)
            if isinstance(answer, _Problem):
                which = f"message {delivered + 1} of {len(messages)}" if len(messages) > 1 else "the message"
                raise self._failure(which, answer, delivered)
            place = answer
            accepted(delivered + 1, place)
        return len(messages)

    def attach(self, listing: Listing, title: str, place: Place) -> None:
        """Put a file into the thread of a report. Raises DeliveryError, also where there is no thread."""
        if place.thread is None or self.webhook_url:
            raise DeliveryError("Slack did not take the file: it told of no thread to put it into")
        client = self._client(_Patience(self.sleep, self.ending))
        try:
            client.files_upload_v2(
                filename=listing.filename, content=listing.csv, title=title, channel=place.id, thread_ts=place.thread
            )
        except SlackApiError as error:
            raise self._failure("the file", _refusal_of_api(error.response)) from None
        except (*_NO_ANSWER, TypeError) as error:  # TypeError is how slack-sdk meets an answer without an address
            raise self._failure("the file", _Problem(_what_broke(error))) from None

    def _failure(self, what: str, problem: _Problem, delivered: int = 0) -> DeliveryError:
        text = self._scrubbed(f"Slack did not take {what}: {problem.text}")
        return DeliveryError(text, delivered=delivered, refused=problem.refused)

    def probe(self) -> str:
        """Post one short message that says that reports will arrive here; a sentence about it. Raises DeliveryError."""
        text = "Image Janitor can post here: its reports will arrive in this channel."
        self.send([Message(text, [{"type": "section", "text": {"type": "plain_text", "text": text}}])])
        return "posted a test message " + ("through the webhook" if self.webhook_url else f"to {self.channel}")

    def _posted(self, message: Message, place: Place, patience: "_Patience") -> Place | _Problem:
        """Where the message stands now, or why it was not taken. Never raises for what the network or Slack do."""
        post = self._post_by_webhook if self.webhook_url else self._post_as_bot
        try:
            answer = post(message, place, patience)
        except _NO_ANSWER as error:
            return _Problem(_what_broke(error))
        return _Problem(patience.exhausted) if isinstance(answer, _Problem) and patience.exhausted else answer

    def _post_by_webhook(self, message: Message, place: Place, patience: "_Patience") -> Place | _Problem:
        assert self.webhook_url is not None
        client = WebhookClient(self.webhook_url, self._seconds, logger=_silent(), retry_handlers=[patience])
        response = client.send(text=message.text, blocks=message.blocks, unfurl_links=False, unfurl_media=False)
        return _refusal_of_webhook(response) or place

    def _post_as_bot(self, message: Message, place: Place, patience: "_Patience") -> Place | _Problem:
        try:
            response = self._client(patience).chat_postMessage(
                channel=place.id,
                thread_ts=place.thread,
                text=message.text,
                blocks=message.blocks,
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackApiError as error:
            return _refusal_of_api(error.response)
        return place if place.thread else _opened(place, response.get("channel"), response.get("ts"))

    def _client(self, patience: "_Patience") -> WebClient:
        return WebClient(self.token, self.base_url, self._seconds, logger=_silent(), retry_handlers=[patience])

    def _scrubbed(self, text: str) -> str:
        """Text from elsewhere, should it quote a secret back to us or hold what is not to be printed."""
        for secret in filter(None, (self.webhook_url, self.token)):
            text = text.replace(secret, "[secret]")
        return "".join(mark for mark in text if mark.isprintable())

    @property
    def _seconds(self) -> int:
        seconds = max(1, round(self.timeout.total_seconds()))
        return min(seconds, _LAST_SECONDS) if self.ending() else seconds


def _silent() -> logging.Logger:
    """A logger that goes nowhere: slack-sdk logs addresses and bodies, and errors that we say ourselves."""
    return logging.Logger("slack_sdk", logging.CRITICAL + 1)


def _opened(place: Place, channel: object, thread: object) -> Place:
    """The place of a report whose first message was taken; a server that tells of no thread has none."""
    if not (isinstance(channel, str) and channel and isinstance(thread, str) and thread):
        return place
    return replace(place, id=channel, thread=thread)


def _what_broke(error: Exception) -> str:
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        return _what_broke(error.reason)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return f"no connection ({error.strerror})"
    # Only the kind: the words of an InvalidURL, for one, hold the address.
    return f"no usable answer ({type(error).__name__})"


def _refusal_of_webhook(response: WebhookResponse) -> _Problem | None:
    taken = response.status_code == 200 and _says_yes(response.body.strip())
    return None if taken else _quoted(response.status_code, response.body)


def _says_yes(body: str) -> bool:
    """Whether the body of a good answer is one. Slack says `ok`, and servers like it whatever they please; a page of
    HTML, a word of refusal, and JSON that says no or is cut off are none."""
    if body.startswith("<") or body in _REFUSALS:
        return False
    try:
        said = json.loads(body)
    except ValueError:
        return not body.startswith("{")
    if isinstance(said, dict):
        return not said.get("error") and False not in (said.get("ok"), said.get("success"))
    return said is not False


def _refusal_of_api(response: Any) -> _Problem:
    """What a refused call was told; `response` is a SlackResponse, or what a server that is none of Slack's sent."""
    said = response.data if isinstance(response.data, dict) else {}
    metadata = said.get("response_metadata")
    details = metadata.get("messages") if isinstance(metadata, dict) else None
    return _quoted(response.status_code, said.get("error"), details)


def _quoted(status: int, said: object, details: object = None) -> _Problem:
    word = said.strip() if isinstance(said, str) else ""
    if not _WORD.fullmatch(word):
        wrong = 400 <= status < 500
        return _Problem(f"the answer was HTTP {status}, and not in Slack's words", refused=wrong)
    hint = f" ({_HINTS[word]})" if word in _HINTS else ""
    more = f": {'; '.join(str(detail) for detail in details)[:300]}" if isinstance(details, list) and details else ""
    return _Problem(f'it said "{word}"{hint}{more}', refused=word not in _BUSY)


class _Patience(RetryHandler):
    """Waits as long as a rate limit asks, and tries again a few times what broke: each within bounds.

    `exhausted` says which bound of a rate limit ended it. The time waited counts over all messages of one report.
    """

    def __init__(self, sleep: Callable[[float], object], ending: Callable[[], bool]) -> None:
        super().__init__(max_retry_count=_RATE_LIMITED_TRIES)
        self.exhausted: str | None = None
        self._sleep = sleep
        self._ending = ending
        self._left = _WAITS_TOGETHER

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,  # noqa: ARG002  # the signature is slack-sdk's
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if self._ending():
            return False
        if response is not None and response.status_code == 429:
            return self._would_wait(_retry_after(response))
        broken = isinstance(error, (OSError, HTTPException)) if response is None else response.status_code >= 500
        return broken and state.current_attempt < _BROKEN_TRIES

    def _would_wait(self, seconds: float) -> bool:
        if seconds > _LONGEST_WAIT:
            self.exhausted = f"it asks to wait {seconds:.0f} seconds, which is longer than we do"
        elif seconds > self._left:
            self.exhausted = f"it keeps asking to wait; {_WAITS_TOGETHER - self._left:.0f} seconds were not enough"
        return self.exhausted is None

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,  # noqa: ARG002
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002
    ) -> None:
        """Wait, and let slack-sdk try again."""
        if response is not None and response.status_code == 429:
            seconds = _retry_after(response)
            self._left -= seconds
        else:
            seconds = float(2**state.current_attempt)
        self._sleep(seconds)
        state.next_attempt_requested = True
        state.increment_current_attempt()


def _retry_after(response: HttpResponse) -> float:
    """The seconds that a rate limit asks for; one second where it does not say, or not readably."""
    values = next((values for key, values in response.headers.items() if key.lower() == "retry-after"), ["1"])
    text = values[0].strip()
    return float(text) if text.isdecimal() else 1.0
