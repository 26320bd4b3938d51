"""Makes the accounts of a sandbox, each when it is first asked for: so thousands of them cost nothing at the start."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from janitor.sandbox.apis import make_api, target_text
from janitor.sandbox.calls import Api
from janitor.sandbox.faults import Faults
from janitor.sandbox.faults.injector import FaultInjector
from janitor.sandbox.members import Member
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import RecordedRequest, RequestLog

ONLY = "sandbox"
"""The name of the account of a sandbox that has one."""

PREFIX = "/accounts/"
"""Below this path are the accounts of a sandbox that has many, each below its name."""


class Members(Mapping[str, Member]):
    """The accounts by name. Safe to read from any thread.

    What an account holds does not depend on when it is made: its images are dated by the clock as it was in the
    beginning. `log` gets the requests to all of them.
    """

    def __init__(self, options: Options, origin: str, clock: Callable[[], datetime], log: RequestLog) -> None:
        self._lock = threading.RLock()
        self._options = options
        self._origin = origin
        self._clock = clock
        self._began = clock()
        self._log = log
        self._faults = options.faults
        self._places = _names(options)
        self._made: dict[str, Member] = {}

    def __getitem__(self, name: str) -> Member:
        made = self._made.get(name)
        return self._first(name) if made is None else made

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def url(self) -> str:
        """The URL of the only account, or the one below which all are."""
        return self[ONLY].url if ONLY in self else self._origin

    @property
    def faults(self) -> Faults:
        """What was last set to go wrong in all accounts; setting it replaces what was set for one of them."""
        return self[ONLY].faults if ONLY in self else self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        with self._lock:
            self._faults = faults
            for member in self._made.values():
                member.injector.faults = faults

    @property
    def deletions(self) -> tuple[RecordedRequest, ...]:
        """Every request to delete an image so far, in the order in which they were answered."""
        return self._log.deletions()

    def targets(self) -> Iterator[str]:
        """Each account as a target of a janitor.yaml, as an item of its list; none is made for that."""
        for name in self:
            yield target_text(self.options_of(name), self.origin_of(name), name)

    def options_of(self, name: str) -> Options:
        """The options of an account. Raises KeyError where there is none of that name."""
        place, options = self._places[name], self._options
        if options.accounts is None:
            return options
        own: dict[str, str] = {"username": f"{name}.{options.username}", "password": f"{options.password}.{name}"}
        if options.api is Api.TOAST:
            own["appkey"] = f"{options.appkey}-{name}"
        return replace(options, accounts=None, seed=options.seed + place, **own)  # type: ignore[arg-type]  # all texts

    def origin_of(self, name: str) -> str:
        """The URL below which an account is."""
        return self._origin if self._options.accounts is None else f"{self._origin}{PREFIX}{name}"

    def _first(self, name: str) -> Member:
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def _make(self, name: str) -> Member:
        options, origin = self.options_of(name), self.origin_of(name)
        accounts, api = make_api(options, origin, self._clock, self._began)
        many = self._options.accounts is not None
        log, whose = (self._log.part(), name) if many else (self._log, "")
        return Member(name, origin, api, accounts, options, log, FaultInjector(self._clock, self._faults, whose))


def _names(options: Options) -> dict[str, int]:
    """The names of accounts, each with its place."""
    if options.accounts is None:
        return {ONLY: 0}
    return {f"account-{place + 1:04}": place for place in range(options.accounts)}
