"""How an account rejects a request, whatever the API."""

from enum import Enum


class Kind(Enum):
    """What is wrong with a request."""

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
    """The kind of resource that a request is about."""

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
