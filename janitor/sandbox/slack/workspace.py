"""A workspace without a server: whoever carries the requests asks it for its answer."""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from janitor.sandbox.slack import files
from janitor.sandbox.slack.clicks import IN_TIME, Click, Control, Forgery, control_named, payload_of
from janitor.sandbox.slack.messages import answer_click, post_by_webhook
from janitor.sandbox.slack.methods import METHODS, Method, must_be_allowed, which_app
from janitor.sandbox.slack.people import LEE, Person
from janitor.sandbox.slack.replies import DROPPED, Refusal, Reply, json_reply, refused
from janitor.sandbox.slack.sockets import Sockets
from janitor.sandbox.slack.state import APP_TOKEN, CHANNEL, TOKEN, Posted, State

WEBHOOK_PATH = "/services/T000/B000/webhook-secret"
API = "/api/"
GET_URL = "/api/files.getUploadURLExternal"
COMPLETE = "/api/files.completeUploadExternal"
_ACTIONS = "/actions/"
_LIFE_OF_ANSWERS = timedelta(minutes=30)
_MOST_ANSWERS = 5
_WORDS = ("channel", "channel_id", "cursor", "email", "filename", "thread_ts", "ts", "user", "usergroup", "users")


@dataclass(slots=True)
class _Answerable:
    """A click that may be answered through its `response_url`, five times within half an hour."""

    posted: Posted
    person: str
    until: datetime
    used: int = 0


class Workspace(State):
    """What Slack takes, refuses and remembers, under an address.

    Every request is in `requests`, its path in `paths`, its `Authorization` in `authorizations`. Replies put into
    `script` are given first, one a request, whatever the request holds; those in `refusals` to requests of that path.
    From `refuse_after` messages on it takes no more, and `before` is called with every request. The next `unanswered`
    requests are carried out, and the connection is dropped instead of saying so. While there is an `outage`, it is the
    answer to everything. The page waits for an acknowledgement
    for the time of `patience`.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.sockets = Sockets(address)
        self.clicks: list[Click] = []
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.paths: list[str] = []
        self.script: deque[Reply] = deque()
        self.refusals: dict[str, Reply] = {}
        self.unanswered = 0
        self.outage: Reply | None = None
        self.patience = IN_TIME
        self.before: Callable[[], object] = lambda: None
        self.token, self.app_token = TOKEN, APP_TOKEN
        self._answerable: dict[str, _Answerable] = {}
        self._lock = threading.RLock()
        self.join(CHANNEL)

    @property
    def webhook_url(self) -> str:
        """The address of the incoming webhook."""
        return self.address + WEBHOOK_PATH

    @property
    def base_url(self) -> str:
        """The address of the Web API."""
        return self.address + API

    def answer(self, path: str, authorization: str | None, body: bytes) -> Reply:
        """What Slack would say to this request; the path may have a query."""
        self.before()
        with self._lock:
            path, _, query = path.partition("?")
            given, is_json = _read(path, query, body)
            self.authorizations.append(authorization)
            self.requests.append(given)
            self.paths.append(path)
            if self.script:
                return self.script.popleft()
            reply = (
                self.outage or self.refusals.get(path) or self._done(path, authorization, body, given, is_json=is_json)
            )
            if self.unanswered:
                self.unanswered -= 1
                return DROPPED
            return reply

    # What people do.

    def click(self, posted: Posted, wanted: str | Control, by: Person = LEE, forged: Forgery | None = None) -> Click:
        """Somebody clicks a button or chooses an option of a message; see `prepare` for the arguments."""
        return self.send(self.prepare(posted, wanted, by, forged))

    def prepare(self, posted: Posted, wanted: str | Control, by: Person = LEE, forged: Forgery | None = None) -> Click:
        """A click that is not sent yet, to be sent late.

        `wanted` is the label, action id or value of a button or an option, or its place; `forged` changes what the app
        is told. Raises LookupError if there is no such button or message.
        """
        channel = self.place_of(posted)
        if channel is None:
            raise LookupError("the message stands in no channel")
        control = control_named(posted, wanted) if isinstance(wanted, str) else wanted
        with self._lock:
            path = f"{_ACTIONS}{len(self._answerable):06d}/stand-in-secret"
            self._answerable[path] = _Answerable(posted, by.id, self.now() + _LIFE_OF_ANSWERS)
            payload = {
                **payload_of(posted, channel, control, by, self.stamp()),
                "response_url": self.address + path,
            }
            click = Click(forged(payload) if forged else payload, self.now)
            self.clicks.append(click)
        return click

    def send(self, click: Click) -> Click:
        """Send a click to the app, or once more; it is lost where no socket is open."""
        self.sockets.deliver(click)
        return click

    def latest(self, posted: Posted) -> Posted:
        """A message as it reads now. Raises LookupError if it is gone."""
        channel = self.place_of(posted)
        found = None if channel is None else self.message(channel, posted.ts)
        if found is None:
            raise LookupError("the message is gone")
        return found

    # What the app asks for.

    def _done(self, path: str, authorization: str | None, body: bytes, given: Any, *, is_json: bool) -> Reply:
        if path == WEBHOOK_PATH:
            return self._webhook(given)
        if path in self._answerable:
            return self._answered(self._answerable[path], given)
        if path.startswith(files.UPLOAD):
            return files.upload(self, path.removeprefix(files.UPLOAD), authorization, body)
        if not path.startswith(API):
            return Reply(404, "no_service")
        try:
            return json_reply(
                {"ok": True, **self._called(path.removeprefix(API), authorization, given, is_json=is_json)}
            )
        except Refusal as refusal:
            return refused(refusal)

    def _called(self, name: str, authorization: str | None, given: Any, *, is_json: bool) -> dict[str, Any]:
        method = self._method(name, authorization)
        must_be_allowed(self, method, authorization)
        if not isinstance(given, dict) or any(not isinstance(given.get(key, ""), str) for key in _WORDS):
            raise Refusal("invalid_arguments")
        # What a call does not read is not there for it.
        return method.answer(self, given if method.json or not is_json else {})

    def _method(self, name: str, authorization: str | None) -> Method:
        if name == "apps.connections.open":
            return Method(lambda _state, _given: {"url": self.sockets.address()}, ("connections:write",), "xapp-")
        if name == "files.getUploadURLExternal":
            return Method(lambda state, given: files.upload_url(state, given, self.address), ("files:write",))
        if name == "auth.test" and (authorization or "").startswith("Bearer xapp-"):
            return Method(which_app, token="xapp-")  # noqa: S106 - how tokens begin
        if name not in METHODS:
            raise Refusal("unknown_method")
        return METHODS[name]

    def _webhook(self, given: Any) -> Reply:
        try:
            post_by_webhook(self, given)
        except Refusal as refusal:
            return Reply(400, refusal.error)
        return Reply(200, "ok", {"Content-Type": "text/html"})

    def _answered(self, click: _Answerable, given: Any) -> Reply:
        if self.now() > click.until:
            return json_reply({"ok": False, "error": "expired_url"}, 404)
        if click.used >= _MOST_ANSWERS:
            return json_reply({"ok": False, "error": "used_url"}, 404)
        try:
            answer_click(self, given, click.posted, click.person)
        except Refusal as refusal:
            return json_reply({"ok": False, "error": refusal.error}, 400)
        click.used += 1
        return json_reply({"ok": True})


def _read(path: str, query: str, body: bytes) -> tuple[Any, bool]:
    """What a request gives, and whether it does so in JSON."""
    try:
        return json.loads(body), True
    except (ValueError, RecursionError):
        form = dict(parse_qsl(query, keep_blank_values=True)) | dict(parse_qsl(body.decode(errors="replace")))
        return (form if path.startswith(API) else None), False
