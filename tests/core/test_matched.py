"""What is found out while a list still comes changes no decision."""

from collections.abc import Sequence
from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core import matching as module
from janitor.core.decide import decide
from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.matching import Matched
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.retention import Family, Keep
from janitor.core.usage import Usage
from janitor.expressions import Budget
from tests.factories import NOW, make_image

NEWEST = Keep(Family("name:/^([a-z]+)-/"), newest=1)
OF_TEAM = Keep(Family("property:team"), newest=1)
POLICIES = (
    Policy("ci", Match(name=(Pattern("ci-*"),)), Expire(timedelta(days=14)), NEWEST),
    Policy(
        "late", Match(tags=(Pattern("/^late/"),)), Expire(timedelta(days=2)), Keep(Family("property:team"), newest=1)
    ),
    Policy("pinned", Match(name=(Pattern("golden-*"),))),
    Policy("rest", Match(name=(Pattern("*"),)), Expire(timedelta(days=30)), Keep(Family("policy"), newest=1)),
)
SLOW = (Policy("twice", Match(name=(Pattern(r"/(a)\1/"),)), Expire(timedelta(days=1)), NEWEST), *POLICIES)
IMAGES = st.lists(
    st.builds(
        make_image,
        st.sampled_from(["ci-1", "ci-2", "ci", "golden-1", "web-1", "aa-1", ""]),
        id=st.sampled_from("abcdefgh"),
        age=st.integers(0, 60).map(lambda days: timedelta(days=days)),
        tags=st.sampled_from([(), ("late",), ("later", "x"), None]),
        properties=st.sampled_from([{}, {"team": "a"}, {"team": "b"}, None]),
    ),
    max_size=8,
    unique_by=lambda image: image.id,
)


def decided(images: Sequence[Image], policies: Sequence[Policy], matched: Matched | None = None) -> list[Decision]:
    return decide(images, policies, Usage(), {}, NOW, target="prod", zone=UTC, matched=matched)


@given(IMAGES, IMAGES, st.sampled_from([POLICIES, SLOW]), st.booleans())
def test_decisions_are_the_same_whatever_was_found_out_early(
    early: list[Image], images: list[Image], policies: Sequence[Policy], forgotten: bool
) -> None:
    """Images may be gone since, new, or have other facts."""
    matched = Matched(policies, ("prod",), Budget())
    matched.prepare([*early, *images[::2]])
    if forgotten:
        matched.forget()
    assert decided(images, policies, matched) == decided(images, policies)


def test_what_was_found_out_early_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [make_image(f"ci-{number}", age=timedelta(days=20 - number)) for number in range(3)]
    matched = Matched(POLICIES, ("prod",), Budget())
    matched.prepare(images)
    monkeypatch.setattr(Family, "of", lambda *_: pytest.fail("looked for again"))
    assert [decision.reason for decision in decided(images, POLICIES, matched)] == ["expired", "expired", "kept-newest"]


@pytest.mark.parametrize(("policies", "most"), [(SLOW, 9), (POLICIES, 0)], ids=["may-take-long", "too-many"])
def test_nothing_is_found_out_early_where_that_costs_too_much(
    policies: Sequence[Policy], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PREPARED", most)
    matched = Matched(policies, ("prod",), Budget())
    matched.prepare([make_image("ci-1")])
    assert not matched._found


def test_a_family_that_remains_undecided_is_left_to_the_decision() -> None:
    """RE2 cannot represent half a surrogate pair, so even a linear expression may take too long for such a name."""
    images = [make_image("ci-\ud800", age=timedelta(days=20), id="a"), make_image("ci-1", age=timedelta(days=20))]
    matched = Matched(POLICIES, ("prod",), budget := Budget(each=0, altogether=0))
    matched.prepare(images)
    decisions = decide(images, POLICIES, Usage(), {}, NOW, target="prod", zone=UTC, budget=budget, matched=matched)
    assert {decision.image.id: decision.reason for decision in decisions}["a"] == "no-family"
    assert list(matched._found) == [images[1].id]
