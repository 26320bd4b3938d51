"""Trying things out: the sandbox in the foreground, and the demonstration of both kinds of run against one."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import janitor
from janitor.commands import running
from janitor.errors import Exit
from janitor.logs import configure_logging
from janitor.sandbox import server
from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options, options_from
from janitor.stopping import ending_signals


def sandbox(verbose: int, options: Mapping[str, Any]) -> int:
    """Serve until a signal; stdout carries the configuration and nothing else."""
    configure_logging(verbose)
    policies = "policies" if Path("policies").is_dir() else str(shipped_policies())
    server.serve(options_from(options), announce=_announce, ending=ending_signals(), policies=policies)
    return Exit.OK


def _announce(configuration: str) -> None:
    click.echo(configuration)
    click.echo("The sandbox listens; Ctrl-C ends it.", err=True)


def demo(verbose: int, api: str) -> int:
    """A dry run and a live run over a sandbox of its own, with the shipped policies; leaves nothing behind."""
    options = Options(api=Api(api))
    with tempfile.TemporaryDirectory(prefix="janitor-demo-") as folder, server.running(options) as cloud:
        config = Path(folder, "janitor.yaml")
        config.write_text(cloud.configuration(policies=str(shipped_policies()), mode="delete"), encoding="utf-8")
        click.echo(f"A cloud of {len(cloud.account.images)} images, and the policies in {shipped_policies()}.\n")
        click.echo("$ janitor run --dry-run\n")
        first = running.run(config, verbose, dry_run=True, targets=(), form="text", post=False)
        if first > 128:
            return first
        click.echo("\n$ janitor run\n")
        second = running.run(config, verbose, dry_run=False, targets=(), form="text", post=False)
    return first or second


def shipped_policies() -> Path:
    """The folder of the policies that come with the janitor: in an installed package, or at the top of a checkout."""
    package = Path(janitor.__file__).parent
    inside = package / "policies"
    return inside if inside.is_dir() else package.parent / "policies"
