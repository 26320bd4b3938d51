"""Whether two targets are one account under two names: by the images that both list as their own. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_FEWEST_TO_TELL = 2


@dataclass(frozen=True, slots=True)
class ListedIn:
    """How many of some images of ours the survey of another target listed in a run, and how many it listed in all.

    Both count only images that are the other target's own.
    """

    run: int
    count: int
    owned: int


@dataclass(frozen=True, slots=True)
class InCommon:
    """One of the images of ours that another target has listed, its surveys that did, and the run of its latest one."""

    image: str
    latest: int
    surveys: Sequence[ListedIn]

    def told_by(self, asked: int, ours: int) -> int | None:
        """The latest run whose survey tells that both are one account, if one does.

        `asked` of `ours` images were looked up.
        """
        runs = (seen.run for seen in self.surveys if _tells(seen.count * ours / asked, ours, seen.owned))
        return max(runs, default=None)


def _tells(count: float, ours: int, theirs: int) -> bool:
    """Whether so many in common are too many for two accounts: half of what one of them has, and a fifth of the other.

    An image may be listed in each of the accounts that share it: all of a small one in a large one, too. The APIs of
    one account may each list images that the other does not.
    """
    fewer, more = sorted((ours, theirs))
    return count >= _FEWEST_TO_TELL and 2 * count >= fewer and 5 * count >= more


@dataclass(frozen=True, slots=True)
class AccountPair:
    """Two targets that run `found` found to be one account, and who said when that they are two, if anybody did.

    They are in the order of their names. Both listed `image`, among others, up to the run `listed`.
    """

    names: tuple[str, str]
    image: str
    found: int
    listed: int
    told_apart_by: str | None = None
    told_apart_at: datetime | None = None

    def besides(self, name: str) -> str:
        """The other one of the two."""
        return self.names[1] if name == self.names[0] else self.names[0]
