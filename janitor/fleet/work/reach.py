"""Whether a process of a fleet reaches its PostgreSQL, as its log says: a line when it is away, one when it is back."""

import asyncio
import logging
from typing import LiteralString

from janitor.errors import FleetError
from janitor.fleet.database import connect

_log = logging.getLogger("janitor.fleet")


class Reach:
    """What is known of it from all that ask PostgreSQL, each by a name. Belongs to one event loop."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._without: set[str] = set()

    async def lost(self, what: LiteralString, error: Exception) -> None:
        """Note that something had no answer, and log why, unless something else has none either.

        An error that does not say why, as those of a pool of connections, is told by a connection of our own.
        """
        first, self._without = not self._without, self._without | {what}
        if first:
            why = str(error) if isinstance(error, FleetError) else await asyncio.to_thread(self._why, error)
            _log.warning("postgresql-away: %s; nothing is begun until it answers", why)

    def found(self, what: LiteralString) -> None:
        """Note that it was answered, and log that once nothing is without an answer any more."""
        if what in self._without:
            self._without.discard(what)
            if not self._without:
                _log.warning("postgresql-back: it answers again")

    def _why(self, error: Exception) -> str:
        try:
            connect(self._url, self._name).close()
        except FleetError as found:
            return str(found)
        return " ".join(str(error.__cause__ or error).split()) or type(error).__name__
