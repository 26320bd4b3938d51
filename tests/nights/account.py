"""The account: a cloud without sockets, the way to it, and what of it must not be touched.

Which API it speaks is chosen here and nowhere else: by the configuration that the sandbox writes, the janitor connects.
"""

from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar
from unittest import mock

from starlette.responses import Response

from janitor.sandbox.calls import Api
from janitor.sandbox.inprocess import in_process
from janitor.sandbox.options import Absent, Booleans, MarkerReading, Options, SortDirection, Times
from janitor.sandbox.record import Call, RecordedRequest
from janitor.sandbox.records import OURS, StoredImage
from tests.nights.clockwork import Carrier, Clockwork

T = TypeVar("T")
R = TypeVar("R")

TARGET = "sandbox"
USAGE_MEMORY = timedelta(hours=24)
CALLS: Mapping[Api, tuple[str, ...]] = {
    Api.TOAST: ("issue-token", "list-images", "delete-image", "detail-instances"),
    Api.OPENSTACK: (
        "issue-token",
        "list-images",
        "show-image",
        "delete-image",
        "list-members",
        "list-servers",
        "list-volumes",
    ),
}
"""What a run asks an account, by its API."""

SURVEYED = ("list-images", "show-image", "detail-instances", "list-servers", "list-volumes")
"""What makes a survey, before it is judged; with whom images are shared is asked later, and of a few."""

_INSTANCES = ("detail-instances", "list-servers")
_VOLUMES = ("list-volumes",)
_HARMLESS = {"delay", "clock-off", "dead-token"}
_NEWBORN = timedelta(minutes=10)
_TELLING = ("name", "status", "createdAt", "created_at", "protected", "isPublic", "visibility", "owner", "tags")


@dataclass(frozen=True)
class Asked:
    """A deletion that a run asked for: of which image, when, and what had to keep the run from it, if anything."""

    image: str
    at: datetime
    objection: str | None


class Account:
    """One account of a seed, and everything that runs ask of it.

    `asked` are the deletions that were asked for since it was cleared, and `deleted` those that were ever carried out.
    `looked_at` are the images that were asked for by their ids since it was cleared, as they were then.
    """

    def __init__(self, draw: Random, clockwork: Clockwork) -> None:
        self._clockwork = clockwork
        self.objection: Callable[[StoredImage], str | None] = lambda _image: None
        self.asked: list[Asked] = []
        self.deleted: dict[str, datetime] = {}
        self.looked_at: dict[str, StoredImage] = {}
        self._seen_in_use: dict[str, datetime] = {}
        self._seen_in_volumes: set[str] = set()
        self._read = 0
        self.api = draw.choice(list(Api))
        self.sandbox, carrier = in_process(_options(draw, self.api), lambda: clockwork.now, self._witness)
        self.carrier = Carrier(clockwork, carrier)
        self.mine = self.sandbox.account

    @property
    def now(self) -> datetime:
        """The time of the account, and of everybody."""
        return self._clockwork.now

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Inside, no client asks for several images at once, or for pages ahead, so that a seed repeats itself exactly.

        Which of two threads comes first is another thing each time.
        """
        with (
            mock.patch("janitor.cloud.openstack._at_once", _one_by_one),
            mock.patch("janitor.cloud.openstack.ahead", _in_turn),
            mock.patch("janitor.cloud.toast.ahead", _in_turn),
        ):
            yield

    async def _witness(self, call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        image = self.mine.images.get(call.image or "")
        if call.name == "show-image" and image is not None:
            self.looked_at[image.id] = image
        if call.name == "delete-image":
            self._note_volumes()
            # What people change between the last look at an image and its deletion cannot be known.
            image = image and self.looked_at.get(image.id, image)
            objection = None if image is None else self.guard(image) or self.objection(image)
            self.asked.append(Asked(call.image or "", self.now, objection))
        return await answer()

    # What runs have asked.

    def news(self) -> list[RecordedRequest]:
        """The requests since this was asked last; what they did is noted."""
        self._note_volumes()
        requests = self._unread()
        self._read += len(requests)
        for request in requests:
            if request.name == "delete-image" and request.code == 0 and "deletion-not-done" not in request.faults:
                self.deleted[request.image or ""] = request.at
        return requests

    def _unread(self) -> list[RecordedRequest]:
        return list(self.sandbox.requests[self._read :])

    def _note_volumes(self) -> None:
        """Volumes are optional: what they use is known by the latest list of them that told the truth."""
        if _told_truly(self._unread(), _VOLUMES):
            self._seen_in_volumes = self._made_into_volumes()

    def note_usage(self, requests: list[RecordedRequest], at: datetime) -> None:
        """A run has written down which images were in use then, as far as its requests were told the truth."""
        if _told_truly(requests, _INSTANCES):
            self._seen_in_use |= dict.fromkeys(self._used(), at)

    # What must not be touched.

    def guard(self, image: StoredImage) -> str | None:
        """Why an image must not be deleted now, whatever the policies say."""
        seen = self._seen_in_use.get(image.id)
        holds = {
            "gone": image.status in ("deleted", "pending_delete"),
            "public": image.visibility in ("public", "community"),
            "protected": image.protected,
            "another project's": image.owner != OURS,
            "shared": image.visibility == "shared" and "accepted" in image.members.values(),
            "in use": image.id in self._used(),
            "made into a volume": image.id in self._seen_in_volumes & self._made_into_volumes(),
            "recently used": seen is not None and self.now - seen <= USAGE_MEMORY,
            "newborn": self.now - image.created_at < _NEWBORN,
            "unreadable": any(key in image.wire and not _readable(key, image.wire[key]) for key in _TELLING),
        }
        return next((word for word, held in holds.items() if held), None)

    def is_owned(self, image: StoredImage) -> bool:
        """Whether an image counts as the account's own; OpenStack lists no killed ones, which count where known."""
        unreadable = any(key in image.wire for key in ("isPublic", "visibility", "owner"))
        theirs = image.owner != OURS or image.visibility in ("public", "community")
        unlisted = ("deleted", "pending_delete", *(("killed",) if self.api is Api.OPENSTACK else ()))
        return not (theirs or unreadable or image.status in unlisted)

    def _used(self) -> set[str]:
        return {str(instance.image) for instance in self.mine.instances.values()}

    def _made_into_volumes(self) -> set[str]:
        return {str(volume.image) for volume in self.mine.volumes.values()}


def _one_by_one(ask: Callable[[T], R], of: Iterable[T]) -> list[R]:
    return [ask(item) for item in of]


def _in_turn(source: Iterator[T]) -> Generator[T, None, None]:
    yield from source


def _options(draw: Random, api: Api) -> Options:
    alike = Options(
        api=api,
        images=draw.choice((40, 50, 60, 60, 150)),
        seed=draw.randrange(10**6),
        page_cap=draw.choice((7, 20, 1000)),
        marker=draw.choice(list(MarkerReading)),
        sort=draw.choice(list(SortDirection)),
        oddities=draw.random() < 0.3,
    )
    if api is not Api.TOAST:
        return alike
    booleans, times, absent = (draw.choice(list(choices)) for choices in (Booleans, Times, Absent))
    return replace(alike, booleans=Booleans(booleans), times=Times(times), absent=Absent(absent))


def _told_truly(requests: list[RecordedRequest], names: tuple[str, ...]) -> bool:
    """Whether a list was asked for, and nothing but the truth was told of it, or nothing at all."""
    asked = [request for request in requests if request.name in names]
    return bool(asked) and all(request.code == 0 and not set(request.faults) - _HARMLESS for request in asked)


def _readable(key: str, value: object) -> bool:
    """Whether an odd value of the fleet still tells what it should; of those, only some names do."""
    return key == "name" and isinstance(value, str)
