"""The tokens that a cloud has issued."""

import secrets
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Token:
    """A token; it is good before `expires_at`, which is a whole second as its answer writes it."""

    id: str
    issued_at: datetime
    expires_at: datetime

    def moved(self, by: timedelta) -> "Token":
        """The same, as a clock that is off by that dates it."""
        return replace(self, issued_at=self.issued_at + by, expires_at=self.expires_at + by)


class Tokens:
    """Issues tokens of one lifetime, and knows which are good. May be asked from any thread, for several accounts."""

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
        """The token of that id, if it is still good."""
        with self._lock:
            token = self._issued.get(token_id)
        return token if token is not None and now < token.expires_at else None

    def revoke(self) -> None:
        """End every token, as a changed password does."""
        with self._lock:
            self._issued.clear()
