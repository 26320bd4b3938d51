"""A backtest, collected from the configuration, the policy files and the database."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from janitor.cli.commands.reading.filters import check_surveyed, check_targets
from janitor.cli.commands.reading.standing import instant_before
from janitor.cli.configuration import basis_of, next_run_of
from janitor.cli.rehearsals.choosing import NEVER, failures_after, never_surveyed
from janitor.cloud.apis import shareable, wire_keys
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.core.image import Image
from janitor.core.replay.afterwards import Afterwards
from janitor.core.replay.backtest import Replay
from janitor.core.replay.hindsight import hindsight_of
from janitor.core.replay.nights import Lost, PastRun, Since
from janitor.core.replay.replayed import NightDeletion, Ruling
from janitor.core.units import format_duration, is_dated, parse_span
from janitor.errors import UsageError
from janitor.escaping import visible
from janitor.report.rehearsals.backtests.backtest import Backtest, TargetBacktest
from janitor.report.wording import local_minute
from janitor.store import Store
from janitor.store.history.later import Failure
from janitor.store.transactions.backtests import Past


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be replayed: the nights of which time, in which targets; without any, in those that are configured.

    `policies` says where the policies that are tried are from, and `configured` whether that is the usual place.
    """

    policies: str
    since: Since
    targets: frozenset[str]
    configured: bool = False


def beginning(text: str, zone: tzinfo) -> Since:
    """From when on nights are wanted: a duration, or a day in a zone or an instant as in other options.

    Raises UsageError for anything else.
    """
    if is_dated(text):
        return instant_before(text, zone, "--since")
    try:
        return parse_span(text)
    except ValueError as error:
        raise UsageError(f"--since: {visible(str(error))}; a date is written as 2026-12-31") from error


def backtested(settings: Settings, rules: Rules, store: Store, asked: Asked) -> Backtest:
    """What these policies would have deleted, in each target that is asked for, or in each that is configured.

    Raises UsageError for a target that no run has surveyed, before the first run, and where no night is of that time.
    """

    def tried(past: Past, target: str) -> TargetBacktest | None:
        replay = Replay(ruling_of(settings, rules, target))
        nights = [replay.night(night) for night in past.nights(target, asked.since)]
        deletions = [deletion for night in nights for deletion in night.deletions]
        after = recorded_after(past, target, deletions)
        hindsight = hindsight_of(deletions, after, settings.timezone, wire_keys)
        return TargetBacktest(target, nights, hindsight) if nights else None

    targets, without = in_each_target(settings, store, asked, tried)
    return Backtest(asked.policies, asked.since, targets, without, asked.configured)


def in_each_target(
    settings: Settings, store: Store, asked: Asked, tried: Callable[[Past, str], TargetBacktest | None]
) -> tuple[list[TargetBacktest], list[str]]:
    """What comes of each target that is asked for, and a sentence for each that is left out; None: without a night.

    Raises UsageError as `backtested`.
    """
    known, failures = store.targets(), store.latest_failures()
    tested, without = [], []
    with store.past() as past:
        for target in wanted_targets(settings, past.targets(), asked.targets):
            found, lost = tried(past, target), past.lost(target, asked.since)
            if found is None:
                without.append(f"{target}: {_nothing_there(lost, asked.since, settings.timezone)}")
                continue
            last = found.nights[-1].run
            later = list(_failed_since(failures_after(settings, failures, target, last), last))
            tested.append(replace(found, lost=lost, remarks=later))
    if not tested:
        raise UsageError(f"there is no night to replay: {visible('; '.join(without))}")
    return tested, [*without, *([] if asked.targets else left_out(settings, known, failures))]


def _nothing_there(lost: Lost, since: Since, zone: tzinfo) -> str:
    """Why no night of a target is of that time."""
    if lost.dropped:
        which = "its night" if lost.dropped == 1 else f"its {lost.dropped:,} nights"
        return f"{which} of that time lost {'its' if lost.dropped == 1 else 'their'} details, as `keep_history` says"
    if isinstance(since, datetime):
        when = f"since {local_minute(since, zone)}"
    else:
        when = f"in the {format_duration(since)} before {_named(lost.tried, zone)}"
    return f"no run surveyed it {when}; the last that did was {_named(lost.latest, zone)}"


def _named(run: PastRun | None, zone: tzinfo) -> str:
    return "an unknown run" if run is None else f"run {run.run} ({local_minute(run.at, zone)})"


def _failed_since(failures: Sequence[Failure], last: int) -> Iterator[str]:
    """What is to be said of later runs that could not survey a target."""
    for failure in sorted(failures, key=lambda each: each.run)[-1:]:
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
