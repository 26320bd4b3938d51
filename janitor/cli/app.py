"""The command line: its commands, one boundary for errors, exit codes."""

import atexit
import gc
import io
import sys

import click

from janitor import CHANGES, __version__
from janitor.cli.commands import beginning, binding, checking, exempting, resending, running, serving, trying
from janitor.cli.commands.beginning import schemas
from janitor.cli.commands.fleet import fleet
from janitor.cli.commands.reading import explaining, images, policies, runs, waiting
from janitor.cli.commands.rehearsing import backtesting, comparing, previewing, testing
from janitor.cli.streams import prepare, take_failure


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message=f"image-janitor %(version)s (CHANGELOG: {CHANGES})")
def janitor() -> None:
    """Delete expired and stuck VM images by policy, and say why.

    \b
    First steps:
      janitor demo            see it work, on an embedded cloud
      janitor init            write a configuration and policies
      janitor check           is the configuration right, and when does it run?
      janitor run --dry-run   what would be deleted, and why? Deletes nothing.

    \b
    Before changed policies rule, with `--policies DIRECTORY` where they are:
      janitor test            do they decide as written in *.test.yaml files?
      janitor preview         what would they change, of what a run saw?
      janitor backtest        what would they have deleted, and was it missed?

    \b
    Proxies and certificates come from `http` in janitor.yaml, of a target or at
    the top; otherwise from http_proxy, https_proxy, all_proxy, no_proxy,
    SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE.
    `janitor check` shows what each target uses.

    \b
    Exit codes:
      0  done
      1  a target, a report or the database failed; test: an expectation fails
      2  wrong usage, configuration or policy
      3  a deletion was rejected or failed, or is not known yet
      4  over a limit, or a survey, account, clock or database in doubt:
         nothing was deleted there;
         preview: a condition of --fail-over or --fail-on holds
      5  another run holds the database
      70 a bug
      129, 130, 143  interrupted by a signal
    """


for _command in (
    running.run,
    running.apply,
    serving.serve,
    checking.check,
    testing.test,
    images.images,
    waiting.waiting,
    policies.policies,
    explaining.explain,
    previewing.preview,
    backtesting.backtest,
    exempting.keep,
    exempting.unkeep,
    runs.runs,
    runs.show,
    comparing.diff,
    resending.resend,
    binding.target,
    binding.db,
    beginning.init,
    beginning.completion,
    schemas.schema,
    fleet,
    trying.sandbox,
    trying.demo,
):
    janitor.add_command(_command)


def _keep_summaries_whole(group: click.Group) -> None:
    """Let narrow terminals wrap the summaries of commands, which click cuts otherwise."""
    for command in group.commands.values():
        command.short_help = command.get_short_help_str(limit=_LONGEST_SUMMARY)
        if isinstance(command, click.Group):
            _keep_summaries_whole(command)


_LONGEST_SUMMARY = 1_000
_keep_summaries_whole(janitor)


def _fail(message: str, code: int, error: BaseException | None = None) -> int:
    from janitor.cli.logs import said

    click.echo(said(message, "error", error), err=True)
    return code


def main() -> None:
    """Run the command line: the one place where errors become messages and exit codes."""
    prepare()
    # A fleet is values without cycles: looking for some took a sixth of the time of a large run.
    gc.set_threshold(200_000, 50, 100)
    # While one thread reads a page, others send requests and take answers. Where they wait 5 ms for that, as is usual,
    # a list takes a fifth longer.
    sys.setswitchinterval(0.002)
    atexit.register(gc.freeze)  # what is left is freed with the process, and need not be searched first
    code = _with_output(_bounded())
    if code > _INTERRUPTED:
        from janitor.shutdown import end_now

        end_now(code)
    sys.exit(code)


_INTERRUPTED = 128


def _with_output(code: int) -> int:
    """The exit code, where stdout may have failed. A reader that stops early, as `head` does, is not a failure."""
    failure = take_failure()
    if failure is None or isinstance(failure, BrokenPipeError):
        return code
    from janitor.errors import Exit, worst

    _fail(f"janitor: stdout could not be written: {failure.strerror}", Exit.FAILED)
    return code if code > _INTERRUPTED else worst([Exit(code), Exit.FAILED])


def _bounded() -> int:
    from janitor.errors import ConfigurationError, Exit, JanitorError

    try:
        return int(janitor.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        return _fail(said.getvalue().rstrip("\n"), Exit.USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _fail("janitor: interrupted", 130)
    except ConfigurationError as error:
        return _fail(str(error), error.exit_code)
    except JanitorError as error:
        return _fail(f"janitor: {error}", error.exit_code)
    except Exception as error:  # noqa: BLE001 - the boundary: what escapes to here is a bug, and is called one
        return _fail(
            f"janitor {__version__}, {CHANGES}: this is a bug. Please report it, with the lines above.", Exit.BUG, error
        )
