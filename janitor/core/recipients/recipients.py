"""Who is told of an owner's images: what people configured for what was found, and never what was found itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from janitor.core.names.spelling import normal
from janitor.core.recipients.addresses import address_in, domain_of


def same_owner(owner: str) -> str:
    """An owner as owners are compared: as people see it, and in upper or lower case."""
    return normal(normal(owner).casefold())


@dataclass(frozen=True, slots=True)
class Recipient:
    """A channel, or a person by direct message; beside a channel, `user` is only mentioned there.

    `user` is an id of Slack's or an e-mail address. `mention`: the user is mentioned in the thread.
    """

    channel: str | None = None
    user: str | None = None
    mention: bool = False

    @property
    def place(self) -> str:
        """The name of the channel, or of the person; no name of one is one of the other."""
        return self.channel or self.user or ""

    @property
    def is_person(self) -> bool:
        """Whether it gets direct messages."""
        return self.channel is None


@dataclass(frozen=True, slots=True)
class Recipients:
    """The recipients of owners, by the owner as compared; `default` is for the others.

    An owner that is itself an address in one of `domains` gets direct messages.
    """

    by_owner: Mapping[str, Recipient] = field(default_factory=dict)
    default: Recipient | None = None
    domains: frozenset[str] = frozenset()

    def of(self, owner: str) -> Recipient | None:
        """The recipient for this owner, without the default; None if there is none."""
        known = self.by_owner.get(same_owner(owner))
        address = None if known else address_in(owner)
        allowed = address is not None and domain_of(address) in self.domains
        return Recipient(user=address) if allowed else known

    def why_not(self, owner: str) -> str:
        """Why there is no recipient for this owner, in words that complete "is told of in the main channel: "."""
        if address_in(owner) is None:
            return "it has no entry under owners"
        return "it has no entry under owners, and its domain is not one of owners.domains"

    @property
    def configured(self) -> tuple[Recipient, ...]:
        """Those that people wrote down."""
        return (*self.by_owner.values(), *((self.default,) if self.default else ()))
