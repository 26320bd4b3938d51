"""A preview as a value: for each target what policies decide on a snapshot, beside what had been decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.replay.amounts import Planned
from janitor.core.replay.changes import Changed, Kind
from janitor.core.replay.owned import Owned
from janitor.core.result import Mode
from janitor.core.units import counted
from janitor.errors import Exit, worst


@dataclass(frozen=True, slots=True)
class Source:
    """What one target was decided on: the snapshot of a run, as of an instant, beside the decisions of a run.

    `against` is None where there are none to compare with, and so is `mode`, which is that run's.
    """

    run: int
    seen_at: datetime
    decided_at: datetime
    against: int | None
    mode: Mode | None


class Foreseen(StrEnum):
    """How an image that is kept expires: also under what is compared with, or newly, as far as that is known."""

    EXPIRING = "expiring"
    NEWLY_EXPIRING = "newly-expiring"


@dataclass(frozen=True, slots=True)
class Expires:
    """A kept image that expires later by this policy: what had been decided on it, and what is decided now."""

    before: Decision | None
    after: Decision
    policy: str
    code: Foreseen
    sharing_unknown: bool


@dataclass(frozen=True, slots=True)
class Expiring:
    """The kept images that expire after the snapshot and until an instant.

    `until` is that instant in words; `by_run`: it is that of the next run, otherwise the present one. `shown_at` is a
    time for `--at` that shows them. `excess` are sentences on limits that a run of then would exceed, and one of the
    snapshot not.
    """

    images: Sequence[Expires] = ()
    until: str = ""
    by_run: bool = False
    shown_at: str = ""
    excess: Sequence[str] = ()

    @property
    def by_image(self) -> dict[str, str]:
        """The policy of each, by the ids of the images."""
        return {each.after.image.id: each.policy for each in self.images}

    @property
    def new(self) -> frozenset[str]:
        """Those that would not expire then under what is compared with, as far as that is known."""
        return frozenset(each.after.image.id for each in self.images if each.code is Foreseen.NEWLY_EXPIRING)


@dataclass(frozen=True, slots=True)
class Previewed:
    """One target. `source` is None where there is no snapshot; then nothing is decided.

    `policies` have what each planned before and plans now, in the order of the tried ones; `before` is None where
    nothing had been decided. `owned` is what the tried policies own by reason. `changes` are all, in the order of the
    decisions; `unclear` are the decisions that newly keep an image as its family, or which policy matches, is unknown;
    the notice of the images of `anew`, by id, starts again. `remarks` are sentences about what is assumed, differs or
    is not known; `excess` those about limits; `undecided` says why nothing certain is decided. `removed` are policies
    of the run that is compared with which are not tried, and `added` the reverse, as far as that is known.

    Wide because each is a part of what is printed.
    """

    target: str
    source: Source | None
    images: int = 0
    before: Planned | None = None
    after: Planned = field(default_factory=Planned)
    policies: Mapping[str, tuple[Planned, Planned]] = field(default_factory=dict)
    owned: Owned = field(default_factory=Owned)
    changes: Sequence[Changed] = ()
    counts: Mapping[Kind, int] = field(default_factory=dict)
    unclear: Sequence[Decision] = ()
    sharing_unknown: frozenset[str] = frozenset()
    anew: frozenset[str] = frozenset()
    excess: Sequence[str] = ()
    remarks: Sequence[str] = ()
    undecided: str | None = None
    removed: Sequence[str] = ()
    added: Sequence[str] = ()
    expiring: Expiring = Expiring()


@dataclass(frozen=True, slots=True)
class Conditions:
    """On which conditions a preview fails: more deletions than this, or any new one."""

    over: int | None = None
    on_new: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """All targets, and the conditions that hold, in a sentence each."""

    targets: Sequence[Previewed]
    failed_on: Sequence[str]

    @property
    def counts(self) -> dict[Kind, int]:
        """How many changes of each kind there are in all targets."""
        found = {kind: sum(each.counts.get(kind, 0) for each in self.targets) for kind in Kind}
        return {kind: count for kind, count in found.items() if count}

    @property
    def before(self) -> Planned | None:
        """What had been planned in all targets; None where one of them has nothing to compare with."""
        befores = [each.before for each in self.targets if each.before is not None]
        return sum(befores, Planned()) if len(befores) == len(self.targets) else None

    @property
    def after(self) -> Planned:
        """What is planned now in all targets."""
        return sum((each.after for each in self.targets), Planned())

    @property
    def code(self) -> Exit:
        """The exit code: a condition that holds beats a target on which nothing certain is decided."""
        codes = [Exit.LIMIT] if self.failed_on else []
        return worst([*codes, *(Exit.FAILED for each in self.targets if each.undecided is not None)])


def preview_of(targets: Sequence[Previewed], conditions: Conditions) -> Preview:
    """The preview of these targets, and which conditions hold."""
    failed = []
    after = sum((each.after for each in targets), Planned())
    more = sum(len(each.expiring.images) for each in targets)
    if conditions.over is not None and after.images + more > conditions.over:
        retried = sum(each.owned.count(Reason.REFUSED) for each in targets)
        when = split(after.delete.images, after.wait.images, retried)
        now = f"{are(after.images)} to be deleted: {when}" if after.images else ""
        failed.append(f"--fail-over {conditions.over}: {_and(now, expire(targets, more, beside=bool(now)))}")
    new = [changed.after for each in targets for changed in each.changes if changed.is_new and changed.after]
    more = sum(len(each.expiring.new) for each in targets)
    if conditions.on_new and (new or more):
        at_once, retried = (sum(each.reason is why for each in new) for why in (Reason.EXPIRED, Reason.REFUSED))
        when = split(at_once, len(new) - at_once, retried)
        now = f"{are(len(new))} newly to be deleted: {when}" if new else ""
        failed.append(f"--fail-on new: {_and(now, expire(targets, more, beside=bool(now), newly=True))}")
    return Preview(targets, failed)


def _and(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def expire(targets: Iterable[Previewed], count: int, *, beside: bool, newly: bool = False) -> str:
    """How many images of these targets expire after the snapshot, in words; empty for none.

    `beside`: others are to be deleted already, so these are more; `newly`: under what is compared with they do not.
    """
    if not count:
        return ""
    which, word = f"{count:,} more" if beside else counted(count), "newly " if newly else ""
    if any(each.expiring.by_run for each in targets):
        return f"{which} {word}{'expires' if count == 1 else 'expire'} by the next run"
    return f"{which} {'has' if count == 1 else 'have'} {word}expired since the snapshot"


def are(count: int) -> str:
    """A count of images with its verb."""
    return f"{counted(count)} {'is' if count == 1 else 'are'}"


def split(at_once: int, wait: int, retried: int = 0) -> str:
    """How many are deleted at once, and how many wait, `retried` of them as the API rejected their deletion before."""
    noticed = wait - retried
    words = [f"{at_once:,} deleted at once"] if at_once else []
    words += [f"{noticed:,} {'waits for its' if noticed == 1 else 'wait for their'} notice"] if noticed else []
    words += [f"{retried:,} rejected before, to be tried again later"] if retried else []
    words += [] if at_once else ["none deleted at once"]
    return ", ".join([*words, *([] if wait else ["none waits"])])


def is_listed(changed: Changed) -> bool:
    """Whether a change is shown to people; one that leaves an image kept is only counted."""
    if changed.kind is Kind.OTHER_REASON:
        return False
    sides = [each for each in (changed.before, changed.after) if each is not None]
    return any(decision.verdict is not Verdict.KEEP for decision in sides)


def waits_under_another(changed: Changed) -> bool:
    """Whether a change of kind `OTHER_POLICY` is one of an image that waits."""
    return changed.after is not None and changed.after.verdict is Verdict.WAIT


def before_of(changed: Changed) -> str:
    """What had been decided on a changed image, in a line."""
    if changed.before is None and changed.kind is not Kind.ONLY_AFTER:
        return "no live run carried out its own plan so far"
    return words_of(changed.before)


def words_of(decision: Decision | None) -> str:
    """A decision in a line: its verdict, policy and sentence."""
    if decision is None:
        return "not decided on"
    policy = f" by {decision.policy}" if decision.policy else ""
    return f"{decision.verdict.value}{policy}: {decision.detail}"
