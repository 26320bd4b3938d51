"""A paged list goes on at its links, and a page without entries is no end of it."""

from collections.abc import Mapping, Sequence

import pytest

from janitor.cloud.common.paging import pages
from janitor.cloud.openstack.lists import PagedList
from janitor.errors import Implausible

Pages = Sequence[tuple[list[str], str | None]]


def found(given: Pages) -> list[str]:
    """What a walk finds in a list of these pages and links; a link names the page that it leads to."""

    def ask(parameters: Mapping[str, str]) -> tuple[list[str], str | None]:
        if "page" in parameters or "marker" not in parameters:
            return given[int(parameters.get("page", 0))]
        return [], None

    return [item for page in pages(PagedList(ask, {}, str).page, str, 1000) for item in page.new]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([([], "?page=1"), (["a", "b"], None)], id="first"),
        pytest.param([(["a"], "?page=1"), ([], "?page=2"), (["b"], None)], id="between"),
        pytest.param([(["a"], "?page=1"), ([], "?page=2"), ([], "?page=3"), (["b"], None)], id="two"),
        pytest.param([(["a", "b"], "?page=1"), ([], "?page=2"), ([], None)], id="last"),
    ],
)
def test_a_page_without_entries_is_followed_to_the_next(given: Pages) -> None:
    assert found(given) == ["a", "b"]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([(["a"], "?page=1"), ([], "?page=1")], id="itself"),
        pytest.param([(["a"], "?page=1"), ([], "?page=2"), ([], "?page=1")], id="round"),
        pytest.param([([], f"?page={number + 1}") for number in range(2_000)], id="without-end"),
    ],
)
def test_pages_without_entries_that_lead_nowhere_are_an_error(given: Pages) -> None:
    with pytest.raises(Implausible, match="pages in a row have no entries, and announce another"):
        found(given)
