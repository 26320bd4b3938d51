"""A real Glance answers pages that are asked for side by side, also at images that were deleted meanwhile."""

import logging
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from janitor.cloud.openstack.catalogue import ImagePlace
from janitor.cloud.openstack.client import OpenStackClient
from janitor.cloud.openstack.clouds import configured
from janitor.transport import HttpOptions
from tests.glance.cloud import Cloud
from tests.glance.desk import Desk

COUNT, PAGE = 64, 8


def test_a_list_that_changed_since_is_read_side_by_side(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "janitor.cloud")
    member = cloud.member()
    Desk(tmp_path, cloud).configure(member)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    images = cloud.images(member)
    mine = [images.create(f"image-{number}") for number in range(COUNT)]

    def read(marked: Sequence[str]) -> tuple[set[str], Sequence[str]]:
        place, options = ImagePlace(cloud.glance.url, ()), HttpOptions(page_size=PAGE)
        with closing(
            OpenStackClient(configured("ours", None), place, None, options, clock=lambda: datetime.now(UTC))
        ) as client:
            return {image.id for image in client.images(marked) if image.owned}, client.pages_read().markers

    first, marked = read(())
    assert first == set(mine)
    assert len(marked) > COUNT // PAGE
    gone = [marked[2], mine[5], mine[6]]
    for image_id in gone:
        images.delete(image_id)
    new = {images.create("new")}
    second, _ = read(marked)
    assert second == (first - set(gone)) | new
    joined = next(int(word.partition("=")[2]) for word in caplog.text.split() if word.startswith("joined="))
    assert joined >= len(marked) - 3
