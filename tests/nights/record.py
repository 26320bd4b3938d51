"""The file that reports are added to, beside the channel: whole lines, each about one run, none with a false claim."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from janitor.core.result import RunResult
from tests.nights.account import Account
from tests.nights.ground import Broken
from tests.nights.telling import Telling

_BLOCKED = 0.1


class Record:
    """Reads what each run adds. At times something else is in the place of the file, until the next run."""

    def __init__(self, file: Path, account: Account, telling: Telling, draw: Random, counts: Counter[str]) -> None:
        self._file = file
        self._account = account
        self._telling = telling
        self._draw = draw
        self._counts = counts
        self._read = b""
        self._moved = file.with_suffix(".moved")

    def draw_mood(self) -> None:
        """Whether the file can be written tonight."""
        self.repair()
        if self._draw.random() < _BLOCKED:
            with suppress(FileNotFoundError):
                self._file.rename(self._moved)
            self._file.mkdir()
            self._counts["the file of reports was blocked"] += 1

    def repair(self) -> None:
        """From now on it can be written."""
        if self._file.is_dir():
            self._file.rmdir()
            if self._moved.exists():
                self._moved.rename(self._file)

    def check(self, result: RunResult | None) -> None:
        """What was added since; the report of a run that did not die is the last of it, unless it could not be."""
        reports = [self._report(line) for line in self._news()]
        for report in reports:
            self._check_claims(report)
        if result is not None and not self._file.is_dir():
            self._check_latest(result, reports)
        self._counts["lines in the file of reports"] += len(reports)

    def _news(self) -> list[bytes]:
        if self._file.is_dir():
            return []
        content = self._file.read_bytes() if self._file.exists() else b""
        if not content.startswith(self._read) or (content and not content.endswith(b"\n")):
            raise Broken("the file of reports lost what it held, or ends within a line")
        added, self._read = content[len(self._read) :], content
        return added.splitlines()

    def _report(self, line: bytes) -> dict[str, Any]:
        try:
            report: dict[str, Any] = json.loads(line)
        except ValueError:
            raise Broken(f"a line of the file of reports is not JSON: {line[:100]!r}") from None
        return report

    def _check_claims(self, report: dict[str, Any]) -> None:
        for target in report["targets"]:
            claimed = {deletion["image"] for deletion in target["deletions"] if deletion["outcome"] in _GONE}
            if there := claimed & self._account.mine.images.keys():
                raise Broken(f"the line of run {report['run']} says that {sorted(there)} are gone")
            if report["mode"] == "delete" and (
                early := set(target["announced"]) - self._telling.announced_by(report["run"])
            ):
                raise Broken(f"the line of run {report['run']} says that {sorted(early)} were announced")

    def _check_latest(self, result: RunResult, reports: list[dict[str, Any]]) -> None:
        if not reports or (reports[-1]["run"], reports[-1]["outcome"]) != (result.run, result.outcome):
            raise Broken(f"run {result.run} ended, and the file of reports does not say so")


_GONE = ("deleted", "already-gone")
