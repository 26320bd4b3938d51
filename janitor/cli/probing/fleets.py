"""What `check` says about a fleet: its accounts, all of which are read, and the databases that they will have."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from janitor.cli import probing
from janitor.cloud.service import Probe
from janitor.cloud.target import Target
from janitor.config import Settings
from janitor.config.fleet import Fleet
from janitor.config.fleet.accounts import Accounts
from janitor.config.fleet.loading import fleet_of, passed_over
from janitor.config.policy_files import Rules
from janitor.core.units import counted
from janitor.errors import FleetError, UsageError
from janitor.escaping import visible


def configured(accounts: Accounts, targets: Sequence[Target], rules: Rules) -> Iterator[str]:
    """What is configured, with notes where there are any."""
    fleet = fleet_of(accounts.settings)
    named = None if any(target.is_in_every_region for target in targets) else [target.name for target in targets]
    what = f"a fleet of {counted(len(targets), 'account')}"
    yield from probing.configured(accounts.settings, rules, what, named)
    yield f"accounts       ok: {fleet.targets}"
    if others := passed_over(fleet):
        yield f"accounts       note: only *.yaml and *.yml files are read there: {', '.join(map(visible, others))}"
    yield f"shards         ok: {fleet.state}, {fleet.shards}"
    if accounts.settings.slack is not None and accounts.settings.slack.app_token is not None:
        yield "slack          note: app_token: in a fleet nobody listens to clicks, and messages have no buttons"


def probes(settings: Settings, rules: Rules, *, live: bool) -> Iterator[tuple[str, Callable[[], Probe]]]:
    """What is tried without any account, each with its subject."""
    if live:
        yield "fleet database", partial(_probe_database, fleet_of(settings))
    else:
        probing.tell("fleet database not asked: --live does")
    yield from probing.channel_probes(_without_clicks(settings), rules.policies, live=live)
    if settings.metrics_file is not None:
        yield "metrics", partial(probing.probe_metrics, settings.metrics_file)


def _probe_database(fleet: Fleet) -> Probe:
    """That workers of this configuration could work. Raises FleetError."""
    from janitor.fleet import check_installed

    try:
        check_installed()
        from janitor.fleet.probing import probe  # which needs what only a fleet has to have installed

        return Probe(probe(fleet.database, fleet.shards))
    except UsageError as error:
        raise FleetError(str(error)) from error


def _without_clicks(settings: Settings) -> Settings:
    """The same without what listens to clicks, as nobody does in a fleet."""
    return settings if settings.slack is None else replace(settings, slack=replace(settings.slack, app_token=None))
