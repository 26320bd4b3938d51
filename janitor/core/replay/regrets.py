"""Regrets: what people and machines did with an image after the night in which it would have been deleted. Pure.

Only what was recorded while the image was really still there counts. A value that cannot be read, before or after, is
never taken for a change: it is a doubt, which is told apart.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from janitor.core.replay.afterwards import Moment
from janitor.core.replay.replayed import NightDeletion

NEAR = timedelta(days=7)
"""A deletion so soon after the image was in use is a near miss."""


class RegretKind(StrEnum):
    """What was done with an image after it would have been deleted."""

    USED = "used"
    PROTECTED = "protected"
    EXEMPTED = "exempted"
    SHARED = "shared"
    RENAMED = "renamed"


def is_near_miss(deletion: NightDeletion) -> bool:
    """Whether the image was in use within a week before it would have been deleted, as that night knew it."""
    return deletion.last_in_use is not None and deletion.at - deletion.last_in_use <= NEAR


@dataclass(frozen=True, slots=True)
class Regret:
    """One thing that was done with an image after it would have been deleted: what, by whom, and when it was seen.

    `who` is empty where that is not recorded. `last` is when a use was last seen; what is no use has none.
    """

    deletion: NightDeletion
    kind: RegretKind
    detail: str
    who: str
    first: Moment
    last: Moment | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """What may be a regret, and cannot be told: a value that could not be read, and since when."""

    deletion: NightDeletion
    kind: RegretKind
    detail: str
    first: Moment


@dataclass(frozen=True, slots=True)
class Watched:
    """How long an image was really seen after it would have been deleted.

    `nights` are the later surveys that listed it, and `last` is the last of them, None without any; in `uses_seen` of
    these, all that uses images could be read, last in `uses_until`. `still_there`: the last survey of the target lists
    it. `asked`: it was asked later with whom it is shared.
    `over`: later surveys of the target do not list it any more, so it cannot be watched for longer; `by_us`: it was our
    own run that really deleted it.
    """

    deletion: NightDeletion
    nights: int
    uses_seen: int
    last: Moment | None
    still_there: bool
    asked: bool
    uses_until: Moment | None = None
    over: bool = False
    by_us: bool = False


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What the time afterwards tells about deletions, each in the order of the deletions.

    `later` are the runs that surveyed the target after the first of them; `unread` could not read all uses.
    """

    regrets: tuple[Regret, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    watched: tuple[Watched, ...] = ()
    later: frozenset[int] = frozenset()
    unread: frozenset[int] = frozenset()

    @property
    def regretted(self) -> list[NightDeletion]:
        """The deletions with a regret, each once."""
        return list({each.deletion.key: each.deletion for each in self.regrets}.values())
