"""The calls of the Web API: what each needs to be allowed, and who answers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from janitor.sandbox.slack import directory, files, messages
from janitor.sandbox.slack.messages import Arguments
from janitor.sandbox.slack.people import APP, BOT, BOT_USER, TEAM
from janitor.sandbox.slack.replies import Refusal
from janitor.sandbox.slack.state import State

Answer = Callable[[State, Arguments], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """One call: the scopes of which it takes any, the kind of token, and whether it reads a JSON body."""

    answer: Answer
    scopes: tuple[str, ...] = ()
    token: str = "xoxb-"  # noqa: S105 - how tokens begin
    json: bool = True


_READS_CHANNELS = ("channels:read", "groups:read", "im:read")


def who(_state: State, _given: Arguments) -> dict[str, Any]:
    """auth.test, as the bot."""
    named = {"url": "https://stand-in.slack.com/", "team": "Stand-in", "team_id": TEAM, "user": "image-janitor"}
    return {**named, "user_id": BOT_USER, "bot_id": BOT, "is_enterprise_install": False}


def which_app(_state: State, _given: Arguments) -> dict[str, Any]:
    """auth.test with the app's own token."""
    return {"app_id": APP, "app_name": "Image Janitor"}


def which_bot(state: State, given: Arguments) -> dict[str, Any]:
    """bots.info."""
    if given.get("bot") != BOT:
        raise Refusal("bot_not_found")
    return {"bot": {"id": BOT, "app_id": state.app, "user_id": BOT_USER, "name": "image-janitor", "deleted": False}}


METHODS: Mapping[str, Method] = {
    "auth.test": Method(who),
    "bots.info": Method(which_bot, ("users:read",), json=False),
    "chat.postMessage": Method(messages.post_message, ("chat:write",)),
    "chat.update": Method(messages.update, ("chat:write",)),
    "chat.postEphemeral": Method(messages.post_ephemeral, ("chat:write",)),
    "conversations.open": Method(directory.open_conversation, ("im:write",)),
    "conversations.info": Method(directory.conversation_info, _READS_CHANNELS, json=False),
    "conversations.members": Method(directory.members, _READS_CHANNELS, json=False),
    "users.info": Method(directory.user_info, ("users:read",), json=False),
    "users.lookupByEmail": Method(directory.lookup_by_email, ("users:read.email",), json=False),
    "usergroups.users.list": Method(directory.users_of_group, ("usergroups:read",), json=False),
    "files.completeUploadExternal": Method(files.complete_upload, ("files:write",)),
}


def must_be_allowed(state: State, method: Method, authorization: str | None) -> None:
    """Raises Refusal, with Slack's word, if this token may not make this call."""
    if authorization is None:
        raise Refusal("not_authed")
    token = authorization.removeprefix("Bearer ")
    if token == authorization or token not in state.scopes:
        raise Refusal("invalid_auth")
    if not token.startswith(method.token):
        raise Refusal("not_allowed_token_type")
    provided = state.scopes[token]
    if method.scopes and provided.isdisjoint(method.scopes):
        raise Refusal("missing_scope", needed=method.scopes[0], provided=",".join(sorted(provided)))
