"""Where the owner of an image is found, and that what is not certain names nobody."""

import pytest

from janitor.core.names.owners import OwnerRule
from janitor.expressions import Budget
from tests.factories import make_image

CASES = {
    "property": ("property:owner_email", {"properties": {"owner_email": "kim@example.com"}}, "kim@example.com"),
    "no-property": ("property:owner_email", {"properties": {}}, None),
    "unreadable-properties": ("property:owner_email", {"properties": None}, None),
    "blank-property": ("property:owner_email", {"properties": {"owner_email": " "}}, None),
    "half-read-property": ("property:owner", {"properties": {"owner": "team-\ufffd"}}, None),
    "tag": ("tag:owner:*", {"tags": ("release", "owner:team-web")}, "team-web"),
    "tag-with-an-empty-owner": ("tag:owner:*", {"tags": ("owner:",)}, None),
    "tag-elsewhere-in-the-text": ("tag:owner:*", {"tags": ("co-owner:team-web",)}, None),
    "no-tags": ("tag:owner:*", {"tags": ()}, None),
    "unreadable-tags": ("tag:owner:*", {"tags": None}, None),
    "tag-twice": ("tag:owner:*", {"tags": ("owner:web", "owner:web ")}, "web"),
    "tags-of-two": ("tag:owner:*", {"tags": ("owner:web", "owner:db")}, None),
    "tag-by-expression": ("tag:/^team=([a-z]+)$/", {"tags": ("team=web",)}, "web"),
    "name": ("name:/^(team-[a-z]+)-/", {"name": "team-web-41"}, "team-web"),
    "other-name": ("name:/^(team-[a-z]+)-/", {"name": "web-41"}, None),
    "no-name": ("name:/^(team-[a-z]+)-/", {"name": None}, None),
    "name-by-its-star": ("name:*-image", {"name": "web-image"}, "web"),
    "decomposed": ("property:owner", {"properties": {"owner": "\u1100\u1161"}}, "\uac00"),
}


@pytest.mark.parametrize(("rule", "facts", "owner"), CASES.values(), ids=CASES.keys())
def test_the_owner_is_found_or_nobody_is_named(rule: str, facts: dict[str, object], owner: str | None) -> None:
    assert OwnerRule(rule).of(make_image(**facts)) == owner  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["tag:owner", "tag:*:*", "name:/^team-/", "name:/(a)(b)/", "name:team-?*", "tag:/(/"])
def test_a_pattern_without_exactly_one_part_for_the_owner_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r"write a pattern with exactly one|is not a regular expression"):
        OwnerRule(rule)


def test_the_time_for_a_slow_expression_is_one_budget_for_all_images() -> None:
    rule, image = OwnerRule(r"name:/^(a+)\1$/"), make_image("aaaa")
    assert rule.of(image) == "aa"
    object.__setattr__(rule, "_budget", Budget(altogether=0.0))
    assert rule.of(image) is None
    assert rule.of(image, Budget()) == "aa"
