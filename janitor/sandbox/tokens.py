"""The tokens that an account has issued."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Token:
    """A token; it is good before `expires_at`, which is a whole second as its answer writes it."""

    id: str
    issued_at: datetime
    expires_at: datetime


class Tokens:
    """Issues tokens of one lifetime, and knows which are good."""

    def __init__(self, lifetime: timedelta) -> None:
        self._lifetime = lifetime
        self._issued: dict[str, Token] = {}

    def issue(self, now: datetime) -> Token:
        """A new token."""
        self._issued = {token.id: token for token in self._issued.values() if now < token.expires_at}
        token = Token(secrets.token_hex(16), now, (now + self._lifetime).replace(microsecond=0))
        self._issued[token.id] = token
        return token

    def find(self, token_id: str, now: datetime) -> Token | None:
        """The token of that id, if it is still good."""
        token = self._issued.get(token_id)
        return token if token is not None and now < token.expires_at else None

    def revoke(self) -> None:
        """End every token, as a changed password does."""
        self._issued.clear()
