"""What surveys and people recorded about images after a night: read once, for all deletions that are looked back at."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Protocol, TypeVar

from janitor.core.image import Image, Sharing
from janitor.core.memory import Exemption
from janitor.core.names.image_ids import ImageId
from janitor.core.usage import Unread, User

Runs = tuple[int, int | None]
"""The first run in which something held, and the run from which on it no longer did; None while it still does."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was seen or done, and in which run; no run where a person did it between two."""

    at: datetime
    run: int | None = None


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One survey of a target. `zone` is that of its run, None where it was not recorded.

    `saw_uses`: what uses images could be read; `saw_all_uses`: from all sources, also of the other targets that have
    listed one of the images in question. `left_out` are sources of which it is
    not known otherwise which uses were not seen. `accepted`: it can be believed that what it does not list is gone.
    `not_asked` are the sources, in words, that an earlier survey had read, and this one did not ask.
    """

    run: int
    at: datetime
    zone: tzinfo | None = None
    saw_uses: bool = True
    saw_all_uses: bool = True
    left_out: frozenset[Unread] = frozenset()
    accepted: bool = True
    not_asked: frozenset[str] = frozenset()

    @property
    def moment(self) -> Moment:
        """When it was."""
        return Moment(self.at, self.run)

    def saw(self, user: User) -> bool:
        """Whether it saw a use by this user that is recorded for its run."""
        return self.saw_uses and not any(each.covers(user.kind, user.source) for each in self.left_out)


@dataclass(frozen=True, slots=True)
class Listed:
    """An image as the surveys of these runs listed it."""

    image: Image
    runs: Runs


@dataclass(frozen=True, slots=True)
class Used:
    """A use that the surveys of these runs saw, those that could not read it left out.

    `target` is the other target of which it was recorded, where it was.
    """

    user: User
    runs: Runs
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What is recorded about some images of one target since a run, and what is needed to understand it.

    `surveys` are in order. `rebound` says after which run, and when, a person rebound the target: what follows is about
    another account. `listed`, `used`, `granted` (exemptions by command, each with when) and `shared` are by the folded
    id of the image, each in the order of the runs; `shared` goes back to the first answer that is recorded. `needing`
    are the images that name others as their parts. `deleted` are the runs of ours that really deleted an image,
    by its folded id, whatever the target. `in_files` are the exemptions of policy files, each with the runs
    that read it. `left_out` are the runs that left an image out of their deletions at the last moment, each with why.

    Wide because regrets are looked for in each of these.
    """

    surveys: Sequence[Surveyed] = ()
    rebound: Sequence[tuple[int, datetime]] = ()
    listed: Mapping[ImageId, Sequence[Listed]] = field(default_factory=dict)
    used: Mapping[ImageId, Sequence[Used]] = field(default_factory=dict)
    needing: Sequence[Listed] = ()
    granted: Mapping[ImageId, Sequence[tuple[Exemption, datetime]]] = field(default_factory=dict)
    in_files: Sequence[tuple[Exemption, Runs]] = ()
    shared: Mapping[ImageId, Sequence[tuple[Sharing, Runs]]] = field(default_factory=dict)
    deleted: Mapping[ImageId, Collection[int]] = field(default_factory=dict)
    left_out: Mapping[ImageId, Sequence[tuple[int, str]]] = field(default_factory=dict)


def within(runs: Runs, first: int, last: int | None) -> Runs:
    """The runs among these from one on, and up to another one, which is included."""
    since, until = runs
    end = until if last is None else last + 1 if until is None else min(until, last + 1)
    return max(since, first), end


def both(some: Runs, others: Runs) -> Runs:
    """The runs that are among both."""
    since, until = others
    return within(some, since, None if until is None else until - 1)


class _Timed(Protocol):
    @property
    def at(self) -> datetime: ...


_AnyTimed = TypeVar("_AnyTimed", bound=_Timed)


def in_order(each: Sequence[_AnyTimed]) -> list[_AnyTimed]:
    """Those, of what is given in its order, whose instant is not after that of a later one: no clock was ahead."""
    found: list[_AnyTimed] = []
    for one in reversed(each):
        if not found or one.at <= found[-1].at:
            found.append(one)
    return found[::-1]


class Surveys:
    """The surveys of a target, found by runs."""

    def __init__(self, surveys: Sequence[Surveyed]) -> None:
        self._surveys = surveys
        self._runs = [each.run for each in surveys]
        self.in_order = frozenset(each.run for each in in_order(surveys))
        """Those of which the clock was not ahead of that of a later one."""

    def of(self, runs: Runs) -> Sequence[Surveyed]:
        """Those of these runs, in order."""
        first, end = runs
        until = len(self._runs) if end is None else bisect_left(self._runs, end)
        return self._surveys[bisect_left(self._runs, first) : until]
