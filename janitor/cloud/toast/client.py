"""The Compute API v1.0 of NHN Cloud (TOAST): the appkey API, whose answers are judged by their header.

Source of its paths and fields: the vendor's image page. Nothing relies on what that page does not specify.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from janitor.clock import utc_now
from janitor.cloud.common import wire
from janitor.cloud.common.answers import Declined, undocumented
from janitor.cloud.common.at_once import NextAsked
from janitor.cloud.common.entries import Entries, Listed, id_of_listed, not_the_end
from janitor.cloud.common.markers import Found, Markers
from janitor.cloud.common.merging import Merging
from janitor.cloud.common.paging import MarkerGone, ahead
from janitor.cloud.common.records import Entry, read_entries
from janitor.cloud.common.session import Session, Unread, denied
from janitor.cloud.common.side_by_side import MarkedList
from janitor.cloud.common.tokens import Token, Tokens
from janitor.cloud.service import Lookup, Permit, Probe, always
from janitor.cloud.target import LIMIT_OF_IMAGES, MOST_IMAGES
from janitor.cloud.toast.answers import judge
from janitor.cloud.toast.records import read_image, read_token, read_usage
from janitor.cloud.toast.target import appkey_binding
from janitor.core.image import Image, Sharing
from janitor.core.planning.deletion import Answer
from janitor.core.survey.binding import Binding
from janitor.core.survey.pages import PagesRead
from janitor.core.units import counted
from janitor.core.usage import EarlierUsage, Usage
from janitor.errors import CloudError, Refused
from janitor.redaction import Redaction
from janitor.transport import Call, HttpOptions, Reply, path_segment
from janitor.transport.http import Transport

if TYPE_CHECKING:
    import httpx

_Unread = Unread[list[Any], Found[Listed]]

_NO_OPTIONS = HttpOptions()
_READER = "toast"
_LONGER = (2, 4, 8)
"""How many times as long a page is asked for, where no entry of one has an id."""


class ToastClient:
    """The images of one appkey. Safe to use from several threads at once; `close` when done.

    Keeps every promise of `ImageService`. `clock` dates the token; a set `stop` ends waiting between tries. An
    `http_transport` takes requests elsewhere than to a socket. `imageless`: instances without an image may leave the
    key `image` out. A list of more than `max_images` is an error.
    """

    by_id = False

    def __init__(
        self,
        endpoint: str,
        appkey: str,
        username: str,
        password: str,
        options: HttpOptions = _NO_OPTIONS,
        *,
        imageless: bool = False,
        clock: Callable[[], datetime] = utc_now,
        stop: threading.Event | None = None,
        http_transport: "httpx.BaseTransport | None" = None,
        max_images: int = MOST_IMAGES,
    ) -> None:
        """Wide because everything is passed in: a client reads neither files nor the environment."""
        self._binding = appkey_binding(endpoint, appkey)
        self._root = f"{endpoint.rstrip('/')}/v1.0/appkeys/{path_segment(appkey)}"
        self._credentials = {"auth": {"username": username, "password": password}}
        self._options = options
        self._max_images = max_images
        self._imageless = imageless
        self._clock = clock
        self._redact = Redaction(appkey, password)
        self._transport = Transport(options, self._redact, stop, http_transport)
        self._entries, self._digests = Entries(read_image, _READER), dict[str, bytes]()
        self._longest = 0
        self._session = Session(self._transport, Tokens(self._issue_token, clock), self._judge, clock)
        self._list = MarkedList(id_of_listed, options.parallel_pages, lambda: self._session.throttled)

    def images(self, markers: Sequence[str] | None = ()) -> Iterator[Image]:
        """Every image of the appkey, other pages being fetched while one is read: the next, or those at markers."""
        merging, self._entries, self._longest = Merging(), Entries(read_image, _READER), 0
        self._digests = merging.digests
        limit = self._options.page_size
        places = Markers(markers, self._unread) if markers else None
        with closing(NextAsked(self._unread)) as following:
            fetch = self._page if places else partial(self._page, following=following)
            walk = self._list.walk(places, fetch, limit, self._max_images, LIMIT_OF_IMAGES)
            with closing(walk), closing(ahead(walk)) as coming:
                for page in coming:
                    yield from merging.take(chain(page.new, page.again))

    def digests(self) -> dict[str, bytes]:
        """The digest of each image's entry in the list that was read last."""
        return self._digests

    def forget_digests(self) -> None:
        """Keep these no longer."""
        self._digests = {}

    def pages_read(self) -> PagesRead:
        """How the long list was read the last time."""
        return self._list.read

    def unlisted(self, known: Iterable[str]) -> Lookup:  # noqa: ARG002 - the port's
        """Nothing: this API lists all that there is, and cannot be asked for one image."""
        return Lookup(unanswered=None)

    def latest(self, image_id: str) -> Image | None:
        """Raises CloudError: this API cannot be asked for one image."""
        raise CloudError(f"image {image_id} cannot be read by itself: this API has lists only")

    def usage(self, images: Sequence[Image], earlier: EarlierUsage) -> Usage:  # noqa: ARG002 - the port's
        """Which images instances use, from the one list of all instances; any doubt about it is an error."""
        call = self._call("GET", "/instances-detail")
        entries = self._session.ask(call, _all_instances)
        return read_usage(entries, call.label, images, imageless=self._imageless)

    def shareable(self, images: Iterable[Image]) -> Sequence[Image]:  # noqa: ARG002 - the port's
        """None: this API has no sharing."""
        return ()

    def sharing(self, images: Iterable[Image]) -> Mapping[str, Sharing]:  # noqa: ARG002 - the port's
        """Nothing: this API has no sharing."""
        return {}

    def delete(self, image_id: str, permit: Permit = always) -> Answer:
        """Request the deletion of one image."""
        return self._session.delete(self._call("DELETE", "/images", {"id": image_id}), permit)

    def other_names(self, images: Sequence[Image]) -> list[str]:  # noqa: ARG002 - the port's
        """None: an appkey belongs to one account."""
        return []

    def probe(self) -> Probe:
        """Get a token, a page of images and all instances, and say so."""
        images = [listed.image for listed in self._page(None)]
        usage = self.usage(images, EarlierUsage())
        sentence = f"token accepted, {counted(len(images))} on the first page, {counted(usage.instances, 'instance')}"
        return Probe(sentence, usage.readings)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def binding(self) -> Binding:
        """A digest of the endpoint and the appkey."""
        return self._binding

    def clock_offset(self) -> timedelta | None:
        """How far the server's clock is ahead of ours, the largest difference so far, by its answers."""
        return self._session.clock_offset

    def unidentified(self) -> tuple[Image, ...]:
        """The entries of the list that had no id when it was last read."""
        return tuple(map(read_image, self._entries.others))

    def irregularities(self) -> list[str]:
        """Nothing: contradictions of a list are noted in its images."""
        return []

    def _page(self, marker: str | None, following: NextAsked[str | None, _Unread] | None = None) -> list[Listed]:
        """The images of a page. The next page is asked for, as what follows, before this one is read."""
        if following is None:
            unread = self._unread(marker)
        else:
            unread = following.ask(marker)
            last = Entries.last_id(unread.part)
            if last is not None:
                following.expect(last)
        page, keep = unread()
        keep()
        length = len(unread.part)
        if length and not page:
            return self._further(marker, length)
        self._longest = max(self._longest, length)
        return page

    def _further(self, marker: str | None, length: int) -> list[Listed]:
        """A longer page than one in which no entry has an id; an empty one at the end of the list.

        The end is a page that is shorter than others, and no longer where more is asked for, or where the service gives
        no more. Raises Implausible where that cannot be told.
        """
        for times in _LONGER:
            try:
                unread = self._unread(marker, self._options.page_size * times)
            except (Refused, MarkerGone):
                break
            page, keep = unread()
            keep()
            if page:
                return page
            if len(unread.part) <= length:
                break
            length = len(unread.part)
        if marker is not None and length < self._longest:
            return []
        raise not_the_end(length)

    def _unread(self, marker: str | None, limit: int | None = None) -> _Unread:
        """A page that has come. Read, it has its images, and what keeps its entries without an id if it is used."""
        params = {"limit": str(limit or self._options.page_size)} | ({} if marker is None else {"marker": marker})
        try:
            call = replace(self._call("GET", "/images", params), entries="images")
            return self._session.unread(
                call,
                lambda document: read_entries(document, "images"),
                lambda entries: self._entries.of_page(entries, marker),
            )
        except Declined as error:
            if marker is not None and error.marker_gone:
                raise MarkerGone from error
            raise

    def _call(self, method: str, path: str, params: dict[str, str] | None = None) -> Call:
        return Call(f"{method} {path}", method, self._root + path, params or {})

    def _judge(self, reply: Reply, label: str) -> Entry:
        return judge(reply, label, self._redact, self._clock())

    def _issue_token(self) -> Token:
        body = json.dumps(self._credentials).encode()
        plain = self._call("POST", "/tokens").carrying({"Content-Type": "application/json;charset=UTF-8"}, body)

        def attempt(seconds: float) -> Token:
            asked_at = self._clock()
            reply = self._transport.request(plain, seconds)
            self._session.note_clock(reply, asked_at)
            token = read_token(self._judge(reply, plain.label), asked_at)
            self._session.note_token(token.issued_at, asked_at)
            return token

        try:
            token = self._transport.persist(plain.label, attempt)
        except Declined as error:
            if error.forbidden:
                raise denied(error, "the credentials are not accepted") from error
            raise
        self._redact.add(token.id)
        return token


def _all_instances(document: Entry) -> list[Any]:
    """The instances of the one answer that holds them all; raises Transient where it says that there are more."""
    entries = read_entries(document, "instances")
    total = document.get("totalCount")
    if total is not None and wire.integer(total) != len(entries):
        raise undocumented(f"totalCount is {wire.shown(total)}, and {counted(len(entries), 'instance')} listed")
    return entries
