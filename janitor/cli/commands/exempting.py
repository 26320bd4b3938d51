"""The commands `keep` and `unkeep`: exemptions granted, listed and revoked."""

import click

from janitor.cli import completion
from janitor.cli.commands.options import Common, common
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.answers import EXEMPTIONS


@click.command()
@click.argument("images", metavar="[IMAGE]...", nargs=-1, shell_complete=completion.IMAGES)
@click.option("--until", metavar="DATE", help="The last day (2026-12-31), or a time with its zone.")
@click.option("--for", "term", metavar="DURATION", help="Duration from now, such as 30d.")
@click.option("--why", metavar="TEXT", help="Why the image stays: shown with every decision.")
@click.option("--by", metavar="NAME", help="Who grants it (default: you).")
@click.option("--list", "listing", is_flag=True, help="List the exemptions in force, also those in policy files.")
@click.option("--all", "past", is_flag=True, help="List expired and revoked exemptions too.")
@format_option(EXEMPTIONS)
@common
def keep(
    common: Common,
    images: tuple[str, ...],
    until: str | None,
    term: str | None,
    why: str | None,
    by: str | None,
    listing: bool,
    past: bool,
    form: Format,
) -> int:
    """Exempt images from deletion until a date, or list exemptions.

    Each IMAGE is an id, or the start of one. Needs --why, and either --until or --for. Nothing is changed unless all of
    it is clear.
    """
    from janitor.cli import exemptions
    from janitor.cli.commands.loading import configured, configured_offline
    from janitor.clock import utc_now
    from janitor.errors import Exit, UsageError

    if listing or past:
        if any(given is not None for given in (*images, until, term, why, by)):
            raise UsageError("--list goes with --all and --format only: it exempts no image")
        settings, now = configured_offline(common), utc_now()
        EXEMPTIONS[form](exemptions.entries(settings, now, past=past), now, settings.timezone)
    else:
        settings, now = configured(common), utc_now()
        exemptions.grant(
            settings, images, until=until, term=term, why=why, by=common.asked_by if by is None else by, now=now
        )
    return Exit.OK


@click.command()
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, shell_complete=completion.EXEMPT_IMAGES)
@click.option("--by", metavar="NAME", help="Who revokes it (default: you).")
@common
def unkeep(common: Common, images: tuple[str, ...], by: str | None) -> int:
    """Revoke the exemptions of images.

    Each IMAGE is an id, or the start of one. If one is unclear or not exempt, nothing is changed. To revoke an
    exemption in a policy file, edit that file.
    """
    from janitor.cli import exemptions
    from janitor.cli.commands.loading import configured
    from janitor.clock import utc_now
    from janitor.errors import Exit

    exemptions.revoke(configured(common), images, by=common.asked_by if by is None else by, now=utc_now())
    return Exit.OK
