"""The calls that ask who and where: channels, their members, people and groups."""

from typing import Any

from janitor.sandbox.slack.messages import Arguments
from janitor.sandbox.slack.people import BOT_USER, TEAM, Person
from janitor.sandbox.slack.replies import Refusal
from janitor.sandbox.slack.state import Channel, State

_PAGE = 100
_LARGEST_PAGE = 1_000


def open_conversation(state: State, given: Arguments) -> dict[str, Any]:
    """conversations.open, with one person."""
    users = given.get("users")
    if not isinstance(users, str) or not users:
        raise Refusal("invalid_arguments")
    known = len(state.channels)
    channel = state.direct_channel(users)
    already = {} if len(state.channels) > known else {"no_op": True, "already_open": True}
    return {"channel": {"id": channel.id}, **already}


def conversation_info(state: State, given: Arguments) -> dict[str, Any]:
    """conversations.info."""
    channel = state.channel(given.get("channel"), by_name=False)
    shared = any(state.people[person].team != TEAM for person in channel.members if person in state.people)
    return {"channel": {**_described(channel), "is_ext_shared": shared}}


def members(state: State, given: Arguments) -> dict[str, Any]:
    """conversations.members: a page of them, and where the next one begins."""
    channel = state.channel(given.get("channel"), by_name=False)
    limit, start = str(given.get("limit", _PAGE)), str(given.get("cursor") or "0")
    if not limit.isdecimal() or not 1 <= int(limit) <= _LARGEST_PAGE:
        raise Refusal("invalid_limit")
    if not start.isdecimal() or int(start) > len(channel.members):
        raise Refusal("invalid_cursor")
    end = int(start) + int(limit)
    following = str(end) if end < len(channel.members) else ""
    return {"members": channel.members[int(start) : end], "response_metadata": {"next_cursor": following}}


def user_info(state: State, given: Arguments) -> dict[str, Any]:
    """users.info."""
    person = state.people.get(given.get("user", ""))
    if person is None:
        raise Refusal("user_not_found")
    return {"user": described_person(person)}


def lookup_by_email(state: State, given: Arguments) -> dict[str, Any]:
    """users.lookupByEmail: people of the workspace whose account is not deactivated."""
    wanted = str(given.get("email", "")).casefold()
    for person in state.people.values():
        if person.email.casefold() == wanted and person.team == TEAM and not person.deleted:
            return {"user": described_person(person)}
    raise Refusal("users_not_found")


def users_of_group(state: State, given: Arguments) -> dict[str, Any]:
    """usergroups.users.list."""
    if given.get("usergroup") not in state.groups:
        raise Refusal("no_such_subteam")
    return {"users": list(state.groups[given["usergroup"]])}


def described_person(person: Person) -> dict[str, Any]:
    """A person as Slack gives it."""
    return {
        "id": person.id,
        "team_id": person.team,
        "name": person.name,
        "deleted": person.deleted,
        "is_bot": False,
        "is_stranger": person.team != TEAM,
        "profile": {"display_name": person.name, "real_name": person.name.title(), "email": person.email},
    }


def _described(channel: Channel) -> dict[str, Any]:
    if channel.direct:
        return {"id": channel.id, "is_im": True, "user": channel.members[0]}
    return {
        "id": channel.id,
        "name": channel.name.removeprefix("#"),
        "is_im": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_member": BOT_USER in channel.members,
    }
