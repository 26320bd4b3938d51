"""OpenStack's Image API v2, as NHN Cloud and every OpenStack cloud run it: the images of a project at one service.

Sources: the Image, Compute and Block Storage API references, and what a real Glance answers. Signing in and finding the
services is done by `keystone`.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from janitor.cloud.common.answers import Declined, undocumented
from janitor.cloud.common.at_once import at_once
from janitor.cloud.common.entries import id_of_listed
from janitor.cloud.common.records import Entry
from janitor.cloud.common.session import Session
from janitor.cloud.common.side_by_side import MarkedList
from janitor.cloud.common.tokens import Token, Tokens, renewal
from janitor.cloud.openstack.answers import judge
from janitor.cloud.openstack.catalogue import ImagePlace
from janitor.cloud.openstack.image_lists import ImageLists
from janitor.cloud.openstack.keystone import Grant, Identity
from janitor.cloud.openstack.lists import MOST_A_PAGE
from janitor.cloud.openstack.members import Members
from janitor.cloud.openstack.records import read_image
from janitor.cloud.openstack.urls import unversioned
from janitor.cloud.openstack.usage import UsageSurvey
from janitor.cloud.service import ONE_SERVICE, Lookup, Permit, Probe, ProbeFailed, Sources, always
from janitor.cloud.target import MOST_IMAGES
from janitor.core.image import Image, Sharing, Status
from janitor.core.names.image_ids import folded
from janitor.core.planning.deletion import Answer
from janitor.core.survey.binding import Binding
from janitor.core.survey.pages import PagesRead
from janitor.core.units import counted
from janitor.core.usage import EarlierUsage, Usage
from janitor.errors import CloudError
from janitor.redaction import Redaction
from janitor.transport import Call, HttpOptions, Reply, path_segment
from janitor.transport.http import Transport

if TYPE_CHECKING:
    import httpx

_NO_OPTIONS = HttpOptions()
_USUAL_SOURCES = Sources()
_TELLING = 2
_BRIEFLY = timedelta(seconds=10)

UNSEEN = (
    "launch templates, autoscaling groups and ids in files are not visible to any API: declare them in `references`"
)
"""What may use an image although no API shows it."""


class OpenStackClient:
    """The images of one project at one image service. Safe to use from several threads at once; `close` when done.

    Keeps every promise of `ImageService`. `place` is the image service, and `region` the configured one, if any.
    `imageless`: servers without an image may leave the key `image` out. `grant` is the result of an earlier sign-in;
    `clock` dates the token; a set `stop` ends waiting between tries. An `http_transport` takes requests elsewhere than
    to a socket. A list of more than `max_images` is an error.
    """

    by_id = True

    def __init__(
        self,
        identity: Identity,
        place: ImagePlace,
        region: str | None,
        options: HttpOptions = _NO_OPTIONS,
        *,
        sources: Sources = _USUAL_SOURCES,
        imageless: bool = False,
        shared_ignored: bool = False,
        clock: Callable[[], datetime],
        stop: threading.Event | None = None,
        http_transport: "httpx.BaseTransport | None" = None,
        max_images: int = MOST_IMAGES,
        grant: Grant | None = None,
    ) -> None:
        """Wide because everything is passed in: a client reads neither files nor the environment."""
        self._identity = identity
        self._place = place
        self._region = region
        self._options = replace(options, page_size=min(options.page_size, MOST_A_PAGE))
        self._max_images = max_images
        self._sources = sources
        self._imageless = imageless
        self._clock = clock
        self._redact = Redaction(*identity.secrets)
        self._transport = Transport(options, self._redact, stop, http_transport, identity.verify)
        self._tokens = Tokens(self._sign_in, clock)
        self._session = Session(self._transport, self._tokens, self._judge, clock)
        self._members = Members(self._session, self._image_url, ignored=shared_ignored)
        self._brief_transport = partial(
            Transport,
            replace(options, attempts=1, timeout=min(options.timeout, _BRIEFLY)),
            self._redact,
            stop,
            http_transport,
            identity.verify,
        )
        self._list = MarkedList(id_of_listed, options.parallel_pages, lambda: self._session.throttled)
        self._lists = self._new_lists("")
        self._left_out: list[str] = []
        self._given = grant
        self._grant: Grant | None = None

    def images(self, markers: Sequence[str] | None = ()) -> Iterator[Image]:
        """Every image that a list shows, other pages being fetched while one is read: see `ImageLists.images`."""
        self._lists = self._new_lists(self._granted().project)
        self._left_out = []
        return self._lists.images(markers)

    def _new_lists(self, project: str) -> ImageLists:
        return ImageLists(
            self._session,
            self._image_url,
            project,
            self._list,
            page_size=self._options.page_size,
            max_images=self._max_images,
        )

    def digests(self) -> dict[str, bytes]:
        """The digest of each image's entry in the lists that were read last."""
        return self._lists.digests

    def forget_digests(self) -> None:
        """Keep these no longer."""
        self._lists.digests = {}

    def pages_read(self) -> PagesRead:
        """How the long list was read the last time."""
        return self._list.read

    def unlisted(self, known: Iterable[str]) -> Lookup:
        """Those of these images that can be read by their id: every list omits a killed upload.

        One that the lists should show is an irregularity: they may omit others, too, whose ids are unknown. Only 404
        says that there is no such image; one that we may not read may exist.
        """
        unanswered: list[str] = []

        def ask(image_id: str) -> Image | None:
            try:
                return self.latest(image_id)
            except Declined as error:
                if not error.forbidden:
                    raise
                unanswered.append(image_id)
                return None

        found = tuple(image for image in at_once(ask, known) if image is not None)
        self._left_out += [image.id for image in found if _is_to_be_listed(image)]
        return Lookup(found, frozenset(unanswered))

    def latest(self, image_id: str) -> Image | None:
        """An image as it is now, or None where there is no such image. Raises Declined where it may not be read."""
        project = self._granted().project

        def read(found: Entry) -> Image:
            if folded(str(found.get("id"))) != folded(image_id):
                raise undocumented("the answer is for another image")
            return read_image(found, project)

        try:
            return self._session.ask(Call("GET /v2/images/{id}", "GET", self._image_url(image_id)), read)
        except Declined as error:
            if not error.absent:
                raise
            return None

    def usage(self, images: Sequence[Image], earlier: EarlierUsage) -> Usage:
        """What uses which of these images, by the target's sources, all of which are asked in parallel.

        `problem` says which of those that matter cannot be read completely and unambiguously.
        """
        survey = UsageSurvey(self._session, self._granted(), self._place, self._region, self._options, self._imageless)
        return survey.usage(images, self.unidentified(), self._sources, earlier)

    def shareable(self, images: Iterable[Image]) -> Sequence[Image]:
        """Those whose visibility allows members, unless sharing is ignored."""
        return self._members.shareable(images)

    def sharing(self, images: Iterable[Image]) -> Mapping[str, Sharing]:
        """With whom these images are shared, one request for each that may be shared."""
        return self._members.sharing(images)

    def delete(self, image_id: str, permit: Permit = always) -> Answer:
        """Request the deletion of one image."""
        return self._session.delete(Call("DELETE /v2/images/{id}", "DELETE", self._image_url(image_id)), permit)

    def other_names(self, images: Sequence[Image]) -> list[str]:
        """The other URLs of the catalogue under which images of ours are listed: they are this image service."""
        ours = [image.id for image in images if _is_to_be_listed(image)][:_TELLING]
        asked = [(place, image_id) for place in self._granted().catalogue.beside(self._place) for image_id in ours]
        if not asked:
            return []
        with closing(self._brief_transport()) as transport:
            brief = Session(transport, self._tokens, self._judge, self._clock)
            known = at_once(lambda pair: self._is_ours_at(brief, *pair), asked)
        found = {place: image_id for (place, image_id), is_ours in zip(asked, known, strict=True) if is_ours}
        return [
            f"{place.url} and {self._place.url} list the same images ({image_id} among them): {ONE_SERVICE}"
            for place, image_id in found.items()
        ]

    def _is_ours_at(self, session: Session, place: ImagePlace, image_id: str) -> bool:
        project = self._granted().project
        url = "/".join([unversioned(place.url, project), "v2", "images", path_segment(image_id)])
        try:
            return session.ask(
                Call("GET /v2/images/{id}", "GET", url),
                lambda found: folded(str(found.get("id"))) == folded(image_id) and read_image(found, project).owned,
            )
        except CloudError:
            return False

    def probe(self) -> Probe:
        """Sign in, read all images and what uses them, and summarise that, with what no list shows."""
        granted = self._granted()
        images = list({image.id: image for image in self.images()}.values())
        usage = self.usage(images, EarlierUsage())
        seen = f"token accepted for project {granted.project}, {counted(len(images))} listed"
        if usage.problem is not None:
            raise ProbeFailed(f"{seen}, but what is in use could not be read: {usage.problem}", usage.readings)
        if twins := self.other_names(images):
            raise ProbeFailed(f"{seen}, but {'; '.join(twins)}", usage.readings)
        unasked = granted.catalogue.unasked
        also = [f"{', '.join(unasked)} may use images too, but cannot be asked"] if unasked else []
        words = [seen, counted(usage.instances, "server"), *also, UNSEEN]
        return Probe(", ".join(words), usage.readings)

    def binding(self) -> Binding:
        """The project, and the URL of its image service."""
        granted = self._granted()
        return Binding("openstack", granted.project, granted.catalogue.normalised(self._place))

    def clock_offset(self) -> timedelta | None:
        """How far the server's clock is ahead of ours, the largest difference so far, by its answers."""
        return self._session.clock_offset

    def unidentified(self) -> tuple[Image, ...]:
        """The entries of the lists that had no id when they were last read."""
        return self._lists.unidentified()

    def irregularities(self) -> list[str]:
        """The images that the lists should have shown."""
        left_out = self._left_out
        others = f" and {len(left_out) - 1} more" if len(left_out) > 1 else ""
        return [f"the image list omits image {left_out[0]}{others}, which exists and is active"] if left_out else []

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _judge(self, reply: Reply, label: str) -> Entry:
        return judge(reply, label, self._redact, self._clock())

    def _granted(self) -> Grant:
        """What the first sign-in gave: later ones only renew the token, so that a target stays the same."""
        self._tokens.current()
        assert self._grant is not None
        return self._grant

    def _sign_in(self) -> Token:
        asked_at = self._clock()
        given, self._given = self._given, None
        grant = given or self._transport.persist(
            self._identity.label, lambda seconds: self._identity.grant(seconds, self._transport)
        )
        self._redact.add(grant.token)
        self._grant = self._grant or grant
        if grant.project != self._grant.project:
            raise CloudError(f"{self._identity.label}: the new token is for another project than the one before")
        asked_at = grant.asked_at or asked_at
        self._session.note_token(grant.issued_at, asked_at)
        return Token(grant.token, renewal(asked_at, grant.issued_at, grant.expires), grant.issued_at)

    def _image_url(self, *path: str) -> str:
        # The only version that this client uses; a URL in a catalogue may end with it.
        root = unversioned(self._place.url, self._granted().project)
        return "/".join([root, "v2", "images", *map(path_segment, path)])


def _is_to_be_listed(image: Image) -> bool:
    # For statuses other than this one, services differ in what they list.
    return image.owned and not image.public and image.os_hidden is False and image.status == Status.ACTIVE
