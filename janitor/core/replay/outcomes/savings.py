"""What replayed deletions would have saved: images, bytes, and for how long these would not have been stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from janitor.core.replay.amounts import Amount, amount_of
from janitor.core.replay.replayed import NightDeletion, ReplayedNight
from janitor.core.units import GIB

MONTH = timedelta(days=30)


@dataclass(slots=True)
class Savings:
    """Deleted images, and what that saves beside having deleted nothing.

    `gib_months` are counted from each deletion to the last night, or until others removed the image. `lasting` are the
    bytes that would still have been stored in the last night: they go on to be saved. An image of unknown size is in
    neither.
    """

    deleted: Amount = field(default_factory=Amount)
    gib_months: float = 0.0
    lasting: int = 0

    def add(self, deletion: NightDeletion, end: datetime, *, lasts: bool) -> None:
        """Count a deletion whose image would have been stored until then, or longer."""
        image = deletion.decision.image
        self.deleted += amount_of([image.size])
        size = image.size or 0
        self.gib_months += size / GIB * (max(end - deletion.at, timedelta()) / MONTH)
        self.lasting += size if lasts else 0

    def include(self, other: "Savings") -> None:
        """Count what another has, too."""
        self.deleted += other.deleted
        self.gib_months += other.gib_months
        self.lasting += other.lasting


def savings_by_policy(nights: Sequence[ReplayedNight]) -> dict[str, Savings]:
    """What the deletions in the nights of one target save, by policy, in the order of the deletions."""
    found: dict[str, Savings] = {}
    removed: dict[str, list[datetime]] = {}
    for night in nights:
        for image in night.gone:
            removed.setdefault(image, []).append(night.at)
    for night in nights:
        for deletion in night.deletions:
            policy, image = deletion.decision.policy or "", deletion.decision.image.id
            end = next((at for at in removed.get(image, ()) if at > deletion.at), None)
            found.setdefault(policy, Savings()).add(deletion, end or nights[-1].at, lasts=end is None)
    return found


def in_all(savings: Iterable[Savings]) -> Savings:
    """All of them together."""
    together = Savings()
    for one in savings:
        together.include(one)
    return together
