"""The lists of the Image API v2, which together show the images of a project: all of them, read once through."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from itertools import chain

from janitor.cloud.common.answers import Declined
from janitor.cloud.common.entries import Entries, Listed, id_of_listed
from janitor.cloud.common.markers import Markers
from janitor.cloud.common.merging import Merging
from janitor.cloud.common.paging import Page, ahead, pages
from janitor.cloud.common.ranges import Found, Places
from janitor.cloud.common.records import Entry, read_entries
from janitor.cloud.common.session import Session
from janitor.cloud.common.side_by_side import MarkedList
from janitor.cloud.openstack.lists import Ask, PagedList, next_in
from janitor.cloud.openstack.records import read_image
from janitor.cloud.openstack.windows import Windows
from janitor.cloud.target import LIMIT_OF_IMAGES
from janitor.core.image import Image, Visibility
from janitor.core.units import iso
from janitor.transport import Call

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
        self._max_images = max_images
        self._entries = Entries(lambda entry: read_image(entry, project), f"openstack {project}")
        self.digests: dict[str, bytes] = {}

    def unidentified(self) -> tuple[Image, ...]:
        """The entries that had no id."""
        return tuple(read_image(entry, self._project) for entry in self._entries.others)

    def images(self, markers: Sequence[str] | None = ()) -> Iterator[Image]:
        """Every image that a list shows, other pages being fetched while one is read: the next, or those at markers.

        For None as markers, of a list of which nothing is known, those by the times at which images were created.
        """
        merging = Merging(self.digests)
        walk = self._walk_all(markers)
        with closing(walk), closing(ahead(walk)) as coming:
            for page in coming:
                yield from merging.take(chain(page.new, page.again))

    def _walk_all(self, markers: Sequence[str] | None) -> Generator[Page[Listed], None, None]:
        """The pages of all lists. Hidden images, and those of visibility community, are in lists of their own."""
        fetch = self._paged(self._ask, {}).page
        places = self._places(markers)
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
        return PagedList(ask, {"limit": str(self._page_size), **wanted}, id_of_listed)

    def _ask(self, parameters: Mapping[str, str]) -> tuple[list[Listed], str | None]:
        page, link, keep = self._separated(parameters)
        keep()
        return page, link

    def _places(self, markers: Sequence[str] | None) -> Places[Listed] | None:
        """Where the main list is asked at beside its walk; None where it is not."""
        if markers is None:
            return Windows(self._last_before, self._behind, id_of_listed, _created_at, self._page_size)
        return Markers(markers, self._behind) if markers else None

    def _behind(self, marker: str) -> Found[Listed]:
        """The page at a marker, read beside the walk, and what keeps its entries without an id if it is used.

        It is a list of its own for the links between pages, which the walk follows.
        """
        keeping: list[Callable[[], None]] = []

        def ask(parameters: Mapping[str, str]) -> tuple[list[Listed], None]:
            page, _, keep = self._separated(parameters)
            keeping.append(keep)
            return page, None

        return self._paged(ask, {}).page(marker), keeping[0]

    def _last_before(self, time: datetime) -> str | None:
        """The id of the last image created before a time.

        Only that: a page of the list of such images may leave out some that the whole list has between them.
        """
        found, _, _ = self._separated({"limit": "1", "created_at": f"lt:{iso(time)}"})
        return id_of_listed(found[0]) if found else None

    def _separated(self, parameters: Mapping[str, str]) -> tuple[list[Listed], str | None, Callable[[], None]]:
        """The images of a page, the link to the next one, and what keeps its entries without an id."""

        def read(found: Entry) -> tuple[list[Listed], str | None, Callable[[], None]]:
            page, keep = self._entries.of_page(read_entries(found, "images"), parameters.get("marker"))
            return page, next_in(found), keep

        return self._session.ask(Call("GET /v2/images", "GET", self._url(), parameters, entries="images"), read)


def _created_at(listed: Listed) -> datetime | None:
    return listed.image.created_at
