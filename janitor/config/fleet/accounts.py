"""The accounts of a fleet: their names, and the configuration of each as the whole parser reads it."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from janitor.cloud.target import Target
from janitor.config import Settings, settings_of, source_of
from janitor.config.channels import ChannelSchemas, secrets_of
from janitor.config.checked import Reading
from janitor.config.fleet.digests import digest_of, digest_of_policies
from janitor.config.fleet.entries import Entry, put_into, some_of
from janitor.config.fleet.loading import check_asked, entries_of, fleet_of, protected, whole_settings
from janitor.config.fleet.schema import AccountSchema
from janitor.config.fleet.shards import database_of
from janitor.config.fleet.snapshots import Snapshot, snapshot_of
from janitor.config.policy_files import Rules, files_in
from janitor.config.policy_folder import holds_tests
from janitor.documents import Document, Fault, display, read_document
from janitor.documents.schema import suggestion
from janitor.errors import ConfigurationError, Problem, UsageError


class Accounts:
    """All accounts, as they are written when this is made.

    `settings` is the configuration of the whole fleet, without targets. `names` are those of all accounts, each once,
    in the order of files and lines.
    """

    def __init__(self, document: Document, reading: Reading, before: Snapshot) -> None:
        """`before` is a snapshot of the file of this document from before it was read."""
        self.settings = whole_settings(document, reading)
        self._snapshot = before | snapshot_of(self._others)
        self._written, self._reading = document, reading
        self._document = protected(document)
        self._entries = entries_of(fleet_of(self.settings), document)
        self.names = tuple(self._entries)
        self._common: dict[str, str] = {}

    def settings_of(self, name: str) -> Settings:
        """The configuration of one account: `targets` is it alone, `database` its own.

        Raises UsageError where no account has this name, and ConfigurationError with every problem of the account.
        """
        entry, database = self._entry(name), database_of(fleet_of(self.settings), name)
        document = put_into(self._document, entry, str(database), self._reading.environ)
        return settings_of(document, self._reading, AccountSchema)

    def problems_of(self, name: str) -> Sequence[Problem]:
        """What is wrong with one account, as far as it can be said without secrets, which this host may lack.

        Raises UsageError where no account has this name.
        """
        entry, database = self._entry(name), database_of(fleet_of(self.settings), name)
        document = put_into(self._document, entry, str(database), self._reading.environ)
        try:
            settings_of(document, replace(self._reading, offline=True), AccountSchema)
        except ConfigurationError as error:
            return error.problems
        return ()

    def digest_of(self, name: str, rules: Rules | None = None) -> str:
        """A digest of what is written in the configuration, its policies and the entry of this account.

        With `rules`, the policies are these: their files may have changed since they were read. No secret is in it:
        references to the environment and to files count as they are written, but for mode, limits and time zone, which
        count as they are. Raises UsageError, and ConfigurationError where the policies cannot be read.
        """
        policies = self._policies if rules is None else rules.digest
        if (common := self._common.get(policies)) is None:
            written = self._written.data
            kinds = self._reading.kinds() if isinstance(written, dict) and "channels" in written else {}
            ruling = repr((self.settings.mode, self.settings.limits, self.settings.timezone))  # as variables make them
            common = digest_of(written, policies, ruling, secrets=secrets_of(kinds))
            self._common = {policies: common}
        return digest_of(common, self._entry(name).document.data)

    @cached_property
    def _policies(self) -> str:
        return digest_of_policies(file for file in files_in(self.settings.policies) if not holds_tests(file))

    def targets(self) -> list[Target]:
        """The targets of all accounts, each of which the whole parser reads, which takes a while.

        Raises ConfigurationError for everything that is wrong with any. Two accounts that are one by their keys are
        wrong, too, as each of their images would be decided on twice.
        """
        found: list[Target] = []
        problems: list[Problem] = []
        first: dict[tuple[str, str], str] = {}
        for name in self.names:
            try:
                found += self.settings_of(name).targets
            except ConfigurationError as error:
                problems += error.problems
                continue
            account = found[-1].account
            if account is not None and (other := first.setdefault((found[-1].api, account), name)) != name:
                message = f"is the account {other} under another name: every image would be decided on twice"
                problems.append(self._entries[name].document.problem(Fault((), message), name))
        if problems:
            raise ConfigurationError(some_of(problems))
        return found

    @property
    def are_current(self) -> bool:
        """Whether no file has changed since this was made: the configuration, policies and files of accounts."""
        return self._snapshot == snapshot_of([self.settings.source, *self._others])

    @property
    def _others(self) -> tuple[Path, ...]:
        return fleet_of(self.settings).targets, self.settings.policies

    def _entry(self, name: str) -> Entry:
        if name in self._entries:
            return self._entries[name]
        near = suggestion(name, self.names) if len(self.names) <= _FEW else ""
        raise UsageError(f"no account of {display(fleet_of(self.settings).targets)} has the name {name}{near}")


_FEW = 1000
"""As many names as a name is compared with in a moment, to suggest one."""


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
    reading = Reading(source_of(config, environ), environ, kinds, offline)
    before = snapshot_of([reading.source])
    document = read_document(reading.source)
    check_asked(document, reading, None, whole=True)
    return Accounts(document, reading, before)


def settings_in_fleet(document: Document, reading: Reading, account: str | None, *, whole: bool) -> Settings:
    """What `load_settings` gives where there is a fleet, or one is asked for."""
    check_asked(document, reading, account, whole=whole)
    if account is None:
        return whole_settings(document, reading)
    return Accounts(document, reading, frozenset()).settings_of(account)
