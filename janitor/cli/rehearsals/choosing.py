"""On which snapshot of which target a preview decides, and what is to be said of that choice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from janitor.cli.commands.reading.filters import check_surveyed, check_targets
from janitor.cli.rehearsals.remarks import of_failures
from janitor.cloud.target import may_have
from janitor.config import Settings
from janitor.errors import UsageError
from janitor.store import Store
from janitor.store.history.later import Failure

NEVER = "no run has surveyed it yet, or none since it was bound to its present account: nothing is known of its images"
"""What is said of a target without a survey."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a preview is asked for: of which run, beside which, in which targets; None or nothing for the usual.

    `now` is when it is wanted.
    """

    run: int | None
    against: int | None
    targets: frozenset[str]
    now: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A target, and the run of its snapshot with remarks about it; without a run `undecided` says why there is none."""

    target: str
    run: int | None
    remarks: Sequence[str] = ()
    undecided: str | None = None


def snapshots_of(settings: Settings, store: Store, wanted: Wanted) -> Iterator[Found]:
    """Each target that is asked for: of the given run, or else the latest snapshot of each that is configured.

    Raises UsageError for an unknown or dropped run, for a target that it does not have, and before the first run.
    """
    return _latest(settings, store, wanted) if wanted.run is None else _of_run(store, wanted.run, wanted.targets)


def _of_run(store: Store, run: int, targets: frozenset[str]) -> Iterator[Found]:
    endings = store.endings(run)
    check_targets(targets, endings)
    if not endings:
        raise UsageError(f"run {run} has surveyed no target")
    for target, ending in endings.items():
        if not targets or target in targets:
            why = f"run {run} did not survey it: {ending.error or 'it has not ended'}"
            yield Found(target, run) if ending.surveyed else Found(target, None, undecided=why)


def _latest(settings: Settings, store: Store, wanted: Wanted) -> Iterator[Found]:
    known, failures = store.targets(), store.latest_failures()
    absent = never_surveyed(settings, known, failures)
    check_targets(wanted.targets, [*known, *absent])
    check_surveyed(known)
    configured = [name for name in known if settings.may_have_target(name)]
    names = [name for name in [*known, *absent] if name in wanted.targets] if wanted.targets else [*configured, *absent]
    for name in names:
        decided, latest = store.latest_decided(name), store.latest_survey(name)
        if latest is not None and latest <= store.counts_after(name):
            latest = None
        run = latest if decided is None else decided
        since = failures_after(settings, failures, name, latest or 0)
        if run is None:
            yield Found(name, None, undecided="; ".join([NEVER, *of_failures(since, None, wanted.now)]))
            continue
        later = [] if run == latest else [f"run {latest} surveyed it later, and decided nothing"]
        yield Found(name, run, [*later, *of_failures(since, store.surveyed_at(run, name), wanted.now)])


def never_surveyed(settings: Settings, known: Sequence[str], failures: Mapping[str, Failure]) -> list[str]:
    """What is configured and was never surveyed: the sites that runs tried, or else the target by its own name."""
    found: dict[str, None] = {}
    for target in settings.targets:
        others = {each.name for each in settings.targets if each is not target}
        names = [name for name in (*known, *failures) if may_have(target, name) and name not in others]
        # In every region, its own name is that of a failed sign-in, which says nothing of regions that are known.
        sites = [name for name in names if name != target.name] if target.is_in_every_region else names
        found.update(dict.fromkeys(sites or [target.name]))
    return [name for name in found if name not in known]


def failures_after(settings: Settings, failures: Mapping[str, Failure], name: str, run: int) -> list[Failure]:
    """The runs after this one that could not survey a target."""
    failed = (failures[one] for one in _also_failing(settings, name) if one in failures)
    return [failure for failure in failed if failure.run > run]


def _also_failing(settings: Settings, name: str) -> list[str]:
    """The names under which it is recorded that a target could not be surveyed: its own, and that of a sign-in."""
    signing_in = [each.name for each in settings.targets if each.is_in_every_region and may_have(each, name)]
    return list(dict.fromkeys([name, *signing_in]))
