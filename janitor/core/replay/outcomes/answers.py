"""What a backtest answers: whether its deletions are regretted, or that this is not known yet. Pure.

One rule for all that say it: text, comments, JSON, and the same policy at other values.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from janitor.core.decision import Reason
from janitor.core.names.image_ids import ImageId
from janitor.core.replay.regrets import Hindsight, RegretKind, Watched
from janitor.core.replay.replayed import ReplayedNight

LONG_ENOUGH = timedelta(days=7)
"""For how long an image is to be watched before nothing that was seen counts as no regret."""
_NEARLY = timedelta(hours=12)
"""By how much less that may be: nights are not exactly a day apart."""
LEAST_SURVEYS = 2
"""In how many later nights at least it is to be seen: nobody knows what happened between two that are far apart."""


class Answer(StrEnum):
    """What is known of the deletions: the first of these that is true."""

    REGRETS = "regrets"
    """One at least is regretted."""
    PERHAPS = "perhaps"
    """None is, as far as is known, but something about one at least may be a regret, and cannot be told."""
    NO_REGRETS = "no-regrets"
    """None is, and half of the images at least were watched for long enough to tell."""
    USES_UNREAD = "uses-unread"
    """They were, but what used them could not be read, or no run saw any image in use."""
    GONE = "gone"
    """They were not, and most of the others never will be: our own runs really deleted them, or they were gone."""
    TOO_EARLY = "too-early"
    """They were not watched for so long."""
    NOTHING_DUE = "nothing-due"
    """Nothing is deleted yet: images still wait at the end."""
    NOTHING_DELETED = "nothing-deleted"
    """Nothing is deleted, and nothing waits."""
    NOTHING_DECIDED = "nothing-decided"
    """In no night could the policies delete anything."""


@dataclass(slots=True)
class Evidence:
    """What an answer rests on, in all targets.

    `nights` are the runs in which policies could delete, and `later` those of the time after the first deletion, of
    which `unread` could not read all uses. Of the deletions, so many are regretted, in the ways of `kinds`; of
    `perhaps` others something that cannot be told may be a regret. `told` were watched for long enough, with readable
    uses; `unclear` too, but with unreadable ones; `spans` is for how long each was watched that was at all. Of
    those that were not watched for long enough, our own runs `really` deleted some, and others were `gone` otherwise.
    `announced` and `waiting` are images, the latter at the end. Of those that wait,
    `noticed` do as their notice has not ended, and `waiting_gone` were really deleted by our own runs. `used`: a night
    saw any image in use; None without a night. `parts` are the same of each target.

    Wide because a sentence rests on each of these.
    """

    nights: set[int] = field(default_factory=set)
    deleted: int = 0
    regretted: int = 0
    kinds: Counter[RegretKind] = field(default_factory=Counter)
    perhaps: int = 0
    told: int = 0
    unclear: int = 0
    spans: list[timedelta] = field(default_factory=list)
    really: int = 0
    gone: int = 0
    later: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)
    announced: int = 0
    waiting: int = 0
    noticed: int = 0
    waiting_gone: int = 0
    used: bool | None = None
    parts: dict[str, "Evidence"] = field(default_factory=dict)

    def add_target(
        self, target: str, hindsight: Hindsight, nights: Collection[ReplayedNight], policy: str | None = None
    ) -> None:
        """Count what one target tells, in all and as a part."""
        self.parts[target] = Evidence()
        for each in (self, self.parts[target]):
            each.add_nights(nights, policy)
            each.add_hindsight(hindsight, policy)

    def add_nights(self, nights: Iterable[ReplayedNight], policy: str | None = None) -> None:
        """Count the nights of one target, and what is announced and waits in them: all, or by one policy."""
        announced: set[str] = set()
        waiting: set[str] = set()
        noticed = gone = 0
        for night in nights:
            self.used = bool(self.used or night.used)
            if night.decided:
                some = [one for one in night.waiting if policy in (None, one.policy)]
                waiting = {one.image.id for one in some}
                noticed = sum(one.reason is Reason.NOTICE for one in some)
                gone = len(waiting & night.waiting_gone)
                announced |= {one.image.id for one in night.announced if policy in (None, one.policy)}
            if night.can_delete:
                self.nights.add(night.run)
        self.announced += len(announced)
        self.waiting += len(waiting)
        self.noticed += noticed
        self.waiting_gone += gone

    def add_hindsight(self, hindsight: Hindsight, policy: str | None = None) -> None:
        """Count the deletions in one target, and what became of them: all, or by one policy."""
        self.later |= hindsight.later
        self.unread |= hindsight.unread
        kinds: dict[tuple[int, ImageId], set[RegretKind]] = {}
        for regret in hindsight.regrets:
            kinds.setdefault(regret.deletion.key, set()).add(regret.kind)
        doubtful = {each.deletion.key for each in hindsight.doubts} - kinds.keys()
        for each in hindsight.watched:
            key = each.deletion.key
            if policy not in (None, each.deletion.decision.policy):
                continue
            self.deleted += 1
            self.regretted += key in kinds
            self.kinds.update(kinds.get(key, ()))
            self.perhaps += key in doubtful
            self._add(each)

    def _add(self, watched: Watched) -> None:
        span = watched.span
        if span is not None:
            self.spans.append(span)
        if tells(watched):
            self.told += 1
        elif span is not None and span >= LONG_ENOUGH - _NEARLY and watched.nights >= LEAST_SURVEYS:
            self.unclear += 1
        elif watched.by_us:
            self.really += 1
        elif watched.over:
            self.gone += 1


def tells(watched: Watched) -> bool:
    """Whether an image was watched for long enough to tell of regrets: in half of the nights with its uses."""
    span = watched.uses_span
    if span is None or watched.uses_seen < max(LEAST_SURVEYS, watched.nights / 2):
        return False
    return span >= LONG_ENOUGH - _NEARLY


_WEAKEST = (Answer.USES_UNREAD, Answer.GONE, Answer.TOO_EARLY, Answer.PERHAPS, Answer.NO_REGRETS)


def answer_of(found: Evidence) -> Answer:
    """What is known of the deletions, by no more than what was seen: of several targets, the least."""
    if found.regretted:
        return Answer.REGRETS
    deleting = answers_by_target(found)
    return min(deleting.values(), key=_WEAKEST.index) if deleting else _answer(found, found.used)


def answers_by_target(found: Evidence) -> dict[str, Answer]:
    """What is known of each target in which something is deleted, the least first; whether in use is told by all."""
    answers = {name: _answer(part, found.used) for name, part in found.parts.items() if part.deleted}
    return dict(sorted(answers.items(), key=lambda one: (Answer.REGRETS, *_WEAKEST).index(one[1])))


def _answer(found: Evidence, used: bool | None) -> Answer:
    if found.regretted:
        return Answer.REGRETS
    if found.deleted:
        if 2 * found.told >= found.deleted:
            if used is False:
                return Answer.USES_UNREAD
            return Answer.PERHAPS if found.perhaps else Answer.NO_REGRETS
        if 2 * (found.told + found.unclear) >= found.deleted:
            return Answer.USES_UNREAD
        early = found.deleted - found.told - found.unclear - found.really - found.gone
        return Answer.GONE if found.really + found.gone > early else Answer.TOO_EARLY
    if not found.nights:
        return Answer.NOTHING_DECIDED
    return Answer.NOTHING_DUE if found.waiting else Answer.NOTHING_DELETED
