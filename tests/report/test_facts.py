"""The facts of an image as `janitor explain` prints them."""

from datetime import UTC

from janitor.core.result import Mode
from janitor.report.answers.facts import Seen, facts_lines
from janitor.report.layout import Page
from tests.factories import NOW, make_image


def test_the_project_that_has_an_image_is_not_called_its_owner() -> None:
    image = make_image("a", visibility="private", owner="p-1")
    seen = Seen(image, (), None, 1, Mode.DRY_RUN, NOW, None, None, None)

    text = "".join(Page(lambda width: facts_lines(seen, UTC, width)).plain(80))

    assert ["project", "p-1"] in [line.split() for line in text.splitlines()]
    assert "owner" not in text
