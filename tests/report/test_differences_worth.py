"""What the images of a difference are worth, where their sizes are not known."""

import pytest

from janitor.core.replay.amounts import Amount
from janitor.report.figures import amount_facts
from janitor.report.rehearsals.differences.short import worth
from tests.factories import GIB, image_called
from tests.report.terminal import DOLLARS

WORTH = {
    "unknown": ([None, None], "of unknown size"),
    "some": ([None, 20 * GIB], "20.0 GiB and 1 of unknown size, 1.00 USD a month"),
    "none": ([], "0 B, 0.00 USD a month"),
}


@pytest.mark.parametrize(("sizes", "words"), WORTH.values(), ids=WORTH)
def test_images_whose_sizes_are_all_unknown_cost_nothing_known(sizes: list[int | None], words: str) -> None:
    assert worth([image_called(f"i{n}", size=size) for n, size in enumerate(sizes)], DOLLARS) == words


def test_programs_are_told_no_cost_of_unknown_sizes_either() -> None:
    assert amount_facts(Amount(2, 0, 2), DOLLARS)["cost_per_month"] is None
    assert amount_facts(Amount(2, 20 * GIB, 1), DOLLARS)["cost_per_month"] == 1.0
    assert amount_facts(Amount(), DOLLARS)["cost_per_month"] == 0.0
