"""The accounts of a fleet: their names, and the configuration of each as the whole parser reads it."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from janitor.config import Settings
from janitor.config.channels import ChannelSchemas
from janitor.errors import Problem


class Accounts:
    """All accounts, as they are written when this is made."""

    settings: Settings
    """The configuration of the whole fleet, without targets."""
    names: tuple[str, ...]
    """The names of all accounts, each once, in the order of files and lines."""

    def settings_of(self, name: str) -> Settings:
        """The configuration of one account: `targets` is it alone, `database` its own.

        Raises UsageError where no account has this name, and ConfigurationError with every problem of the account.
        """
        raise NotImplementedError

    def digest_of(self, name: str) -> str:
        """A digest of what is written in the configuration, its policies and the entry of this account.

        No secret is in it: references to the environment and to files count as they are written. Raises UsageError.
        """
        raise NotImplementedError

    def problems(self) -> Iterator[Problem]:
        """Everything that is wrong with any account; the whole parser reads each, which takes a while."""
        raise NotImplementedError

    @property
    def are_current(self) -> bool:
        """Whether no file has changed since this was made: the configuration, policies and files of accounts."""
        raise NotImplementedError


def load_accounts(
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    kinds: Callable[[], ChannelSchemas] = dict,
    *,
    offline: bool = False,
) -> Accounts:
    """The accounts of the fleet that a configuration describes; the arguments are those of `load_settings`.

    Raises ConfigurationError with every problem of the configuration and of the list of accounts, though not yet of
    the keys of each; UsageError where the configuration has no `fleet`.
    """
    raise NotImplementedError
