"""Trying things out: the sandbox in the foreground, and the demonstration of both kinds of run against one."""

import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import janitor
from janitor.cli.commands import running
from janitor.cli.logs import configure_logging
from janitor.cli.terminal import print_plain, say
from janitor.errors import Exit, JanitorError, UsageError
from janitor.escaping import visible
from janitor.sandbox import server
from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options, options_from
from janitor.shutdown import ending_signals


def sandbox(verbose: int, options: Mapping[str, Any], file: Path | None) -> int:
    """Serve until a signal. The configuration goes to a file, which must not exist, or else alone to stdout."""
    configure_logging(verbose)
    _must_not_exist(file)
    policies = "policies" if Path("policies").is_dir() else str(shipped_policies())
    announce = _print_configuration if file is None else partial(_write_configuration, file)
    server.serve(options_from(options), announce=announce, ending=ending_signals(), policies=policies)
    return Exit.OK


def _print_configuration(configuration: str) -> None:
    print_plain(configuration)
    say("The sandbox listens; Ctrl-C ends it.", err=True)


def _write_configuration(file: Path, configuration: str) -> None:
    """Write what works against the sandbox, which listens by now: where it cannot, no file is left or touched."""
    try:
        with _new(file) as opened:
            _fill(file, opened, f"{configuration}\n")
    except OSError as error:
        raise JanitorError(f"--write: {file}: {error.strerror}") from error
    say(f"The sandbox listens, and its configuration is in {visible(str(file))}; Ctrl-C ends it.", err=True)


def _new(file: Path) -> TextIO:
    """The file, which was not there before. Raises UsageError where this name cannot be given to one."""
    try:
        return file.open("x", encoding="utf-8")
    except OSError as error:
        _must_not_exist(file)
        raise UsageError(f"--write: {file}: {error.strerror}") from error


def _fill(file: Path, opened: TextIO, text: str) -> None:
    try:
        opened.write(text)
        opened.flush()
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _must_not_exist(file: Path | None) -> None:
    if file is not None and os.path.lexists(file):
        raise UsageError(f"--write: {file} exists, and is left as it is: give another name, or remove it")


def demo(verbose: int, api: str) -> int:
    """A dry run and a live run over a sandbox of its own, with the shipped policies; leaves nothing behind."""
    options = Options(api=Api(api))
    with tempfile.TemporaryDirectory(prefix="janitor-demo-") as folder, server.running(options) as cloud:
        config = Path(folder, "janitor.yaml")
        configuration = cloud.configuration(policies=str(shipped_policies()), mode="delete")
        config.write_text(f"{configuration}http: {{no_proxy: '*'}}\n", encoding="utf-8")  # it is on this machine
        say(f"A cloud of {len(cloud.account.images)} images, and the policies in {shipped_policies()}.\n")
        say("$ janitor run --dry-run\n")
        first = running.run(config, verbose, dry_run=True, targets=(), form="text", post=False)
        if first > 128:
            return first
        say("\n$ janitor run\n")
        second = running.run(config, verbose, dry_run=False, targets=(), form="text", post=False)
    return first or second


def shipped_policies() -> Path:
    """The folder of the policies that come with the janitor: in an installed package, or at the top of a checkout."""
    package = Path(janitor.__file__).parent
    inside = package / "policies"
    return inside if inside.is_dir() else package.parent / "policies"
