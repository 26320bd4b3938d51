"""Where each image is reported: to its owner, in the channel of its policy, to a default recipient, or in the main one.

The first of these that there is counts. Only a policy that says how to find owners has images with one, or a default.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from janitor.core.image import Image
from janitor.core.policy import Policy
from janitor.core.recipients.recipients import Recipient, Recipients
from janitor.expressions import Budget


@dataclass(frozen=True, slots=True)
class Destination:
    """Where one image is reported: with `place` None, in the main channel.

    `recipient` is set where `owners` of the configuration says so, and `owner` is then what was found, or "" for the
    default. `why_not` says why the owner that was found is not told.
    """

    place: str | None = None
    recipient: Recipient | None = None
    owner: str = ""
    why_not: str | None = None


MAIN = Destination()


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where images are reported under these policies, by name.

    `main` is the name of the main channel: what goes there goes nowhere else. Without `recipients` owners change
    nothing. `unreached` are the places whose images are reported in the main channel instead, with the reason.
    """

    policies: Mapping[str, Policy] = field(default_factory=dict)
    main: str | None = None
    recipients: Recipients | None = None
    unreached: Mapping[str, str] = field(default_factory=dict)
    _budget: Budget = field(default_factory=Budget, repr=False, compare=False)

    @classmethod
    def under(cls, policies: Iterable[Policy], main: str | None, recipients: Recipients | None) -> "Destinations":
        """Where images are reported under these policies."""
        return cls({policy.name: policy for policy in policies}, main, recipients)

    @property
    def channels(self) -> dict[str, str]:
        """The channels of policies that have one of their own, by the names of the policies."""
        channels = ((policy.name, policy.channel) for policy in self.policies.values())
        return {name: channel for name, channel in channels if channel and channel != self.main}

    def without(self, unreached: Mapping[str, str]) -> "Destinations":
        """The same, where these places could not be reached, for these reasons."""
        return replace(self, unreached={**self.unreached, **unreached})

    def of(self, policy: str | None, image: Image) -> Destination:
        """Where an image is reported that this policy owns or had announced; without a policy, in the main channel."""
        of_all = self.of_all(policy)
        if of_all is not None or self.recipients is None:
            return of_all or MAIN
        rule, owner = self.policies[policy or ""], self.owner_of(policy, image) or ""
        recipient = self.recipients.of(owner) if owner else None
        if recipient is None and rule.channel is None and self.recipients.default:
            recipient, owner = self.recipients.default, ""
        if recipient is not None:
            return self._to(recipient, owner)
        here = self._at(rule.channel)
        untold = self.recipients.why_not(owner) if owner and rule.channel is None else None
        return replace(here, owner=owner, why_not=here.why_not or untold)

    def of_all(self, policy: str | None) -> Destination | None:
        """Where all images of a policy are reported; None where that depends on their owners."""
        rule = self.policies.get(policy or "")
        if rule is None:
            return MAIN
        return self._at(rule.channel) if self.recipients is None or rule.owner is None else None

    def owner_of(self, policy: str | None, image: Image) -> str | None:
        """The owner of an image as found, "" for none; None where owners change nothing."""
        rule = self.policies.get(policy or "")
        if self.recipients is None or rule is None or rule.owner is None:
            return None
        return rule.owner.of(image, self._budget) or ""

    def still(self, place: str, owners: Iterable[str]) -> bool:
        """Whether the images of these owners, "" for the default, are reported in this place now."""
        recipients = self.recipients or Recipients()
        now = {recipients.of(owner) if owner else recipients.default for owner in owners}
        return all(recipient is not None and recipient.place == place for recipient in now)

    def _at(self, channel: str | None) -> Destination:
        if channel is None or channel == self.main:
            return MAIN
        if channel in self.unreached:
            return Destination(recipient=Recipient(channel), why_not=self.unreached[channel])
        return Destination(channel)

    def _to(self, recipient: Recipient, owner: str) -> Destination:
        if recipient.place == self.main:
            return MAIN
        if recipient.place in self.unreached:
            return Destination(owner=owner, recipient=recipient, why_not=self.unreached[recipient.place])
        return Destination(recipient.place, recipient, owner)
