"""What changed since the run before, as a line of every report of a whole run."""

from collections.abc import Sequence

from janitor.core.replay.amounts import Amount
from janitor.core.replay.differences.since import Since
from janitor.core.result import Mode, RunResult
from janitor.core.units import some_of
from janitor.report.figures import size_of
from janitor.report.wording import shortened

NEWLY_DELETED = "newly due for deletion"
"""Said of images that are to be deleted without further notice: true before that is done, and in the report of it."""

NEWLY_WAITING = "newly waiting"
"""Said of images that are to be deleted later."""

_MOST_NAMES = 3
_LONGEST_NAME = 60


def since_line(result: RunResult) -> str | None:
    """What changed since an earlier survey of each target: `Since run 41: 12 new (96.0 GiB)`; None where none is known.

    A live run compares with a dry run only where there was no live one, and one that is for channels with a run whose
    report no channel had only where there was no other; the line says so.
    """
    told = [target.since for target in result.targets if target.since is not None]
    if not told:
        return None
    undecided = [each.target for each in result.targets if each.since is not None and each.since.newly_waiting is None]
    others = [*(target.target for target in result.targets if target.since is None), *result.unseen]
    nothing = "no image new or gone" if undecided else "nothing new"
    left_out = f"{_named('decisions not compared', undecided)}{_named('not compared', others)}"
    return f"Since {_runs(told, live=result.mode is Mode.DELETE)}: {_changes(told) or nothing}{left_out}"


def _named(what: str, targets: Sequence[str]) -> str:
    names = some_of([shortened(name, _LONGEST_NAME) for name in targets], _MOST_NAMES)
    return f"; {what}: {names}" if targets else ""


def _runs(told: Sequence[Since], *, live: bool) -> str:
    runs = sorted({since.run for since in told})
    dry = sorted({since.run for since in told if since.dry_run}) if live else []
    unheard = sorted({since.run for since in told if since.unheard})
    if len(runs) == 1:
        said = ", ".join([*(["a dry run"] if dry else []), *(["reported to nobody by then"] if unheard else [])])
        return f"run {runs[0]}{f' ({said})' if said else ''}"
    which = f"{_which('dry runs', dry, runs)}{_which('reported to nobody by then', unheard, runs)}"
    kind = "live run" if live and not dry else "survey"
    return f"each target's last accepted {kind} (runs {runs[0]} to {runs[-1]}{which})"


def _which(words: str, some: Sequence[int], runs: Sequence[int]) -> str:
    """Which of the runs are so."""
    if not some:
        return ""
    return f", {words}" if some == runs else f", of which {words}: {_numbers(some)}"


def _numbers(runs: Sequence[int]) -> str:
    return some_of([str(run) for run in runs], _MOST_NAMES)


def _changes(told: Sequence[Since]) -> str:
    new = sum((since.new for since in told), Amount())
    counts = {
        "listed again": sum(since.listed_again for since in told),
        "deleted by the janitor": sum(since.gone_by_us for since in told),
        "gone by others": sum(since.gone_by_others for since in told),
        "gone, not known by whom": sum(since.gone_unknown for since in told),
        NEWLY_DELETED: sum(since.newly_to_be_deleted or 0 for since in told),
        NEWLY_WAITING: sum(since.newly_waiting or 0 for since in told),
    }
    words = [f"{new.images:,} new ({size_of(new)})"] if new.images else []
    return ", ".join([*words, *(f"{count:,} {what}" for what, count in counts.items() if count)])
