"""Which of many images a person asked for, and in which order. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.names.pattern import Pattern
from janitor.expressions import Budget

Item = TypeVar("Item")
Key = Callable[[Image, Decision | None], tuple[object, ...]]


class Order(StrEnum):
    """By what images are sorted."""

    NAME = "name"
    SIZE = "size"
    CREATED = "created"
    DUE = "due"
    STATUS = "status"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for; nothing of a kind asks for all of it. A name is asked for by a pattern.

    An image whose name is unknown, or of which it is unknown whether it matches, is not among those with that name.
    """

    policies: frozenset[str] = frozenset()
    verdicts: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    name: Pattern | None = None
    order: Order | None = None

    @property
    def chooses(self) -> bool:
        """Whether it leaves out anything."""
        return bool(self.policies or self.verdicts or self.reasons or self.targets or self.name)

    @property
    def by_decision(self) -> bool:
        """Whether it depends on decisions, and not on images alone."""
        return bool(self.policies or self.verdicts or self.reasons or self.order in (Order.DUE, Order.POLICY))

    def takes(self, target: str, image: Image, decision: Decision | None, budget: Budget | None = None) -> bool:
        """Whether an image of a target is asked for, as it was decided on."""
        if self.targets and target not in self.targets:
            return False
        if self.name is not None and self.name.matches(image.name, budget) is not True:
            return False
        given = (
            (self.policies, decision and decision.policy),
            (self.verdicts, decision and decision.verdict),
            (self.reasons, decision and decision.reason),
        )
        return all(value in wanted for wanted, value in given if wanted)

    def ordered(self, items: Iterable[Item], of: Callable[[Item], tuple[Image, Decision | None]]) -> list[Item]:
        """The items in the order that is asked for, each of which is about an image; unknown values come last."""
        if self.order is None:
            return list(items)
        key = _KEYS[self.order]
        return sorted(items, key=lambda item: (*key(*of(item)), of(item)[0].id))


def _last_if_unknown(value: object, otherwise: object) -> tuple[object, ...]:
    return (value is None, otherwise if value is None else value)


_NEVER = datetime.max.replace(tzinfo=UTC)
_KEYS: dict[Order, Key] = {
    Order.NAME: lambda image, _: _last_if_unknown(image.name, ""),
    Order.SIZE: lambda image, _: (image.size is None, -(image.size or 0)),
    Order.CREATED: lambda image, _: _last_if_unknown(image.created_at, _NEVER),
    Order.DUE: lambda _, decision: _last_if_unknown(decision and decision.due, _NEVER),
    Order.STATUS: lambda image, _: (image.status,),
    Order.POLICY: lambda _, decision: _last_if_unknown(decision and decision.policy, ""),
}
"""By what is sorted; the largest size comes first."""
