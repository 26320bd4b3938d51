"""The lists and documents of the services that can use images: read to their ends, whatever the service."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from janitor.cloud.common import wire
from janitor.cloud.common.answers import Declined
from janitor.cloud.common.paging import pages
from janitor.cloud.common.records import Entry, read_entries
from janitor.cloud.common.session import Headers, Session
from janitor.cloud.openstack.lists import MOST_A_PAGE, PagedList, next_in, next_of
from janitor.errors import Unavailable
from janitor.transport import Call, path_segment

Page = tuple[list[Entry], str | None]
"""The entries of a page, and the link to the next one if it has one."""


@dataclass(slots=True)
class ServiceLists:
    """One service at a URL that ends with its version. Safe to use from several threads at once.

    `page_size` is requested, unless it is None. `headers` are sent with every request, and `heard` is called with every
    page of a list: its entries, and the headers of the answer.
    """

    session: Session
    url: str
    page_size: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    heard: Callable[[list[Entry], Headers], None] = lambda _entries, _headers: None

    def entries(
        self,
        path: str,
        key: str,
        *,
        id_key: str = "id",
        parameters: Mapping[str, str] | None = None,
        label: str | None = None,
    ) -> list[Entry]:
        """All entries of a list; one that is listed again with other facts is included with both.

        Raises CloudError where one has no id, or the list cannot be read. `label` names the call in messages, where its
        path holds an id.
        """
        label = label or f"GET {path}"
        listed: dict[str, Entry] = {}

        def ask(asked: Mapping[str, str]) -> Page:
            call = Call(label, "GET", self.url + path, asked, self.headers)
            page, link = self.session.answered(
                call, lambda found, headers: self._page(label, key, id_key, found, headers)
            )
            listed.update((self._written(label, key, entry), entry) for entry in page)
            return page, link

        def id_of(entry: Entry) -> str:
            return str(entry[id_key])

        limit = {} if self.page_size is None else {"limit": str(self.page_size)}
        for _ in pages(
            PagedList(ask, {**limit, **(parameters or {})}, id_of).page, id_of, self.page_size or MOST_A_PAGE
        ):
            pass
        return list(listed.values())

    @staticmethod
    def _written(label: str, key: str, entry: Entry) -> str:
        """An entry as text. Raises Unavailable for one that has a key twice, at any depth."""

        def refuse(_unreadable: object) -> None:
            raise Unavailable(
                f"{label}: one of the {key} has a key that is given twice, or is not JSON: {wire.shown(entry)}"
            )

        return json.dumps(entry, sort_keys=True, default=refuse)

    def _page(self, label: str, key: str, id_key: str, found: Entry, headers: Headers) -> Page:
        entries = read_entries(found, key)
        for entry in entries:
            if not isinstance(entry, dict) or wire.identifier(entry.get(id_key)) is None:
                raise Unavailable(f"{label}: one of the {key} cannot be read: {wire.shown(entry)}")
        self.heard(entries, headers)
        return entries, next_of(found.get(f"{key}_links")) or next_in(found)

    def document(self, label: str, *path: str) -> Entry | None:
        """The document at a path, or None where there is none. Raises CloudError for no usable answer."""
        url = "/".join([self.url, *map(path_segment, path)])
        try:
            return self.session.ask(Call(label, "GET", url, headers=self.headers), lambda found: found)
        except Declined as error:
            if error.absent:
                return None
            raise


def text_of(entry: Entry, *keys: str) -> str:
    """The first of these that is text, or empty text."""
    return next((value for key in keys if (value := wire.text(entry.get(key)))), "")
