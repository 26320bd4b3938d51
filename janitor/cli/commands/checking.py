"""The command that tries everything beforehand: `check`."""

from functools import partial
from typing import TYPE_CHECKING

import click

from janitor.cli.commands.options import Common, common

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from janitor.cloud.service import Probe
    from janitor.cloud.target import Target
    from janitor.config import Settings
    from janitor.config.policy_files import Rules


@click.command()
@click.option(
    "--live", is_flag=True, help="Also sign in, read images and their usage, and post a test message to Slack."
)
@common
def check(common: Common, live: bool) -> int:
    """Check configuration, policies and tests; show the next runs.

    Opens no network connection without --live.
    """
    from janitor.cli import probing
    from janitor.cli.commands.loading import load
    from janitor.cli.probing import advice
    from janitor.cli.probing.policy_tests import tests_failed
    from janitor.cli.recorded import database_of, known_targets
    from janitor.cloud.service import Probe
    from janitor.config.accounts import identify, names_without_signing_in
    from janitor.config.glance import is_of_fleet
    from janitor.errors import ConfigurationError, Exit

    if is_of_fleet(common.config):
        return _check_fleet(common, live=live)
    try:
        settings, rules = load(common)
    except ConfigurationError as error:
        raise advice.with_unset_variables(error) from error
    identify(settings, settings.targets)
    what = f"targets: {', '.join(target.name for target in settings.targets)}"
    for line in probing.configured(settings, rules, what, names_without_signing_in(settings)):
        probing.tell(line)
    broken = tests_failed(settings, rules)
    failing = ["database"] if probing.failed("database", lambda: Probe(database_of(settings))) else []
    new = not failing and not known_targets(settings)
    for line in probing.unsafe_place(settings):
        probing.tell(line)
    if not failing:
        for line in (*probing.undelivered(settings), *probing.idle(settings, rules)):
            probing.tell(line)
    failing += [probe[0] for probe in _probes(settings, rules, live=live) if probing.failed(*probe)]
    if next_step := advice.after([*(["tests"] if broken else []), *failing], live=live, new=new):
        probing.tell(probing.line("next", next_step))
    return Exit.USAGE if broken else Exit.FAILED if failing else Exit.OK


def _check_fleet(common: Common, *, live: bool) -> int:
    """The same for a fleet, whose accounts are all read: neither they nor their databases are asked anything."""
    from janitor.cli import probing
    from janitor.cli.commands.loading import load_fleet
    from janitor.cli.probing import advice, fleets
    from janitor.cli.probing.policy_tests import tests_failed
    from janitor.errors import ConfigurationError, Exit

    try:
        accounts, rules = load_fleet(common)
        targets = accounts.targets()
    except ConfigurationError as error:
        raise advice.with_unset_variables(error) from error
    for line in fleets.configured(accounts, targets, rules):
        probing.tell(line)
    broken = tests_failed(accounts.settings, rules)
    failing = [probe[0] for probe in fleets.probes(accounts.settings, rules, live=live) if probing.failed(*probe)]
    if next_step := advice.after([*(["tests"] if broken else []), *failing], live=live, new=False):
        probing.tell(probing.line("next", next_step))
    return Exit.USAGE if broken else Exit.FAILED if failing else Exit.OK


def _probes(
    settings: "Settings", rules: "Rules", *, live: bool
) -> "Iterator[tuple[str, Callable[[], Probe], Target | None]]":
    """What is tried once the database can be used, each with its subject, and with its target if it is one."""
    from janitor.cli import probing
    from janitor.core.units import counted

    declared = [one for one in settings.references if live or one.url is None]
    unasked = len(settings.references) - len(declared)
    if unasked:
        probing.tell(f"references     {counted(unasked, 'URL')} not read: --live reads them")
    if declared:
        yield "references", partial(probing.probe_references, settings, declared), None
    if live:
        yield from probing.live_probes(settings)
    yield from ((*probe, None) for probe in probing.channel_probes(settings, rules.policies, live=live))
    if settings.metrics_file is not None:
        yield "metrics", partial(probing.probe_metrics, settings.metrics_file), None
