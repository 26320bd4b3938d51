"""What one API is to the rest of the program: everything else about it lies in its own folder."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from janitor.clock import utc_now
from janitor.cloud.schema import TargetSchema
from janitor.cloud.service import ImageService
from janitor.cloud.target import MOST_IMAGES
from janitor.core.image import Image
from janitor.core.names.wire_keys import WireKeys
from janitor.documents import Fault

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How an API is asked: by this clock, until `stop` is set, over sockets unless an `http_transport` is given.

    `max_images`: a longer list of images is an error.
    """

    clock: Callable[[], datetime] = utc_now
    stop: threading.Event | None = None
    http_transport: "httpx.BaseTransport | None" = None
    max_images: int = MOST_IMAGES


@dataclass(frozen=True, slots=True)
class Place:
    """One image service that a target cleans: the names that its site may have, and how to connect to it.

    `project` is its project, where the API has projects; `unique` is that project and the image service, which no two
    sites may share.
    """

    names: tuple[str, ...]
    connect: Callable[[Surroundings], ImageService]
    project: str | None = None
    unique: tuple[str, str] | None = None


class Account(Protocol):
    """A target that is signed in to."""

    def places(self) -> list[Place]:
        """The image services to clean.

        Raises UsageError for a region that does not exist, and where one has to be chosen.
        """
        ...

    def no_place(self, name: str) -> str:
        """Why there is no site with that name."""
        ...


class Authentication(Protocol):
    """How to sign in to a target's account. Nothing has been sent yet."""

    def sign_in(self, surroundings: Surroundings) -> Account:
        """Sign in, where that is needed to know what there is to clean. Raises CloudError."""
        ...


Contradictions = Callable[[Mapping[str, object], Mapping[str, str], Mapping[str, str]], Iterator[Fault]]
"""Finds contradictions between valid keys of a target, by its values, why others are empty, and the environment.

The keys of its faults are those inside the target."""


def no_contradictions(
    _target: Mapping[str, object], _empty: Mapping[str, str], _environ: Mapping[str, str]
) -> Iterator[Fault]:
    """Nothing."""
    return iter(())


Shareable = Callable[[Any], Callable[[Image], bool]]
"""Given a target of the schema, or None for one that is no longer configured, says which images may be shared."""


def never_shared(_target: object) -> Callable[[Image], bool]:
    """No image, as the API has no sharing."""
    return lambda _image: False


@dataclass(frozen=True, slots=True)
class Api:
    """One API: the keys of its targets, how their accounts are found, and its names for the fields of every image.

    `secrets` are the keys that a file may give, as `password_file` does. `authenticate` takes the targets that the
    schema makes, and raises UsageError for credentials that make no sense. `credentials` are these of such a target, in
    words for a person who is to look at them. `addresses` are the other keys that only signing in and requests need.
    `shareable` says for which images a run asks with whom they are shared.
    """

    name: str
    schema: type[TargetSchema]
    secrets: tuple[str, ...]
    addresses: tuple[str, ...]
    authenticate: Callable[[Any], Authentication]
    credentials: Callable[[Any], str]
    wire_keys: WireKeys
    contradictions: Contradictions = no_contradictions
    shareable: Shareable = never_shared
