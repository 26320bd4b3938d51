"""The demonstration: three nights on simulated time, each short enough to be read."""

import re

import pytest

from tests.conftest import Desk

MOST_LINES = 60


def nights_of(shown: str) -> list[str]:
    """What each night shows, from its title on."""
    return re.split(r"^(?=Night \d)", shown, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("api", ["toast", "openstack"])
def test_expired_images_are_announced_wait_and_are_deleted(desk: Desk, api: str) -> None:
    done = desk.janitor("demo", "--api", api)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = nights_of(done.stdout)
    (announced,) = re.findall(r"Announced, to be deleted when due: (\d+) images", first)
    assert f"Waiting, announced before: {announced} images" in second
    assert f"Deleted, confirmed gone: {announced} images" in third
    assert list(desk.folder.iterdir()) == []


@pytest.mark.parametrize("api", ["toast", "openstack"])
def test_a_night_is_read_at_a_glance(desk: Desk, api: str) -> None:
    for night in nights_of(desk.janitor("demo", "--api", api).stdout):
        assert len(night.splitlines()) <= MOST_LINES
        assert 0 < night.index("  Policy ") < night.index("  old-images ") < night.index(" images\n    ")


def test_a_terminal_without_a_usable_width_shows_all_nights(desk: Desk) -> None:
    desk.environment = {"COLUMNS": "0"}
    assert len(nights_of(desk.janitor("demo").stdout)) == 3
