"""The facts of an image and its notices, as `janitor explain` prints them."""

from datetime import UTC

from janitor.core.explaining.records import Given, Sent
from janitor.core.memory import Notice
from janitor.core.result import Mode
from janitor.report.answers.explanation import Explained, explanation_page
from janitor.report.answers.facts import Seen, facts_lines
from janitor.report.layout import Page
from tests.factories import DAY, NOW, make_image


def test_the_project_that_has_an_image_is_not_called_its_owner() -> None:
    image = make_image("a", visibility="private", owner="p-1")
    seen = Seen(image, (), None, 1, Mode.DRY_RUN, NOW, None, None, None)

    text = "".join(Page(lambda width: facts_lines(seen, UTC, width)).plain(80))

    assert ["project", "p-1"] in [line.split() for line in text.splitlines()]
    assert "owner" not in text


def test_of_the_reports_of_a_notice_the_accepted_come_first() -> None:
    sent = (Sent("#web", None, "channel_not_found"), Sent("#main", NOW, None))
    given = Given(Notice("ci", DAY, NOW, NOW + DAY), 1, sent)
    page = explanation_page([Explained("prod", "a", None, None, (), (given,), None)], UTC)

    text = "".join(page.plain(80))
    lines = [line.split()[3] for line in text.splitlines() if "its report to" in line]

    assert lines == ["#main:", "#web:"]
