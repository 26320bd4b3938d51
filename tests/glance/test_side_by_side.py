"""A real Glance answers pages that are asked for side by side, by time and at images that were deleted meanwhile."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from janitor.cloud.openstack.catalogue import ImagePlace
from janitor.cloud.openstack.client import OpenStackClient
from janitor.cloud.openstack.clouds import configured
from janitor.transport import HttpOptions
from tests.glance.cloud import Cloud
from tests.glance.desk import Desk
from tests.glance.identity import Person

COUNT, PAGE = 64, 8


@pytest.fixture
def member(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    person = cloud.member()
    Desk(tmp_path, cloud).configure(person)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    return person


@contextmanager
def client(cloud: Cloud) -> Iterator[OpenStackClient]:
    place, options = ImagePlace(cloud.glance.url, ()), HttpOptions(page_size=PAGE)
    opened = OpenStackClient(configured("ours", None), place, None, options, clock=lambda: datetime.now(UTC))
    with closing(opened):
        yield opened


def read(cloud: Cloud, marked: Sequence[str] | None) -> tuple[set[str], Sequence[str]]:
    """Our images as read at these markers, and the markers of this reading."""
    with client(cloud) as opened:
        return {image.id for image in opened.images(marked) if image.owned}, opened.pages_read().markers


def joined(logged: str) -> int:
    """How many pages beside the walk were of use in the first reading that was logged."""
    return next(int(word.partition("=")[2]) for word in logged.split() if word.startswith("joined="))


def test_a_list_that_changed_since_is_read_side_by_side(
    cloud: Cloud, member: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "janitor.cloud")
    images = cloud.images(member)
    mine = [images.create(f"image-{number}") for number in range(COUNT)]
    first, marked = read(cloud, ())
    assert first == set(mine)
    assert len(marked) > COUNT // PAGE
    gone = [marked[2], mine[5], mine[6]]
    for image_id in gone:
        images.delete(image_id)
    new = {images.create("new")}
    second, _ = read(cloud, marked)
    assert second == (first - set(gone)) | new
    assert joined(caplog.text) >= len(marked) - 3


def test_an_unknown_list_is_read_side_by_side_by_time(
    cloud: Cloud, member: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """Images that were made one an hour, and some in the same second."""
    caplog.set_level(logging.DEBUG, "janitor.cloud")
    cloud.database.add(2 * COUNT, member.project_id, datetime(2026, 3, 1, tzinfo=UTC))
    images = cloud.images(member)
    mine = {images.create(f"image-{number}") for number in range(2 * PAGE)}
    in_order, marked = read(cloud, ())
    assert mine < in_order
    assert len(in_order) == 2 * COUNT + 2 * PAGE
    assert read(cloud, None) == (in_order, marked)
    assert joined(caplog.text) >= len(in_order) // PAGE - 2
