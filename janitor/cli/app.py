"""The command line: options, one error boundary, exit codes. Commands import what is heavy when they run."""

import atexit
import gc
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from janitor import __version__
from janitor.cli.streams import prepare, take_failure
from janitor.escaping import visible_lines

Command = TypeVar("Command", bound=Callable[..., Any])

_CONFIG = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    help="Configuration file (else $JANITOR_CONFIG, else ./janitor.yaml).",
)
_VERBOSE = click.option("-v", "--verbose", count=True, help="Log more to stderr; twice for every detail.")
_NO_POST = click.option("--no-post", is_flag=True, help="Do not post the report to Slack.")
_FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


def _common(command: Command) -> Command:
    """The options of every command."""
    return _CONFIG(_VERBOSE(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="image-janitor %(version)s")
def janitor() -> None:
    """Deletes expired and stuck VM images by policy, and says why, for every image.

    \b
    First steps:
      janitor demo            a dry run and a live run against an embedded cloud
      janitor check           is my configuration right, and when does it run?
      janitor run --dry-run   what would be deleted, and why? Deletes nothing.

    \b
    Proxies and certificates: the key http of janitor.yaml, of a target or of all, else
    http_proxy, https_proxy, all_proxy, no_proxy, SSL_CERT_FILE, SSL_CERT_DIR,
    REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE. `janitor check` says what is used for which target.

    \b
    Exit codes:
      0  done                      4  refused by a limit, nothing deleted there
      1  a target or report failed 5  another run holds the database
      2  wrong usage or policy     70 a bug
      3  deletions refused/failed  129/130/143 interrupted
    """


@janitor.command()
@click.option("--dry-run", is_flag=True, help="Delete nothing, whatever the configured mode.")
@click.option("--target", "targets", multiple=True, metavar="NAME", help="Only this target; may be repeated.")
@_FORMAT
@_NO_POST
@click.option("--accept-survey", is_flag=True, help="I have looked: a survey that looks wrong is right, this once.")
@_common
def run(
    config: Path | None,
    verbose: int,
    dry_run: bool,
    targets: tuple[str, ...],
    form: str,
    no_post: bool,
    accept_survey: bool,
) -> int:
    """Run once: survey, decide, delete (mode: delete) or only say so, and report."""
    from janitor.cli.commands import running

    return running.run(
        config,
        verbose,
        dry_run=dry_run,
        targets=targets,
        form=form,
        post=not no_post,
        accept_survey=accept_survey,
    )


@janitor.command()
@click.argument("number", metavar="RUN", type=int)
@click.option("--dry-run", is_flag=True, help="Delete nothing; say what would be deleted, and what has changed.")
@_FORMAT
@_NO_POST
@click.option("--yes", is_flag=True, help="Do not ask where `mode` is dry-run or a limit is exceeded.")
@_common
def apply(config: Path | None, verbose: int, number: int, dry_run: bool, form: str, no_post: bool, yes: bool) -> int:
    """Delete what the plan of RUN named, as far as nothing about it has changed; limits do not apply.

    Surveys and decides anew: guards and notices hold. It deletes whatever `mode` says, for a person has reviewed the
    plan; where `mode` is dry-run or a limit is exceeded, it asks.
    """
    from janitor.cli.commands import running

    return running.apply(config, verbose, number=number, dry_run=dry_run, form=form, post=not no_post, yes=yes)


@janitor.command()
@click.option("--dry-run", is_flag=True, help="Delete nothing, whatever the configured mode.")
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), metavar="PORT", help="Serve /metrics and /healthz on this port."
)
@click.option(
    "--metrics-host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="The address to serve them on; 0.0.0.0 for other hosts, as in a container.",
)
@_common
def serve(config: Path | None, verbose: int, dry_run: bool, metrics_port: int | None, metrics_host: str) -> int:
    """Run on the configured schedule until SIGTERM; policies are read anew before every run."""
    from janitor.cli.commands import serving

    return serving.serve(config, verbose, dry_run=dry_run, metrics_host=metrics_host, metrics_port=metrics_port)


@janitor.command()
@click.option(
    "--live", is_flag=True, help="Also sign in, read images and what uses them, and post a test message to Slack."
)
@_common
def check(config: Path | None, verbose: int, live: bool) -> int:
    """Validate configuration and policies, and show the next three runs. No network without --live."""
    from janitor.cli.commands import checking

    return checking.check(config, verbose, live=live)


@janitor.command()
@click.option("--run", "number", type=int, metavar="N", help="The snapshot of run N instead of the latest.")
@_FORMAT
@_common
def images(config: Path | None, verbose: int, number: int | None, form: str) -> int:
    """List the images exactly as a run saw them."""
    from janitor.cli.commands import reading

    return reading.images(config, verbose, number=number, form=form)


@janitor.command()
@click.argument("image")
@_common
def explain(config: Path | None, verbose: int, image: str) -> int:
    """Say everything about one IMAGE (its id, or the start of it): facts, decision, policies, history."""
    from janitor.cli.commands import reading

    return reading.explain(config, verbose, prefix=image)


@janitor.command()
@click.argument("images", metavar="[IMAGE]...", nargs=-1)
@click.option("--until", metavar="DATE", help="Through this day (2026-12-31), or until a time with its zone.")
@click.option("--for", "term", metavar="DURATION", help="From now on for so long, like 30d.")
@click.option("--why", metavar="TEXT", help="Why it stays: shown with every decision.")
@click.option("--by", metavar="NAME", help="Who says so; else your user name.")
@click.option("--list", "listing", is_flag=True, help="List what is exempt, in policy files too.")
@click.option("--all", "past", is_flag=True, help="List also what has lapsed or was ended.")
@_FORMAT
@_common
def keep(
    config: Path | None,
    verbose: int,
    images: tuple[str, ...],
    until: str | None,
    term: str | None,
    why: str | None,
    by: str | None,
    listing: bool,
    past: bool,
    form: str,
) -> int:
    """Exempt every IMAGE (its id, or the start of it) from deletion until a date, or list the exemptions."""
    from janitor.cli.commands import exempting

    if listing or past:
        return exempting.list_kept(config, verbose, (*images, until, term, why, by), past=past, form=form)
    return exempting.keep(config, verbose, images, until=until, term=term, why=why, by=by)


@janitor.command()
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option("--by", metavar="NAME", help="Who says so; else your user name.")
@_common
def unkeep(config: Path | None, verbose: int, images: tuple[str, ...], by: str | None) -> int:
    """End the exemption of every IMAGE (its id, or the start of it)."""
    from janitor.cli.commands import exempting

    return exempting.unkeep(config, verbose, images, by=by)


@janitor.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@_common
def runs(config: Path | None, verbose: int, limit: int) -> int:
    """List past runs, newest first."""
    from janitor.cli.commands import reading

    return reading.runs(config, verbose, limit=limit)


@janitor.command()
@click.argument("number", metavar="RUN", type=int)
@_FORMAT
@_common
def show(config: Path | None, verbose: int, number: int, form: str) -> int:
    """Show the report of a past RUN again."""
    from janitor.cli.commands import reading

    return reading.show(config, verbose, number=number, form=form)


@janitor.command()
@_common
def resend(config: Path | None, verbose: int) -> int:
    """Send the reports that Slack did not get, oldest first, marked late. Every run does so too."""
    from janitor.cli.commands import reporting

    return reporting.resend(config, verbose)


@janitor.group()
def target() -> None:
    """Say which account a target is: see `janitor target rebind --help`."""


@target.command()
@click.argument("name", metavar="NAME")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_common
def rebind(config: Path | None, verbose: int, name: str, yes: bool) -> int:
    """Bind the target NAME to the account that the next run reaches, and begin its history anew.

    What was recorded before can still be read, and counts no more: when images were first seen and last used, notices,
    requests, refusals. Exemptions stay.
    """
    from janitor.cli.commands import binding

    return binding.rebind(config, verbose, name=name, yes=yes)


class _SandboxCommand(click.Command):
    """A command whose options are the sandbox's own, read when they are asked for."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from janitor.sandbox.options import FLAGS

        options: list[click.Parameter] = [
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
        return options + super().get_params(ctx)


@janitor.command(cls=_SandboxCommand)
@click.option(
    "--write",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the janitor.yaml to this new file, once the sandbox listens, and not to stdout.",
)
@_common
def sandbox(config: Path | None, verbose: int, file: Path | None, **options: Any) -> int:  # noqa: ARG001 - -c is on every command
    """Run an embedded cloud with realistic test images, and print or write a janitor.yaml for it."""
    from janitor.cli.commands import demo

    return demo.sandbox(verbose, options, file)


@janitor.command(name="demo")
@click.option(
    "--api",
    type=click.Choice(["toast", "openstack"]),
    default="toast",
    show_default=True,
    help="What the sandbox speaks: Compute API v1.0, or OpenStack's APIs (Image API v2).",
)
@_common
def demo_(config: Path | None, verbose: int, api: str) -> int:  # noqa: ARG001 - -c is on every command
    """Start a sandbox, do a dry run and then a live run against it, and print both reports."""
    from janitor.cli.commands import demo

    return demo.demo(verbose, api)


def _fail(message: str, code: int) -> int:
    click.echo(visible_lines(message), err=True)
    return code


def main() -> None:
    """Run the command line: the one place where errors become messages and exit codes."""
    prepare()
    # A fleet is values without cycles: looking for some took a sixth of the time of a large run.
    gc.set_threshold(200_000, 50, 100)
    atexit.register(gc.freeze)  # what is left goes with the process, and need not be searched first
    code = _with_output(_bounded())
    if code > _INTERRUPTED:
        from janitor.shutdown import end_now

        end_now(code)
    sys.exit(code)


_INTERRUPTED = 128


def _with_output(code: int) -> int:
    """The exit code, where stdout may have failed. A reader that had enough, as `head` has, is no failure."""
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
        from janitor.cli.logs import traceback_of

        click.echo(traceback_of(error), err=True)
        return _fail(f"janitor {__version__}: this is a bug. Please report it, with the lines above.", Exit.BUG)
