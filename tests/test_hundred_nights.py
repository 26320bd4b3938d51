"""A hundred nights, over twenty seeds: see `tests.nights` for what happens in them and what must hold."""

import pytest

from tests.nights import simulate


@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_nights(seed: int) -> None:
    assert simulate(seed)["deleted, and told of once"]
