"""One account to clean, as the configuration names it, whatever its API."""

from typing import Protocol

from janitor.transport import HttpOptions

LIMIT_OF_IMAGES = "limits.max_images"
"""The key that says how many images a list may have."""
MOST_IMAGES = 1_000_000
"""How many it may have where that key is not given."""


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
        """How requests to it are made."""
        ...

    @property
    def address(self) -> str | None:
        """The URL of the first request, where the configuration has it."""
        ...

    @property
    def project(self) -> str | None:
        """The id of its project, where the configuration has it."""
        ...

    @property
    def account(self) -> str | None:
        """What tells its account from all others of its API, where the configuration has it; may hold a secret."""
        ...

    @property
    def is_in_every_region(self) -> bool:
        """Whether it is one site for each region; only signing in tells which."""
        ...


def may_have(target: Target, name: str) -> bool:
    """Whether this may be the name of a site of a target; for one in every region only a catalogue is certain."""
    return name == target.name or (target.is_in_every_region and name.startswith(f"{target.name}-"))
