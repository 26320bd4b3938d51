"""What `check` says about a fleet: its accounts, all of which are read, and the databases that they will have."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from janitor.cli import probing
from janitor.cloud.service import Probe
from janitor.cloud.target import Target
from janitor.config import Settings
from janitor.config.fleet.accounts import Accounts
from janitor.config.fleet.loading import fleet_of, passed_over
from janitor.config.policy_files import Rules
from janitor.core.units import counted
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


def probes(settings: Settings, rules: Rules, *, live: bool) -> Iterator[tuple[str, Callable[[], Probe]]]:
    """What is tried without any account, each with its subject."""
    yield from probing.channel_probes(settings, rules.policies, live=live)
    if settings.metrics_file is not None:
        yield "metrics", partial(probing.probe_metrics, settings.metrics_file)
