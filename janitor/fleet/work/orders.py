"""What a worker is asked to do, and what does it: values and ports."""

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from janitor.fleet.database import Connection
from janitor.shutdown import Stop


@dataclass(frozen=True, slots=True)
class Order:
    """What a job asks: to clean an account in a night, by the configuration with this digest."""

    account: str
    night: date
    digest: str


class Again(Exception):
    """The account is to be tried again, after so long."""

    def __init__(self, after: timedelta) -> None:
        super().__init__(f"again in {after}")
        self.after = after


class Connecting(Protocol):
    """Gives connections to the fleet's PostgreSQL."""

    def one(self) -> AbstractContextManager[Connection]:
        """This thread's connection. Raises FleetError."""
        ...


class Cleaning(Protocol):
    """Cleans accounts in several threads, until `stop`. `working` counts those of each shard that are being cleaned."""

    stop: Stop
    working: Counter[int]

    @property
    def connections(self) -> Connecting:
        """What it is connected by."""
        ...

    def clean(self, order: Order) -> None:
        """Clean an account. Raises Again where it is to be tried once more."""
        ...
