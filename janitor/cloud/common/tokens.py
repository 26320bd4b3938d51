"""The life of an access token: obtained when first needed, renewed in time, dropped when denied. In memory only."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from janitor.errors import Denied

_RENEW_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `renew_at`, by our clock, is when to get the next one; None is when this one is denied.

    `issued_at` is by the server's clock, where it says so.
    """

    id: str
    renew_at: datetime | None = None
    issued_at: datetime | None = None


def renewal(asked_at: datetime, issued_at: datetime | None, expires: datetime | None) -> datetime | None:
    """When, by our clock, to renew a token: five minutes before its end, at half-life where it lives less than ten.

    Only the lifetime is taken from the server, whose clock need not agree with ours. None where it is unknown.
    """
    if expires is None:
        return None
    lifetime = expires - (issued_at or asked_at)
    return asked_at + max(lifetime - _RENEW_BEFORE, lifetime / 2) if lifetime > timedelta() else None


def printable(token_id: str) -> bool:
    """Whether a token can be sent back in a header."""
    return token_id.isascii() and token_id.isprintable()


class Tokens:
    """Hands out the current token. Safe to use from several threads at once: only one of them renews.

    A denial of the credentials is final: they are not sent again.
    """

    def __init__(self, issue: Callable[[], Token], clock: Callable[[], datetime]) -> None:
        self._issue = issue
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._proven = False
        self._denial: Denied | None = None

    def current(self) -> Token:
        """The token to use now. Raises CloudError when none can be obtained."""
        with self._lock:
            if self._token is None or self._due(self._token):
                return self._renew()
            return self._token

    def proven(self, token: Token) -> None:
        """Take note that the API accepted this token."""
        if token is self._token:
            self._proven = True

    def after(self, denied: Token, denial: Denied) -> Token:
        """The token to try after this one was denied.

        Raises the denial when a newer one will not help: when this one is new and was never accepted.
        """
        with self._lock:
            if self._token is not denied and self._token is not None:
                return self._token
            if not self._proven:
                raise denial
            return self._renew()

    def _due(self, token: Token) -> bool:
        return token.renew_at is not None and self._clock() >= token.renew_at

    def _renew(self) -> Token:
        if self._denial is not None:
            raise Denied(str(self._denial), code=self._denial.code)
        try:
            self._token = self._issue()
        except Denied as denial:
            self._denial = denial
            raise
        self._proven = False
        return self._token
