"""One account to clean, as the configuration names it, whatever its API."""

from typing import Protocol

from janitor.transport import HttpOptions


class Target(Protocol):
    """One account, checked."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def api(self) -> str:
        """The name of its API."""
        ...

    @property
    def http(self) -> HttpOptions:
        """How it is asked."""
        ...

    @property
    def address(self) -> str | None:
        """The URL that is asked first, where the configuration spells it out."""
        ...

    @property
    def is_in_every_region(self) -> bool:
        """Whether it is a site for each region, of which only signing in tells."""
        ...
