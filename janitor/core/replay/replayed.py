"""What rules in a replay of recorded nights, and what would have come of it: values."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from janitor.core.basis import Basis
from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId
from janitor.core.names.wire_keys import WireKeys
from janitor.core.planning.plan import Excess
from janitor.core.recipients.destinations import Destinations
from janitor.core.result import Mode


@dataclass(frozen=True, slots=True)
class Ruling:
    """What rules in a replay, and who is told.

    The policies of `basis`, and its exemptions of policy files, count in every night; the rest of it stands for what
    runs did not record of theirs. `may_be_shared` says whether the API of that name is asked with whom an image is
    shared.
    """

    basis: Basis
    destinations: Destinations | None = None
    next_run: Callable[[datetime], datetime] | None = None
    wire_keys: Callable[[str | None], WireKeys] = lambda _api: WireKeys()
    may_be_shared: Callable[[str | None, Image], bool] = lambda _api, _image: False


@dataclass(frozen=True, slots=True)
class NightDeletion:
    """An image that would have been deleted in a night, as it was then.

    `api` is the name of its API, where known. `last_in_use` is when it was last in use, as that night knew it. `asked`:
    it was known, from that night or an earlier one, with whom it is shared. `really`: our own deletion had removed it
    before, or did in the same night.
    """

    run: int
    at: datetime
    target: str
    decision: Decision
    api: str | None = None
    last_in_use: datetime | None = None
    asked: bool = True
    really: bool = False

    @property
    def key(self) -> tuple[int, ImageId]:
        """What tells it from others: also from that of another image which had the same id later."""
        return self.run, self.decision.image.identity


def is_another(image: Image, earlier: Image) -> bool:
    """Whether this is certainly not the image that had the same id earlier."""
    created = image.created_at, earlier.created_at
    return None not in created and created[0] != created[1]


@dataclass(frozen=True, slots=True)
class ReplayedNight:
    """What the policies would have done in a night.

    `rejected` are those of which the deletion was rejected in that very night, failed, or was left out at the last
    moment: they count as not deleted. `waiting` are the images whose deletion waits, and `announced` those of them that
    people are told of first. `excess`: the plan is over a limit, so a run would have deleted nothing until a person
    applied it. `images` is how many the run saw, and `used` how many of them or of others were in use. `undecided` says
    why nothing was decided, and `withheld` why nothing could have been deleted, in words. `unread` are the sources of
    usage that could not be read, and `recorded` says whether the run recorded all that it knew. `really` are the images
    that the run itself deleted, by id, and `gone` those that the policies had deleted in an earlier night, and that
    others have removed since the night before. `applied`: the run carried out a list that a person had reviewed;
    `unsent` is how many deletions it had planned and did not send, and it may still work if it has not `ended`.
    `waiting_gone` are those of the waiting images, by id, that our own runs have really deleted.
    `undelivered`: what the run was to report was really not accepted, in full and in time, and counts as if it were.
    `rebound`: since the night before, a person bound the target to another account, where nothing is known of the
    images of before.

    Wide because a report names each of these facts.
    """

    run: int
    mode: Mode
    at: datetime
    target: str
    zone: tzinfo
    counts: bool = True
    undecided: str | None = None
    withheld: str | None = None
    deletions: tuple[NightDeletion, ...] = ()
    rejected: tuple[NightDeletion, ...] = ()
    waiting: tuple[Decision, ...] = ()
    announced: tuple[Decision, ...] = ()
    excess: Excess | None = None
    images: int = 0
    used: int = 0
    unread: tuple[str, ...] = ()
    recorded: bool = True
    really: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    applied: bool = False
    unsent: int = 0
    ended: bool = True
    rebound: bool = False
    waiting_gone: frozenset[str] = frozenset()
    undelivered: bool = False

    @property
    def decided(self) -> bool:
        """Whether the policies decided in it: it counts as a night, and nothing kept them from deciding."""
        return self.counts and self.undecided is None

    @property
    def can_delete(self) -> bool:
        """Whether the policies could delete in it, too."""
        return self.decided and self.withheld is None
