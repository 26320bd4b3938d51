"""`python -m benchmarks.rivals [--quick]`: a dry run over a real Glance, beside a bare loop and similar tools.

Needs what `make bench-glance` installs. Every round runs each of them once, one after the other, over the same images,
which two processes serve; the bare loop has a turn before each run of the janitor.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks.case import USUAL_ROUNDS
from benchmarks.cases.surveys import BARE, FIRST, UNCHANGED
from benchmarks.processes import JANITOR, Spent, spend
from benchmarks.recorded import recorded
from benchmarks.rounds import Measured, in_rounds
from benchmarks.tables import figures_table, processes_table
from tests.glance.cloud import running
from tests.glance.identity import Person

_ROOT = Path(__file__).parents[1]
_BARE_LOOP = Path(__file__).with_name("openstack_loop.py")
_CUSTODIAN = str(_ROOT / ".venv-custodian/bin/custodian")
_OPENSTACK = str(_ROOT / ".venv-openstackclient/bin/openstack")
_PLANNED = 24
"""The number of images that expire per night in a fleet that grows by an image an hour."""

_WORKERS = 2


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

    def once(self, measured: Measured) -> None:
        """Run every tool, and the bare loop before each run of the janitor."""
        for name in (FIRST, UNCHANGED):
            bare = measured.ran(BARE, self._bare_loop())
            if name == FIRST:
                self._forget()
            run = measured.ran(
                name, self._spend([JANITOR, "run", "--dry-run", "-c", str(self.folder / "janitor.yaml")])
            )
            measured.found(f"{name}: wall ÷ bare", run.wall / bare.wall)
            measured.found(f"{name}: CPU ÷ bare", run.cpu / bare.cpu)
            measured.found(f"{name}: peak", run.peak)
        for name, command in self._others().items():
            measured.found(f"{name}: wall ÷ bare", measured.ran(name, self._spend(command)).wall / bare.wall)

    def _others(self) -> dict[str, list[str]]:
        custodian = [_CUSTODIAN, "run", "--dryrun", "--cache-period", "0", "-s", str(self.folder / "custodian")]
        return {
            "custodian run --dryrun": [*custodian, str(self.folder / "custodian.yaml")],
            "openstack image list --long": [_OPENSTACK, "image", "list", "--long", "-f", "csv"],
        }

    def _bare_loop(self) -> Spent:
        person = self.person
        words = [person.auth_url, person.username, person.password, person.project_name]
        return self._spend([sys.executable, str(_BARE_LOOP), *words])

    def _forget(self) -> None:
        for file in self.folder.glob("janitor.db*"):
            file.unlink()

    def _spend(self, command: list[str]) -> Spent:
        return spend(command, self.folder / "output.txt")


@contextmanager
def _ground(images: int) -> Iterator[_Ground]:
    with running() as cloud, tempfile.TemporaryDirectory(prefix="janitor-bench-") as folder:
        person = cloud.member()
        cloud.restart_glance(workers=_WORKERS)
        cloud.database.add(images, person.project_id, datetime.now(UTC))
        ground = _Ground(Path(folder), person, images - _PLANNED)
        ground.prepare()
        yield ground


def measure(images: int, rounds: int) -> Measured:
    """The cost of each tool, and of the bare loop."""
    with _ground(images) as ground:
        os.environ |= {"OS_CLIENT_CONFIG_FILE": str(ground.folder / "clouds.yaml"), "OS_CLOUD": "ours"}
        return in_rounds(rounds, ground.once, lambda step: print(f"measuring: {step}", file=sys.stderr, flush=True))


def main() -> None:
    """Measure, report progress on stderr, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 images and one round")
    quick = parser.parse_args().quick
    for tool in (_CUSTODIAN, _OPENSTACK):
        if not shutil.which(tool):
            parser.error(f"{tool} is not installed: make bench-glance installs it")
    images, rounds = (1_000, 1) if quick else (10_000, USUAL_ROUNDS)
    measured = {"glance": measure(images, rounds)}
    print(f"\nA real Glance with two workers and {images:,} images; of each figure, the median of {rounds} rounds\n")
    print(figures_table(recorded(), measured), processes_table(measured), sep="\n\n")


if __name__ == "__main__":
    main()
