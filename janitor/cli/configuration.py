"""Configuration and policies as the commands read them, with every problem of both."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from janitor.config import Settings, find_policies, load_settings
from janitor.config.channels import ChannelSchemas
from janitor.core.basis import Basis
from janitor.core.result import Mode
from janitor.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from janitor.config.fleet.accounts import Accounts
    from janitor.config.policy_files import Rules


def settings_from(
    config: Path | None, *, offline: bool = False, account: str | None = None, whole: bool = False
) -> Settings:
    """The configuration, with every kind of channel that there is. Raises ConfigurationError.

    `offline`: for commands that only read what is recorded; missing secrets and addresses are no problem for them.
    `account`: with a fleet, the one whose configuration is read; `whole`: that of the fleet, for commands that need no
    account. Raises UsageError where there is a fleet, without either.
    """
    return load_settings(config, kinds=_kinds, offline=offline, account=account, whole=whole)


def accounts_from(config: Path | None, *, offline: bool = False) -> "Accounts":
    """The accounts of a fleet, likewise. Raises UsageError where the configuration has none."""
    from janitor.config.fleet.accounts import load_accounts  # of which a configuration without one loads nothing

    return load_accounts(config, kinds=_kinds, offline=offline)


def load_fleet(config: Path | None, *, offline: bool = False) -> "tuple[Accounts, Rules]":
    """The accounts of a fleet and its rules. Raises ConfigurationError with every problem of both."""
    try:
        accounts = accounts_from(config, offline=offline)
    except ConfigurationError as error:
        raise ConfigurationError([*error.problems, *_problems_of_policies(config)]) from error
    return accounts, rules_of(accounts.settings)


def whole_fleet_from(config: Path | None) -> Settings:
    """The configuration of a fleet, whose accounts are not read. Raises UsageError where the configuration has none."""
    return load_settings(config, kinds=_kinds, whole=True)


def _kinds() -> ChannelSchemas:
    from janitor.notify.channels import SCHEMAS  # which loads every kind of channel

    return SCHEMAS


def load(config: Path | None, *, offline: bool = False, account: str | None = None) -> tuple[Settings, "Rules"]:
    """Configuration and rules. Raises ConfigurationError with every problem of both."""
    try:
        settings = settings_from(config, offline=offline, account=account)
    except ConfigurationError as error:
        raise ConfigurationError([*error.problems, *_problems_of_policies(config)]) from error
    return settings, rules_of(settings)


def rules_of(settings: Settings, path: Path | None = None) -> "Rules":
    """The rules as they are now in their files, or in those at another path.

    Raises ConfigurationError, also for keys that need a missing channel, and where history is kept too briefly.
    """
    from janitor.config.history import looking_further_back
    from janitor.config.policy_files import load_rules  # which few commands need

    rules = load_rules(path or settings.policies, settings.timezone, _unserved(settings))
    if too_short := list(looking_further_back(settings, rules.policies)):
        raise ConfigurationError([Problem(str(settings.source), None, sentence) for sentence in too_short])
    return rules


def _unserved(settings: Settings) -> dict[str, str]:
    """The keys of a policy that this configuration does not support, each with the reason."""
    if settings.slack is None:
        return {
            "notice": "requires `slack`: a notice must be announced somewhere; configure it, or leave this key out",
            "channel": "requires `slack` with a token, which posts there; configure it, or leave this key out",
        }
    if settings.slack.webhook_url is not None:
        return {"channel": "a webhook posts to one channel only: give slack a token instead, or leave this key out"}
    return {}


def _problems_of_policies(config: Path | None) -> tuple[Problem, ...]:
    """What is wrong with the policies, where a wrong configuration still says where they are."""
    from janitor.config.policy_files import load_policies

    path = find_policies(config)
    try:
        if path is not None:
            load_policies(path)
    except ConfigurationError as error:
        return error.problems
    return ()


def basis_of(settings: Settings, rules: "Rules", *, accept_survey: bool = False) -> Basis:
    """What a run with these rules is based on, as it is configured now."""
    return Basis(
        tuple(rules.policies),
        tuple(rules.exemptions),
        settings.timezone,
        settings.usage_memory,
        settings.limits,
        settings.max_shrink,
        accept_survey,
    )


def mode_of(settings: Settings, *, dry_run: bool) -> Mode:
    """The mode to run in: a dry run always wins over the configured mode."""
    return Mode.DRY_RUN if dry_run else settings.mode


def next_run_of(settings: Settings) -> Callable[[datetime], datetime] | None:
    """When a run is due after an instant, where there is a schedule."""
    return None if settings.schedule is None else partial(settings.schedule.next_after, zone=settings.timezone)
