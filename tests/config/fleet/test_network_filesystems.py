"""Network file systems are recognised by what is mounted where a path leads."""

from pathlib import Path

import pytest

from janitor.filesystems import network_filesystem_of

ROOT = "23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    return tmp_path / "mountinfo"


def kind_of(mounts: Path, path: str, *lines: str) -> str | None:
    mounts.write_text("\n".join([*lines, ""]))
    return network_filesystem_of(Path(path), mounts)


NETWORK = (
    *("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "lustre", "glusterfs", "virtiofs"),
    *("fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone"),
)


@pytest.mark.parametrize("kind", NETWORK)
def test_a_network_file_system_is_recognised_by_its_type(mounts: Path, kind: str) -> None:
    mounted = f"40 23 0:50 / /no/where rw,relatime shared:9 master:1 - {kind} host:/x rw"
    assert kind_of(mounts, "/no/where/shards", ROOT, mounted) == kind
    assert kind_of(mounts, "/no/where", ROOT, mounted) == kind
    assert kind_of(mounts, "/no/wherever", ROOT, mounted) is None
    assert kind_of(mounts, "/no", ROOT, mounted) is None


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "fuse.fuse-overlayfs", "nfsd"]
)
def test_others_are_none(mounts: Path, kind: str) -> None:
    assert kind_of(mounts, "/no/where/x", ROOT, f"40 23 0:50 / /no/where rw - {kind} x rw") is None


NFS = "40 23 0:50 / /data rw - nfs4 host:/x rw"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        pytest.param([ROOT, NFS, "41 40 8:2 / /data/shards rw - ext4 /dev/sdb rw"], None, id="a-disk-inside"),
        pytest.param(
            [ROOT, "40 23 8:2 / /data rw - ext4 x rw", "41 40 0:5 / /data/shards rw - cifs x rw"], "cifs", id="inside"
        ),
        pytest.param([ROOT, NFS, "41 40 8:2 / /data rw - ext4 /dev/sdb rw"], None, id="mounted-over-it"),
        pytest.param(
            [ROOT, "40 23 8:2 / /data rw - ext4 x rw", "41 40 0:50 / /data rw - nfs host:/x rw"],
            "nfs",
            id="over-a-disk",
        ),
        pytest.param(
            [ROOT, "41 23 0:50 / /data/shards rw - nfs host:/x rw", "42 23 8:2 / /data rw - ext4 /dev/sdb rw"],
            None,
            id="hidden-by-what-is-mounted-around-it-later",
        ),
        pytest.param(["23 23 0:1 / / rw - rootfs rootfs rw", "30 23 0:9 / / rw - nfs host:/ rw"], "nfs", id="a-root"),
        pytest.param(
            ["40 23 8:2 / /data rw - ext4 x rw", "41 40 0:5 / /data/shards rw - cifs x rw"], "cifs", id="without-root"
        ),
        pytest.param(["", "x", "1 2 3", "5 6 7:8 / - nfs"], None, id="lines-of-another-form"),
        pytest.param(
            [ROOT, NFS, "41 40 8:2 / /data rw - ext4 x rw", "40 41 0:9 / /data rw - cifs x rw"], "cifs", id="twice"
        ),
        pytest.param(["7 8 0:1 / / rw - ext4 x rw", "8 7 0:1 / / rw - ext4 x rw"], None, id="one-around-the-other"),
    ],
)
def test_the_way_is_that_of_the_kernel(mounts: Path, lines: list[str], kind: str | None) -> None:
    assert kind_of(mounts, "/data/shards/shard-001/web.db", *lines) == kind


def test_a_folder_with_a_blank_is_found(mounts: Path) -> None:
    mounted = r"40 23 0:50 / /no\040where\134 rw - nfs host:/x rw"
    assert kind_of(mounts, "/no where\\/x", ROOT, mounted) == "nfs"


def test_a_link_leads_to_where_it_leads(mounts: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/no/where")
    assert kind_of(mounts, str(tmp_path / "link" / "x"), ROOT, "40 23 0:50 / /no/where rw - nfs x rw") == "nfs"


def test_where_the_system_does_not_tell_none_is_recognised(tmp_path: Path) -> None:
    assert network_filesystem_of(tmp_path, tmp_path / "mountinfo") is None


def test_this_system_tells_of_its_own(tmp_path: Path) -> None:
    assert network_filesystem_of(Path("/proc")) is None
    assert network_filesystem_of(tmp_path) is None
