"""What listening asks of Slack's Web API: a socket, who is who, and answers; each call bounded by a time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.errors import SlackClientError

from janitor.core.clicks.click import Place
from janitor.errors import CloudError, DeliveryError
from janitor.notify.slack.answers import Accepts, Problem, document_of, problem_of_api
from janitor.notify.slack.clients import Bot
from janitor.notify.slack.exchange import Exchange, Unanswered
from janitor.notify.slack.words import BUSY, advice_on
from janitor.transport import Call, Reply, Transient
from janitor.transport.http import Transport

_OPEN = "apps.connections.open"
_PAGE = 1000
_MOST_PAGES = 20
_ANSWERS = "https://hooks.slack.com/"
_JSON = {"Content-Type": "application/json;charset=utf-8"}


class Calls:
    """Calls as the bot, and one as the app. Safe to use from several threads at once.

    Each raises DeliveryError, with a sentence, where Slack did not do what was asked for.
    """

    def __init__(self, token: str, app_token: str, base_url: str, transport: Transport) -> None:
        self._token = token
        self._app_token = app_token
        self._base_url = base_url
        self.transport = transport

    def socket_url(self, seconds: float) -> str:
        """Where a socket can be opened, once."""
        url = self._asked(_OPEN, {}, seconds, self._app_token).get("url")
        scheme = "wss://" if self._base_url.startswith("https:") else "ws"
        if not isinstance(url, str) or not url.startswith(scheme):
            raise DeliveryError("Slack's answer to apps.connections.open names no address for a socket")
        return url

    def bot(self, seconds: float) -> tuple[str, str | None]:
        """The id of the team of the bot, and that of its app, if Slack says it."""
        said = self._asked("auth.test", {}, seconds)
        team = said.get("team_id")
        if not isinstance(team, str) or not team:
            raise DeliveryError("Slack's answer to auth.test names no team")
        try:
            about = self._asked("bots.info", {"bot": said.get("bot_id")}, seconds).get("bot")
        except DeliveryError:  # which takes a scope that nothing else needs
            about = None
        app = about.get("app_id") if isinstance(about, dict) else None
        return team, app if isinstance(app, str) and app else None

    def members(self, channel: str, seconds: float) -> frozenset[str]:
        """The ids of the people in a channel, read page by page; `seconds` is for each page."""
        found: list[str] = []
        cursor: object = None
        for _ in range(_MOST_PAGES):
            asked = {"channel": channel, "limit": _PAGE, "cursor": cursor}
            said = self._asked("conversations.members", asked, seconds)
            found += _texts(said, "members")
            following = said.get("response_metadata")
            cursor = following.get("next_cursor") if isinstance(following, dict) else None
            if not cursor:
                return frozenset(found)
        raise DeliveryError(f"the channel has more than {_PAGE * _MOST_PAGES:,} members")

    def group(self, group: str, seconds: float) -> frozenset[str]:
        """The ids of the people in a user group."""
        return frozenset(_texts(self._asked("usergroups.users.list", {"usergroup": group}, seconds), "users"))

    def whisper(self, place: Place, thread: str | None, person: str, text: str, seconds: float) -> None:
        """Show a message to one person of a channel."""
        asked = {"channel": place.channel, "thread_ts": thread, "user": person, "text": text}
        self._asked("chat.postEphemeral", asked, seconds)

    def is_for_answers(self, url: object) -> bool:
        """Whether an address that came with a click is Slack's own, at which clicks are answered."""
        if not isinstance(url, str):
            return False
        try:
            ours, theirs = urlsplit(self._base_url), urlsplit(url)
            same = (ours.scheme, ours.hostname, ours.port) == (theirs.scheme, theirs.hostname, theirs.port)
        except ValueError:
            return False
        return (url.startswith(_ANSWERS) and ours.scheme == "https") or (same and "@" not in theirs.netloc)

    def answer(self, url: str, thread: str | None, text: str, seconds: float) -> None:
        """Answer a click to the person alone, at the address that came with it."""
        said = {"response_type": "ephemeral", "replace_original": False, "text": text, "thread_ts": thread}
        call = Call("the answer", "POST", url, headers=_JSON, body=json.dumps(said).encode())
        with _as_delivery_errors("the answer"):
            reply = self.transport.request(call, seconds)
            if not 200 <= reply.status < 300:
                raise Unanswered(Problem(f"the answer was {reply.status_words}"))

    def rewrite(self, place: Place, text: str, blocks: Sequence[Mapping[str, Any]], exchange: Exchange) -> None:
        """Change a message of the bot's."""
        with _as_delivery_errors("chat.update"):
            bot = Bot(self._token, self._base_url, exchange.send)
            bot.chat_update(channel=place.channel, ts=place.message, text=text, blocks=list(map(dict, blocks)))
            problem = problem_of_api(exchange.last.status, exchange.last.body, Accepts.SLACK)
            if problem is not None:
                raise Unanswered(problem)

    def _asked(self, method: str, asked: Mapping[str, Any], seconds: float, token: str | None = None) -> dict[str, Any]:
        """What Slack says to a call, which is not retried."""
        replies: list[Reply] = []

        def send(call: Call) -> Reply:
            replies.append(self.transport.request(call, seconds))
            return replies[-1]

        with _as_delivery_errors(method):
            Bot(token or self._token, self._base_url, send).api_call(method, params=dict(asked))
            problem = problem_of_api(replies[-1].status, replies[-1].body, Accepts.SLACK, stamped=False)
            if problem is not None:
                raise Unanswered(problem)
        return document_of(replies[-1].body) or {}


@contextmanager
def _as_delivery_errors(method: str) -> Iterator[None]:
    try:
        yield
    except Unanswered as error:
        problem = error.problem
        raise DeliveryError(
            f"{method}: {problem.text}", refused=problem.refused, advice=_advice(method, problem.word)
        ) from None
    except Transient as error:
        raise DeliveryError(f"{method}: no usable answer ({error})") from error
    except CloudError as error:
        raise DeliveryError(str(error)) from error
    except SlackClientError as error:
        raise DeliveryError(f"{method}: it cannot be sent ({type(error).__name__})") from error


def _advice(method: str, word: str) -> str:
    """What to do about an error code of Slack."""
    if method == _OPEN and word and word not in BUSY:
        return (
            "make an app-level token (xapp-…) with the scope connections:write on the page Basic Information of the "
            "app, and put it where `app_token` comes from"
        )
    if word == "missing_scope":
        return (
            "add the scopes of docs/slack.md on the page OAuth & Permissions of the app, then reinstall the app there"
        )
    if word == "no_such_subteam":
        return "name user groups of this workspace under `approvers`, by their ids (S…)"
    return advice_on(word, None)


def _texts(said: Mapping[str, Any], key: str) -> list[str]:
    """A list of ids. Raises DeliveryError for anything else: who is not in it would count as absent."""
    found = said.get(key)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise DeliveryError(f"Slack's answer has no list of {key}")
    return found
