"""A recording cloud: answers from memory, and remembers the requests."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from janitor.cloud.service import Lookup, Permit, Probe, always
from janitor.core.image import Image, Sharing
from janitor.core.planning.deletion import Answer
from janitor.core.survey.binding import Binding
from janitor.core.survey.pages import PagesRead
from janitor.core.usage import EarlierUsage, Usage
from janitor.errors import CloudError

ACCOUNT = Binding("memory", "account")
OURS, THEIRS, MOVED = (Binding("memory", name) for name in ("ours", "theirs", "moved"))


@dataclass
class RecordingCloud:
    """An ImageService whose answers a test can set, per image where it matters.

    `answers` may hold, by image id, an Answer or an error for its deletion; `undone` names images whose deletion is
    accepted and not done; `lost` those that are deleted although an error is raised. `now` holds what is told of an
    image that is asked for just before its deletion, None where it is gone. `unseen` are the ids of which it does not
    say whether there is such an image; None where it cannot be asked for one.
    """

    listed: list[Image]
    used: Usage | CloudError = field(default_factory=Usage)
    answers: dict[str, Answer | CloudError] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    survey_errors: list[CloudError | None] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    on_delete: Callable[[str], None] = lambda image_id: None
    offset: timedelta | None = timedelta()
    reached: Binding = ACCOUNT
    irregular: list[str] = field(default_factory=list)
    twins: list[str] = field(default_factory=list)
    hidden: list[Image] = field(default_factory=list)
    unseen: set[str] | None = None
    shared: dict[str, Sharing] | CloudError = field(default_factory=dict)
    now: dict[str, Image | CloudError | None] = field(default_factory=dict)
    asked_at: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    unlisted_asked: list[str] = field(default_factory=list)
    sharing_asked: list[list[str]] = field(default_factory=list)
    earlier: list[EarlierUsage] = field(default_factory=list)
    by_id: bool = True
    surveys: int = 0
    closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def images(self, markers: Sequence[str] | None = ()) -> Iterator[Image]:
        self.surveys += 1
        self.asked_at = list(markers or ())
        error = self.survey_errors.pop(0) if self.survey_errors else None
        if error is not None:
            raise error
        yield from list(self.listed)

    def digests(self) -> dict[str, bytes]:
        return {}

    def forget_digests(self) -> None:
        pass

    def pages_read(self) -> PagesRead:
        return PagesRead(tuple(self.marked))

    def unlisted(self, known: Iterable[str]) -> Lookup:
        self.unlisted_asked = list(known)
        wanted = set(self.unlisted_asked)
        found = tuple(image for image in self.hidden if image.id in wanted - (self.unseen or set()))
        return Lookup(found, None if self.unseen is None else frozenset(self.unseen & wanted))

    def latest(self, image_id: str) -> Image | None:
        assert self.by_id
        there = {image.id: image for image in (*self.listed, *self.hidden)}
        found = self.now.get(image_id, there.get(image_id))
        if isinstance(found, CloudError):
            raise found
        return found

    def shareable(self, images: Iterable[Image]) -> list[Image]:
        return list(images) if self.shared else []

    def sharing(self, images: Iterable[Image]) -> dict[str, Sharing]:
        self.sharing_asked.append([image.id for image in images])
        if isinstance(self.shared, CloudError):
            raise self.shared
        return self.shared

    def usage(self, images: Sequence[Image], earlier: EarlierUsage) -> Usage:
        self.earlier.append(earlier)
        if isinstance(self.used, CloudError):
            raise self.used
        return self.used

    def delete(self, image_id: str, permit: Permit = always) -> Answer:
        permit()
        with self._lock:
            self.deleted.append(image_id)
        self.on_delete(image_id)
        answer = self.answers.get(image_id, Answer.ACCEPTED)
        gone = answer is Answer.ACCEPTED and image_id not in self.undone
        if gone or image_id in self.lost or answer is Answer.ABSENT:
            with self._lock:
                self.listed = [image for image in self.listed if image.id != image_id]
                self.hidden = [image for image in self.hidden if image.id != image_id]
        if isinstance(answer, CloudError):
            raise answer
        return answer

    def binding(self) -> Binding:
        return self.reached

    def clock_offset(self) -> timedelta | None:
        return self.offset

    def unidentified(self) -> Sequence[Image]:
        return ()

    def irregularities(self) -> list[str]:
        return self.irregular

    def other_names(self, images: Sequence[Image]) -> list[str]:
        return self.twins

    def probe(self) -> Probe:
        return Probe("answers from memory")

    def close(self) -> None:
        self.closed = True
