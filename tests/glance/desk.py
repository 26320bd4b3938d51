"""The janitor as someone runs it who has a folder with a configuration for one project."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.glance.cloud import Cloud
from tests.glance.identity import Person
from tests.glance.specimens import POLICIES

SOURCES = {"servers": "required", "volumes": "required", "snapshots": "required"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder with a configuration for one project, and the command run in it as a user would."""

    folder: Path
    cloud: Cloud

    def configure(
        self, person: Person, policies: str = POLICIES, targets: Sequence[Mapping[str, Any]] = ({},), **limits: Any
    ) -> None:
        """Write the files; each of the `targets` gives the keys that differ from the defaults, and so do the `limits`.

        The cloud `ours` is the one region; `anywhere` names none, so that a target may choose.
        """
        entry = person.clouds_entry()
        self._write("clouds.yaml", {"clouds": {"ours": entry, "anywhere": {"auth": entry["auth"]}}})
        usual = {"name": "ours", "api": "openstack", "cloud": "ours", "usage": SOURCES}
        document = {
            "mode": "delete",
            "policies": "p.yaml",
            "limits": {"max_deletions": 1000, "max_share": "100%", **limits},
            "targets": [{**usual, **target} for target in targets],
        }
        self._write("janitor.yaml", document)
        (self.folder / "p.yaml").write_text(policies, encoding="utf-8")

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        (self.folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The output and exit code of `janitor run` with these arguments."""
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "janitor", "run", "--format", "json", *words],
            cwd=self.folder,
            env={"HOME": str(self.folder), "OS_CLIENT_CONFIG_FILE": str(self.folder / "clouds.yaml")},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def report(self, *words: str) -> dict[str, Any]:
        """A run's report, with the exit code as `exit`."""
        done = self.command(*words)
        assert done.stdout, done.stderr
        return {**json.loads(done.stdout), "exit": done.returncode}

    def run(self, *words: str) -> dict[str, Any]:
        """The one target of a run's report, with the exit code as `exit`."""
        report = self.report(*words)
        (target,) = report["targets"]
        return {**target, "exit": report["exit"]}


def reasons(report: Mapping[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Reason and policy of each decision on a target, by image id."""
    return {decision["image"]: (decision["reason"], decision["policy"]) for decision in report["decisions"]}


def outcomes(report: Mapping[str, Any]) -> dict[str, str]:
    """The outcome of each deletion in a target, by image id."""
    return {deletion["image"]: deletion["outcome"] for deletion in report["deletions"]}


def there(cloud: Cloud, ids: Mapping[str, str]) -> dict[str, str]:
    """The status of each of these images that the administrator still finds, by key."""
    everything = cloud.images(cloud.admin)
    answers = {key: everything.get(image_id) for key, image_id in ids.items()}
    return {key: answer.json()["status"] for key, answer in answers.items() if answer.status_code == 200}
