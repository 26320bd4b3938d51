"""Policies compiled for many images give the answers of policies that are asked image by image."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core.image import Image, Status, Visibility
from janitor.core.matching import Owner, Owners
from janitor.core.names.patterns import Patterns, any_matches
from janitor.core.policy import Match, Pattern, Policy
from janitor.expressions import Budget
from tests.factories import make_image

ZERO_WIDTH, ACUTE = "\u200b", "\u0301"
LETTERS = ["a", "b", "-", ".", " ", "\n", "é", "e" + ACUTE, ZERO_WIDTH, "\ud800", "[", "]", "!"]
WORDS = st.lists(st.sampled_from(LETTERS), max_size=5).map("".join)
GLOBS = st.lists(st.sampled_from([*LETTERS, "*", "*", "?", "[ab]", "[!a]", "[[]"]), min_size=1, max_size=6).map("".join)
# The third and fourth are not linear, so a budget of no time leaves them undecided.
EXPRESSIONS = st.sampled_from(["/^a/", "/b$/", r"/(a)\1/", r"/^(.)(?=\1)/", "/é/", "/[[:x]/", "/(?i)é/"])


def _is_a_pattern(text: str) -> bool:
    try:
        Pattern(text)
    except ValueError:
        return False
    return True


PATTERNS = st.lists((GLOBS | EXPRESSIONS).filter(_is_a_pattern).map(Pattern), max_size=4).map(tuple)
BUDGETS = st.sampled_from([lambda: None, Budget, lambda: Budget(each=0, altogether=0)])
QUEUED, ACTIVE = frozenset({Status.QUEUED}), frozenset({Status.ACTIVE})
ON_K = (("k", (Pattern("a"),)),)
SIZES = st.none() | st.integers(0, 3)
CONDITIONS: dict[str, st.SearchStrategy[Any]] = {
    "name": PATTERNS,
    "status": st.frozensets(st.sampled_from([Status.ACTIVE, Status.QUEUED])),
    "disk_format": st.frozensets(st.sampled_from(["raw", "qcow2"])),
    "properties": st.lists(st.tuples(st.sampled_from("kl"), PATTERNS), max_size=2).map(tuple),
    "larger_than": SIZES,
    "smaller_than": SIZES,
    "targets": PATTERNS,
    "tags": PATTERNS,
    "visibility": st.frozensets(st.sampled_from(Visibility)),
    "owner": PATTERNS,
    "os_hidden": st.none() | st.booleans(),
}


def matches(*, deep: bool = True) -> st.SearchStrategy[Match]:
    """Matches with a few conditions, as with many hardly any image matches."""
    given = {key: st.just(getattr(Match(), key)) | found for key, found in CONDITIONS.items()}
    return st.builds(Match, **given, exclude=st.none() | matches(deep=False) if deep else st.none())


POLICIES = st.lists(matches(), min_size=1, max_size=4).map(
    lambda found: [Policy(f"{place}", match) for place, match in enumerate(found)]
)
IMAGES = st.builds(
    make_image,
    st.none() | WORDS,
    id=st.just("i"),
    status=st.sampled_from(["active", "queued", "unheard-of"]),
    size=SIZES,
    disk_format=st.sampled_from([None, "raw", "vhd"]),
    visibility=st.sampled_from([None, "public", "private"]),
    owner=st.none() | WORDS,
    os_hidden=st.none() | st.booleans(),
    properties=st.none() | st.dictionaries(st.sampled_from("kl"), WORDS),
    tags=st.none() | st.lists(WORDS, max_size=2).map(tuple),
    unreadable=st.dictionaries(st.sampled_from(["properties.k", "size"]), st.just("?")),
)


def plainly_owned(image: Image, policies: Sequence[Policy], names: Sequence[str], budget: Budget | None) -> Owner:
    """The owner by the conditions of one policy after the other."""
    doubtful = None
    for policy in policies:
        truth = policy.match.holds(image, names, budget)
        if truth:
            return Owner(policy, doubtful)
        doubtful = doubtful or (policy if truth is None else None)
    return Owner(None, doubtful)


def test_every_condition_is_tried_below() -> None:
    assert CONDITIONS.keys() | {"exclude"} == {each.name for each in fields(Match)}


@given(POLICIES, st.lists(IMAGES, max_size=4), st.lists(WORDS, min_size=1, max_size=3), BUDGETS)
def test_compiled_policies_own_what_they_own_plainly(
    policies: list[Policy], images: list[Image], names: list[str], budget: Any
) -> None:
    owners = Owners(policies, names, budget())
    assert [owners.of(image) for image in images] == [
        plainly_owned(image, policies, names, budget()) for image in images
    ]


@given(PATTERNS, st.lists(st.none() | WORDS, min_size=1, max_size=8), BUDGETS)
def test_patterns_at_once_answer_as_one_after_the_other(
    patterns: tuple[Pattern, ...], texts: list[str | None], budget: Any
) -> None:
    at_once = Patterns(patterns, budget())
    for text in texts:
        assert at_once.match(text) is any_matches(patterns, text, budget())
        assert at_once.match(text) or not at_once.always


@pytest.mark.parametrize(
    ("globs", "text", "found"),
    [
        pytest.param(["ci-*"], "my-ci-1", False, id="a-beginning-is-not-somewhere"),
        pytest.param(["ci-*"], "ci-", True, id="a-star-is-nothing-too"),
        pytest.param(["*-base"], "base-1-base\n", None, id="blanks-at-the-end-are-in-doubt"),
        pytest.param(["*a*"], "b\na\nb", True, id="a-star-goes-over-lines"),
        pytest.param(["a", "b?c", "[xy]*"], "bxc", True, id="the-second-of-three"),
        pytest.param(["a", "b?c", "[xy]*"], "bxcx", False, id="none-of-three"),
        pytest.param(["a*b*c", "*c*a*"], "abab-c-ab", True, id="stars-within"),
        pytest.param([f"a{ZERO_WIDTH}*"], "ab", None, id="a-glob-is-in-doubt-for-what-nobody-sees"),
        pytest.param([f"e{ACUTE}*"], "éb", True, id="a-glob-is-composed"),
        pytest.param([f"[!{ZERO_WIDTH}]"], "b", None, id="a-glob-that-people-see-otherwise"),
        pytest.param(["ab", "/^a$/"], "a", True, id="an-expression-beside-a-glob"),
        pytest.param(["a*", r"/(a)\1/"], "aa", True, id="a-glob-decides-what-an-expression-cannot"),
        pytest.param(["b*", r"/(a)\1/"], "aa", None, id="an-expression-that-cannot-be-decided"),
    ],
)
def test_patterns_at_once(globs: list[str], text: str, found: bool | None) -> None:
    assert Patterns(map(Pattern, globs), Budget(each=0, altogether=0)).match(text) is found


@pytest.mark.parametrize(
    ("match", "facts", "truth"),
    [
        pytest.param(Match(exclude=Match(status=QUEUED)), {}, True, id="not-another-status"),
        pytest.param(Match(exclude=Match(status=ACTIVE)), {}, False, id="not-this-status"),
        pytest.param(Match(exclude=Match(larger_than=1)), {"size": None}, None, id="not-an-unknown-size"),
        pytest.param(Match(properties=ON_K), {"properties": {"k": "a"}}, True, id="a-property"),
        pytest.param(Match(properties=ON_K), {"properties": {}}, False, id="no-property"),
        pytest.param(Match(properties=ON_K), {"properties": None}, None, id="properties-that-cannot-be-read"),
        pytest.param(Match(properties=ON_K), {"unreadable": {"properties.k": "1"}}, None, id="one-that-cannot-be-read"),
        pytest.param(Match(tags=(Pattern("a"),)), {"tags": None}, None, id="tags-that-cannot-be-read"),
        pytest.param(Match(tags=(Pattern("*"),)), {"tags": ()}, False, id="no-tags-have-no-star"),
        pytest.param(Match(owner=(Pattern("*"),)), {"owner": None}, True, id="a-star-is-any-owner"),
        pytest.param(Match(owner=(Pattern("a*"),)), {"owner": None}, None, id="an-unknown-owner"),
        pytest.param(Match(), {}, True, id="no-conditions"),
    ],
)
def test_one_condition(match: Match, facts: dict[str, Any], truth: bool | None) -> None:
    image, policy = make_image(**facts), Policy("p", match)
    assert match.holds(image, "prod") is truth
    assert Owners([policy], "prod").of(image) == Owner(policy if truth else None, policy if truth is None else None)


def test_the_target_is_matched_once_and_every_name_of_it_counts() -> None:
    policy = Policy("p", Match(targets=(Pattern("prod-*"),)))
    for names, owned in [(["a", "prod-1"], policy), (["a"], None)]:
        assert Owners([policy], names).of(make_image()) == Owner(owned, None)
