"""The janitor itself on a real Glance: every decision and every outcome, compared with what was created."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.cloud.openstack.catalogue import ImagePlace
from janitor.cloud.openstack.client import OpenStackClient
from janitor.cloud.openstack.clouds import configured
from janitor.core.planning.deletion import Answer
from tests.glance.cloud import Cloud
from tests.glance.desk import Desk, outcomes, reasons, there
from tests.glance.patience import until
from tests.glance.specimens import OLD, SPECIMENS, Fleet, make_fleet
from tests.loopback import Answered, Asked

SHORT, TEN_SECONDS = timedelta(seconds=2), timedelta(seconds=10)


# A dry run, a live run, and another live run over one image of every kind


@dataclass(frozen=True, slots=True)
class Story:
    """What was made, and what each run reported and left behind."""

    fleet: Fleet
    before: Mapping[str, str]
    dry: Mapping[str, Any]
    after_dry: Mapping[str, str]
    live: Mapping[str, Any]
    after_live: Mapping[str, str]
    again: Mapping[str, Any]


@pytest.fixture(scope="module")
def story(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Story:
    fleet = make_fleet(cloud)
    desk = Desk(tmp_path_factory.mktemp("story"), cloud)
    desk.configure(fleet.ours)
    before = there(cloud, fleet.ids)
    dry, after_dry = desk.run("--dry-run"), there(cloud, fleet.ids)
    live, after_live = desk.run(), there(cloud, fleet.ids)
    return Story(fleet, before, dry, after_dry, live, after_live, desk.run())


def by_key(fleet: Fleet, found: Mapping[str, Any]) -> dict[str, Any]:
    keys = {image_id: key for key, image_id in fleet.ids.items()}
    return {keys[image_id]: value for image_id, value in found.items() if image_id in keys}


def test_a_dry_run_decides_about_every_image_as_it_was_made(story: Story) -> None:
    decided = by_key(story.fleet, reasons(story.dry))
    assert decided == {one.key: (one.reason, one.policy) for one in SPECIMENS if one.reason is not None}
    assert (story.dry["exit"], story.dry["deletions"]) == (0, [])


def test_a_dry_run_leaves_everything_as_it_was(story: Story) -> None:
    assert story.after_dry == story.before


def test_a_live_run_decides_the_same(story: Story) -> None:
    assert by_key(story.fleet, reasons(story.live)) == by_key(story.fleet, reasons(story.dry))


def test_a_live_run_deletes_exactly_what_expired(story: Story) -> None:
    expired = {one.key for one in SPECIMENS if one.reason == "expired"}
    assert by_key(story.fleet, outcomes(story.live)) == dict.fromkeys(expired, "deleted")
    assert story.after_live == {key: status for key, status in story.before.items() if key not in expired}
    assert story.live["exit"] == 0


def test_another_live_run_finds_nothing_left(story: Story) -> None:
    survivors = {one.key: (one.reason, one.policy) for one in SPECIMENS if one.reason not in (None, "expired")}
    assert by_key(story.fleet, reasons(story.again)) == survivors
    assert (story.again["exit"], story.again["deletions"]) == (0, [])


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("in-a-volume", "used by volume db-1-root"),
        ("booted", "used by instance web-1"),
        ("base", "the base of image golden-snapshot"),
        ("kernel", "the kernel of image golden-machine"),
        ("ramdisk", "the ramdisk of image golden-machine"),
        ("kernel-of-theirs", "the kernel of image their-machine"),
        ("shared-pending", "offered to project"),
        ("community", "its visibility is community"),
        ("kept-until-whenever", "which is not a readable date"),
    ],
)
def test_a_decision_says_why(story: Story, key: str, words: str) -> None:
    (detail,) = (d["detail"] for d in story.dry["decisions"] if d["image"] == story.fleet.ids[key])
    assert words in detail


# What no list shows

KILLED = """\
policies:
  - name: killed
    match: {status: killed}
    expire: {after: 24h}
"""


def test_a_killed_upload_that_we_knew_is_found_deleted_and_confirmed_by_its_id(cloud: Cloud, tmp_path: Path) -> None:
    member, desk = cloud.member(), Desk(tmp_path, cloud)
    desk.configure(member, KILLED)
    images = cloud.images(member)
    known, unknown, vanished, *_ = (images.create(name) for name in ("known", "unknown", "vanished", *"abcde"))
    cloud.database.write(unknown, status="killed")
    assert reasons(desk.run()).keys() & {known, unknown, vanished} == {known, vanished}
    images.delete(vanished)
    cloud.database.write(known, status="killed", created_at=datetime.now(UTC) - OLD)
    report = desk.run()
    assert reasons(report)[known] == ("expired", "killed")
    assert vanished not in reasons(report)
    assert outcomes(report) == {known: "deleted"}
    assert there(cloud, {"known": known, "unknown": unknown}) == {"unknown": "killed"}
    assert known not in reasons(desk.run())


def test_an_image_that_comes_to_a_status_of_no_list_is_asked_for_and_stays(cloud: Cloud, tmp_path: Path) -> None:
    member, desk = cloud.member(), Desk(tmp_path, cloud)
    desk.configure(member)
    images = cloud.images(member)
    known = images.upload(images.create("golden-once"))
    cloud.database.write(known, created_at=datetime.now(UTC) - OLD)
    assert reasons(desk.run("--dry-run"))[known] == ("pinned", "golden")
    cloud.database.write(known, status="shelved")
    assert reasons(desk.run())[known] == ("unknown-status", None)


# What is in use


@pytest.mark.parametrize("source", ["servers", "volumes"])
def test_without_a_list_of_what_is_in_use_nothing_goes(cloud: Cloud, tmp_path: Path, source: str) -> None:
    member, desk = cloud.member(), Desk(tmp_path, cloud)
    desk.configure(member)
    old = cloud.images(member).create("old")
    cloud.database.write(old, status="active", created_at=datetime.now(UTC) - OLD)
    service = cloud.nova if source == "servers" else cloud.cinder
    service.status = 403
    try:
        report = desk.run()
    finally:
        service.status = None
    assert (report["exit"], report["deletions"], reasons(report)[old]) == (1, [], ("usage-unknown", None))


def test_what_was_used_a_moment_ago_stays(cloud: Cloud, tmp_path: Path) -> None:
    member, desk = cloud.member(), Desk(tmp_path, cloud)
    desk.configure(member)
    old = cloud.images(member).create("old")
    cloud.database.write(old, status="active", created_at=datetime.now(UTC) - OLD)
    servers = [cloud.nova.boot(name, member.project_id, old) for name in ("web-1", "web-2")]
    others = [cloud.nova.boot(f"db-{number}", member.project_id, None) for number in range(8)]
    assert reasons(desk.run())[old] == ("in-use", None)
    cloud.nova.records[:] = [server for server in cloud.nova.records if server["id"] not in servers]
    report = desk.run()
    cloud.nova.records[:] = [server for server in cloud.nova.records if server["id"] not in others]
    assert (report["exit"], report["deletions"], reasons(report)[old]) == (0, [], ("recently-used", None))


# Tokens, and a Glance that fails


def test_a_run_outlives_its_token(cloud: Cloud, tmp_path: Path) -> None:
    """The list of servers is answered only when the token that first asked for it has ended, and so with a 401."""
    member, desk = cloud.member(), Desk(tmp_path, cloud)
    desk.configure(member)
    images = cloud.images(member)
    old = images.upload(images.create("old"))
    cloud.database.write(old, created_at=datetime.now(UTC) - OLD)
    asked: list[str] = []
    ordinary = cloud.nova.loopback.answer

    def late(request: Asked) -> Answered:
        asked.append(request.headers["x-auth-token"])
        until(lambda: cloud.identity.project_of(asked[0]) is None)
        return ordinary(request)

    cloud.restart_keystone(TEN_SECONDS)
    cloud.nova.loopback.answer = late
    try:
        report = desk.run()
    finally:
        cloud.nova.loopback.answer = ordinary
        cloud.restart_keystone()
    assert len(set(asked)) > 1
    assert (report["exit"], outcomes(report)) == (0, {old: "deleted"})


def test_a_token_that_ends_midway_is_renewed(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's clock stands still, so that only the rejection shows that the token has expired."""
    member, now = cloud.member(), datetime.now(UTC)
    Desk(tmp_path, cloud).configure(member)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    mine = cloud.images(member).create("mine")
    cloud.restart_keystone(SHORT)
    place = ImagePlace(cloud.glance.url, ())
    try:
        with closing(OpenStackClient(configured("ours", None), place, None, clock=lambda: now)) as client:
            witness = cloud.images(member)
            assert [image.id for image in client.images() if image.owned] == [mine]
            until(lambda: witness.page().status_code == 401)
            assert client.delete(mine) is Answer.ACCEPTED
            assert client.unlisted([mine]).found == ()
    finally:
        cloud.restart_keystone()


def test_what_a_failing_glance_did_not_delete_is_never_called_deleted(cloud: Cloud, tmp_path: Path) -> None:
    """Several workers on one SQLite file answer parallel deletions with 500, and leave some images half deleted."""
    member, desk = cloud.member(), Desk(tmp_path, cloud)
    desk.configure(member)
    images = cloud.images(member)
    ids = [images.upload(images.create(f"old-{number}")) for number in range(12)]
    for image_id in ids:
        cloud.database.write(image_id, created_at=datetime.now(UTC) - OLD)
    cloud.restart_glance(workers=3)
    try:
        report = desk.run()
    finally:
        cloud.restart_glance()
    # One that is shown as deleted is: Glance has kept its record alone.
    shown = there(cloud, {image_id: image_id for image_id in ids})
    left = {image_id for image_id, status in shown.items() if status != "deleted"}
    gone = {image_id for image_id, outcome in outcomes(report).items() if outcome in ("deleted", "already-gone")}
    assert outcomes(report).keys() == set(ids)
    assert not gone & left
    desk.run()
    assert set(there(cloud, {image_id: image_id for image_id in ids}).values()) <= {"deleted"}
