"""The account: a cloud without sockets, how it is reached, and which of its images must not be deleted.

By the configuration that the sandbox writes, and by nothing else, the janitor connects.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from starlette.responses import Response

from janitor.cloud.service import Need
from janitor.core.usage import Source
from janitor.sandbox.calls import Api
from janitor.sandbox.models import OURS, StoredImage
from janitor.sandbox.options import MarkerReading
from janitor.sandbox.request_log import Call, RecordedRequest
from tests.in_process import in_process
from tests.nights.clockwork import Carrier, Clockwork
from tests.nights.cloud import draw_cloud
from tests.nights.order import one_at_a_time
from tests.nights.team import name_of
from tests.nights.texts import draw_texts
from tests.nights.usage import Usage
from tests.nights.uses import Place, Truth

USAGE_MEMORY = timedelta(hours=24)
PAGE_SIZE = 10
_NEWBORN = timedelta(minutes=10)
_PATIENCE = timedelta(seconds=30)
_TELLING = ("name", "status", "createdAt", "created_at", "protected", "isPublic", "visibility", "owner", "tags")


@dataclass(frozen=True)
class Asked:
    """A deletion that a run requested: of which image, when, and why it should not have, if there is a reason."""

    image: str
    at: datetime
    objection: str | None


class Account:
    """One account of a seed, and everything that runs ask of it.

    `asked` are the deletions that were asked for since it was cleared, and `deleted` those that were ever carried out.
    `looked_at` are the images that were asked for by their ids since it was cleared, as they were then. `edge` is told
    of the last image of a page before the next page is asked for, and says whether it did something to it; then it is
    told of no other. `former_names` are those that images had, each with the time until which.
    """

    def __init__(self, draw: Random, clockwork: Clockwork, folder: Path) -> None:
        self._clockwork = clockwork
        self.objection: Callable[[StoredImage], str | None] = lambda _image: None
        self.asked: list[Asked] = []
        self.deleted: dict[str, datetime] = {}
        self.looked_at: dict[str, StoredImage] = {}
        self.edge: Callable[[str], bool] = untouched
        self.former_names: dict[str, list[tuple[datetime, str | None]]] = {}
        self._read = 0
        self._lost: str | None = None
        self.cloud = draw_cloud(draw)
        self.api = self.cloud.options.api
        self.sandbox, http_transport = in_process(self.cloud.options, lambda: clockwork.now, self._witness)
        self.http_transport = Carrier(clockwork, http_transport)
        self.mine = self.sandbox.account
        self.texts = draw_texts(draw, folder)
        self._forget_what_nobody_declares()
        self._rename_images()
        self.truth = Truth(self.sandbox, self.texts)
        self.target = self.cloud.site
        self.usage = Usage(
            self.truth,
            self._need,
            USAGE_MEMORY,
            shows_down_cells=self._shows_down_cells,
            tells_ended=self.api is Api.OPENSTACK,
        )

    @property
    def now(self) -> datetime:
        """The time of the account, and of everyone."""
        return self._clockwork.now

    def one_at_a_time(self) -> AbstractContextManager[None]:
        """Inside, a seed repeats itself exactly."""
        return one_at_a_time()

    def configuration(self, **values: str) -> str:
        """The text of a janitor.yaml for this account."""
        text = self.cloud.configured(self.sandbox.configuration(**values))
        return text + self.texts.configuration(self.cloud.options)

    def _forget_what_nobody_declares(self) -> None:
        """Launch templates belong to the first region, and are known if people declare their document."""
        for account in self.sandbox.accounts.values():
            if account is not self.mine or not self.texts.needs:
                for name in account.launch_templates:
                    account.remove_launch_template(name)

    def _rename_images(self) -> None:
        """People call images as lists do; and kernels and ramdisks so that a policy lets them expire one by one."""
        for place, image in enumerate(self.mine.images.values()):
            if isinstance(listed := image.wire.get("name"), str):
                self.mine.change_image(image.id, name=listed)
            elif image.disk_format in ("aki", "ari"):
                self.mine.change_image(image.id, name=f"uec-{image.disk_format}-{place}")

    def name_at(self, image: str, at: datetime) -> str | None:
        """The name of an image at that time."""
        former = (name for until, name in self.former_names.get(image, ()) if at < until)
        listed = self.mine.images.get(image)
        return next(former, None if listed is None else name_of(listed))

    def _need(self, place: Place) -> Need:
        return self.texts.needs[place.number] if place.source is Source.REFERENCES else self.cloud.needs[place.source]

    def _shows_down_cells(self, place: Place) -> bool:
        """Whether a compute service lists what is in a cell that is down: by a newer version, and on a first page."""
        options = self.cloud.options
        newest = options.compute_microversion
        offered = newest != "none" and int(newest.partition(".")[2]) >= 69
        return self.api is Api.OPENSTACK and offered and self.truth.servers(place) <= options.page_cap

    async def _witness(self, call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        self.usage.note_call(call)
        image = self.mine.images.get(call.image or "")
        if call.name == "show-image" and image is not None:
            self.looked_at[image.id] = image
        if call.name == "delete-image":
            # A change by people between the last check of an image and its deletion cannot be known.
            image = image and self.looked_at.get(image.id, image)
            objection = None if image is None else self._why_not(image) or self.objection(image)
            self.asked.append(Asked(call.image or "", self.now, objection))
        response = await answer()
        if call.name == "list-images" and (last := self._last_of_page(response)) and self.edge(last):
            self.edge = untouched
        return _without(self._lost, response) if call.name == "issue-token" and self._lost else response

    def _last_of_page(self, response: Response) -> str | None:
        """The image that will be named to get the page after this one, where somebody could still be told of it."""
        options = self.cloud.options
        if self.api is Api.TOAST and options.marker is not MarkerReading.INCLUSIVE:
            return None  # if no page shows it again and it cannot be asked for, nobody can know
        try:
            images = json.loads(bytes(response.body))["images"]
        except (ValueError, KeyError):
            return None
        return images[-1]["id"] if len(images) == min(PAGE_SIZE, options.page_cap) else None

    def _why_not(self, image: StoredImage) -> str | None:
        gone = {asked.image for asked in self.asked}
        return self._guard(image) or self.usage.objection(image.id, self.now, self._unread(), gone)

    # The requests of runs.

    def news(self) -> list[RecordedRequest]:
        """The requests since this was asked last; what they did is noted."""
        requests = self._unread()
        self._read += len(requests)
        for request in requests:
            if request.name == "delete-image" and request.code == 0 and "deletion-not-done" not in request.faults:
                self.deleted[request.image or ""] = request.at
        return requests

    def _unread(self) -> list[RecordedRequest]:
        return list(self.sandbox.requests[self._read :])

    def begin(self, good: Sequence[datetime], lost: str | None) -> None:
        """A run begins, whose catalogue leaves out the service of that name; surveys were accepted at these times."""
        self.asked.clear()
        self.looked_at.clear()
        self._lost = lost
        patient = all(rule.delay <= _PATIENCE for rule in self.sandbox.faults.rules)
        self.usage.begin(good, lost=lost, patient=patient)

    def note_usage(self, requests: Iterable[RecordedRequest], at: datetime) -> None:
        """A run has recorded which images were in use then."""
        self.usage.note_survey(requests, at)

    # What must not be deleted.

    def unguarded(self) -> list[StoredImage]:
        """The images that may be deleted now, if the policies let them."""
        used = self.usage.used(self.now)
        return [image for image in self.mine.images.values() if not self._guard(image) and image.id not in used]

    def _guard(self, image: StoredImage) -> str | None:
        """Why an image must not be deleted now, whatever the policies say and whatever uses it."""
        holds = {
            "gone": image.status in ("deleted", "pending_delete"),
            "public": image.visibility in ("public", "community"),
            "protected": image.protected,
            "another project's": image.owner != OURS,
            "shared": image.visibility == "shared" and "accepted" in image.members.values(),
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

    @property
    def servers(self) -> int:
        """How many servers there are at all places."""
        return sum(len(account.instances) for account in self.truth.accounts.values())


def untouched(_image: str) -> bool:
    """A period in which nobody changes it."""
    return False


def _without(service: str, response: Response) -> Response:
    """The answer to a sign-in, its catalogue without the services of that name."""
    try:
        document = json.loads(bytes(response.body))
        document["access"]["serviceCatalog"] = [
            entry for entry in document["access"]["serviceCatalog"] if entry["name"] != service
        ]
    except (ValueError, KeyError):
        return response
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(json.dumps(document), response.status_code, headers)


def _readable(key: str, value: object) -> bool:
    """Whether an odd value of the fleet can still be read; only some names can."""
    return key == "name" and isinstance(value, str)
