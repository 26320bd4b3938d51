"""How an account says no, whatever API it is asked through."""

from enum import Enum


class Kind(Enum):
    """What is wrong with what was asked."""

    DENIED = "denied"
    BAD_CREDENTIALS = "bad-credentials"
    MALFORMED = "malformed"
    BAD_MARKER = "bad-marker"
    UNREADABLE_BODY = "unreadable-body"
    ABSENT = "absent"
    NOT_ACCEPTABLE = "not-acceptable"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    UNSUPPORTED = "unsupported"
    BROKEN = "broken"


class Resource(Enum):
    """What it was asked of."""

    INSTANCE = "instance"
    IMAGE = "image"
    VOLUME = "volume"
    CLUSTER = "cluster"
    STACK = "stack"
    TOKEN = "token"  # noqa: S105 - a kind of resource
    ACCOUNT = "account"


class Refusal(Exception):
    """A request that the account does not carry out; the message says why."""

    def __init__(self, kind: Kind, resource: Resource, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.resource = resource
