"""The command about one account of a fleet, wherever its database is: `fleet exec`."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import click
from click.core import ParameterSource

from janitor.cli import completion
from janitor.cli.commands import exempting, running
from janitor.cli.commands.options import Account, Common, common
from janitor.cli.commands.reading import explaining, images, runs, waiting

COMMANDS: Mapping[str, click.Command] = {
    "keep": exempting.keep,
    "unkeep": exempting.unkeep,
    "apply": running.apply,
    "explain": explaining.explain,
    "waiting": waiting.waiting,
    "show": runs.show,
    "images": images.images,
}
"""What can be asked of one account. None of them reads or writes a file that its words name."""
_OURS = {"config": "--config", "verbose": "--verbose", "log_format": "--log-format"}


class Term(click.ParamType[tuple[timedelta, str]]):
    """How long to wait: `2min`, `90s`; with the words that were written."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[timedelta, str]:
        """The duration."""
        from janitor.core.units import parse_span

        if isinstance(value, tuple):
            return value
        try:
            return parse_span(str(value)), str(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(name="exec")
@click.argument("account", metavar="TARGET", required=False, shell_complete=completion.TARGETS)
@click.argument("words", metavar="-- COMMAND [WORD]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--wait", type=Term(), default="2min", show_default=True, metavar="DURATION", help="How long to wait.")
@click.option("--answer", "kept", type=click.UUID, metavar="ID", help="Show an answer that is kept, and nothing else.")
@click.option("--here", "worker", metavar="WORKER", hidden=True, help="Carry it out here, for this worker.")
@click.option("--asked-by", metavar="NAME", hidden=True, help="Who asked, on another host.")
@common
def execute(
    common: Common,
    account: str | None,
    words: tuple[str, ...],
    wait: tuple[timedelta, str],
    kept: uuid.UUID | None,
    worker: str | None,
    asked_by: str | None,
) -> int:
    """Ask something of one account, wherever its database is.

    \b
    COMMAND is one of: keep, unkeep, apply, explain, waiting, show, images.
      janitor fleet exec prod-7 -- explain 4f2a

    It is carried out here if the account's database is on this host, and else by the worker that has it, which keeps
    the answer for a day. The exit code is that of COMMAND. `apply` needs --yes or --dry-run, and always a worker: only
    that may delete. What no worker has begun within the time of --wait is withdrawn.
    """
    from janitor.cli.commands.loading import configured_fleet
    from janitor.errors import UsageError
    from janitor.fleet import check_installed

    accounts, fleet = configured_fleet(common)
    check_installed()
    from janitor.cli.fleet import executing

    if kept is not None:
        if account is not None:
            raise UsageError("--answer goes without TARGET and COMMAND")
        return _printed(executing.answer_of(fleet, str(kept)))
    if account is None or not words:
        raise UsageError(f"name an account and a command: janitor fleet exec TARGET -- {'|'.join(COMMANDS)} …")
    if account not in accounts.names:
        accounts.settings_of(account)
    context = _checked(words)
    deletes = COMMANDS[words[0]] is running.apply
    if deletes and not (context.params["yes"] or context.params["dry_run"]):
        raise executing.needs_yes(words)
    if worker is not None:
        executing.end_with_worker()
        executing.check_has(fleet, account, worker)
        own = Account(
            account, asked_by, partial(executing.taken, fleet, accounts.settings_of(account), account, worker)
        )
    elif deletes or not executing.is_here(fleet, account):
        return _printed(executing.asked_of_worker(fleet, executing.Asked(account, words, deletes), *wait))
    else:
        own = Account(account)
    code = _performed(context, common, own)
    if COMMANDS[words[0]] is exempting.keep and code == 0:
        executing.note_exemption(fleet, accounts.settings_of(account).database, account)
    return code


def _checked(words: tuple[str, ...]) -> click.Context:
    """A command as it would be carried out. Raises UsageError and click's own errors for what cannot be."""
    from janitor.errors import UsageError

    name, *rest = words
    if name not in COMMANDS:
        from janitor.escaping import visible

        raise UsageError(f"{visible(name)} cannot be asked of one account: these can: {', '.join(COMMANDS)}")
    if any(not _is_text(word) for word in rest):
        raise UsageError("a word of the command is not UTF-8 text")
    context = COMMANDS[name].make_context(f"janitor fleet exec TARGET -- {name}", rest)
    for parameter, option in _OURS.items():
        if context.get_parameter_source(parameter) is not ParameterSource.DEFAULT:
            raise UsageError(f"{option} is no word of the command: write it before the --")
    return context


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in word


def _performed(context: click.Context, common: Common, own: Account) -> int:
    context.obj = Common(common.config, common.verbose, common.log_format, own)
    with context:
        return int(context.command.invoke(context))


def _printed(answer: Any) -> int:
    """Print what a command wrote on another host, each to its own stream; the command's exit code."""
    click.echo(answer.output, nl=False)
    click.echo(answer.errors, nl=False, err=True)
    return int(answer.exit_code)
