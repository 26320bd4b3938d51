"""The command that sends late reports: `resend`."""

import click

from janitor.cli.commands.options import Common, common


@click.command()
@common
def resend(common: Common) -> int:
    """Send undelivered reports again, oldest first, marked as late.

    Every run does so too.
    """
    from janitor.cli.commands.loading import load
    from janitor.cli.terminal import say
    from janitor.errors import Exit
    from janitor.notify.delivery import resend

    settings, rules = load(common)
    failed, number = False, 0
    try:
        for number, (name, error) in enumerate(resend(settings, rules.policies), start=1):
            say(f"{number}. {name}: {'delivered' if error is None else f'still undelivered: {error}'}")
            failed = failed or error is not None
    finally:
        if number and settings.metrics_file is not None and common.account is None:
            from janitor.monitoring.watch import standing_changed

            standing_changed(settings)
    if not number:
        say("no undelivered reports", err=True)
    return Exit.FAILED if failed else Exit.OK
