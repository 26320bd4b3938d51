"""The key `owners` of a configuration: who is told of the images of which owner.

It is read apart from the schema of the file, since its keys are what people call owners.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import ConfigDict, model_validator

from janitor.core.recipients.addresses import address_in, domain_in
from janitor.core.recipients.recipients import Recipient, Recipients, same_owner
from janitor.documents import Document, Fault, forms
from janitor.documents.schema import Given, OneOrMore, Schema, check, read_as

_KEY = "owners"
_DEFAULT, _DOMAINS = "default", "domains"
_FORM = 'write {channel: "#team-web"} or {user: kim@example.com}'
_CHANNEL = re.compile(r"#[^\s#@<>&|,]{1,80}|[CG][A-Z0-9]{2,20}")
_CHANNEL_FORM = r"#(?:[^\s#@<>&|,]|\ufeff){1,80}|[CG][A-Z0-9]{2,20}"
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


def is_user_id(text: str) -> bool:
    """Whether a text has the form of Slack's ids of people."""
    return _USER.fullmatch(text) is not None


def is_person(place: str) -> bool:
    """Whether the place of a recipient is a person."""
    return is_user_id(place) or address_in(place) is not None


def _channel(text: str) -> str:
    if not _CHANNEL.fullmatch(text):
        raise ValueError(f'"{text}" is not a channel: write its name with #, in quotes, or its id like C0123456789')
    return text


def _user(text: str) -> str:
    user = text if is_user_id(text) else address_in(text)
    if user is None:
        raise ValueError(f'"{text}" is neither an id of Slack\'s like U0123456789 nor an e-mail address')
    return user


def _domain(text: str) -> str:
    domain = domain_in(text)
    if domain is None:
        raise ValueError(f'"{text}" is not a domain like example.com: other scripts are written as xn--…')
    return domain


class RecipientSchema(Schema):
    """Who is told, as written."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["channel"]}, {"required": ["user"]}]})

    channel: Given[Annotated[str, read_as(_channel, 'write a channel, in quotes like "#team-web"', _CHANNEL_FORM)]] = (
        None
    )
    user: Given[Annotated[str, read_as(_user, "write an id of Slack's or an e-mail address", forms.PERSON)]] = None
    mention: bool = False

    @model_validator(mode="after")
    def _reaches_somebody(self) -> "RecipientSchema":
        if self.channel is None and self.user is None:
            raise ValueError(f"says neither which channel nor which user: {_FORM}")
        if self.channel is not None and self.user is not None and not self.mention:
            raise ValueError("has a channel and a user: give one of them, or mention: true to mention the user there")
        if self.mention and self.user is None:
            raise ValueError("mentions nobody: say which user")
        return self

    def value(self) -> Recipient:
        """The recipient."""
        return Recipient(self.channel, self.user, self.mention)


class DomainsSchema(Schema):
    """The domains in which addresses that images name are looked up, as written beside the owners."""

    model_config = ConfigDict(extra="ignore")

    domains: OneOrMore[Annotated[str, read_as(_domain, "write a domain, like example.com", forms.DOMAIN)]]


def read_owners(document: Document) -> tuple[Recipients | None, list[Fault]]:
    """The recipients that are configured, None without `owners`, and everything that is wrong with them."""
    written = document.data.get(_KEY) if isinstance(document.data, dict) else None
    if not isinstance(written, dict):
        return None, []
    reading = _Reading(document, written)
    faults = list(reading.faults())
    return Recipients(reading.by_owner, reading.default, reading.domains), faults


class _Reading:
    """Reads the entries one by one."""

    def __init__(self, document: Document, written: dict[Any, Any]) -> None:
        self._document = document
        self._written = written
        self._names: dict[str, str] = {}
        self.by_owner: dict[str, Recipient] = {}
        self.default: Recipient | None = None
        self.domains: frozenset[str] = frozenset()

    def faults(self) -> Iterator[Fault]:
        """Reads all entries; gives what is wrong with them."""
        if not self._written:
            yield Fault((_KEY,), f"is empty: for each owner {_FORM}")
        if not _has_bot(self._document):
            yield Fault((_KEY,), "needs `slack` with a bot token, as a webhook posts to one channel only")
        for name in self._written:
            if name == _DOMAINS:
                yield from self._read_domains()
            else:
                yield from self._read(name)

    def _read_domains(self) -> Iterator[Fault]:
        schema, faults = check(DomainsSchema, self._document, (_KEY,))
        self.domains = frozenset(schema.domains) if schema else self.domains
        yield from faults

    def _read(self, name: str) -> Iterator[Fault]:
        schema, faults = check(RecipientSchema, self._document, (_KEY, name))
        yield from faults
        if schema is not None and name == _DEFAULT:
            self.default = schema.value()
        elif schema is not None:
            yield from self._add(name, schema.value())

    def _add(self, name: str, recipient: Recipient) -> Iterator[Fault]:
        owner = same_owner(name)
        if not owner:
            yield Fault((_KEY, name), "is an owner without a name")
        elif owner in self._names:
            yield Fault((_KEY, name), f'is the same owner as "{self._names[owner]}"')
        self._names[owner] = name
        self.by_owner[owner] = recipient


def _has_bot(document: Document) -> bool:
    """Whether Slack is configured with a bot token, or what is wrong with that is said already."""
    slack = document.data.get("slack") if isinstance(document.data, dict) else None
    wrong = any(fault.keys[:1] == ("slack",) for fault in document.faults)
    return wrong or (isinstance(slack, dict) and "token" in slack)
