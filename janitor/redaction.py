"""Keeping secrets out of messages, also where a server or a library repeats them."""

import html
import json
import re
from urllib.parse import quote, quote_plus


class Redaction:
    """Redacts every secret it was told of, in plain, URL-quoted, JSON and HTML spelling.

    Apply it to foreign text before that text is cut: half a secret would not be recognised.
    """

    def __init__(self, *secrets: str) -> None:
        self._spellings: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Redact this one, too, from now on."""
        self._spellings |= _spellings(secret)
        longest_first = sorted(self._spellings, key=len, reverse=True)
        # Without case, because %2f and %2F spell the same.
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if longest_first else None

    def __call__(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub("***", text)


def _spellings(secret: str) -> frozenset[str]:
    written = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    quoted = (quote(secret, safe=""), quote(secret), quote_plus(secret))
    return frozenset({secret, html.escape(secret), *written, *quoted} - {""})
