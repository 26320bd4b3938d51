"""The lists of the Image API v2, which together show the images of a project: all of them, read once through."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from itertools import chain

from janitor.cloud.common.answers import Declined
from janitor.cloud.common.entries import Entries, Listed, id_of_listed
from janitor.cloud.common.lists import PagedList, next_in
from janitor.cloud.common.merging import Merging
from janitor.cloud.common.paging import Page, ahead, pages
from janitor.cloud.common.records import Entry, read_entries
from janitor.cloud.common.session import Session
from janitor.cloud.openstack.records import read_image
from janitor.cloud.target import LIMIT_OF_IMAGES
from janitor.core.image import Image, Visibility
from janitor.transport import Call

_NOT_UNDERSTOOD = 400


class ImageLists:
    """The lists of one service as a project sees them. `digests` are those of the entries read so far, by image id.

    `url` gives the URL of the lists; a list of more than `max_images` is an error.
    """

    def __init__(
        self, session: Session, url: Callable[[], str], project: str, *, page_size: int, max_images: int
    ) -> None:
        self._session = session
        self._url = url
        self._project = project
        self._page_size = page_size
        self._max_images = max_images
        self._entries = Entries(lambda entry: read_image(entry, project), f"openstack {project}")
        self._merging = Merging()

    @property
    def digests(self) -> Mapping[str, bytes]:
        """The digest of each image's entry; none for an image that several entries make up."""
        return self._merging.digests

    def unidentified(self) -> tuple[Image, ...]:
        """The entries that had no id."""
        return tuple(read_image(entry, self._project) for entry in self._entries.others)

    def images(self) -> Iterator[Image]:
        """Every image that a list shows, the next page being fetched while this one is read."""
        walk = self._walk_all()
        with closing(walk), closing(ahead(walk)) as coming:
            for page in coming:
                yield from self._merging.take(chain(page.new, page.again))

    def _walk_all(self) -> Generator[Page[Listed], None, None]:
        """The pages of all lists. Hidden images, and those of visibility community, are in lists of their own."""
        yield from self._walk({})
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
        listed = PagedList(self._ask, {"limit": str(self._page_size), **wanted}, id_of_listed)
        bound = self._max_images
        return pages(listed.page, id_of_listed, self._page_size, most_items=bound, limited_by=LIMIT_OF_IMAGES)

    def _ask(self, parameters: Mapping[str, str]) -> tuple[list[Listed], str | None]:
        def read(found: Entry) -> tuple[list[Listed], str | None]:
            entries = read_entries(found, "images")
            return self._entries.of_page(entries, parameters.get("marker")), next_in(found)

        return self._session.ask(Call("GET /v2/images", "GET", self._url(), parameters, entries="images"), read)
