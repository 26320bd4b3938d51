"""The command that replays recorded nights under other policies: `backtest`."""

from pathlib import Path

import click

from janitor.cli import completion
from janitor.cli.commands.options import Common, FileName, common
from janitor.cli.commands.reading.filters import TARGET
from janitor.cli.formats import Format, format_option
from janitor.cli.formats.rehearsals import BACKTEST, SUGGESTION


@click.command()
@click.option("--policies", "path", type=FileName(), metavar="PATH", help="Policies to try (default: the configured).")
@click.option(
    "--since",
    default="90d",
    show_default=True,
    metavar="DURATION|DATE",
    shell_complete=completion.BEGINNINGS,
    help="Begin so long before the latest run of each target, or on this day (2026-12-31) or time with its zone.",
)
@click.option(
    "--suggest",
    is_flag=False,
    flag_value="",
    metavar="[POLICY]",
    shell_complete=completion.POLICIES,
    help="Try this policy, or the only one that expires, at other values instead.",
)
@TARGET
@format_option(BACKTEST)
@common
def backtest(
    common: Common, path: Path | None, since: str, suggest: str | None, targets: tuple[str, ...], form: Format
) -> int:
    """Replay recorded nights as if policies had ruled.

    Says what they would have deleted, and what was done with these images afterwards. Decides every recorded night
    again, in order: an image that would have been deleted is gone from then on, and one that was really deleted stays
    until then. Reads the database only.
    """
    from janitor.cli.commands.loading import load_rules_offline
    from janitor.cli.rehearsals.backtesting import Asked, backtested, beginning
    from janitor.cli.rehearsals.suggesting import suggested
    from janitor.errors import Exit
    from janitor.store import Store

    settings, rules = load_rules_offline(common, path)
    begin = beginning(since, settings.timezone)
    asked = Asked(str(path or settings.policies), begin, frozenset(targets), configured=path is None)
    with Store.open_existing(settings.database) as store:
        if suggest is not None:
            tried = suggested(settings, rules, store, asked, suggest)
            SUGGESTION[form](tried, settings.cost)
            return Exit.OK
        made = backtested(settings, rules, store, asked)
    BACKTEST[form](made, settings.cost, settings.timezone)
    return Exit.OK
