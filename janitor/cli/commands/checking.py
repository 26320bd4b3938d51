"""The command that tries everything beforehand: `check`."""

from functools import partial

import click

from janitor.cli.commands.options import Common, common


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
    from janitor.config.accounts import identify
    from janitor.core.units import counted
    from janitor.errors import ConfigurationError, Exit

    try:
        settings, rules = load(common)
    except ConfigurationError as error:
        raise advice.with_unset_variables(error) from error
    identify(settings, settings.targets)
    for line in probing.configured(settings, rules):
        probing.tell(line)
    broken = tests_failed(settings, rules)
    failures = [probing.failed("database", lambda: Probe(database_of(settings)))]
    new = not any(failures) and not known_targets(settings)
    if not any(failures):
        for line in (*probing.undelivered(settings), *probing.idle(settings, rules)):
            probing.tell(line)
    declared = [one for one in settings.references if live or one.url is None]
    unasked = len(settings.references) - len(declared)
    if unasked:
        probing.tell(f"references     {counted(unasked, 'URL')} not read: --live reads them")
    if declared:
        failures.append(probing.failed("references", partial(probing.probe_references, settings, declared)))
    if live:
        failures += [probing.failed(*probe) for probe in probing.live_probes(settings)]
    failures += [probing.failed(*probe) for probe in probing.channel_probes(settings, rules.policies, live=live)]
    if settings.metrics_file is not None:
        failures.append(probing.failed("metrics", partial(probing.probe_metrics, settings.metrics_file)))
    if next_step := advice.after([*failures, *([True] if broken else [])], live=live, new=new):
        probing.tell(probing.line("next", next_step))
    return Exit.USAGE if broken else Exit.FAILED if any(failures) else Exit.OK
