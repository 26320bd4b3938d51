"""Problems of the places where files are to be written."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from janitor.config.channels import ChannelSetting, files_written_twice
from janitor.config.schema import SettingsSchema
from janitor.documents import Fault
from janitor.files import METRICS, to_replace

_KEY = ("metrics_file",)
_BESIDE_THE_DATABASE = ("", "-wal", "-shm", "-journal", ".lock", ".mark")


def misplaced(schema: SettingsSchema, channels: Sequence[ChannelSetting], source: Path) -> Iterator[Fault]:
    """Why files must not be written where the configuration says."""
    yield from _misplaced_metrics(schema, source)
    database = source.parent / schema.database
    ours = [Path(f"{database}{ending}") for ending in _BESIDE_THE_DATABASE]
    metrics = [] if schema.metrics_file is None else [source.parent / schema.metrics_file]
    yield from files_written_twice(channels, [*ours, *metrics, source])


def _misplaced_metrics(schema: SettingsSchema, source: Path) -> Iterator[Fault]:
    """Why the metrics file, which is replaced after each run, must not be where the configuration says."""
    if schema.metrics_file is None:
        return
    try:
        file = to_replace(source.parent / schema.metrics_file, METRICS)
    except OSError as error:
        yield Fault(_KEY, f'"{schema.metrics_file}" cannot be replaced: {error.strerror}')
        return
    database = source.parent / schema.database
    if str(file) in {os.path.realpath(f"{database}{ending}") for ending in _BESIDE_THE_DATABASE}:
        yield Fault(_KEY, f'"{schema.metrics_file}" belongs to the database, and would be overwritten')
