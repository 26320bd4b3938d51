"""Channels beside Slack, as they are configured."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from janitor.documents import Fault
from janitor.documents.schema import Label, Schema


class ChannelSchema(Schema):
    """One channel beside Slack: a file, to which every report is added as a line of JSON."""

    file: Annotated[Label, Field(description="name the file that reports are added to")]


def report_files(channels: Sequence[ChannelSchema], folder: Path) -> tuple[Path, ...]:
    """The files of reports, in their order; what is relative is so to the folder."""
    return tuple(folder / channel.file for channel in channels)


def unfit_channels(channels: Sequence[ChannelSchema], folder: Path, others: Sequence[Path]) -> Iterator[Fault]:
    """The files of reports that are one file by two names, or one of `others`."""
    taken = {os.path.realpath(path): "is used for something else" for path in others}
    for index, channel in enumerate(channels):
        file = os.path.realpath(folder / channel.file)
        if file in taken:
            yield Fault(("channels", index, "file"), f'"{channel.file}" {taken[file]}')
        taken.setdefault(file, f"is the file of channels[{index}] already")
