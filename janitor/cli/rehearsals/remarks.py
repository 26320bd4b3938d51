"""What a preview says beside its figures: what is assumed, what differs, and what is not known, in sentences."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from janitor.core.image import Image
from janitor.core.units import counted
from janitor.report.wording import label_of, shortened
from janitor.store.history.later import Removed

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


def _runs(images: Mapping[str, int]) -> str:
    """The runs by which something was done with images: `run 7`, `runs 7 to 9`."""
    first, last = min(images.values()), max(images.values())
    return f"run {first}" if first == last else f"runs {first} to {last}"


def _some(images: Iterable[Image]) -> str:
    words = [f"{label_of(image.name, _LONGEST_NAME)} ({shortened(image.id, _LONGEST_NAME)})" for image in images]
    more = f" and {len(words) - _NAMED:,} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more
