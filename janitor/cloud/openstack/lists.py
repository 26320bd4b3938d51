"""The paged lists of OpenStack services: pages may link to the next one, but the walk does not depend on it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from janitor.cloud.common.answers import Declined, check_envelope
from janitor.cloud.common.paging import MarkerGone
from janitor.errors import Implausible

T = TypeVar("T")
Ask = Callable[[Mapping[str, str]], tuple[list[T], str | None]]
"""Asks for the page with these parameters; gives its entries, and the link to the next page if it has one."""

MOST_A_PAGE = 1000
"""The most that the services give per page, whatever they are asked for."""

_MOST_STANDING = 3
_MOST_EMPTY = 1_000
"""How many pages in a row may hold nothing: a service may leave out entries after it has divided the list."""


class PagedList(Generic[T]):
    """One list, as `pages` walks through it: a page by the marker that it follows.

    It goes on by the link that a page gave, of which only the parameters count: its host and path are the service's own
    idea of itself, and the token goes to the configured one. Parameters of ours that a link leaves out are sent all the
    same, or the walk would continue in another list. A page without entries that has a link is not the end: the list
    goes on at the link. A page without a link claims to be the last. The walk checks that: it asks once more from an
    earlier place, or after the page where there is none.
    """

    def __init__(self, ask: Ask[T], parameters: Mapping[str, str], identify: Callable[[T], str]) -> None:
        self._ask = ask
        self._identify = identify
        self._parameters = parameters
        self._standing = 0
        self._after: dict[str, Mapping[str, str] | None] = {}

    def page(self, marker: str | None) -> list[T]:
        """The next page with entries after a marker, or the first one; an empty one at the end of the list.

        Raises MarkerGone; Implausible for pages without entries that lead to no end; and another CloudError for no
        usable answer.
        """
        parameters = self._parameters if marker is None else self._behind(marker)
        if parameters is None:
            return []
        try:
            entries, link = self._with_entries(parameters)
        except Declined as error:
            if marker is not None and error.marker_gone:
                raise MarkerGone from error
            raise
        self._advance(marker, entries, promised=link is not None)
        if link is not None and entries:
            self._after[self._identify(entries[-1])] = behind_link(self._parameters, link)
        elif len(entries) > 1:
            self._after[self._identify(entries[-1])] = None
        return entries

    def _with_entries(self, parameters: Mapping[str, str]) -> tuple[list[T], str | None]:
        """The page with these parameters, or the first behind it that has entries, and the link to the next one."""
        asked: list[Mapping[str, str]] = []
        while len(asked) < _MOST_EMPTY and parameters not in asked:
            asked.append(parameters)
            entries, link = self._ask(parameters)
            if entries or link is None:
                return entries, link
            parameters = behind_link(self._parameters, link)
        raise Implausible(f"the list does not end: {len(asked)} pages in a row have no entries, and announce another")

    def _advance(self, marker: str | None, entries: list[T], *, promised: bool) -> None:
        """Raise Implausible for a list that announces a next page again and again, and gives the same one."""
        if marker is None or not promised or not entries or self._identify(entries[-1]) != marker:
            return
        self._standing += 1
        if self._standing > _MOST_STANDING:
            raise Implausible("the list announces another page, but the pages make no progress")

    def _behind(self, marker: str) -> Mapping[str, str] | None:
        return self._after.get(marker, {**self._parameters, "marker": marker})


def behind_link(parameters: Mapping[str, str], link: str) -> Mapping[str, str]:
    """The parameters with which a list goes on at a link of its."""
    return {**parameters, **dict(parse_qsl(urlsplit(link).query))}


def next_of(links: object) -> str | None:
    """The link to the next page among the links of Compute and Block Storage: a list of `rel` and `href`.

    Raises Transient where one of them has a key twice.
    """
    for link in links if isinstance(links, Iterable) else ():
        if isinstance(link, dict):
            check_envelope(link)
        if isinstance(link, dict) and link.get("rel") == "next" and isinstance(link.get("href"), str):
            href: str = link["href"]
            return href
    return None


def next_in(document: Mapping[str, Any]) -> str | None:
    """The link to the next page in an answer of the Image API."""
    link = document.get("next")
    return link if isinstance(link, str) else None
