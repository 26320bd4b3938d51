"""Where the database of an account is, which must stay so for ever, and be no other account's."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.config.fleet import Fleet
from janitor.config.fleet.shards import database_of, file_name_of, folder_of, shard_of

FLEET = Fleet("postgresql://db", Path("/s"), 64, Path("/a.yaml"), None, timedelta(hours=6), 3, None, False)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120)


@pytest.mark.parametrize(
    ("name", "shard", "file"),
    [
        pytest.param("prod", 30, "prod.db", id="plain"),
        pytest.param("prod-KR1", 37, "prod-KR1.db", id="capitals"),
        pytest.param("a/b", 29, "a%2Fb.db", id="a-slash"),
        pytest.param("..", 61, "%2E..db", id="not-the-folder-above"),
        pytest.param(".hidden", 43, "%2Ehidden.db", id="not-hidden"),
        pytest.param("50%", 46, "50%25.db", id="a-percent"),
        pytest.param("web 1", 35, "web%201.db", id="a-blank"),
        pytest.param("팀", 54, "%ED%8C%80.db", id="hangul"),
        pytest.param(
            "n" * 201,
            21,
            f"{'n' * 100}~291c4194382c6bd5c12b872660b0fb6d2316508d4632c9b289ed5928c2588b1b.db",
            id="too-long-for-a-file",
        ),
    ],
)
def test_the_place_of_an_account_never_changes(name: str, shard: int, file: str) -> None:
    assert database_of(FLEET, name) == Path(f"/s/shard-{shard:03}/{file}")


def test_the_folder_of_a_shard_has_three_digits() -> None:
    assert folder_of(FLEET, 7) == Path("/s/shard-007")
    assert folder_of(FLEET, 999) == Path("/s/shard-999")


@given(st.lists(names, min_size=2, max_size=30, unique=True))
def test_no_two_names_share_a_file(several: list[str]) -> None:
    assert len({file_name_of(name) for name in several}) == len(several)


@given(names)
def test_the_file_of_a_name_is_one_of_every_file_system(name: str) -> None:
    file = file_name_of(name)
    assert file.isascii()
    assert len(f"{file}.db.mark.a1b2c3d4") <= 255
    assert not set(file) & set('/\\:*?"<>| \0')
    assert not file.startswith(".")


@given(names, st.integers(1, 1000))
def test_a_shard_is_one_of_those_that_there_are(name: str, shards: int) -> None:
    assert 0 <= shard_of(name, shards) < shards


def test_accounts_are_spread_evenly() -> None:
    counts = [0] * 64
    for number in range(6400):
        counts[shard_of(f"account-{number}", 64)] += 1
    assert min(counts) > 60
    assert max(counts) < 145
