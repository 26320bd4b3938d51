"""The command that lists images: `images`."""

from typing import TYPE_CHECKING, Any

import click

from janitor.cli import completion
from janitor.cli.commands.options import LATEST, RUN_OR_LATEST, Common, common
from janitor.cli.commands.reading.filters import selecting
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.answers import IMAGES

if TYPE_CHECKING:
    from janitor.core.explaining.selection import Selection
    from janitor.report.tables import ImageList
    from janitor.store import Store


@click.command()
@click.option(
    "--run",
    "number",
    type=RUN_OR_LATEST,
    metavar="N",
    shell_complete=completion.SHOWN_RUNS,
    help="The images of run N (default: the latest).",
)
@selecting
@format_option(IMAGES)
@common
def images(common: Common, number: int | None, form: Format, **asked: Any) -> int:
    """List the images exactly as a run saw them, or some of them.

    Where any of the options that choose or sort images is given, each image is shown with what the run decided.
    """
    from janitor.cli.commands.loading import recorded_store
    from janitor.cli.commands.reading.filters import run_meant, selection
    from janitor.errors import Exit
    from janitor.report.tables import ImageList

    chosen = selection(**asked)
    with recorded_store(common) as (settings, store):
        run = run_meant(store, LATEST if number is None else number)
        seen = ImageList(run, tuple(store.surveys(run).items()))
        if chosen.chooses or chosen.order is not None or form is Format.CSV:
            seen = _chosen(store, seen, chosen)
        IMAGES[form](seen, settings.timezone)
    return Exit.OK


def _chosen(store: "Store", seen: "ImageList", chosen: "Selection") -> "ImageList":
    """What is asked for of these images, with their decisions. Raises UsageError for an unknown policy or target."""
    from dataclasses import replace

    from janitor.cli.commands.reading.filters import check_names
    from janitor.expressions import Budget

    budget = Budget()
    decided = {target.target: target.decisions for target in store.load_run(seen.run).targets}
    decisions = {(name, each.image.id): each for name, every in decided.items() for each in every}
    owners = (each.policy for each in decisions.values() if each.policy is not None)
    check_names(chosen, (*store.policies(seen.run), *owners), decided)
    surveys = []
    for target, survey in seen.surveys:
        pairs = [(image, decisions.get((target, image.id))) for image in survey.images]
        some = chosen.ordered((pair for pair in pairs if chosen.takes(target, *pair, budget)), lambda pair: pair)
        if some or not chosen.targets or target in chosen.targets:
            surveys.append((target, replace(survey, images=tuple(image for image, _ in some))))
    total = sum(len(survey.images) for _, survey in seen.surveys)
    return replace(seen, surveys=surveys, decisions=decisions, chosen_of=total if chosen.chooses else None)
