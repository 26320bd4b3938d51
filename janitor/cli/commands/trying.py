"""The commands to try things out: `sandbox` and `demo`."""

from pathlib import Path
from typing import Any

import click

from janitor.cli.commands.options import Common, FileName, common


class _SandboxCommand(click.Command):
    """A command whose options are the sandbox's own, read only when needed."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return _sandbox_options() + super().get_params(ctx)


class _DemoCommand(click.Command):
    """A command that has one of the sandbox's options."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [option for option in _sandbox_options() if option.name == "api"] + super().get_params(ctx)


def _sandbox_options() -> list[click.Parameter]:
    from janitor.sandbox.flags import FLAGS

    return [
        click.Option(
            [flag.name, flag.field],
            type=click.Choice(flag.choices) if flag.choices else flag.kind,
            is_flag=flag.kind is bool,
            default=flag.default,
            show_default=flag.kind is not bool,
            metavar=flag.metavar,
            help=flag.help,
        )
        for flag in FLAGS
    ]


@click.command(cls=_SandboxCommand)
@click.option(
    "--write",
    "file",
    type=FileName(),
    metavar="FILE",
    help="Write the janitor.yaml to this new file instead of stdout, once the sandbox listens.",
)
@common
def sandbox(common: Common, file: Path | None, **options: Any) -> int:
    """Run an embedded cloud with realistic test images.

    Prints or writes a janitor.yaml for it. Ctrl-C ends it. With --slack there is a Slack, too: reports are on a page,
    where you can answer them by its buttons. With --accounts it has many accounts, and accounts.yaml is written, too.
    """
    from janitor.cli.commands.beginning.shipped import shipped_policies
    from janitor.cli.logs import configure_logging
    from janitor.cli.written_configuration import announcing, show_page
    from janitor.errors import Exit
    from janitor.sandbox import server
    from janitor.sandbox.flags import options_from
    from janitor.shutdown import ending_signals

    configure_logging(common.verbose, form=common.log_format)
    announce = announcing(file, many=options["accounts"] is not None)
    policies = "policies" if Path("policies").is_dir() else str(shipped_policies())
    server.serve(options_from(options), announce=announce, show=show_page, ending=ending_signals(), policies=policies)
    return Exit.OK


@click.command(cls=_DemoCommand)
@common
def demo(common: Common, api: str) -> int:
    """Show three nights against an embedded cloud, on simulated time.

    On the first night expired images are announced, on the second they wait, on the third they are deleted. Needs no
    network and leaves nothing behind.
    """
    from janitor.cli.demonstration import demonstrate
    from janitor.sandbox.calls import Api

    return demonstrate(Api(api), common)
