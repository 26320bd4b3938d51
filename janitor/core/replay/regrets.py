"""Regrets: what people and machines did with an image after the night in which it would have been deleted. Pure.

Only what was recorded while the image was really still there counts. A value that cannot be read, before or after, is
never taken for a change: it is a doubt, which is told apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from janitor.core.replay.afterwards import Moment
from janitor.core.replay.replayed import NightDeletion

MOST_BETWEEN = timedelta(days=7)
"""For how long at most an image counts as watched between two surveys: what happens in a longer gap, nobody saw."""
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
    """What may be a regret, and cannot be told: as a value that could not be read, and since when.

    `kind` is None where it is not known of which kind it would be.
    """

    deletion: NightDeletion
    kind: RegretKind | None
    detail: str
    first: Moment


@dataclass(frozen=True, slots=True)
class Watched:
    """How long an image was really seen after it would have been deleted.

    `nights` are the later surveys that listed it, and `last` is the last of them, None without any; in `uses_seen` of
    these, all that uses images could be read, last in `uses_until`. `still_there`: the last survey of the target lists
    it. `asked`: it was asked later with whom it is shared.
    `over`: later surveys of the target do not list it any more, so it cannot be watched for longer; `by_us`: it was our
    own run that really deleted it. `rebound`: a person bound the target to another account, so it is not known what
    became of it. Of the time up to `last`, `unseen` was in gaps between surveys that are too long to count, and of that
    up to `uses_until`, `uses_unseen`.

    Wide because an answer rests on each of these.
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
    rebound: bool = False
    unseen: timedelta = timedelta()
    uses_unseen: timedelta = timedelta()

    @property
    def span(self) -> timedelta | None:
        """For how long it was watched; None where it never was."""
        return None if self.last is None else self.last.at - self.deletion.at - self.unseen

    @property
    def uses_span(self) -> timedelta | None:
        """For how long its uses were; None where they never were."""
        return None if self.uses_until is None else self.uses_until.at - self.deletion.at - self.uses_unseen


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What the time afterwards tells about deletions, each in the order of the deletions.

    `later` are the runs that surveyed the target after the first of them; `unread` could not read all uses. Of
    `not_asked`, sources in words, some of them did not ask, each with how many, although earlier ones had.
    """

    regrets: tuple[Regret, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    watched: tuple[Watched, ...] = ()
    later: frozenset[int] = frozenset()
    unread: frozenset[int] = frozenset()
    not_asked: Mapping[str, int] = field(default_factory=dict)

    @property
    def regretted(self) -> list[NightDeletion]:
        """The deletions with a regret, each once."""
        return list({each.deletion.key: each.deletion for each in self.regrets}.values())
