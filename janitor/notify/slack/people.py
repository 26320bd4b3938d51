"""People in Slack: the id for an e-mail address, and where direct messages to a person go.

Only ids that the configuration or an answer of Slack gave are used. Answers about addresses are kept in the database
for a day, and for an hour where nobody has the address, so that each is asked for once a night.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from janitor.clock import utc_now
from janitor.config.owners import is_user_id
from janitor.core.recipients.addresses import address_in
from janitor.core.recipients.recipients import Recipient
from janitor.errors import DeliveryError, JanitorError
from janitor.notify.channel import Probe
from janitor.store import Store

if TYPE_CHECKING:
    from janitor.notify.slack.channel import Place, SlackChannel  # imported late: Slack's library takes its time

_log = logging.getLogger("janitor.notify.slack")

_MOST_ASKED = 100
_KNOWN_FOR = timedelta(days=1)
_UNKNOWN_FOR = timedelta(hours=1)
_DIRECT = re.compile(r"D[A-Z0-9]{2,20}")
_NOBODY = 'Slack does not know this address: it said "users_not_found" when it was last asked'
_ELSEWHERE = "the account with this address is not a person of this workspace"
_T = TypeVar("_T")


@dataclass(slots=True)
class People:
    """The people of one workspace, in one run: each address is asked for at most once, and at most 100 in all."""

    database: Path
    _answers: dict[str, str | DeliveryError] = field(default_factory=dict)
    _teams: dict[str, str | None] = field(default_factory=dict)
    _asked: int = 0

    def direct_messages(self, channel: SlackChannel, user: str, now: datetime) -> Place:
        """Where direct messages to a person go, by an id or an address. Raises DeliveryError."""
        from janitor.notify.slack.channel import Place

        found = self.id_of(channel, user, now)
        try:
            answer = channel.ask("a direct message", lambda bot: bot.conversations_open(users=[found]))
        except DeliveryError as error:
            if error.refused and found != user:
                self._with_store(lambda store: store.forget_person(channel.base_url, user), None)
            raise
        opened = answer.get("channel")
        place = opened.get("id") if isinstance(opened, dict) else None
        if not isinstance(place, str) or not _DIRECT.fullmatch(place):
            raise DeliveryError("Slack's answer does not say where direct messages go", refused=True)
        return Place(user, place, None)

    def id_of(self, channel: SlackChannel, user: str, now: datetime) -> str:
        """Slack's id of a person, by itself or by an address. Raises DeliveryError, also for anything else."""
        if is_user_id(user):
            return user
        address = address_in(user)
        if address is None:
            raise DeliveryError("it is not an e-mail address", refused=True)
        if address not in self._answers:
            self._answers[address] = self._looked_up(channel, address, now)
        answer = self._answers[address]
        if isinstance(answer, DeliveryError):
            raise answer
        return answer

    def _looked_up(self, channel: SlackChannel, address: str, now: datetime) -> str | DeliveryError:
        known = self._with_store(lambda store: store.person(channel.base_url, address), None)
        lasts = _UNKNOWN_FOR if known is not None and known.user is None else _KNOWN_FOR
        if known is not None and timedelta() <= now - known.asked_at < lasts:
            return known.user if known.user is not None else DeliveryError(_NOBODY, refused=True)
        if self._asked >= _MOST_ASKED:
            why = f"not asked for: a run looks up {_MOST_ASKED} addresses, and the next one goes on"
            return DeliveryError(why, refused=True)
        self._asked += 1
        try:
            answer = channel.ask("the address", lambda bot: bot.users_lookupByEmail(email=address))
            user = _user_in(answer, address)
            self._check_team(channel, answer["user"])
        except DeliveryError as error:
            if '"users_not_found"' in str(error):
                self._record(channel, address, None, now)
            return error
        self._record(channel, address, user, now)
        return user

    def _check_team(self, channel: SlackChannel, said: Mapping[str, Any]) -> None:
        """Raises DeliveryError for a person of another workspace, as far as Slack says which ones these are."""
        team = said.get("team_id")
        if team is None:
            return
        if channel.base_url not in self._teams:
            try:
                ours = channel.ask("the workspace", lambda bot: bot.auth_test()).get("team_id")
            except DeliveryError:
                ours = None
            self._teams[channel.base_url] = ours if isinstance(ours, str) else None
        ours = self._teams[channel.base_url]
        grid = said.get("enterprise_user")
        teams = grid.get("teams") if isinstance(grid, dict) else None
        if ours is not None and team != ours and not (isinstance(teams, list) and ours in teams):
            raise DeliveryError(_ELSEWHERE, refused=True)

    def _record(self, channel: SlackChannel, address: str, user: str | None, now: datetime) -> None:
        self._with_store(lambda store: store.record_person(channel.base_url, address, user, now), None)

    def _with_store(self, act: Callable[[Store], _T], otherwise: _T) -> _T:
        """What the database says; without it Slack is asked again."""
        try:
            with Store.open_existing(self.database) as store:
                return act(store)
        except JanitorError as error:
            _log.debug("people-not-recorded: %s", error)
            return otherwise


@dataclass(frozen=True, slots=True)
class Way:
    """The way to owners: a `person` gets direct messages, and one who is `mentioned` is so in the thread.

    `owners` are those to whom the report is addressed. `main` is the channel that is told what they refuse.
    """

    people: People
    owners: tuple[str, ...]
    main: SlackChannel
    person: str | None = None
    mentioned: str | None = None


def probes_of(
    recipients: Iterable[Recipient], people: People, channel_of: Callable[[str | None], SlackChannel]
) -> Iterator[Probe]:
    """A test message to each channel of these; for people only whether they can be reached."""
    for name in dict.fromkeys(each.channel for each in recipients if each.channel):
        yield f"slack {name}", channel_of(name).probe
    for user in dict.fromkeys(each.user for each in recipients if each.user):
        yield f"slack {user}", partial(_find, people, channel_of(None), user)


def _find(people: People, channel: SlackChannel, user: str) -> str:
    """That a person can be reached, in a sentence. Raises DeliveryError."""
    people.direct_messages(channel, user, utc_now())
    return "can be sent direct messages; none was sent"


def _user_in(answer: Mapping[str, Any], address: str) -> str:
    """The id in an answer about an address. Raises DeliveryError for an answer about anybody else, or a former user."""
    user = answer.get("user")
    said = user if isinstance(user, dict) else {}
    profile = said.get("profile")
    other = profile.get("email") if isinstance(profile, dict) else None
    identity = said.get("id")
    if not isinstance(identity, str) or not is_user_id(identity):
        raise DeliveryError("Slack's answer about the address names no user", refused=True)
    if other is not None and (not isinstance(other, str) or address_in(other) != address):
        raise DeliveryError("Slack's answer is about another address", refused=True)
    if said.get("deleted", False) is not False:
        raise DeliveryError("the account with this address is deactivated", refused=True)
    if said.get("is_bot", False) is not False or said.get("is_stranger", False) is not False:
        raise DeliveryError(_ELSEWHERE, refused=True)
    return identity
