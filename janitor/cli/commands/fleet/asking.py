"""The command about one account of a fleet, wherever its database is: `fleet exec`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from janitor.cli import completion
from janitor.cli.commands import binding, exempting, resending, running
from janitor.cli.commands.options import Account, Common, common
from janitor.cli.commands.reading import explaining, images, runs, waiting
from janitor.commands import about, asked_of

if TYPE_CHECKING:
    from janitor.config.fleet.accounts import Accounts

COMMANDS: Mapping[str, click.Command] = {
    "keep": exempting.keep,
    "unkeep": exempting.unkeep,
    "run": running.run,
    "apply": running.apply,
    "explain": explaining.explain,
    "waiting": waiting.waiting,
    "show": runs.show,
    "runs": runs.runs,
    "images": images.images,
    "resend": resending.resend,
    "target rebind": binding.rebind,
    "target distinct": binding.distinct,
}
"""What can be asked of one account: every command about one that a report or message names.

None of them reads or writes a file that its words name.
"""
_DELETING = (running.run, running.apply)
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


class Answer(click.ParamType[str]):
    """The id of an answer, as `fleet exec` says it when it asks."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id as PostgreSQL has it."""
        from uuid import UUID

        try:
            return str(UUID(str(value)))
        except ValueError:
            self.fail(f"{value!r} is no id of an answer: stderr said it when the command was asked", param, ctx)


@click.command(name="exec")
@click.argument("account", metavar="TARGET", required=False, shell_complete=completion.TARGETS)
@click.argument("words", metavar="-- COMMAND [WORD]...", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--wait",
    type=Term(),
    default="2min",
    show_default=True,
    metavar="DURATION",
    help="How long to wait for an answer: 90s, 5min, 1h.",
)
@click.option("--answer", "kept", type=Answer(), metavar="ID", help="Show an answer that is kept, and nothing else.")
@click.option("--here", "worker", metavar="WORKER", hidden=True, help="Carry it out here, for this worker.")
@click.option("--asked-by", metavar="NAME", hidden=True, help="Who asked, on another host.")
@click.option("--digest", metavar="DIGEST", hidden=True, help="By which configuration and policies it was asked.")
@common
def execute(
    common: Common,
    account: str | None,
    words: tuple[str, ...],
    wait: tuple[timedelta, str],
    kept: str | None,
    worker: str | None,
    asked_by: str | None,
    digest: str | None,
) -> int:
    """Ask something of one account, wherever its database is.

    \b
    COMMAND is one of: keep, unkeep, run, apply, explain, waiting, show, runs,
    images, resend, target rebind, target distinct.
      janitor fleet exec prod-7 -- explain 4f2a

    It is carried out here if the account's database is on this host, and else by the worker that has it, which keeps
    the answer for a day. The exit code is that of COMMAND. `run` and `apply` always need a worker, as only that may
    delete; `apply` also needs --yes or --dry-run. What no worker has begun within the time of --wait is withdrawn.
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
        return _printed(executing.answer_of(fleet, kept))
    if words[:1] == ("--",):  # the second one, after an account whose name begins with a dash
        words = words[1:]
    if account is None or not words:
        raise UsageError(f"name an account and a command: janitor fleet exec TARGET -- {'|'.join(COMMANDS)} …")
    if account not in accounts.names:
        accounts.settings_of(account)
    with about(account):
        context = _checked(account, words)
        return _asked(common, accounts, _Asking(account, words, context, wait, worker, asked_by, digest))


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked of an account, and for which worker it is carried out here, if for one."""

    account: str
    words: tuple[str, ...]
    context: click.Context
    wait: tuple[timedelta, str]
    worker: str | None
    asked_by: str | None
    digest: str | None


def _asked(common: Common, accounts: "Accounts", asking: _Asking) -> int:
    """Have it carried out where that is possible; its exit code."""
    from janitor.cli.fleet import executing
    from janitor.config.fleet.loading import fleet_of

    fleet, account, command = fleet_of(accounts.settings), asking.account, asking.context.command
    deletes = command in _DELETING
    if command is running.apply and not (asking.context.params["yes"] or asking.context.params["dry_run"]):
        raise executing.needs_yes(asking.words)
    settings = accounts.settings_of(account)
    if asking.worker is not None:
        executing.end_with_worker()
        executing.check_has(fleet, account, asking.worker)
        most = fleet.max_deletions_per_night if command is running.run else None
        place = executing.Place(accounts, account, asking.worker, asking.digest)
        take = partial(executing.taken, place, settings, most)
        own = Account(account, asking.asked_by, take)
    elif deletes or not executing.is_here(fleet, account):
        return _printed(
            executing.asked_of_worker(
                fleet, executing.Asked(account, asking.words, deletes, accounts.digest_of(account)), *asking.wait
            )
        )
    else:
        own = Account(account)
    code = _performed(asking.context, common, own)
    if command is exempting.keep and code == 0:
        executing.note_exemption(fleet, settings.database, account)
    return code


def _checked(account: str, words: tuple[str, ...]) -> click.Context:
    """A command as it would be carried out. Raises UsageError and click's own errors for what cannot be."""
    from janitor.errors import UsageError

    first = 1 if words[0] in COMMANDS else 2
    name, rest = " ".join(words[:first]), list(words[first:])
    if name not in COMMANDS:
        from janitor.escaping import visible

        raise UsageError(f"{visible(name)} cannot be asked of one account: these can: {', '.join(COMMANDS)}")
    if any(not _is_text(word) for word in rest):
        raise UsageError("a word of the command is not UTF-8 text")
    context = COMMANDS[name].make_context(f"{asked_of(account)} {name}", rest)
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
