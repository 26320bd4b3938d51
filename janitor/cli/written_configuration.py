"""New files that options of commands name, such as the configuration for a sandbox."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from janitor.cli.terminal import print_plain, say
from janitor.errors import JanitorError, UsageError
from janitor.escaping import visible

if TYPE_CHECKING:
    from janitor.config import Settings


_ACCOUNTS = "accounts.yaml"


def announcing(file: Path | None, *, many: bool) -> Callable[..., None]:
    """What takes the configuration of a sandbox that listens: it is written to this new file, or else printed.

    Of a sandbox of many accounts it takes their list, too, which goes to accounts.yaml beside the file. Raises
    UsageError where that cannot be.
    """
    if file is None:
        if many:
            raise UsageError("--accounts: the list of accounts is a file beside the configuration: add --write FILE")
        return print_configuration
    accounts = file.with_name(_ACCOUNTS)
    if many and file.name == _ACCOUNTS:
        raise UsageError(f"--write: {_ACCOUNTS} is the name of the list of accounts: give another name")
    for written in (file, accounts) if many else (file,):
        must_not_exist(written)
        _must_be_no_policy(written)
    return partial(write_fleet, file, accounts) if many else partial(write_configuration, file)


def _must_be_no_policy(file: Path) -> None:
    from janitor.config.policy_folder import would_be_read

    if Path("policies").is_dir() and would_be_read(Path("policies"), file):
        raise UsageError(f"--write: {visible(file.name)} would be read as a policy file: write it to another folder")


def print_configuration(configuration: str) -> None:
    """Print it, and nothing else, to stdout."""
    print_plain(configuration)
    say("The sandbox is listening; Ctrl-C ends it.", err=True)


def show_page(address: str) -> None:
    """Say where the page of the embedded Slack is."""
    say(f"Its Slack is at {address} (open it in a browser).", err=True)


def write_configuration(file: Path, configuration: str) -> None:
    """Write it to a new file. Where that fails, no file is left or touched."""
    write_new(file, f"{configuration}\n", "--write")
    say(f"The sandbox is listening, and its configuration is in {visible(str(file))}; Ctrl-C ends it.", err=True)


def write_fleet(file: Path, list_file: Path, configuration: str, accounts: str) -> None:
    """Write both to new files. Where that fails, no file is left or touched."""
    write_new(list_file, accounts, "--write")
    try:
        write_configuration(file, configuration)
    except BaseException:
        list_file.unlink(missing_ok=True)
        raise


def write_new(file: Path, text: str, option: str) -> None:
    """Write a new file, which this option names. Where that fails, no file is left or touched.

    Raises UsageError where it cannot be created under this name, and JanitorError where it cannot be written.
    """
    try:
        with _new(file, option) as opened:
            _fill(file, opened, text)
    except OSError as error:
        raise JanitorError(f"{option}: {file}: {error.strerror}") from error


def _new(file: Path, option: str) -> TextIO:
    try:
        return file.open("x", encoding="utf-8")
    except OSError as error:
        must_not_exist(file, option)
        raise UsageError(f"{option}: {file}: {error.strerror}") from error


def _fill(file: Path, opened: TextIO, text: str) -> None:
    try:
        opened.write(text)
        opened.flush()
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def must_not_be_read(file: Path, settings: "Settings", option: str, *, policy: bool = True) -> None:
    """Raises UsageError for a new file that is read by the program once it is there; with `policy` also as a policy."""
    from janitor.config.places import read_again

    for _, why in read_again([file], settings.source, settings.policies if policy else None, settings.references):
        raise UsageError(f"{option}: {visible(why)}")


def must_not_exist(file: Path | None, option: str = "--write") -> None:
    """Raises UsageError where a file of this name exists."""
    if file is not None and os.path.lexists(file):
        raise UsageError(f"{option}: {file} exists and was not changed: give another name, or remove it")
