"""Problems of the places where files are to be written: none may be another's, or one that the program reads."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from janitor.config.channels import ChannelSetting, files_written_twice
from janitor.config.declared import references
from janitor.config.policy_folder import would_be_read
from janitor.config.schema import SettingsSchema
from janitor.documents import Fault, Keys, legible
from janitor.files import METRICS, around_temporary, to_replace
from janitor.references import Reference, led_to

_METRICS = ("metrics_file",)
_RANDOM = "a1b2c3d4"
_BESIDE_THE_DATABASE = ("", "-wal", "-shm", "-journal", ".lock", ".mark", f".mark.{_RANDOM}")

_Written = tuple[Keys, Path]
"""A file that is written, and the key that names it."""


def misplaced(schema: SettingsSchema, channels: Sequence[ChannelSetting], source: Path) -> Iterator[Fault]:
    """Why files must not be written where the configuration says; one fault at each key."""
    database = _of_the_database(schema, source)
    metrics = _of_metrics(schema, source)
    said = set[Keys]()
    for fault in (
        *_misplaced_metrics(schema, source),
        *files_written_twice(channels, [file for _, file in (*database, *metrics[:1])]),
        *_read_again(schema, [*database, *metrics, *_of_channels(channels)], source),
    ):
        if fault.keys not in said:
            yield fault
        said.add(fault.keys)


def _of_the_database(schema: SettingsSchema, source: Path) -> list[_Written]:
    """The database and what is beside it, where a link to it leads."""
    database = source.parent / schema.database
    beside = (Path(f"{os.path.realpath(database)}{ending}") for ending in _BESIDE_THE_DATABASE)
    return [(("database",), file) for file in (database, *beside)]


def _of_metrics(schema: SettingsSchema, source: Path) -> list[_Written]:
    """The metrics file, and one that is to replace it."""
    if schema.metrics_file is None:
        return []
    file = source.parent / schema.metrics_file
    real = Path(os.path.realpath(file))
    return [(_METRICS, file), (_METRICS, real.parent / _RANDOM.join(around_temporary(real)))]


def _of_channels(channels: Sequence[ChannelSetting]) -> Iterator[_Written]:
    for index, setting in enumerate(channels):
        yield from ((("channels", index, key), file) for key, file in setting.files.items())


def _misplaced_metrics(schema: SettingsSchema, source: Path) -> Iterator[Fault]:
    """Why the metrics file, which is replaced after each run, must not be where the configuration says."""
    if schema.metrics_file is None:
        return
    try:
        file = to_replace(source.parent / schema.metrics_file, METRICS)
    except OSError as error:
        yield Fault(_METRICS, f'"{schema.metrics_file}" cannot be replaced: {error.strerror}')
        return
    if str(file) in {os.path.realpath(one) for _, one in _of_the_database(schema, source)}:
        yield Fault(_METRICS, f'"{schema.metrics_file}" belongs to the database, and would be overwritten')


def _read_again(schema: SettingsSchema, written: Sequence[_Written], source: Path) -> Iterator[Fault]:
    """The written files that the program would take for what people wrote."""
    declared = references(schema.references, source.parent)
    files = [file for _, file in written]
    taken = dict(read_again(files, source, source.parent / schema.policies, declared))
    yield from (Fault(keys, taken[file]) for keys, file in written if file in taken)


def read_again(
    files: Sequence[Path], source: Path, policies: Path | None, declared: Iterable[Reference]
) -> Iterator[tuple[Path, str]]:
    """The files that would be read again once they are written, each with why it must not be, in words.

    They would be read as the configuration, one of the `policies`, if that is asked, or a declared reference.
    """
    matched = dict[str, str]()
    for one in declared:
        for name in led_to(one.files, [str(file) for file in files]) if one.files is not None else ():
            matched.setdefault(name, one.what)
    for file in files:
        if os.path.realpath(file) == os.path.realpath(source):
            yield file, f'"{legible(file.name)}" is the configuration itself'
        elif policies is not None and would_be_read(policies, file):
            yield file, f'"{legible(file.name)}" would be read as a policy file: write it to another folder'
        elif glob := matched.get(str(file)):
            why = f'which the reference "{glob}" matches: what is written would be read for names of images'
            yield file, f'"{legible(file.name)}" is a file {why}; write it elsewhere'
