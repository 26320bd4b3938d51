"""Pages of lists that begin after a marker; lists of servers and volumes link to the next page in the same way."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from janitor.sandbox.api import Asked
from janitor.sandbox.models import OURS
from janitor.sandbox.openstack.errors import said
from janitor.sandbox.refusals import Kind, Refusal, Resource


class _Dated(Protocol):
    @property
    def id(self) -> str: ...


Item = TypeVar("Item", bound=_Dated)


def page(
    asked: Asked,
    kind: str,
    items: Sequence[Item],
    limit: int,
    unknown_marker: Callable[[str], Refusal],
    write: Callable[[Item], object],
) -> Response:
    """Up to `limit` items after the requested marker, and the link to the next page as long as this one is full.

    `kind` is for example `servers`. Raises what `unknown_marker` makes of a marker that is not one of the items.
    """
    chosen = after_marker(asked, items, unknown_marker)[:limit]
    body: dict[str, object] = {kind: [write(item) for item in chosen]}
    if chosen and len(chosen) == limit:
        query = urlencode({**asked.query, "marker": chosen[-1].id})
        href = f"http://{asked.headers.get('host', '')}{asked.url_path}?{query}"
        body[f"{kind}_links"] = [{"rel": "next", "href": href}]
    return said(body)


def after_marker(asked: Asked, items: Sequence[Item], unknown_marker: Callable[[str], Refusal]) -> list[Item]:
    """The items after the requested marker. Raises what `unknown_marker` makes of one that is not among them."""
    marker = asked.query.get("marker")
    if not marker:
        return list(items)
    ids = [item.id for item in items]
    if marker not in ids:
        raise unknown_marker(marker)
    return list(items[ids.index(marker) + 1 :])


def own_project(asked: Asked, resource: Resource) -> None:
    """Raises Refusal if the project in the URL is not that of the token."""
    project = asked.path["project"]
    if project != OURS:
        message = f"Malformed request URL: URL's project_id '{project}' doesn't match Context's project_id '{OURS}'"
        raise Refusal(Kind.MALFORMED, resource, message)
