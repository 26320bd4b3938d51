"""Accounts that are one under two names: found by what they reach, and by the images that both list."""

from dataclasses import replace
from typing import Any

import pytest

from janitor.core.image import Image
from janitor.core.survey.binding import Binding
from janitor.core.survey.sample import SIZE, sample_of
from janitor.fleet import reached
from janitor.fleet.database import Connection
from tests.factories import image_called

PUBLIC = Binding("openstack", "project-1", "https://image.example.com")
INTERNAL = Binding("openstack", "project-1", "https://internal.example.com")
DIGESTS = Binding("toast", "digest-1"), Binding("toast", "digest-2")


def listed(*numbers: int, **facts: Any) -> list[Image]:
    return [image_called(f"image-{number}", **facts) for number in numbers]


def noted(connection: Connection, account: str, binding: Binding, images: list[Image], *listed: str) -> bool:
    """Whether an account may be cleaned, which reaches this."""
    return reached.why_not(connection, account, binding, sample_of(images), listed) is None


@pytest.mark.parametrize(
    ("one", "other", "first", "second", "apart"),
    [
        pytest.param(PUBLIC, PUBLIC, listed(), listed(), False, id="the-same-project-and-service"),
        pytest.param(PUBLIC, INTERNAL, listed(1, 2, 3), listed(3, 4, 5, 6, 7), False, id="another-address-of-it"),
        pytest.param(PUBLIC, INTERNAL, listed(1, 2, 3), listed(4, 5, 6), True, id="another-region"),
        pytest.param(PUBLIC, INTERNAL, listed(), listed(), True, id="nothing-there"),
        pytest.param(*DIGESTS, listed(1, 2, 3, 4), listed(1, 2, 3, 4, 5), False, id="the-same-images"),
        pytest.param(*DIGESTS, listed(1, 2, 3, 4), listed(4, 5, 6, 7), True, id="one-that-both-list"),
        pytest.param(*DIGESTS, listed(*range(90)), listed(*range(10, 100)), False, id="many-with-some-new-ones"),
        pytest.param(*DIGESTS, listed(*range(900)), listed(*range(880, 990)), True, id="few-of-many"),
        pytest.param(PUBLIC, INTERNAL, listed(1, 2), listed(1, 2, days=29), True, id="copied-with-ids"),
        pytest.param(*DIGESTS, listed(1, 2, public=True), listed(1, 2, public=True), True, id="public-ones"),
    ],
)
def test_the_second_of_two_that_are_one_is_not_cleaned(
    connection: Connection, one: Binding, other: Binding, first: list[Image], second: list[Image], apart: bool
) -> None:
    assert noted(connection, "zoo", one, first)
    assert noted(connection, "ant", other, second) is apart
    assert noted(connection, "zoo", one, first), "it was first"
    assert noted(connection, "ant", other, second) is apart


def test_what_an_account_no_longer_reaches_is_free(connection: Connection) -> None:
    noted(connection, "zoo", PUBLIC, listed(1, 2))
    noted(connection, "zoo", replace(PUBLIC, account="project-2"), listed(8, 9))
    assert noted(connection, "ant", PUBLIC, listed(1, 2))
    assert not noted(connection, "zoo", PUBLIC, listed(1, 2)), "it came back after the other"


def eight_days_pass(connection: Connection) -> None:
    connection.rows("UPDATE reached SET seen_at = seen_at - interval '8 days', since = since - interval '8 days'")


def test_who_was_not_seen_for_eight_days_and_is_not_listed_no_longer_counts(connection: Connection) -> None:
    noted(connection, "zoo", PUBLIC, listed(1, 2))
    assert not noted(connection, "ant", PUBLIC, listed(1, 2))
    eight_days_pass(connection)
    assert noted(connection, "ant", PUBLIC, listed(1, 2), "ant")
    assert not noted(connection, "zoo", PUBLIC, listed(1, 2), "ant", "zoo"), "by now it is the second"


def test_after_a_pause_of_all_the_first_is_still_the_first(connection: Connection) -> None:
    noted(connection, "zoo", PUBLIC, listed(1, 2))
    assert not noted(connection, "ant", PUBLIC, listed(1, 2))
    eight_days_pass(connection)
    assert not noted(connection, "ant", PUBLIC, listed(1, 2), "ant", "zoo")
    assert noted(connection, "zoo", PUBLIC, listed(1, 2), "ant", "zoo")


def test_of_two_at_the_same_moment_one_is_the_first(connection: Connection, other: Connection) -> None:
    with other.together():
        other.rows("SELECT now()")  # its transaction began before the other one did
        assert noted(connection, "zoo", PUBLIC, listed(1, 2))
        assert not noted(other, "ant", PUBLIC, listed(1, 2))
    assert noted(connection, "zoo", PUBLIC, listed(1, 2))


def test_a_sample_is_small() -> None:
    assert len(sample_of(listed(*range(SIZE * 3)))) == SIZE
