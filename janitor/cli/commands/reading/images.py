"""The command that lists images: `images`."""

import click

from janitor.cli import completion
from janitor.cli.commands.options import NUMBER, Common, common
from janitor.cli.formats import IMAGES, Format, format_option


@click.command()
@click.option(
    "--run",
    "number",
    type=NUMBER,
    metavar="N",
    shell_complete=completion.RUNS,
    help="The images of run N (default: the latest).",
)
@format_option(IMAGES)
@common
def images(common: Common, number: int | None, form: Format) -> int:
    """List the images exactly as a run saw them."""
    from janitor.cli.commands.loading import existing_store
    from janitor.errors import Exit, UsageError

    with existing_store(common) as (_, store):
        latest = store.latest_run()
        if latest is None:
            raise UsageError("no run is recorded yet: `janitor run --dry-run` makes the first")
        run = latest if number is None else number
        IMAGES[form](run, store.surveys(run).items())
    return Exit.OK
