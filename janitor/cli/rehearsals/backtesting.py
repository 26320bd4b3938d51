"""A backtest, collected from the configuration, the policy files and the database."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from janitor.cli.commands.reading.filters import check_surveyed, check_targets
from janitor.cli.configuration import basis_of, next_run_of
from janitor.cli.rehearsals.choosing import NEVER, failures_after, never_surveyed
from janitor.cloud.apis import shareable, wire_keys
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.core.image import Image
from janitor.core.replay.afterwards import Afterwards
from janitor.core.replay.backtest import Replay
from janitor.core.replay.hindsight import hindsight_of
from janitor.core.replay.replayed import NightDeletion, Ruling
from janitor.errors import UsageError
from janitor.report.rehearsals.backtests.backtest import Backtest, TargetBacktest
from janitor.store import Store
from janitor.store.history.later import Failure
from janitor.store.transactions.backtests import Past


def backtested(
    settings: Settings, rules: Rules, store: Store, path: Path | None, since: timedelta, targets: frozenset[str]
) -> Backtest:
    """What these policies would have deleted, in each target that is asked for, or in each that is configured.

    Raises UsageError for a target that no run has surveyed, and before the first run.
    """
    known, failures = store.targets(), store.latest_failures()
    with store.past() as past:
        tested = []
        for target in wanted_targets(settings, past.targets(), targets):
            replay = Replay(ruling_of(settings, rules, target))
            nights = [replay.night(night) for night in past.nights(target, since)]
            if nights:
                deletions = [deletion for night in nights for deletion in night.deletions]
                hindsight = hindsight_of(
                    deletions, recorded_after(past, target, deletions), settings.timezone, wire_keys
                )
                later = list(failed_since(settings, target, nights[-1].run, failures))
                tested.append(TargetBacktest(target, nights, past.dropped(target, since), hindsight, later))
    without = [] if targets else list(left_out(settings, known, failures))
    return Backtest(str(path or settings.policies), since, tested, without)


def failed_since(settings: Settings, target: str, last: int, failures: Mapping[str, Failure]) -> Iterator[str]:
    """What is to be said of later runs that could not survey a target."""
    later = failures_after(settings, failures, target, last)
    for failure in sorted(later, key=lambda each: each.run)[-1:]:
        why = f": {failure.error}" if failure.error else ""
        yield f"nothing is known of it after run {last}: run {failure.run} could not survey it{why}"


def left_out(settings: Settings, known: Sequence[str], failures: Mapping[str, Failure]) -> Iterator[str]:
    """Which targets have no part in a backtest of all that are configured, and why."""
    for name in never_surveyed(settings, known, failures):
        yield f"{name}: {NEVER}"
    for name in known:
        if not settings.may_have_target(name):
            yield f"{name}: it is recorded, and not configured; --target takes it"


def recorded_after(past: Past, target: str, deletions: Collection[NightDeletion]) -> Afterwards:
    """What is recorded of images since their deletions in a replay."""
    images = {each.decision.image.identity for each in deletions}
    return past.afterwards(target, images, min((each.run for each in deletions), default=0))


def wanted_targets(settings: Settings, known: list[str], targets: frozenset[str]) -> Iterator[str]:
    """Those of the known targets that are asked for, or else those that are configured.

    Raises UsageError for another one, and where there is none.
    """
    check_surveyed(known)
    check_targets(targets, known)
    wanted = [name for name in known if (name in targets if targets else settings.may_have_target(name))]
    if not wanted:
        raise UsageError("no run has surveyed a target that is configured: give one that was with --target")
    return iter(wanted)


def ruling_of(settings: Settings, rules: Rules, target: str) -> Ruling:
    """What rules in a replay of a target if these are the policy files."""
    return Ruling(
        basis_of(settings, rules),
        settings.destinations(rules.policies),
        next_run_of(settings),
        wire_keys,
        _may_be_shared(settings, target),
    )


def _may_be_shared(settings: Settings, target: str) -> Callable[[str | None, Image], bool]:
    configured = settings.target_of(target)
    return lambda api, image: shareable(api, configured)(image)
