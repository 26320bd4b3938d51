"""Sends messages to Slack, by an incoming webhook or as a bot, and says truthfully how many of them arrived.

Nothing said here, nor anything logged, ever holds the webhook's URL or the token.
"""

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry import HttpRequest, HttpResponse, RetryHandler, RetryState
from slack_sdk.webhook import WebhookResponse

from janitor.errors import DeliveryError
from janitor.report import Message

_LONGEST_WAIT = 60.0
_WAITS_TOGETHER = 180.0
_RATE_LIMITED_TRIES = 10
_BROKEN_TRIES = 3
_BURST = 3

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
    "missing_scope": "the bot needs the scope chat:write",
    "ratelimited": "it kept asking to wait",
    "rate_limited": "it kept asking to wait",
    "no_service": "the webhook was removed",
    "no_team": "the webhook was removed",
    "invalid_token": "the webhook was removed",
}

# What slack-sdk lets through when there is no usable answer; AttributeError is how it meets JSON that is no object.
_NO_ANSWER = (SlackClientError, HTTPException, OSError, ValueError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackChannel:
    """Where reports go: a webhook, or else a channel as the bot whose token this is.

    Rate limits are waited out, broken connections and server errors tried a few times. `pace` lies between the
    messages of one report after the first few. Raises ValueError where there is neither a webhook nor a bot.
    """

    webhook_url: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    channel: str | None = None
    base_url: str = WebClient.BASE_URL
    timeout: timedelta = timedelta(seconds=30)
    pace: timedelta = timedelta(seconds=1)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        if not self.webhook_url and not (self.token and self.channel):
            raise ValueError("Slack needs a webhook, or a token and a channel")

    def send(self, messages: Sequence[Message]) -> None:
        """Post these messages, in order.

        Raises DeliveryError at the first that Slack does not take; none after it is sent.
        """
        patience = _Patience(self.sleep)
        post = self._post_by_webhook(patience) if self.webhook_url else self._post_as_bot(patience)
        for delivered, message in enumerate(messages):
            if delivered >= _BURST:
                self.sleep(self.pace.total_seconds())
            problem = _problem_of(post, message, patience)
            if problem is not None:
                which = f"message {delivered + 1} of {len(messages)}" if len(messages) > 1 else "the message"
                raise DeliveryError(self._scrubbed(f"Slack did not take {which}: {problem}"), delivered=delivered)

    def probe(self) -> str:
        """Post one short message that says that reports will arrive here; a sentence about it. Raises DeliveryError."""
        text = "Image Janitor can post here: its reports will arrive in this channel."
        self.send([Message(text, [{"type": "section", "text": {"type": "plain_text", "text": text}}])])
        return "posted a test message " + ("through the webhook" if self.webhook_url else f"to {self.channel}")

    def _post_by_webhook(self, patience: "_Patience") -> Callable[[Message], str | None]:
        assert self.webhook_url is not None
        client = WebhookClient(self.webhook_url, self._seconds, logger=_silent(), retry_handlers=[patience])

        def post(message: Message) -> str | None:
            return _refusal_of_webhook(
                client.send(text=message.text, blocks=message.blocks, unfurl_links=False, unfurl_media=False)
            )

        return post

    def _post_as_bot(self, patience: "_Patience") -> Callable[[Message], str | None]:
        client = WebClient(self.token, self.base_url, self._seconds, logger=_silent(), retry_handlers=[patience])
        channel = self.channel or ""

        def post(message: Message) -> str | None:
            try:
                client.chat_postMessage(
                    channel=channel, text=message.text, blocks=message.blocks, unfurl_links=False, unfurl_media=False
                )
            except SlackApiError as error:
                return _refusal_of_api(error.response)
            return None

        return post

    def _scrubbed(self, text: str) -> str:
        """Text from elsewhere, should it quote a secret back to us or hold what is not to be printed."""
        for secret in filter(None, (self.webhook_url, self.token)):
            text = text.replace(secret, "[secret]")
        return "".join(mark for mark in text if mark.isprintable())

    @property
    def _seconds(self) -> int:
        return max(1, round(self.timeout.total_seconds()))


def _silent() -> logging.Logger:
    """A logger that goes nowhere: slack-sdk logs addresses and bodies, and errors that we say ourselves."""
    return logging.Logger("slack_sdk", logging.CRITICAL + 1)


def _problem_of(post: Callable[[Message], str | None], message: Message, patience: "_Patience") -> str | None:
    """Why the message was not taken; None when it was. Never raises for what the network or Slack do."""
    try:
        refusal = post(message)
    except _NO_ANSWER as error:
        return _what_broke(error)
    return refusal and (patience.exhausted or refusal)


def _what_broke(error: Exception) -> str:
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        return _what_broke(error.reason)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return f"no connection ({error.strerror})"
    # Only the kind: the words of an InvalidURL, for one, hold the address.
    return f"no usable answer ({type(error).__name__})"


def _refusal_of_webhook(response: WebhookResponse) -> str | None:
    taken = response.status_code == 200 and response.body.strip() in ("ok", "")
    return None if taken else _quoted(response.status_code, response.body)


def _refusal_of_api(response: Any) -> str:
    """What a refused call was told; `response` is a SlackResponse, or what a server that is none of Slack's sent."""
    said = response.data if isinstance(response.data, dict) else {}
    metadata = said.get("response_metadata")
    details = metadata.get("messages") if isinstance(metadata, dict) else None
    return _quoted(response.status_code, said.get("error"), details)


def _quoted(status: int, said: object, details: object = None) -> str:
    word = said.strip() if isinstance(said, str) else ""
    if not _WORD.fullmatch(word):
        return f"the answer was HTTP {status}, and not in Slack's words"
    hint = f" ({_HINTS[word]})" if word in _HINTS else ""
    more = f": {'; '.join(str(detail) for detail in details)[:300]}" if isinstance(details, list) and details else ""
    return f'it said "{word}"{hint}{more}'


class _Patience(RetryHandler):
    """Waits as long as a rate limit asks, and tries again a few times what broke: each within bounds.

    `exhausted` says which bound of a rate limit ended it. The time waited counts over all messages of one report.
    """

    def __init__(self, sleep: Callable[[float], None]) -> None:
        super().__init__(max_retry_count=_RATE_LIMITED_TRIES)
        self.exhausted: str | None = None
        self._sleep = sleep
        self._left = _WAITS_TOGETHER

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,  # noqa: ARG002  # the signature is slack-sdk's
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
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
