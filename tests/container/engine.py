"""Builds the image of the Dockerfile, and runs commands in a container of it, as the user that it names."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.container.machine import Commands, Unavailable, install_tools, last_line, make_debian

ROOT = Path(__file__).parents[2]
SECONDS = 900.0  # two minutes on two idle cores; the rest is for a busy machine
_NEEDED_SPACE = 3 * 2**30
_NETWORK = ("--isolation", "chroot", "--network", "host")
# What buildah itself puts into a running container, and mount points that are not part of the image.
_NOT_OURS = {"data", "dev", "etc/hosts", "etc/resolv.conf", "proc", "run/.containerenv", "run/secrets", "sys"}

State = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Container:
    """A container of the image. Each command is run with a folder of the caller's as /data, and is given `secrets`."""

    commands: Commands
    buildah: tuple[str, ...]
    name: str
    tree: Path
    configuration: Mapping[str, Any]

    def words(self, data: Path, environment: Mapping[str, str], *words: str, secrets: Path | None = None) -> list[str]:
        """The command line that runs the image's entrypoint, with these arguments or the image's own."""
        mounts = [f"{data}:/data", *([f"{secrets}:/run/secrets:ro"] if secrets else [])]
        options = [word for mount in mounts for word in ("--volume", mount)]
        options += [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
        entry = self.configuration["Entrypoint"]
        return [
            *(*self.buildah, "run", *_NETWORK, *options, self.name, "--"),
            *(*entry, *(words or self.configuration["Cmd"])),
        ]

    def run(
        self, data: Path, environment: Mapping[str, str], *words: str, secrets: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run to the end."""
        return self.commands.run(*self.words(data, environment, *words, secrets=secrets), check=False)

    @contextmanager
    def running(self, data: Path, environment: Mapping[str, str]) -> "Iterator[subprocess.Popen[str]]":
        """Run the image's own command; what is left of it at the end is killed."""
        process = self.commands.start(*self.words(data, environment))
        try:
            yield process
        finally:
            for pid in [*below(process.pid), process.pid]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.communicate()

    def state(self) -> State:
        """Every file of the container except mounted ones: mode, owner, size and time of change."""
        found: State = {}
        for folder, folders, files in os.walk(self.tree):
            here = Path(folder).relative_to(self.tree)
            folders[:] = [name for name in folders if str(here / name) not in _NOT_OURS]
            for name in (*folders, *files):
                status = (self.tree / here / name).lstat()
                if str(here / name) not in _NOT_OURS:
                    times = 0 if name in folders else status.st_mtime_ns  # mount points come and go in folders
                    found[str(here / name)] = (status.st_mode, status.st_uid, status.st_gid, status.st_size, times)
        return found


def below(pid: int) -> list[int]:
    """The processes that a process started, and those that they started, in that order."""
    started: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                started += [child, *below(child)]
    return started


@contextmanager
def built() -> Iterator[Container]:
    """A container of the image as built now. Raises Unavailable if this machine cannot build any."""
    # Not in memory, where other tests have their files: a whole system would take a gigabyte of it, and a folder there
    # has another size with each mount point.
    with TemporaryDirectory(prefix="janitor-container-", dir=os.environ.get("TMPDIR", "/tmp")) as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < _NEEDED_SPACE:
            raise Unavailable(f"there is less than {_NEEDED_SPACE // 2**30} GiB of space in {folder.parent}")
        commands = Commands(folder, SECONDS)
        install_tools(commands)
        store = ("--root", f"{folder}/storage", "--runroot", f"{folder}/run", "--storage-driver", "vfs")
        buildah = ("buildah", *store)
        try:
            _make_base(commands, buildah)
            image = (*buildah, "build", *_NETWORK, "--pull-never", "--tag", "image-janitor", str(ROOT))
            commands.run(*image)
            yield _container(commands, buildah)
        finally:
            _unmount(folder)


def _make_base(commands: Commands, buildah: tuple[str, ...]) -> None:
    """Tag a Debian with Python as the base that the Dockerfile names. Raises Unavailable."""
    base = re.findall(r"^FROM (python:\S+-(\w+))", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    [(name, suite)] = set(base)
    context = commands.folder / "base"
    make_debian(commands, suite, context / "debian")
    for left in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(context / "debian" / left, ignore_errors=True)
    without = [f"--exclude=./{name}/*" for name in ("dev", "proc", "sys")]
    commands.run("tar", "-C", str(context / "debian"), *without, "-cf", str(context / "base.tar"), ".")
    shutil.rmtree(context / "debian")
    (context / "Dockerfile").write_text("FROM scratch\nADD base.tar /\nRUN python --version\n")
    tag = f"docker.io/library/{name}"
    done = commands.run(*buildah, "build", *_NETWORK, "--tag", tag, str(context), check=False)
    shutil.rmtree(context)
    if done.returncode:
        raise Unavailable(f"buildah cannot run anything here: {last_line(done)}")


def _container(commands: Commands, buildah: tuple[str, ...]) -> Container:
    name = commands.run(*buildah, "from", "--pull-never", "localhost/image-janitor").stdout.strip()
    commands.run(*buildah, "config", "--volume", "/data-", name)  # a folder of ours replaces the volume
    tree = Path(commands.run(*buildah, "mount", name).stdout.strip())
    inspected = json.loads(commands.run(*buildah, "inspect", "--type", "image", "image-janitor").stdout)
    return Container(commands, buildah, name, tree, inspected["OCIv1"]["config"])


def _unmount(folder: Path) -> None:
    """Unmount what is left below a folder, so that removing it removes nothing of this machine."""
    places = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    for place in sorted((place for place in places if place.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False)
