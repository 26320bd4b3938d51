"""The recorded nights of one target, as they are replayed one after the other: what each saw and was told, and no rule.

A night is a run that surveyed the target. Which of them count as nights is said by `counting`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from janitor.core.basis import Basis
from janitor.core.image import Image, Sharing
from janitor.core.memory import Exemption, History, Notice, Refusals
from janitor.core.names.image_ids import ImageId
from janitor.core.result import Mode
from janitor.core.usage import Usage, User

_TRIED_BESIDE = timedelta(hours=20)
"""How near a live run a dry run is taken for a trial of it, and not for a night of its own."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that surveyed a target, and when that survey ended; or which tried to, and when it ended itself."""

    run: int
    mode: Mode
    at: datetime


@dataclass(frozen=True, slots=True)
class Lost:
    """What is missing among the nights of a time.

    `dropped` is how many have lost their details, and `failed` are the runs that could not survey the target. `latest`
    is the last run of whatever time that could, and `tried` the last that did or tried to; None where none ever did.
    """

    dropped: int = 0
    failed: tuple[int, ...] = ()
    latest: PastRun | None = None
    tried: PastRun | None = None


def counting(runs: Sequence[PastRun]) -> frozenset[int]:
    """Which of all runs of a target, given in their order, count as nights, in which policies can delete.

    Live runs do. A dry run does not between two live ones, nor within 20 hours of one; otherwise it does, as policies
    are also tried on the past before anything is deleted.
    """
    live = [each for each in runs if each.mode is Mode.DELETE]
    if not live:
        return frozenset(each.run for each in runs)
    first, last = live[0], live[-1]
    alone = (
        each
        for each in runs
        if (each.run < first.run and first.at - each.at > _TRIED_BESIDE)
        or (each.run > last.run and each.at - last.at > _TRIED_BESIDE)
    )
    return frozenset(each.run for each in (*live, *alone))


@dataclass(frozen=True, slots=True)
class Told:
    """When what a run told people was accepted: of single images, in each channel, and in all of them.

    `announced` has the policy, too. An instant that was not recorded is that of the end of the run, `at`.
    `undelivered`: what it was to report was really not accepted, or not all of it, or not before the next run.
    """

    at: datetime
    announced: Mapping[str, tuple[str, datetime]] = field(default_factory=dict)
    reminded: Mapping[str, datetime] = field(default_factory=dict)
    by_place: Mapping[str, datetime] = field(default_factory=dict)
    undelivered: bool = False

    @property
    def heard_at(self) -> datetime:
        """When the last of it was accepted."""
        return max(self.at, *self.by_place.values()) if self.by_place else self.at


@dataclass(frozen=True, slots=True)
class Change:
    """How the images and the uses of a night differ from those of the night before.

    `fresh` are the images that were new or had changed. `left` are those that it no longer listed, as last seen, and
    `ours` the ids of those of them that our own deletions had removed. `left_users` are the uses of other images by
    these, each with the image that was used.
    """

    fresh: Sequence[Image] = ()
    left: Mapping[str, Image] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    left_users: Sequence[tuple[ImageId, User]] = ()


@dataclass(frozen=True, slots=True)
class Requested:
    """What became of the deletions that were really planned in a night, by image id, as far as it is known.

    `done` are those after which the image was gone. `rejected` were rejected by the API, failed, were never carried out
    or were left out at the last moment, each with what was said of it. `gone` had been removed by others.
    """

    done: frozenset[str] = frozenset()
    rejected: Mapping[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """What people had been told before the first of the nights.

    The notices are by image id; of images that were not listed, `missing` says since when. `heard` are the moments at
    which people had heard of the target, in order.
    """

    notices: Mapping[str, Notice] = field(default_factory=dict)
    missing: Mapping[str, datetime] = field(default_factory=dict)
    heard: Sequence[datetime] = ()


LastUse = tuple[datetime | None, datetime | None, datetime | None]
"""When an image was last in use, when it was last held, and the first accepted survey after that."""

Removed = Mapping[ImageId, tuple[int, datetime]]
"""Images that use no others any longer: since after which run, and when that was."""


Since = timedelta | datetime
"""From when on nights are replayed: so long before the latest run that tried to survey the target, or an instant."""


class PastUses(Protocol):
    """What used which image until a night, as that night knew it; it changes with the next one."""

    def used_by(self, image: ImageId) -> Collection[ImageId]:
        """The images that this image has ever used."""
        ...

    def last_without(self, image: ImageId, removed: Removed, until: datetime | None) -> LastUse:
        """When an image was last in use if these had been removed, and if something else had used it until then."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedNight:
    """One night of one target.

    `images`, `history`, the usage, `uses`, `exemptions`, `refusals` and `sharing` are all that was known of the target,
    by id: the next night changes them, so they hold until it is asked for. `history` also has images that are gone.
    `exemptions` are None where they were not recorded; `by_command` are those by command that were in force. `basis` is
    what the run was based on, None for a run of before that was recorded. `account` changes where a person bound the
    target to another account.

    `counts` says whether it is a night in which policies can delete. `undecided` says why nothing could be decided, and
    `withheld` why nothing could be deleted, whatever the policies. `told` is None where nobody can have been told, as
    the run died. `heard` are the moments at which people heard of the target in other runs since the night before.
    `restored`: it found the database older than it should be, and all notices ended. `last_sharing` has the last
    usable answer until then for each image that was ever asked about. `applied`: it carried out a list that a person
    had reviewed. `unsent` is how many deletions it had planned and did not send. Not `ended`: it
    may still work.

    Wide because these are all the facts on which a replay depends.
    """

    run: int
    mode: Mode
    at: datetime
    target: str
    names: tuple[str, ...]
    images: Mapping[str, Image]
    usage: Usage
    history: Mapping[str, History]
    uses: PastUses
    api: str | None = None
    basis: Basis | None = None
    exemptions: Mapping[str, Exemption] | None = None
    by_command: Sequence[Exemption] = ()
    refusals: Mapping[str, Refusals] = field(default_factory=dict)
    sharing: Mapping[str, Sharing] = field(default_factory=dict)
    last_sharing: Mapping[str, Sharing] = field(default_factory=dict)
    change: Change = Change()
    requested: Requested = Requested()
    told: Told | None = None
    heard: Sequence[datetime] = ()
    standing: Standing | None = None
    account: int = 0
    restored: bool = False
    counts: bool = True
    undecided: str | None = None
    withheld: str | None = None
    clocks_known: bool = True
    applied: bool = False
    unsent: int = 0
    ended: bool = True


def days_without_run(nights: Iterable[datetime], zone: tzinfo) -> int:
    """On how many days, in this zone, between the first and the last of these nights there was none."""
    days = sorted({night.astimezone(zone).date() for night in nights})
    return (days[-1] - days[0]).days + 1 - len(days) if days else 0
