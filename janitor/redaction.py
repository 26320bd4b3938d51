"""Keeping secrets out of messages, also where a server or a library repeats them.

Secrets are what grants access: passwords, tokens, appkeys, the paths of webhooks. Names of users, projects and places
are not: they are everyday words, and without them no message says what it is about.
"""

import html
import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

_LONG = 8
_RANDOM = 16  # a part of a path of at least so many characters is taken for a secret, not a word
_WORD = "A-Za-z0-9_"
_OF_DATABASES = ("postgresql", "postgres")
_PASSWORDS = re.compile("password=([^&]*)")
_NOTHING = re.compile("(?!)")
# What may precede a word although it looks like a part of it: %20 and \n are spaces.
_AFTER = rf"(?:(?<![{_WORD}])|(?<=%[0-9A-Fa-f]{{2}})|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{{4}}))"


class Redaction:
    """Redacts every secret that it knows, in plain, URL-quoted, JSON, HTML and base64 spelling, in any case.

    One of fewer than eight characters is redacted only as a whole word, as it could be a part of any word.
    Apply it to foreign text before that text is cut: half a secret would not be recognised. Safe to use from several
    threads at once.
    """

    def __init__(self, *secrets: str) -> None:
        self._secrets: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None  # made when a text is to be redacted, as seldom one is
        self._lock = threading.Lock()
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Redact these, too, from now on."""
        with self._lock:
            self._secrets.update(dict.fromkeys(filter(None, secrets)))
            self._pattern = None

    def __call__(self, text: str) -> str:
        return (self._pattern or self._compiled()).sub("***", text)

    def _compiled(self) -> re.Pattern[str]:
        with self._lock:
            self._pattern = made = _pattern_of(self._secrets)
            return made


FOUND_OUT = Redaction()
"""Redacts secrets that were found only at run time, as in a file. Logging applies it, since libraries log, too.
"""


def _pattern_of(secrets: Iterable[str]) -> re.Pattern[str]:
    expressions: dict[str, int] = {}
    for secret in secrets:
        for spelling in _spellings(secret):
            expression = re.escape(spelling) if len(secret) >= _LONG else _by_itself(spelling)
            expressions[expression] = len(spelling)
    longest_first = sorted(expressions, key=lambda expression: -expressions[expression])
    # Without case, because %2f and %2F spell the same.
    return re.compile("|".join(longest_first), re.IGNORECASE) if longest_first else _NOTHING


def _by_itself(spelling: str) -> str:
    """An expression for a text that is not a part of a word. A word of another script may follow, as in Korean."""
    before, after = (_edge(spelling[0], _AFTER, r"(?<!\w)"), _edge(spelling[-1], rf"(?![{_WORD}])", r"(?!\w)"))
    return f"{before}{re.escape(spelling)}{after}"


def _edge(character: str, ascii_edge: str, edge: str) -> str:
    if not (character.isalnum() or character == "_"):
        return ""
    return ascii_edge if character.isascii() else edge


def _spellings(secret: str) -> frozenset[str]:
    written = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    content = secret.encode(errors="surrogatepass")
    quoted = (quote(content, safe=""), quote(content), quote_plus(content))
    encoded = b64encode(content).decode().rstrip("=")
    return frozenset(
        {secret, html.escape(secret), html.escape(secret).replace("&#x27;", "&#39;"), *written, *quoted, encoded}
    )


def credentials_in(url: str) -> Iterator[str]:
    """The secrets of a URL: its password, or a user without one, which then is a token; as written and decoded.

    In that of a database a user without a password is no token, and a parameter may be a password, too.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    if parts.scheme in _OF_DATABASES:
        found = [parts.password, *_PASSWORDS.findall(parts.query)]
    else:
        found = [parts.password if parts.password is not None else parts.username]
    for written in filter(None, found):
        yield written
        yield unquote(written)


def secrets_of_webhook(url: str) -> Iterator[str]:
    """The parts of a secret address that must not be shown alone either: libraries quote paths and queries alone."""
    yield url
    yield from credentials_in(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    path, last = parts.path.rstrip("/"), parts.path.rstrip("/").rpartition("/")[2]
    yield from filter(None, (path, parts.query, last if len(last) >= _RANDOM else ""))
