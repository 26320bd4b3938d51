"""Options that several commands have."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from janitor.cli.streams import LogFormat

if TYPE_CHECKING:
    from janitor.config.policy_files import Rules
    from janitor.run.requesting import Right


class _Number(click.IntRange):
    """A number of runs, or of a run: far below what the database can compare."""

    name = "integer"


class _Run(_Number):
    """A number of a run, or `latest`, which is None, or the given value."""

    def __init__(self, latest: int | None = None) -> None:
        super().__init__(1, 10**9)
        self._latest = latest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        if value == "latest":
            return self._latest
        if isinstance(value, str) and not any(map(str.isdecimal, value)):
            from difflib import get_close_matches  # only for a mistake

            near = (
                ', did you mean "latest"?'
                if get_close_matches(value, ["latest"])
                else ': write its number, or "latest"'
            )
            self.fail(f"{value!r} is not a run{near}", param, ctx)
        return super().convert(value, param, ctx)


class _Reviewed(_Number):
    """A number of a run, which has to be said: what a person has reviewed may not be the latest by now."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        if isinstance(value, str) and not any(map(str.isdecimal, value)):
            from janitor.commands import command

            self.fail(f"{value!r} is no number of a run: `{command('runs')}` lists them", param, ctx)
        return super().convert(value, param, ctx)


NUMBER = _Number(1, 10**9)
REVIEWED = _Reviewed(1, 10**9)
COUNT = _Number(0, 10**9)
RUN = _Run()
LATEST = 0
"""What an option has whose run is the `latest`; None is one that is not given."""

RUN_OR_LATEST = _Run(LATEST)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Delete nothing, whatever the configured mode.")
NO_POST = click.option("--no-post", is_flag=True, help="Do not send the report to any channel.")


class OneOf(click.Choice[str]):
    """One of a few words, as an argument: where it is missing, one line says which words there are."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002 - as click asks
        """The words, without click's tabs, which are escaped like other control characters."""
        return f"Choose from: {', '.join(self.choices)}"


class FileName(click.Path):
    """The name of a file as a Path; not an empty one, which would be the current folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        return super().convert(value, param, ctx) if value != "" else self.fail("is empty: name a file", param, ctx)


_CONFIG = click.option(
    "-c",
    "--config",
    type=FileName(),
    help="Configuration file (default: $JANITOR_CONFIG, else ./janitor.yaml).",
)
_VERBOSE = click.option("-v", "--verbose", count=True, help="Log progress to stderr; -vv logs details too.")

_LOG_FORMAT = click.option(
    "--log-format",
    type=click.Choice([form.value for form in LogFormat]),
    default=LogFormat.TEXT.value,
    show_default=True,
    callback=lambda _context, _option, value: LogFormat(value),
    help="Format of what goes to stderr; json is one object a line.",
)


@dataclass(frozen=True, slots=True)
class Account:
    """The account of a fleet that a command is about, as `fleet exec` begins it.

    `asked_by`: who asked on another host, else None. `right`: what is held while it deletes by these rules.
    """

    name: str
    asked_by: str | None = None
    right: "Callable[[Rules], AbstractContextManager[Right]] | None" = None


@dataclass(frozen=True, slots=True)
class Common:
    """The options of every command: the configuration file, how often `--verbose` was given, the format of the log.

    `account`: with a fleet, the one that the command is about.
    """

    config: Path | None
    verbose: int
    log_format: LogFormat = LogFormat.TEXT
    account: Account | None = None

    @property
    def of_account(self) -> str | None:
        """The name of the account whose configuration is read."""
        return None if self.account is None else self.account.name

    @property
    def asked_by(self) -> str | None:
        """Who asked for the command; None for whoever runs this process."""
        return None if self.account is None else self.account.asked_by

    def right(self, rules: "Rules") -> "AbstractContextManager[Right | None]":
        """What is held while the command deletes by these rules; None where the database alone says who may."""
        return nullcontext() if self.account is None or self.account.right is None else self.account.right(rules)


def common(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of every command, as the value `common`; one that `fleet exec` begins has its own."""

    @wraps(command)
    def with_common(config: Path | None, verbose: int, log_format: LogFormat, **values: Any) -> int:
        begun = click.get_current_context().find_object(Common)
        if begun is not None:
            return command(common=begun, **values)
        if log_format is not LogFormat.TEXT:
            from janitor.cli.logs import configure_logging  # also for what is said before there is a configuration

            configure_logging(verbose, form=log_format)
        return command(common=Common(config, verbose, log_format), **values)

    return _CONFIG(_VERBOSE(_LOG_FORMAT(with_common)))
