"""The channel that reports go to: a stand-in for Slack without sockets, as strict as Slack, with changing failures.

The transport of Slack's requests is given another way to carry them for as long as a channel is open.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from unittest import mock

import httpx

from janitor.notify.slack import channel, packing
from janitor.transport.http import Transport
from tests.nights.clockwork import Clockwork, Crash
from tests.nights.team import TEAM_CHANNEL
from tests.slack_stand_in import CHANNEL, DROPPED, TOKEN, Posted, Reply, Workspace, rate_limited

_UNREACHABLE = Reply(None, "refused")
_LOST = Reply(None, "lost")
_REFUSED_AS_BOT = Reply(200, '{"ok": false, "error": "is_archived"}')
_REFUSED_BY_WEBHOOK = Reply(410, "channel_is_archived")
_PAGE = Reply(502, "<html><body>gateway</body></html>")
_SILENT = (
    Reply(200, "<html><body>Sign in to the proxy</body></html>"),
    Reply(200, "\ufeff<!DOCTYPE html><title>blocked</title>"),
    Reply(200, ""),
    Reply(200, "null"),
    Reply(200, "OK"),
    Reply(200, '"invalid_payload"'),
    Reply(200, '{"ok": "false"}'),
)
"""The answer of a proxy that does not forward the request."""
_DRIPPING = Reply(None, "dripping")
_PATIENCE = 300

Mood = Callable[[int], Reply | None]
"""The channel's answer to the request with that number in a night; None for Slack's own answer."""


@dataclass(frozen=True)
class Accepted:
    """A message that the channel accepted. `sure`: the sender may know that, since the answer was sent."""

    posted: Posted
    at: datetime
    sure: bool


class Channel(Workspace):
    """A workspace, reached `as_bot` or by a webhook.

    `accepted` are all messages that it accepted; `objections` are the reasons for which Slack itself would reject what
    was sent.
    """

    def __init__(self, draw: Random, clockwork: Clockwork, *, as_bot: bool) -> None:
        super().__init__("http://slack.invalid")
        self.join(TEAM_CHANNEL)
        self.as_bot = as_bot
        self.accepted: list[Accepted] = []
        self.objections: list[str] = []
        self.mood: Mood = _agreeable
        self._page_limit = draw.choice((3_000, 11_000))  # with the first, small reports take several messages too
        self._draw = draw
        self._clockwork = clockwork
        self._asked = 0

    def configuration(self) -> str:
        """The part of a janitor.yaml that configures this channel."""
        way = f"token: {TOKEN}, channel: '{CHANNEL}', base_url: '{self.base_url}'"
        post = self._draw.choice(("always", "changes"))
        return f"slack: {{{way if self.as_bot else f'webhook_url: {self.webhook_url}'}, post: {post}}}\n"

    def draw_mood(self) -> str:
        """Draw how the channel behaves tonight; gives a word for it."""
        self._asked = 0
        refusal = _REFUSED_AS_BOT if self.as_bot else _REFUSED_BY_WEBHOOK
        breaks_at, seed = self._draw.randint(1, 6), self._draw.randrange(10**6)
        moods: dict[str, tuple[float, Mood]] = {
            "agreeable": (6, _agreeable),
            "unreachable": (1, lambda _number: _UNREACHABLE),
            "refusing": (1, lambda _number: refusal),
            "breaking off": (1, lambda number: _UNREACHABLE if number >= breaks_at else None),
            "refusing midway": (1, lambda number: refusal if number >= breaks_at else None),
            "silent": (1, lambda number: Random(seed + number).choice(_SILENT)),
            "silent midway": (1, lambda number: _SILENT[seed % len(_SILENT)] if number >= breaks_at else None),
            "dripping": (1, lambda _number: _DRIPPING),
            "flaky": (1, lambda number: _flaky(Random(seed + number))),
        }
        word = self._draw.choices(list(moods), [weight for weight, _ in moods.values()])[0]
        self.mood = moods[word][1]
        return word

    def pass_a_second(self) -> None:
        """It sends one byte, and nothing useful."""
        self._clockwork.now += timedelta(seconds=1)

    def calm_down(self) -> None:
        """From now on it accepts everything."""
        self.mood = _agreeable

    @contextmanager
    def open(self) -> Iterator[None]:
        """Within the block, requests to Slack come here."""

        def transport(*given: Any, largest: int) -> Transport:
            options, redact, stop, _ = given
            return Transport(options, redact, stop, _Line(self), largest=largest)

        with (
            mock.patch.object(channel, "Transport", transport),
            mock.patch.object(packing, "_PAGE_LIMIT", self._page_limit),
        ):
            yield

    def take(self, path: str, authorization: str | None, body: bytes) -> Reply:
        """The answer to a request as its sender gets it; without a status it gets none."""
        self._clockwork.step("before a post")
        self._asked += 1
        known = len(self.posted)
        said = self.mood(self._asked)
        reply = self.answer(path, authorization, body) if said in (None, _LOST) else said
        assert reply is not None
        sure = said is None
        if reply.status != 200 or '"ok": false' in reply.body:
            self.objections += [reply.body] if sure else []
        try:
            self._clockwork.step("after a post")
        except Crash:
            sure = False
            raise
        finally:
            self.accepted += [Accepted(posted, self._clockwork.now, sure) for posted in self.posted[known:]]
        return DROPPED if said == _LOST else reply


def _agreeable(_number: int) -> None:
    return None


def _flaky(draw: Random) -> Reply | None:
    blows = (DROPPED, _LOST, _PAGE, rate_limited(7), rate_limited(None), _UNREACHABLE)
    return draw.choice(blows) if draw.random() < 0.4 else None


class _Drip(httpx.SyncByteStream):
    """A byte a second, and at the end an accepting answer."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(_PATIENCE):
            self._channel.pass_a_second()
            yield b" "
        self._channel.objections.append(f"a byte a second was listened to for {_PATIENCE} s")
        yield b"ok"


class _Line(httpx.BaseTransport):
    """How requests reach the channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        reply = self._channel.take(request.url.path, request.headers.get("Authorization"), request.read())
        if reply == _DRIPPING:
            return httpx.Response(200, headers={"Content-Type": "text/plain"}, stream=_Drip(self._channel))
        if reply == _UNREACHABLE:
            raise httpx.ConnectError("[Errno 111] Connection refused")
        if reply.status is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return httpx.Response(reply.status, headers={"Content-Type": "text/html", **reply.headers}, text=reply.body)
