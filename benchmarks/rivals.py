"""`python -m benchmarks.rivals [--quick]`: a dry run over a real Glance, beside a bare loop and similar tools.

Needs what `make bench-glance` installs. Every round runs each of them once, one after the other, over the same images.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import JANITOR, Spent, middle, spend
from benchmarks.tables import table
from tests.glance.cloud import running
from tests.glance.identity import Person

_ROOT = Path(__file__).parents[1]
_BARE_LOOP = Path(__file__).with_name("openstack_loop.py")
_CUSTODIAN = str(_ROOT / ".venv-custodian/bin/custodian")
_OPENSTACK = str(_ROOT / ".venv-openstackclient/bin/openstack")
_PLANNED = 24
"""The number of images that expire per night in a fleet that grows by an image an hour."""

Contestant = Callable[[], Spent]


@dataclass(frozen=True, slots=True)
class _Ground:
    """A folder with what each tool needs to read one project."""

    folder: Path
    person: Person
    term: int

    def prepare(self) -> None:
        self._write("clouds.yaml", {"clouds": {"ours": self.person.clouds_entry()}})
        target = {"name": "ours", "api": "openstack", "cloud": "ours"}
        limits = {"max_deletions": 1_000_000, "max_share": "100%"}
        self._write("janitor.yaml", {"policies": "policies.yaml", "limits": limits, "targets": [target]})
        old = {"name": "old", "match": {"name": "*"}, "expire": {"after": f"{self.term}h"}}
        self._write("policies.yaml", {"policies": [old]})
        age = {"type": "value", "key": "created_at", "value_type": "age", "op": "gt", "value": self.term / 24}
        self._write("custodian.yaml", {"policies": [{"name": "old", "resource": "openstack.image", "filters": [age]}]})

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        (self.folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")

    def contestants(self) -> dict[str, Contestant]:
        """Every tool by its name in the table, the bare loop first."""
        config, out = str(self.folder / "janitor.yaml"), str(self.folder / "custodian")
        custodian = [
            _CUSTODIAN,
            "run",
            "--dryrun",
            "--cache-period",
            "0",
            "-s",
            out,
            str(self.folder / "custodian.yaml"),
        ]
        return {
            "bare loop": self._bare_loop,
            "janitor run --dry-run, first": self._forgetting([JANITOR, "run", "--dry-run", "-c", config]),
            "janitor run --dry-run, unchanged": lambda: self._spend([JANITOR, "run", "--dry-run", "-c", config]),
            "custodian run --dryrun": lambda: self._spend(custodian),
            "openstack image list --long": lambda: self._spend([_OPENSTACK, "image", "list", "--long", "-f", "csv"]),
        }

    def _bare_loop(self) -> Spent:
        person = self.person
        words = [person.auth_url, person.username, person.password, person.project_name]
        return self._spend([sys.executable, str(_BARE_LOOP), *words])

    def _forgetting(self, command: list[str]) -> Contestant:
        def run() -> Spent:
            for file in self.folder.glob("janitor.db*"):
                file.unlink()
            return self._spend(command)

        return run

    def _spend(self, command: list[str]) -> Spent:
        return spend(command, self.folder / "output.txt")


@contextmanager
def _ground(images: int) -> Iterator[_Ground]:
    with running() as cloud, tempfile.TemporaryDirectory(prefix="janitor-bench-") as folder:
        person = cloud.member()
        cloud.database.add(images, person.project_id, datetime.now(UTC))
        ground = _Ground(Path(folder), person, images - _PLANNED)
        ground.prepare()
        yield ground


def measure(images: int, rounds: int) -> dict[str, Spent]:
    """The median cost of each tool."""
    with _ground(images) as ground:
        os.environ |= {"OS_CLIENT_CONFIG_FILE": str(ground.folder / "clouds.yaml"), "OS_CLOUD": "ours"}
        every: dict[str, list[Spent]] = {name: [] for name in ground.contestants()}
        for number in range(rounds):
            for name, run in ground.contestants().items():
                print(f"measuring: {name}, round {number + 1} of {rounds}", file=sys.stderr, flush=True)
                every[name].append(run())
        return {name: middle(spent) for name, spent in every.items()}


def rivals_table(measured: Mapping[str, Spent]) -> str:
    """The cost of each tool, and its wall time as a multiple of the bare loop's."""
    bare = measured["bare loop"]
    rows = (
        (name, f"{spent.wall:.2f}", f"{spent.wall / bare.wall:.2f}", f"{spent.cpu:.2f}", f"{spent.peak:.0f}")
        for name, spent in measured.items()
    )
    return table(("process", "wall s", "x bare", "CPU s", "peak MiB"), rows, 1)


def main() -> None:
    """Measure, report progress on stderr, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 images and one round")
    quick = parser.parse_args().quick
    for tool in (_CUSTODIAN, _OPENSTACK):
        if not shutil.which(tool):
            parser.error(f"{tool} is not installed: make bench-glance installs it")
    images, rounds = (1_000, 1) if quick else (10_000, 3)
    print(
        f"\nA real Glance with {images:,} images: whole processes; ratios of medians of {rounds} interleaved rounds\n"
    )
    print(rivals_table(measure(images, rounds)))
    print("\nTo reach: the whole dry run at most 1.2 x the bare loop's wall time, and 120 MiB.")


if __name__ == "__main__":
    main()
