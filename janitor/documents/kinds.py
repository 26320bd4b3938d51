"""What the keys of a configuration take: text, secrets, addresses, numbers. Messages show neither secret nor URL."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from janitor.documents import forms
from janitor.documents.forms import text_form, whole, with_schema, written
from janitor.documents.schema import Label, read_as

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CHANNEL = re.compile(r"#?[^\s#@<>&|,]{1,80}")

A_URL = "write a URL, like https://host/path"
"""What is said of a value that is not text where a URL is wanted."""


def secret(text: str) -> str:
    """The text, if it is one line. Raises ValueError, with a message fit for people and without the text."""
    if _CONTROL.search(text):
        raise ValueError("holds a line break or another control character")
    return text


def web_address(text: str) -> str:
    """The text, if it is a URL of a web server. The message never shows it: it could hold a secret."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", text) or _CONTROL.search(text):
        raise ValueError("is not a URL like https://host/path or http://host/path")
    return text


def base_address(text: str) -> str:
    """A URL to which paths are added, without the slash at its end."""
    parts = urlsplit(web_address(text))
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password")
    if "?" in text or "#" in text:
        raise ValueError("must not hold a ? or #: paths are added to it")
    return text.rstrip("/")


def private_address(text: str) -> str:
    """A URL whose traffic nobody on the way can read or change: https, or on this machine."""
    parts = urlsplit(web_address(text))
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise ValueError("must be https: http is for loopback only")
    return text


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def number(convert: Callable[[str], float]) -> BeforeValidator:
    """A validator that also accepts a number as text, as every value from the environment is text."""

    def read(value: object) -> object:
        plain = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,12})?", value)
        try:
            return convert(str(value)) if plain else value
        except ValueError:
            return value

    return BeforeValidator(read)


Text = Annotated[str, read_as(str, "write text, in quotes")]
Secret = Annotated[str, read_as(secret, "write text, in quotes", forms.LINE)]
WebAddress = Annotated[str, read_as(web_address, A_URL, forms.URL)]
SecretAddress = Annotated[Secret, AfterValidator(web_address), written(forms.URL, A_URL)]
BaseAddress = Annotated[str, read_as(base_address, A_URL, forms.BASE_URL)]
PrivateAddress = Annotated[str, read_as(private_address, A_URL, forms.PRIVATE_URL)]
Whole = Annotated[int, number(int)]
AtLeastOne = Annotated[Whole, Field(ge=1), whole(1)]
AtOnce = Annotated[Whole, Field(ge=1, le=32), whole(1, 32)]
Price = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False),
    number(float),
    with_schema({"anyOf": [{"type": "number", "minimum": 0}, text_form(forms.PRICE)]}),
]


_A_CHANNEL = 'write a channel by its name with #, in quotes like "#cloud-images", or by its id like C0123456789'


def _channel(text: str) -> str:
    if not _CHANNEL.fullmatch(text):
        raise ValueError(f'"{text}" is not a channel: write its name with #, in quotes, or its id like C0123456789')
    return text


SlackChannel = Annotated[Label, AfterValidator(_channel), written(forms.CHANNEL, _A_CHANNEL, ["#cloud-images"])]
"""A channel of Slack's by id or by name, with or without #, as Slack takes both; no blanks nor several."""
