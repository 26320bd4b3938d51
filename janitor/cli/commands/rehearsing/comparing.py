"""The command that compares two runs: `diff`."""

from typing import TYPE_CHECKING

import click

from janitor.cli import completion
from janitor.cli.commands.options import RUN, Common, common
from janitor.cli.commands.reading.filters import TARGET
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.differences import DIFFERENCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from janitor.config import Settings
    from janitor.core.replay.differences.between import Difference, Uncompared
    from janitor.store import Store

_Pair = tuple[int | None, int | None]


@click.command()
@click.argument("numbers", metavar="[RUN] [RUN]", nargs=-1, type=RUN, shell_complete=completion.SHOWN_RUNS)
@TARGET
@format_option(DIFFERENCES)
@common
def diff(common: Common, numbers: tuple[int | None, ...], targets: tuple[str, ...], form: Format) -> int:
    """Show what changed between two runs, and why.

    Without a RUN, the last two surveys of each target; with one, that RUN and the latest survey of each of its targets.
    RUN may be `latest`.

    Shows new and gone images, changed facts, uses that began and ended, and decisions that changed, with the cause as
    far as what is recorded tells it.
    """
    from janitor.cli.commands.loading import recorded_store
    from janitor.errors import Exit, UsageError

    if len(numbers) > 2:
        raise UsageError(f"two runs can be compared, and {len(numbers)} were given")
    with recorded_store(common) as (settings, store):
        if store.latest_run() is None:
            raise UsageError("no run is recorded yet: `janitor run --dry-run` makes the first")
        found = list(_differences(settings, store, numbers, targets))
        DIFFERENCES[form](found, settings.cost, settings.timezone)
    return Exit.OK


def _differences(
    settings: "Settings", store: "Store", numbers: "Sequence[int | None]", targets: "Sequence[str]"
) -> "Iterator[Difference | Uncompared]":
    from janitor.core.replay.differences.between import Compared, Uncompared
    from janitor.core.replay.differences.causes import difference

    for target, (before, after) in _pairs(settings, store, numbers, targets).items():
        if before is None or after is None or before == after:
            yield Uncompared(target, _why_not(before, after))
            continue
        compared = store.compared(target, before, after)
        yield difference(compared) if isinstance(compared, Compared) else compared


def _why_not(before: int | None, after: int | None) -> str:
    if after is None:
        return "no run has surveyed it"
    return f"only run {after} has surveyed it" if before is None else f"no run has surveyed it since run {before}"


def _pairs(
    settings: "Settings", store: "Store", numbers: "Sequence[int | None]", targets: "Sequence[str]"
) -> "dict[str, _Pair]":
    """The runs to compare for each target, the earlier one first. Raises UsageError for what cannot be compared."""
    from janitor.cli.commands.reading.filters import check_targets
    from janitor.errors import UsageError

    check_targets(targets, store.targets())
    runs = sorted(number or store.latest_run() or 0 for number in numbers)
    if not runs:
        return {name: store.last_surveys(name) for name in targets or _configured(settings, store)}
    if len(runs) == 2:
        first, second = runs
        if first == second:
            raise UsageError(f"run {first} was given twice: name two runs, or one to compare it with the latest")
        known = dict.fromkeys((*store.targets_of(second), *store.targets_of(first)))
        return dict.fromkeys(targets or known, (first, second))
    [run] = runs
    surveyed = store.targets_of(run)
    pairs: dict[str, _Pair] = {name: (run, store.last_surveys(name)[1]) for name in targets or surveyed}
    if pairs and all(latest == run for _, latest in pairs.values()):
        raise UsageError(
            f"run {run} is the latest: `janitor diff` without a run compares it with the one before; or name an "
            "earlier run"
        )
    return pairs


def _configured(settings: "Settings", store: "Store") -> list[str]:
    """The targets that are configured now, as far as any run surveyed them, the latest surveyed first."""
    return [name for name in store.recent_targets() if settings.may_have_target(name)]
