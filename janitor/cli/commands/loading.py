"""What a command begins with: configuration, policies, logging, and the database where it must be there."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from janitor.cli import wiring
from janitor.cli.logs import configure_logging
from janitor.config import Settings, load_settings
from janitor.config.policy_files import Rules
from janitor.errors import ConfigurationError
from janitor.store import Store


def configured(config: Path | None, verbose: int) -> Settings:
    """The configuration alone, for commands that no policy concerns; from then on, logs leave its secrets out."""
    settings = load_settings(config)
    configure_logging(verbose, settings.secrets)
    return settings


def load(config: Path | None, verbose: int) -> tuple[Settings, Rules]:
    """Configuration and policies; one ConfigurationError names the problems of both."""
    settings, rules = wiring.load(config)
    configure_logging(verbose, settings.secrets)
    return settings, rules


def load_to_run(config: Path | None, verbose: int) -> tuple[Settings, Rules]:
    """Configuration and policies. Where at least the configuration is right, watchers are told of the failure too."""
    try:
        return load(config, verbose)
    except ConfigurationError:
        with suppress(ConfigurationError):
            settings = configured(config, verbose)
            from janitor.monitoring.watch import failed_to_begin

            failed_to_begin(settings)
        raise


@contextmanager
def existing_store(config: Path | None, verbose: int) -> Iterator[tuple[Settings, Store]]:
    """The configuration, and the database that it names. Raises UsageError where there is none yet."""
    settings = configured(config, verbose)
    with Store.open_existing(settings.database) as store:
        yield settings, store
