"""What the workspace remembers: channels, messages, files, tokens and what they allow."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from janitor.clock import utc_now
from janitor.sandbox.slack.blocks import texts_of
from janitor.sandbox.slack.people import APP, BOT_USER, GROUPS, KIM, LEE, PEOPLE, STRANGER, Person
from janitor.sandbox.slack.replies import Refusal

TOKEN = "xoxb-stand-in-secret"  # noqa: S105 - opens nothing but a workspace on loopback
APP_TOKEN = "xapp-1-A0STANDIN01-1-stand-in-secret"  # noqa: S105 - as the other
CHANNEL = "#cloud-images"

BOT_SCOPES = frozenset(
    {
        "chat:write",
        "files:write",
        "im:write",
        "channels:read",
        "groups:read",
        "im:read",
        "users:read",
        "users:read.email",
        "usergroups:read",
    }
)
APP_SCOPES = frozenset({"connections:write"})


@dataclass(frozen=True)
class Posted:
    """A message that was accepted; `channel` is as requested, None for the webhook.

    `thread` is the time stamp of the message that it answers, `only_to` the one person who sees it.
    """

    text: str
    blocks: list[dict[str, Any]]
    channel: str | None = None
    thread: str | None = None
    ts: str | None = None
    edited: bool = False
    only_to: str | None = None

    @property
    def shown(self) -> str:
        """All text of the blocks, as sent."""
        return "\n".join(text["text"] for text in texts_of(self.blocks))


@dataclass(frozen=True)
class File:
    """A file in a thread."""

    name: str
    title: str
    content: str
    channel: str
    thread: str | None


@dataclass(slots=True)
class Channel:
    """A channel or, where it is `direct`, the direct messages with one person."""

    id: str
    name: str
    members: list[str]
    private: bool = False
    archived: bool = False
    direct: bool = False


@dataclass(eq=False)
class State:
    """All that there is in a workspace. Wide because each is a list of its own, which tests and the page read.

    `posted` holds every message in the order in which it was accepted, as it now reads; those that one person alone
    sees are in `ephemeral`. `scopes` are what each token may do; whoever changes them takes permissions away.
    """

    people: dict[str, Person] = field(default_factory=lambda: {person.id: person for person in PEOPLE})
    groups: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(GROUPS))
    channels: dict[str, Channel] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    ephemeral: list[Posted] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    uploads: dict[str, tuple[str, int, bytes]] = field(default_factory=dict)
    scopes: dict[str, frozenset[str]] = field(default_factory=lambda: {TOKEN: BOT_SCOPES, APP_TOKEN: APP_SCOPES})
    clock: Callable[[], datetime] | None = None
    refuse_after: int | None = None
    app: str = APP
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def now(self) -> datetime:
        """The time in the workspace."""
        return utc_now() if self.clock is None else self.clock()

    def stamp(self) -> str:
        """A time stamp as of now, given once; it names a message."""
        return f"{int(self.now().timestamp())}.{next(self.numbers):06d}"

    def join(self, name: str, *people: Person) -> Channel:
        """The app joins a channel, a new one of these people (lee, kim and the stranger) if there is none."""
        if name not in self.channels:
            members = [person.id for person in people or (LEE, KIM, STRANGER)]
            self.channels[name] = Channel(f"C0{len(self.channels):04d}00000", name, members)
        channel = self.channels[name]
        if BOT_USER not in channel.members:
            channel.members.append(BOT_USER)
        return channel

    def leave(self, name: str) -> None:
        """The app is removed from a channel, which stays."""
        self.channels[name].members.remove(BOT_USER)

    def id_of(self, channel: str) -> str:
        """Slack's own id of a channel, by its name or id."""
        return self.channels[channel].id if channel in self.channels else channel

    def channel(self, wanted: object, *, by_name: bool = True) -> Channel:
        """The channel with this id, or where names are taken too, with this name. Raises Refusal."""
        for channel in self.channels.values():
            if wanted == channel.id or (by_name and wanted in (channel.name, channel.name.removeprefix("#"))):
                if channel.private and BOT_USER not in channel.members:
                    break
                return channel
        raise Refusal("channel_not_found")

    def direct_channel(self, person: str) -> Channel:
        """The direct messages with a person. Raises Refusal."""
        if person not in self.people:
            raise Refusal("user_not_found")
        if self.people[person].deleted:
            raise Refusal("user_disabled")
        name = f"@{self.people[person].name}"
        if name not in self.channels:
            self.channels[name] = Channel(f"D0{len(self.channels):04d}00000", name, [person, BOT_USER], direct=True)
        return self.channels[name]

    def place_of(self, posted: Posted) -> Channel | None:
        """Where a message stands; None if it was left to the webhook, whose channel is the first one."""
        wanted = posted.channel if posted.channel is not None else next(iter(self.channels), None)
        here = (channel for channel in self.channels.values() if wanted in (channel.id, channel.name))
        return next(here, None)

    def message(self, channel: Channel, ts: object) -> Posted | None:
        """The message with that time stamp in a channel."""
        found = (posted for posted in self.posted if posted.ts == ts and self.place_of(posted) is channel)
        return next(found, None) if isinstance(ts, str) else None
