"""A file as a channel: each report is a line of JSON, as `--format json` prints it. Nobody needs to read it.

It is written once it is known what the channels that people read have accepted, so that it says what was announced. The
database keeps only the number of the run, which it has; for a run that could not begin it keeps the line.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from janitor.config import Settings
from janitor.config.channels import ChannelSchema
from janitor.core.memory import Backlog
from janitor.core.policy import Policy
from janitor.core.result import Outcome, RunResult
from janitor.documents.schema import Label
from janitor.errors import DeliveryError
from janitor.notify.channel import Probe, Progress, Receipt, Report, Sending
from janitor.notify.file.lines import add_line, try_to_add
from janitor.report import Name
from janitor.report.as_json import json_report, written_report
from janitor.report.routing import Share
from janitor.store import KeptReport, NewReport


@dataclass(frozen=True, slots=True)
class FileChannel:
    """One file, to which every run is reported."""

    path: Path

    kind: ClassVar[str] = "file"
    announces: ClassVar[bool] = False

    @classmethod
    def configured(
        cls, settings: Settings, _policies: Sequence[Policy] | None, _sending: Sending
    ) -> Iterator["FileChannel"]:
        """Every file of reports that is configured."""
        return (channel for channel in settings.channels if isinstance(channel, cls))

    @property
    def files(self) -> dict[str, Path]:
        """The file, by its key."""
        return {self.kind: self.path}

    @property
    def name(self) -> str:
        """Its path, which no channel of another kind has as its name."""
        return f"{self.kind}:{self.path}"

    @property
    def title(self) -> str:
        """Its name, without the folders."""
        return self.path.name

    def reports_of(self, result: RunResult, _previous: Outcome | None, waiting: Backlog) -> Sequence[Report]:
        """The whole run, whatever its outcome."""
        return [Report(Share(None, result, result), waiting)]

    def prepare(self, report: Report) -> "FileReport":
        """The line of a report."""
        return FileReport(self, report.share.totals)

    def instead_of(self, report: Report, _unreached: Mapping[str, str]) -> Report:
        """The report as it is: it is for no owner."""
        return report

    def prepare_late(self, kept: KeptReport, _name: str, stored: Callable[[], RunResult | None]) -> "FileReport":
        """The line of a run as the database has it now."""
        line = json.loads(kept.messages_json)["report"]
        return FileReport(self, stored() if line is None else line)

    def probes(self, *, live: bool) -> Iterator[Probe]:  # noqa: ARG002  it takes nobody else to try a file
        """A check that a line can be added."""
        yield "file", partial(self._probe)

    def _probe(self) -> str:
        try:
            return try_to_add(self.path)
        except OSError as error:
            raise self.failure(error) from error

    def failure(self, error: OSError) -> DeliveryError:
        """That a report could not be added, and why."""
        return DeliveryError(f"a report cannot be added to {self.path}: {error.strerror}")


class FileSchema(ChannelSchema):
    """The keys of a file of reports."""

    file: Annotated[
        Label,
        Field(
            description="name the file that reports are added to",
            json_schema_extra={"description": "A file, to which each report is added as a line of JSON."},
        ),
    ]

    def setting(self, folder: Path) -> FileChannel:
        """The file."""
        return FileChannel(folder / self.file)


@dataclass(frozen=True, slots=True)
class FileReport:
    """A report as a line: of a run, or as it was kept; None if the database cannot give its run now."""

    channel: FileChannel
    content: RunResult | str | None

    @property
    def destination(self) -> str:
        """The file."""
        return str(self.channel.path)

    @property
    def names(self) -> frozenset[Name]:
        """None: it is not a message that names images to people."""
        return frozenset()

    def late_instead(self, _error: DeliveryError) -> None:
        """It stays where it is."""

    def kept(self) -> NewReport:
        """Empty for a run in the database; otherwise the line itself."""
        line = self.content
        if isinstance(line, RunResult):
            line = None if line.run else json_report(line)
        words: dict[str, Any] = {"kind": self.channel.kind, "report": line}
        return NewReport(self.channel.name, json.dumps(words))

    def send(self, _progress: Progress, _clock: Callable[[], datetime]) -> Receipt:
        """Add the line. It is not a message that names images to people."""
        if self.content is None:
            return Receipt(error=DeliveryError("its run cannot be read from the database now"))
        try:
            add_line(self.channel.path, _encoded(self.content))
        except OSError as error:
            return Receipt(error=self.channel.failure(error))
        return Receipt()


def _encoded(content: RunResult | str) -> bytearray:
    """The line, put together from its pieces: it is long, and goes into the file in one write."""
    line = bytearray()
    for piece in written_report(content) if isinstance(content, RunResult) else (content,):
        line += piece.encode()
    return line
