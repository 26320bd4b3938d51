"""What a command begins with: configuration, policies, logging, and the database where it must exist."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from janitor.cli import configuration
from janitor.cli.commands.options import Common
from janitor.cli.logs import configure_logging
from janitor.config import Settings
from janitor.errors import ConfigurationError, UsageError
from janitor.escaping import visible
from janitor.store import Store

if TYPE_CHECKING:
    from janitor.config.fleet import Fleet
    from janitor.config.fleet.accounts import Accounts
    from janitor.config.policy_files import Rules


def configured(common: Common) -> Settings:
    """The configuration alone, for commands that need no policies. From here on, logs redact its secrets."""
    settings = configuration.settings_from(common.config, account=common.of_account)
    configure_logging(common.verbose, settings.secrets, common.log_format)
    return settings


def load(common: Common) -> tuple[Settings, "Rules"]:
    """Configuration and policies. Raises ConfigurationError with the problems of both."""
    settings, rules = configuration.load(common.config, account=common.of_account)
    configure_logging(common.verbose, settings.secrets, common.log_format)
    return settings, rules


def load_fleet(common: Common) -> "tuple[Accounts, Rules]":
    """The accounts of a fleet and its policies. Raises ConfigurationError with the problems of both."""
    accounts, rules = configuration.load_fleet(common.config)
    configure_logging(common.verbose, accounts.settings.secrets, common.log_format)
    return accounts, rules


def load_to_run(common: Common) -> tuple[Settings, "Rules"]:
    """Configuration and policies. Raises ConfigurationError, reported to monitoring where configured.

    That of a fleet is not told of one account.
    """
    try:
        return load(common)
    except ConfigurationError:
        if common.account is None:
            _tell_of_failure(common)
        raise


def _tell_of_failure(common: Common) -> None:
    from janitor.monitoring.watch import failed_to_begin

    with suppress(ConfigurationError):
        failed_to_begin(configured(common))


def configured_offline(common: Common, *, whole: bool = False) -> Settings:
    """The configuration for a command that only reads what is recorded: secrets and addresses may be missing."""
    settings = configuration.settings_from(common.config, offline=True, account=common.of_account, whole=whole)
    configure_logging(common.verbose, settings.secrets, common.log_format)
    return settings


def load_offline(common: Common) -> tuple[Settings, "Rules"]:
    """Configuration and policies for such a command. Raises ConfigurationError with the problems of both."""
    settings, rules = configuration.load(common.config, offline=True, account=common.of_account)
    configure_logging(common.verbose, settings.secrets, common.log_format)
    return settings, rules


def load_rules_offline(common: Common, path: Path | None) -> tuple[Settings, "Rules"]:
    """The configuration for such a command, and the policies at another path; without one, the configured ones.

    Raises ConfigurationError with the problems of both, and UsageError where nothing is at that path.
    """
    if path is None:
        return load_offline(common)
    if not path.exists():
        raise UsageError(f"--policies: there is no file or folder {visible(str(path))}")
    settings = configured_offline(common)
    return settings, configuration.rules_of(settings, path)


@contextmanager
def recorded_store(common: Common) -> Iterator[tuple[Settings, Store]]:
    """The configuration for such a command, and the database. Raises UsageError where none exists yet."""
    settings = configured_offline(common)
    with Store.open_existing(settings.database) as store:
        yield settings, store


@contextmanager
def existing_store(common: Common) -> Iterator[tuple[Settings, Store]]:
    """The configuration, and the database that it names. Raises UsageError where none exists yet."""
    settings = configured(common)
    with Store.open_existing(settings.database) as store:
        yield settings, store


def configured_fleet(common: Common) -> "tuple[Accounts, Fleet]":
    """The accounts of the fleet, and its settings. From here on, logs redact its secrets. Raises UsageError without."""
    from janitor.config.fleet.loading import fleet_of  # of which a configuration without one loads nothing

    accounts = configuration.accounts_from(common.config)
    configure_logging(common.verbose, accounts.settings.secrets, common.log_format)
    return accounts, fleet_of(accounts.settings)


def configured_whole_fleet(common: Common) -> "tuple[Settings, Fleet]":
    """The same for commands that need no account: that list, which may be long, is not read."""
    from janitor.config.fleet.loading import fleet_of  # of which a configuration without one loads nothing

    settings = configuration.whole_fleet_from(common.config)
    configure_logging(common.verbose, settings.secrets, common.log_format)
    return settings, fleet_of(settings)
