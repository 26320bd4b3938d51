"""What a preview says beside its figures: what is assumed, what differs, and what is not known, in sentences."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from janitor.config import Settings
from janitor.core.basis import Basis
from janitor.core.exemptions import exemptions_for
from janitor.core.image import Image
from janitor.core.replay.preview import Known
from janitor.core.result import Outcome
from janitor.core.units import counted, format_duration
from janitor.core.usage import Usage
from janitor.report.wording import label_of, shortened
from janitor.store.history.decided import Ending
from janitor.store.history.later import Failure, Removed

_NAMED = 5
_LONGEST_NAME = 60


def of_removed(images: Collection[Image], removed: Removed, run: int, *, whole: bool) -> Iterator[str]:
    """What our own runs have done with these images of a run's snapshot since; `whole`: they all count as then."""
    listed = {image.id for image in images}
    gone = {image: by for image, by in removed.gone.items() if image in listed}
    if gone:
        count = f"{counted(len(gone))} of this snapshot {'was' if len(gone) == 1 else 'were'} deleted since"
        rest = (
            "with --run the snapshot counts as it was"
            if whole
            else f"left out here and of what is compared (--run {run} takes the snapshot whole)"
        )
        yield f"{count}, by {_runs(gone)}: {rest}"
    unknown = {image.id: image for image in images if image.id in removed.unknown}
    if unknown:
        by = _runs({image: removed.unknown[image] for image in unknown})
        count = f"{counted(len(unknown))} of this snapshot counted although {by} asked to delete"
        which = f"{'it' if len(unknown) == 1 else 'them'}, as it is not known yet whether that was done"
        yield f"{count} {which}: {_some(unknown.values())}"


def of_failures(failures: Sequence[Failure], seen_at: datetime | None, now: datetime) -> Iterator[str]:
    """Which run could not survey a target after the snapshot of `seen_at`, and how old that makes what is known."""
    for failure in sorted(failures, key=lambda failure: failure.run)[-1:]:
        why = f": {failure.error}" if failure.error else ""
        if seen_at is None:
            yield f"run {failure.run} tried, and could not{why}"
        else:
            yield f"run {failure.run} could not survey it, so what is known of it is {_age(now - seen_at)} old{why}"


def _age(age: timedelta) -> str:
    unit = timedelta(days=1) if age >= timedelta(days=2) else timedelta(hours=1)
    return format_duration(age // unit * unit) if age >= unit else "less than an hour"


def of_ending(run: int, ending: Ending) -> Iterator[str]:
    """How far a run is to be believed on what it decided in a target."""
    if not ending.ended:
        yield f"run {run} has not ended: it still works, or it died, and what it decided may not have been done"
    elif ending.outcome in (Outcome.REFUSED, Outcome.FAILED) and ending.error:
        yield f"run {run} ended there as {ending.outcome.value}: {ending.error}"


def of_announced(images: Collection[Image], announced: Collection[str], run: int) -> Iterator[str]:
    """How many of these images a run announced after it had decided on them."""
    if count := sum(image.id in announced for image in images):
        yield (
            f"run {run} announced {count:,} of these afterwards: under the same policy an announced date stands, also "
            "if its notice is shorter since; --at counts what was announced"
        )


def of_exempted(images: Collection[Image], known: Known, then: datetime) -> Iterator[str]:
    """Which of these images were exempted by command since a run, and of which that was revoked."""
    if known.now_by_command is None:
        return
    before, now = (exemptions_for(images, some, (), then) for some in (known.by_command, known.now_by_command))
    granted = [image for image in images if image.id in now and now[image.id] != before.get(image.id)]
    revoked = [image for image in images if image.id in before and image.id not in now]
    words = [f"{done}: {_some(some)}" for done, some in (("granted", granted), ("revoked", revoked)) if some]
    if words:
        yield f"exemptions by command count as they stand since the snapshot; {'; '.join(words)}"


def _runs(images: Mapping[str, int]) -> str:
    """The runs by which something was done with images: `run 7`, `runs 7 to 9`."""
    first, last = min(images.values()), max(images.values())
    return f"run {first}" if first == last else f"runs {first} to {last}"


def _some(images: Iterable[Image]) -> str:
    words = [f"{label_of(image.name, _LONGEST_NAME)} ({shortened(image.id, _LONGEST_NAME)})" for image in images]
    more = f" and {len(words) - _NAMED:,} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more


def of_unread(usage: Usage, run: int) -> Iterator[str]:
    """What a run said of optional sources of uses that it could not read, and went on without."""
    if usage.problem is None:
        said = usage.remarks
        if usage.unread and not said:
            said = (f"{', '.join(map(str, sorted(usage.unread)))} could not be read, but are optional here",)
        yield from (f"run {run} on what is in use: {remark}" for remark in said)


def unread(problem: str) -> str:
    """Why nothing certain is decided where a run could not read what is in use; `problem` says that."""
    return f"{problem}; so images are kept whatever the policies say; --run tries them on another run"


def of_differences(settings: Settings, basis: Basis, run: int, *, is_past: bool) -> Iterator[str]:
    """What the configuration says otherwise now, in a sentence or two; `is_past`: limits count as that run had them."""
    rules: Mapping[str, tuple[str, str]] = {
        "timezone": (str(basis.zone), str(settings.timezone)),
        "usage_memory": (format_duration(basis.usage_memory), format_duration(settings.usage_memory)),
    }
    limits: Mapping[str, tuple[str, str]] = {
        "limits.max_deletions": (str(basis.limits.max_deletions), str(settings.limits.max_deletions)),
        "limits.max_share": (f"{basis.limits.max_share:g}%", f"{settings.limits.max_share:g}%"),
    }
    as_then = {**rules, **limits} if is_past else rules
    if others := [f"{key} {then} (now {now})" for key, (then, now) in as_then.items() if then != now]:
        yield f"decided as run {run} was configured: {', '.join(others)}"
    changed = (
        [] if is_past else [f"{key} {now} ({then} in that run)" for key, (then, now) in limits.items() if then != now]
    )
    if changed:
        yield f"limits count as configured now, otherwise than in run {run}: {', '.join(changed)}"
