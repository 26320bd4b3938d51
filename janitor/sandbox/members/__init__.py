"""The accounts of a sandbox: the one that it usually has, or many below one origin, each with its own everything."""

from collections.abc import Mapping
from dataclasses import dataclass

from janitor.sandbox.account import Account
from janitor.sandbox.api import ServedApi
from janitor.sandbox.configuration import configuration_text
from janitor.sandbox.faults import Faults
from janitor.sandbox.faults.injector import FaultInjector
from janitor.sandbox.options import Options
from janitor.sandbox.references import PATH
from janitor.sandbox.request_log import RecordedRequest, RequestLog


@dataclass(slots=True)
class Member:
    """One of them: where it is, what it holds in each region, what it was asked, and what goes wrong with it.

    `options` are its own, with its own seed and credentials.
    """

    name: str
    origin: str
    api: ServedApi
    accounts: Mapping[str, Account]
    options: Options
    log: RequestLog
    injector: FaultInjector

    @property
    def url(self) -> str:
        """The URL for a client's configuration."""
        return self.api.url

    @property
    def account(self) -> Account:
        """What it holds, in the first region."""
        return next(iter(self.accounts.values()))

    @property
    def faults(self) -> Faults:
        """Its faults; they may be set at any time, which restarts them. `Faults()` ends them."""
        return self.injector.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.injector.faults = faults

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """Every request to it so far, in the order in which they were answered."""
        return self.log.all()

    @property
    def deletions(self) -> tuple[RecordedRequest, ...]:
        """Those of them that ask to delete an image."""
        return self.log.deletions()

    def configuration(self, **values: str) -> str:
        """The text of a janitor.yaml with this account alone; see `configuration_text` for the arguments."""
        document = {"reference": f"{self.origin}{PATH}", "reference_token": self.options.reference_token}
        return configuration_text(self.url, self.api.target(self.name), **{**document, **values})
