"""The tokens that a cloud has issued."""

import secrets
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Token:
    """A token; it is valid before `expires_at`, which is a whole second as written in its answer."""

    id: str
    issued_at: datetime
    expires_at: datetime

    def moved(self, by: timedelta) -> "Token":
        """The same, as dated by a clock that is wrong by this offset."""
        return replace(self, issued_at=self.issued_at + by, expires_at=self.expires_at + by)


class Tokens:
    """Issues tokens of one lifetime, and knows which are valid. May be used from any thread, for several accounts."""

    def __init__(self, lifetime: timedelta) -> None:
        self._lock = threading.Lock()
        self._lifetime = lifetime
        self._issued: dict[str, Token] = {}

    def issue(self, now: datetime) -> Token:
        """A new token."""
        token = Token(secrets.token_hex(16), now, (now + self._lifetime).replace(microsecond=0))
        with self._lock:
            self._issued = {token.id: token for token in self._issued.values() if now < token.expires_at}
            self._issued[token.id] = token
        return token

    def find(self, token_id: str, now: datetime) -> Token | None:
        """The token with that id, if it is still valid."""
        with self._lock:
            token = self._issued.get(token_id)
        return token if token is not None and now < token.expires_at else None

    def revoke(self) -> None:
        """Revoke every token, as a changed password does."""
        with self._lock:
            self._issued.clear()
