"""The demonstration: runs of both kinds against a sandbox of its own."""

import tempfile
from pathlib import Path

import janitor
from janitor.cli import wiring
from janitor.cli.commands.loading import load
from janitor.cli.commands.options import Common
from janitor.cli.commands.run_once import run_once
from janitor.cli.formats import Format
from janitor.cli.terminal import say
from janitor.core.result import Mode
from janitor.run.sites import Choice
from janitor.sandbox import server
from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options


def demonstrate(api: Api, verbose: int) -> int:
    """A dry run and a live run over a sandbox of its own, with the shipped policies; leaves nothing behind."""
    options = Options(api=api)
    with tempfile.TemporaryDirectory(prefix="janitor-demo-") as folder, server.running(options) as cloud:
        config = Path(folder, "janitor.yaml")
        configuration = cloud.configuration(policies=str(shipped_policies()), mode="delete")
        config.write_text(f"{configuration}http: {{no_proxy: '*'}}\n", encoding="utf-8")  # it is on this machine
        say(f"A cloud of {len(cloud.account.images)} images, and the policies in {shipped_policies()}.\n")
        say("$ janitor run --dry-run\n")
        first = _run(Common(config, verbose), Mode.DRY_RUN)
        if first > 128:
            return first
        say("\n$ janitor run\n")
        second = _run(Common(config, verbose), Mode.DELETE)
    return first or second


def _run(common: Common, mode: Mode) -> int:
    settings, rules = load(common)
    request = wiring.RunRequest(mode, Choice(settings.targets), post=False)
    return run_once(settings, rules, request, Format.TEXT)


def shipped_policies() -> Path:
    """The folder of the policies that come with the janitor: in an installed package, or at the top of a checkout."""
    package = Path(janitor.__file__).parent
    inside = package / "policies"
    return inside if inside.is_dir() else package.parent / "policies"
