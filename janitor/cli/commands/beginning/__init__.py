"""The commands to begin with: `init` and `completion`."""

from collections.abc import Callable
from typing import Any

import click

from janitor.cli.commands.beginning.questions import QUESTIONS
from janitor.cli.commands.options import Common, OneOf, common
from janitor.cli.completion import SHELLS


def _with_questions(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command an option for each question."""
    for question in reversed(QUESTIONS):
        kind = click.Choice(question.choices) if question.choices else None
        metavar = None if question.choices else question.name.upper()
        command = click.option(question.option, type=kind, metavar=metavar, help=question.help)(command)
    return command


@click.command()
@_with_questions
@click.option("--yes", is_flag=True, help="Ask nothing: take the default of every option that is not given.")
@common
def init(common: Common, yes: bool, **given: Any) -> int:
    """Write a configuration with policies, to begin with.

    Asks what no option says, on a terminal. Writes janitor.yaml (or the file of -c), and beside it policies/ and
    .env.example; all of them or nothing, and never over what is there. No secret is asked for or written.
    """
    from janitor.cli.commands.beginning.initial import begin
    from janitor.cli.terminal import say_folded
    from janitor.config import place_of
    from janitor.errors import Exit

    for line in begin(place_of(common.config), given, ask=not yes):
        say_folded(line, 9)
    return Exit.OK


@click.command()
@click.argument("shell", type=OneOf(SHELLS))
@common
def completion(common: Common, shell: str) -> int:  # noqa: ARG001 - of every command
    """Print a script that makes a shell complete commands.

    It completes options, ids and names of images, numbers of runs, policies and targets.

    \b
    bash: eval "$(janitor completion bash)"      in ~/.bashrc
    zsh:  eval "$(janitor completion zsh)"       in ~/.zshrc, after compinit
    fish: janitor completion fish | source       in ~/.config/fish/config.fish
    """
    from janitor.cli.completion.scripts import script
    from janitor.cli.terminal import print_plain
    from janitor.errors import Exit

    group = click.get_current_context().find_root().command
    assert isinstance(group, click.Group)
    print_plain(script(group, shell))
    return Exit.OK
