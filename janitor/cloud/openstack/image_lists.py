"""The lists of the Image API v2, which together show the images of a project: all of them, read once through."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from janitor.cloud.common.answers import Declined
from janitor.cloud.common.at_once import NextAsked
from janitor.cloud.common.entries import Entries, Listed, id_of_listed, not_the_end
from janitor.cloud.common.markers import Found, Markers, Places
from janitor.cloud.common.merging import Merging
from janitor.cloud.common.paging import MarkerGone, Page, ahead, pages
from janitor.cloud.common.records import read_entries
from janitor.cloud.common.session import Session, Unread
from janitor.cloud.common.side_by_side import MarkedList
from janitor.cloud.openstack.lists import Ask, PagedList, behind_link, next_in
from janitor.cloud.openstack.records import read_image
from janitor.cloud.openstack.windows import Windows
from janitor.cloud.target import LIMIT_OF_IMAGES
from janitor.core.image import Image, Visibility
from janitor.core.units import iso
from janitor.transport import Call

_Unread = Unread[tuple[list[Any], str | None], Found[Listed]]
_Following = NextAsked[tuple[tuple[str, str], ...], _Unread]

_NOT_UNDERSTOOD = 400


class ImageLists:
    """The lists of one service as a project sees them. `digests` are those of the entries read so far, by image id.

    `url` gives the URL of the lists; a list of more than `max_images` is an error. `main` is the list of all images but
    hidden and community ones, the only one that may be long.
    """

    def __init__(
        self,
        session: Session,
        url: Callable[[], str],
        project: str,
        main: MarkedList[Listed],
        *,
        page_size: int,
        max_images: int,
    ) -> None:
        self._session = session
        self._url = url
        self._project = project
        self._main = main
        self._page_size = page_size
        self._parameters = {"limit": str(page_size)}
        self._max_images = max_images
        self._entries = Entries(lambda entry: read_image(entry, project), f"openstack {project}")
        self.digests: dict[str, bytes] = {}
        self._longest = 0

    def unidentified(self) -> tuple[Image, ...]:
        """The entries that had no id."""
        return tuple(read_image(entry, self._project) for entry in self._entries.others)

    def images(self, markers: Sequence[str] | None = ()) -> Iterator[Image]:
        """Every image that a list shows, other pages being fetched while one is read: the next, or those at markers.

        For None as markers, of a list of which nothing is known, those by the times at which images were created.
        """
        merging = Merging(self.digests)
        following: _Following = NextAsked(lambda asked: self._unread(dict(asked)))
        with closing(following):
            walk = self._walk_all(markers, following)
            with closing(walk), closing(ahead(walk)) as coming:
                for page in coming:
                    yield from merging.take(chain(page.new, page.again))

    def _walk_all(self, markers: Sequence[str] | None, following: _Following) -> Generator[Page[Listed], None, None]:
        """The pages of all lists. Hidden images, and those of visibility community, are in lists of their own."""
        places = self._places(markers)
        ask = self._ask if places else partial(self._ask, following=following)
        fetch = self._paged(ask, {}).page
        yield from self._main.walk(places, fetch, self._page_size, self._max_images, LIMIT_OF_IMAGES)
        yield from self._walk_beside({"os_hidden": "true"})
        yield from self._walk_beside({"visibility": Visibility.COMMUNITY.value, "owner": self._project})

    def _walk_beside(self, wanted: Mapping[str, str]) -> Generator[Page[Listed], None, None]:
        try:
            yield from self._walk(wanted)
        except Declined as error:
            # A service that is too old for such images rejects the parameter, and has none.
            if error.code != _NOT_UNDERSTOOD:
                raise

    def _walk(self, wanted: Mapping[str, str]) -> Generator[Page[Listed], None, None]:
        fetch, bound = self._paged(self._ask, wanted).page, self._max_images
        return pages(fetch, id_of_listed, self._page_size, most_items=bound, limited_by=LIMIT_OF_IMAGES)

    def _paged(self, ask: Ask[Listed], wanted: Mapping[str, str]) -> PagedList[Listed]:
        return PagedList(ask, {**self._parameters, **wanted}, id_of_listed)

    def _ask(
        self, parameters: Mapping[str, str], following: _Following | None = None
    ) -> tuple[list[Listed], str | None]:
        """A page, and the link to the next one, which is asked for, as what follows, before this one is read."""
        unread = following.ask(tuple(parameters.items())) if following else self._unread(parameters)
        entries, link = unread.part
        if following and link is not None and entries:
            following.expect(tuple(behind_link(self._parameters, link).items()))
        page, keep = unread()
        keep()
        if entries and not page and link is None and len(entries) >= self._longest:
            raise not_the_end(len(entries))
        self._longest = max(self._longest, len(entries))
        return page, link

    def _places(self, markers: Sequence[str] | None) -> Places[Listed] | None:
        """Where the main list is asked at beside its walk; None where it is not."""
        if markers is None:
            return Windows(self._last_before, self._behind, id_of_listed, _created_at, self._page_size)
        return Markers(markers, self._behind) if markers else None

    def _behind(self, marker: str) -> _Unread:
        """The page at a marker, to be read beside the walk."""
        try:
            return self._unread({**self._parameters, "marker": marker})
        except Declined as error:
            if error.marker_gone:
                raise MarkerGone from error
            raise

    def _last_before(self, time: datetime) -> str | None:
        """The id of the last image created before a time.

        Only that: a page of the list of such images may leave out some that the whole list has between them.
        """
        found, _ = self._unread({"limit": "1", "created_at": f"lt:{iso(time)}"})()
        return id_of_listed(found[0]) if found else None

    def _unread(self, parameters: Mapping[str, str]) -> _Unread:
        """A page that has come. Read, it has its images, and what keeps its entries without an id if it is used."""
        return self._session.unread(
            Call("GET /v2/images", "GET", self._url(), parameters, entries="images"),
            lambda found: (read_entries(found, "images"), next_in(found)),
            lambda part: self._entries.of_page(part[0], parameters.get("marker")),
        )


def _created_at(listed: Listed) -> datetime | None:
    return listed.image.created_at
