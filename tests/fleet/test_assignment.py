"""Which worker has which shard: every one that can be served is, evenly, and with few changes of hands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.fleet.leases.assignment import assign

ALL = range(8)
SERVES = st.dictionaries(st.sampled_from("abcd"), st.frozensets(st.integers(0, 11)), max_size=4)
HELD = st.dictionaries(st.integers(0, 11), st.sampled_from("abcdxy"))


def shares(serves: dict[str, range], held: dict[int, str] | None = None) -> dict[str, list[int]]:
    given = assign(serves, held or {})
    return {worker: sorted(shard for shard, has in given.items() if has == worker) for worker in serves}


@pytest.mark.parametrize(
    ("serves", "held", "expected"),
    [
        pytest.param({"a": ALL}, {}, {"a": [*ALL]}, id="one-has-all"),
        pytest.param({"a": range(4), "b": range(4, 8)}, {}, {"a": [0, 1, 2, 3], "b": [4, 5, 6, 7]}, id="ranges-apart"),
        pytest.param(
            {"a": ALL, "b": range(2)}, {}, {"a": [2, 3, 4, 5, 6, 7], "b": [0, 1]}, id="the-least-choice-first"
        ),
        pytest.param({"a": ALL}, dict.fromkeys(range(4), "gone"), {"a": [*ALL]}, id="those-of-one-who-is-gone"),
        pytest.param(
            {"a": ALL, "b": ALL}, dict.fromkeys(ALL, "a"), {"a": [0, 1, 2, 3], "b": [4, 5, 6, 7]}, id="newcomer"
        ),
        pytest.param(
            {"a": range(2), "b": ALL}, {5: "a"}, {"a": [0, 1], "b": [2, 3, 4, 5, 6, 7]}, id="files-that-it-lacks"
        ),
        pytest.param({"a": range(0), "b": range(0)}, {3: "a"}, {"a": [], "b": []}, id="none-can-be-served"),
    ],
)
def test_shares(serves: dict[str, range], held: dict[int, str], expected: dict[str, list[int]]) -> None:
    assert shares(serves, held) == expected


@given(SERVES, HELD)
def test_every_shard_that_any_can_serve_is_given_to_one_who_can(
    serves: dict[str, frozenset[int]], held: dict[int, str]
) -> None:
    shared = assign(serves, held)
    assert shared.keys() == set().union(*serves.values())
    assert all(shard in serves[worker] for shard, worker in shared.items())


@given(SERVES, HELD)
def test_once_it_is_so_nothing_changes_any_more(serves: dict[str, frozenset[int]], held: dict[int, str]) -> None:
    shared = assign(serves, held)
    assert assign(serves, shared) == shared


@given(st.sets(st.sampled_from("abcd"), min_size=1), HELD)
def test_those_who_can_serve_the_same_have_the_same_but_for_one(workers: set[str], held: dict[int, str]) -> None:
    sizes = [len(shards) for shards in shares(dict.fromkeys(workers, range(12)), held).values()]
    assert max(sizes) - min(sizes) <= 1


@given(st.dictionaries(st.integers(0, 11), st.sampled_from("abc")))
def test_no_more_changes_hands_than_a_newcomer_gets(held: dict[int, str]) -> None:
    serves = dict.fromkeys("abc", range(12))
    before = assign(serves, held)
    after = assign({**serves, "d": range(12)}, before)
    assert all(after[shard] in (worker, "d") for shard, worker in before.items())
