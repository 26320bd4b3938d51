"""What stands by the latest snapshots: the images that wait, and what each policy owns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, tzinfo

from janitor.cli.commands.reading.filters import check_names
from janitor.commands import command
from janitor.config import Settings
from janitor.core.exemptions import FOREVER, exemptions_for
from janitor.core.explaining.selection import Selection
from janitor.core.explaining.waiting import Snapshot, Waiting, may_be_due, waiting_in
from janitor.core.memory import Exemption
from janitor.core.units import parse_until
from janitor.errors import UsageError
from janitor.escaping import visible
from janitor.report.answers.waiting import WaitingList
from janitor.store import Store


def snapshots_of(settings: Settings, store: Store, chosen: Selection, now: datetime) -> list[Snapshot]:
    """The latest snapshots of the targets that are asked for, or else of all that are configured; exemptions as of now.

    Raises UsageError for a target that no run surveyed, for a policy that no run had, and before the first run.
    """
    known = store.targets()
    configured = [name for name in known if settings.may_have_target(name)]
    check_names(replace(chosen, policies=frozenset()), (), known)
    names = [name for name in known if name in chosen.targets] if chosen.targets else configured
    found = [snapshot for name in names if (snapshot := store.latest_snapshot(name)) is not None]
    if not found:
        raise UsageError(f"no run has decided on any image yet: `{command('run --dry-run')}` makes the first")
    check_names(chosen, _policies(store, found), known)
    exemptions = store.exemptions(now)
    return [_exempted(snapshot, exemptions, now) for snapshot in found]


def _exempted(snapshot: Snapshot, exemptions: Sequence[Exemption], now: datetime) -> Snapshot:
    """The snapshot with what people have exempted by command or by a click, also since its run."""
    exempt = exemptions_for((decision.image for decision in snapshot.decisions), exemptions, (), now)
    return replace(snapshot, exempt=exempt)


def policies_in(store: Store, snapshots: Sequence[Snapshot]) -> list[str]:
    """The policies of the latest of these snapshots' runs, in their order."""
    return list(store.policies(max(snapshot.run for snapshot in snapshots)))


def _policies(store: Store, snapshots: Iterable[Snapshot]) -> Iterator[str]:
    """The policies that the runs of these snapshots had, and those that their images name."""
    for snapshot in snapshots:
        yield from store.policies(snapshot.run)
        yield from (decision.policy for decision in snapshot.decisions if decision.policy is not None)
        yield from (notice.policy for notice in snapshot.notices.values())


def waiting_lists(
    settings: Settings, store: Store, chosen: Selection, before: datetime | None, now: datetime
) -> list[WaitingList]:
    """The images that wait by these snapshots, those due before an instant; one without a date may be."""

    def asked_for(one: Waiting) -> bool:
        return may_be_due(one, before) and (not chosen.policies or one.policy in chosen.policies)

    snapshots = snapshots_of(settings, store, chosen, now)
    return [WaitingList(each, [one for one in waiting_in(each) if asked_for(one)]) for each in snapshots]


def instant_before(text: str, zone: tzinfo, option: str = "--before") -> datetime:
    """The beginning of a day in a zone, or the instant that a text names. Raises UsageError for another text."""
    try:
        end = parse_until(text, zone)
    except ValueError as error:
        raise UsageError(f"{option}: {visible(str(error))}") from error
    if end.microsecond != time.max.microsecond or end >= FOREVER:
        return end
    return datetime.combine(end.astimezone(zone).date(), time.min, zone)
