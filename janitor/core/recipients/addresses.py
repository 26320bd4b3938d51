"""E-mail addresses in texts that anybody may have written: only what is plainly one address is one."""

import re

_LONGEST = 254  # RFC 5321, 4.5.3.1.3, without the brackets
_LONGEST_NAME = 64
_NAME = re.compile(r"[a-z0-9_+'%-]+(?:\.[a-z0-9_+'%-]+)*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def address_in(text: str) -> str | None:
    """The address that a text is, in lower case; None if it is anything else, or anything more.

    It must be plain ASCII: other letters may look like those of a domain that they are not. A domain in other scripts
    is written as it is looked up, `xn--…`.
    """
    lower = text.lower() if text.isascii() else ""
    name, _, domain = lower.partition("@")
    plain = len(lower) <= _LONGEST and len(name) <= _LONGEST_NAME
    return lower if plain and _NAME.fullmatch(name) and domain_in(domain) else None


def domain_in(text: str) -> str | None:
    """The domain that a text is, in lower case; None if it is anything else. It must be plain ASCII, too."""
    lower = text.lower() if text.isascii() else ""
    return lower if _DOMAIN.fullmatch(lower) else None


def domain_of(address: str) -> str:
    """The domain of an address."""
    return address.rpartition("@")[2]
