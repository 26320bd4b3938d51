"""Which images of a report people may keep by a click, and which of its messages have buttons for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from janitor.core.clicks.announcement import Announced, new_id
from janitor.core.decision import Decision
from janitor.core.result import Mode, RunResult, TargetResult
from janitor.notify.slack.buttons import Block, group_menus, image_buttons
from janitor.notify.slack.message import Message
from janitor.report import Name
from janitor.store import NewOffer


@dataclass(frozen=True, slots=True)
class Offering:
    """The images that a report announces or reminds of, by their names, and the ids of all of one policy."""

    announced: Mapping[Name, Announced] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def buttons(self, name: Name | None) -> Block | None:
        """The buttons for an image, if it is announced."""
        announced = None if name is None else self.announced.get(name)
        return None if announced is None else image_buttons(announced)

    def menus(self, policy: str | None) -> list[Block]:
        """The menus of all images that are announced under a policy."""
        return group_menus(self._under(policy), self.groups[policy]) if policy in self.groups and policy else []

    def _under(self, policy: str) -> list[Announced]:
        return [announced for announced in self.announced.values() if announced.policy == policy]

    def offers(self, messages: Sequence[Message]) -> list[NewOffer]:
        """Those of these messages that have buttons, each with what they are for."""
        found = ((position, message, set(_ids_in(message.blocks))) for position, message in enumerate(messages))
        return [self._offer(position, message, ids) for position, message, ids in found if ids]

    def _offer(self, position: int, message: Message, ids: set[str]) -> NewOffer:
        within = [announced for announced in self.announced.values() if announced.id in ids]
        grouped = {policy: group for policy, group in self.groups.items() if group in ids}
        members = {group: [each.id for each in self._under(policy)] for policy, group in grouped.items()}
        others = [each for policy in grouped for each in self._under(policy) if each.id not in ids]
        return NewOffer(position, message.text, message.blocks, within, members, others)


def offering_of(result: RunResult) -> Offering:
    """What a report of this run offers to keep; a dry run announces nothing."""
    if result.mode is Mode.DRY_RUN or not result.run:
        return Offering()
    announced = {
        (target.target, decision.image.id): _announced(target, decision)
        for target in result.targets
        for decision in (*target.notices.announced, *target.notices.reminded)
    }
    return Offering(announced, {each.policy: new_id() for each in announced.values()})


def _announced(target: TargetResult, decision: Decision) -> Announced:
    image = decision.image
    return Announced(new_id(), target.target, image.id, image.name or "", decision.policy or "", decision.due)


def _ids_in(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The ids that the buttons and options of these blocks send."""
    for block in blocks:
        for element in block["elements"] if block["type"] == "actions" else ():
            yield from (option["value"] for option in element.get("options", ()))
            if "value" in element:
                yield element["value"]
