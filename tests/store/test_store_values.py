"""Values as JSON in the database: read back unchanged, and what cannot be read in full is never guessed."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core.image import Sharing, Status, Visibility
from janitor.core.memory import Exemption, Notice, Refusals
from janitor.core.names.owners import OwnerRule
from janitor.core.policy import Clock, Expire, Match, Pattern, Policy
from janitor.core.retention import Family, Keep, Period
from janitor.store.values import from_json, to_json

TEXTS = st.text(st.characters(exclude_categories=()), max_size=5)  # with lone surrogates, which YAML can write
DURATIONS = st.timedeltas(timedelta(), timedelta(days=36_525))
INSTANTS = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]),
)
PATTERNS = st.sampled_from(["*", "ci-*", "/^bake-[0-9]+$/", "이미지", "\ud800", '"']).map(Pattern)
SOME_PATTERNS = st.lists(PATTERNS, max_size=2).map(tuple)


def built(kind: type, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a class, with a strategy for each of its fields: one that is added needs one too."""
    assert set(parts) == {each.name for each in fields(kind) if each.init}
    return st.builds(kind, **parts)


def matches(exclude: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return built(
        Match,
        name=SOME_PATTERNS,
        status=st.frozensets(st.sampled_from(Status)),
        disk_format=st.frozensets(st.sampled_from(["raw", "qcow2"])),
        properties=st.lists(st.tuples(TEXTS, SOME_PATTERNS), max_size=2).map(tuple),
        larger_than=st.none() | st.integers(0, 2**70),
        smaller_than=st.none() | st.integers(0, 9),
        targets=SOME_PATTERNS,
        tags=SOME_PATTERNS,
        visibility=st.frozensets(st.sampled_from(Visibility)),
        owner=SOME_PATTERNS,
        os_hidden=st.none() | st.booleans(),
        exclude=exclude,
    )


EXPIRIES = built(Expire, after=DURATIONS, since=st.sampled_from(Clock))
KEEPS = built(
    Keep,
    per=st.sampled_from(["policy", "name:/^(.+)-[0-9]+$/", "property:os"]).map(Family),
    newest=st.integers(0, 9),
    periods=st.lists(st.tuples(st.sampled_from(Period), st.integers(1, 9)), max_size=3).map(tuple),
)
POLICIES = built(
    Policy,
    name=TEXTS,
    match=matches(st.none() | matches(st.none())),
    expire=st.none() | EXPIRIES,
    keep=st.none() | KEEPS,
    notice=DURATIONS,
    channel=st.none() | TEXTS,
    description=st.none() | TEXTS,
    contact=st.none() | TEXTS,
    owner=st.none() | st.sampled_from(["property:owner", "tag:owner:*", "name:/^(team-[a-z]+)-/"]).map(OwnerRule),
)
NOTICES = built(
    Notice,
    policy=TEXTS,
    length=DURATIONS,
    announced_at=INSTANTS,
    due=INSTANTS,
    reminded_at=st.none() | INSTANTS,
    name=st.none() | TEXTS,
    renamed=st.booleans(),
    waits_until=st.none() | INSTANTS,
    lapsed=st.none() | INSTANTS,
    owner=st.none() | TEXTS,
    instead=st.booleans(),
    reowned=st.booleans(),
    place=st.none() | TEXTS,
    elsewhere=st.booleans(),
)
EXEMPTIONS = built(Exemption, image=TEXTS, until=INSTANTS, why=TEXTS, who=TEXTS)
REFUSALS = built(Refusals, count=st.integers(0, 9), last_at=INSTANTS, detail=TEXTS)
PROJECTS = st.lists(TEXTS, max_size=3).map(tuple)
SHARINGS = built(Sharing, accepted=PROJECTS, pending=PROJECTS, problem=st.none() | TEXTS, unasked=st.booleans())


@given(value=POLICIES | NOTICES | EXEMPTIONS | REFUSALS | SHARINGS)
def test_a_value_is_exactly_the_same_again(value: object) -> None:
    text = to_json(value)
    assert from_json(type(value), text) == value
    assert text.isascii(), "SQLite takes it whatever it holds"
    assert to_json(from_json(type(value), text)) == text, "an unchanged value is an unchanged text"


def test_a_policy_that_is_read_back_matches_as_before() -> None:
    policy = Policy("ci", Match(name=(Pattern("ci-*"), Pattern("/x$/"))))
    names = from_json(Policy, to_json(policy)).match.name
    assert [[pattern.matches(text) for pattern in names] for text in ("ci-1", "my-ci", "box")] == [
        [True, False],
        [False, False],
        [False, True],
    ]


def test_any_duration_of_whole_seconds_is_kept_to_the_second() -> None:
    longest = Expire(timedelta(days=999_999_999, seconds=86_399))
    assert from_json(Expire, to_json(longest)) == longest


def test_a_field_that_is_new_since_has_its_default() -> None:
    assert from_json(Sharing, '{"accepted": ["p"]}') == Sharing(("p",))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param(Sharing, '{"accepted": [], "rejected": []}', id="a-field-that-is-no-more"),
        pytest.param(Sharing, '{"accepted": "p"}', id="a-text-for-a-list"),
        pytest.param(Sharing, '{"problem": 1}', id="a-number-for-a-text"),
        pytest.param(
            Refusals, '{"count": true, "last_at": "2026-11-01T00:00:00Z", "detail": ""}', id="yes-for-a-number"
        ),
        pytest.param(Expire, '{"after": "14d"}', id="a-text-for-a-duration"),
        pytest.param(Expire, '{"after": 60, "since": "birth"}', id="an-unknown-word"),
        pytest.param(Expire, "{}", id="a-field-that-is-missing"),
        pytest.param(Expire, "[]", id="no-value-at-all"),
        pytest.param(Expire, "{", id="half-of-it"),
    ],
)
def test_what_is_no_such_value_is_not_guessed_at(kind: type, text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        from_json(kind, text)


def test_other_kinds_of_values_are_not_written() -> None:
    with pytest.raises(ValueError, match="object cannot be written as JSON"):
        to_json(object())
