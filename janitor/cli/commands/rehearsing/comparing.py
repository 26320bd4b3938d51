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


@click.command()
@click.argument("numbers", metavar="[RUN] [RUN]", nargs=-1, type=RUN, shell_complete=completion.SHOWN_RUNS)
@TARGET
@format_option(DIFFERENCES)
@common
def diff(common: Common, numbers: tuple[int | None, ...], targets: tuple[str, ...], form: Format) -> int:
    """Show what changed between two runs, and why.

    Without a RUN, the latest survey of each target and the one that its report compares with; with one, that RUN and
    the latest survey of each of its targets. RUN may be `latest`.

    Shows new and gone images, changed facts, uses that began and ended, and decisions that changed, with the cause as
    far as what is recorded tells it.
    """
    from janitor.cli.commands.loading import recorded_store
    from janitor.errors import Exit, UsageError

    if len(numbers) > 2:
        raise UsageError(f"two runs can be compared, and {len(numbers)} were given")
    with recorded_store(common) as (settings, store):
        found = list(_differences(settings, store, numbers, targets))
        DIFFERENCES[form](found, settings.cost, settings.timezone)
    return Exit.OK


def _differences(
    settings: "Settings", store: "Store", numbers: "Sequence[int | None]", targets: "Sequence[str]"
) -> "Iterator[Difference | Uncompared]":
    from dataclasses import replace

    from janitor.core.replay.differences.between import Uncompared
    from janitor.core.replay.differences.causes import difference

    latest = store.latest_run() if len(numbers) < 2 else None
    for target, pair in _pairs(settings, store, numbers, targets).items():
        compared = pair if isinstance(pair, Uncompared) else store.compared(target, *pair)
        if isinstance(compared, Uncompared):
            yield compared
        else:
            unseen = None if latest is None or compared.after.run == latest else latest
            yield replace(difference(compared), unseen_by=unseen)


def _pairs(
    settings: "Settings", store: "Store", numbers: "Sequence[int | None]", targets: "Sequence[str]"
) -> "dict[str, tuple[int, int] | Uncompared]":
    """The runs to compare for each target, the earlier one first. Raises UsageError for what cannot be compared."""
    from janitor.cli.commands.reading.filters import check_targets
    from janitor.errors import UsageError

    check_targets(targets, store.targets())
    latest = store.latest_run()
    if latest is None or not numbers:
        return {name: store.latest_pair(name) for name in targets or _configured(settings, store)}
    runs = sorted(number or latest for number in numbers)
    store.check_whole(runs)
    if len(runs) == 2:
        first, second = runs
        if first == second:
            raise UsageError(f"run {first} was given twice: name two runs, or one to compare it with the latest")
        known = dict.fromkeys((*store.targets_of(second), *store.targets_of(first)))
        return dict.fromkeys(targets or known or _configured(settings, store), (first, second))
    [run] = runs
    surveyed = store.targets_of(run) or _configured(settings, store)
    return _with_latest(store, run, targets or surveyed)


def _with_latest(store: "Store", run: int, targets: "Sequence[str]") -> "dict[str, tuple[int, int] | Uncompared]":
    """A run, and the latest survey of each of these targets. Raises UsageError where that is the same for each."""
    from janitor.core.replay.differences.between import Uncompared
    from janitor.errors import UsageError

    latest = {name: store.latest_survey(name) for name in targets}
    if latest and all(each == run for each in latest.values()):
        raise UsageError(
            f"run {run} is the latest: `janitor diff` without a run compares it with the one before; or name an "
            "earlier run"
        )
    late = {name: each for name, each in latest.items() if each is not None and each > run}
    return {
        name: (run, late[name]) if name in late else Uncompared(name, f"no run has surveyed it since run {run}")
        for name in targets
    }


def _configured(settings: "Settings", store: "Store") -> list[str]:
    """The targets that are configured now: the latest surveyed first, and at last those that no run surveyed."""
    surveyed = [name for name in store.recent_targets() if settings.may_have_target(name)]
    known = [settings.target_of(name) for name in surveyed]
    return [*surveyed, *(target.name for target in settings.targets if target not in known)]
