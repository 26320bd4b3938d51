"""The options that choose and sort images, and what they may name: `--policy`, `--verdict`, `--reason` and others."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from janitor.cli import completion
from janitor.cli.commands.options import LATEST
from janitor.commands import command

if TYPE_CHECKING:
    from janitor.core.explaining.selection import Selection
    from janitor.store import Store

POLICY = click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="POLICY",
    shell_complete=completion.POLICIES,
    help="Only images that this policy decides on, and no guard; may be repeated.",
)
TARGET = click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    shell_complete=completion.TARGETS,
    help="Only this target; may be repeated.",
)


def _verdicts() -> Iterable[str]:
    from janitor.core.decision import Verdict

    return list(Verdict)


def _reasons() -> Iterable[str]:
    from janitor.core.decision import Reason

    return list(Reason)


def _orders() -> Iterable[str]:
    from janitor.core.explaining.selection import Order

    return list(Order)


_OTHERS = (
    click.option(
        "--verdict",
        "verdicts",
        multiple=True,
        metavar="VERDICT",
        shell_complete=completion.words(_verdicts),
        help="Only keep, wait or delete.",
    ),
    click.option(
        "--reason",
        "reasons",
        multiple=True,
        metavar="CODE",
        shell_complete=completion.words(_reasons),
        help="Only this reason; may be repeated.",
    ),
    click.option("--name", metavar="PATTERN", help="Only names like this glob or /regular expression/."),
    click.option(
        "--sort",
        "order",
        metavar="KEY",
        shell_complete=completion.words(_orders),
        help="name, size, created, due, status or policy.",
    ),
)


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose and sort images: its values `policies` to `order`, for `selection`."""
    for option in reversed((POLICY, TARGET, *_OTHERS)):
        command = option(command)
    return command


def selection(
    *,
    policies: Sequence[str],
    targets: Sequence[str],
    verdicts: Sequence[str],
    reasons: Sequence[str],
    name: str | None,
    order: str | None,
) -> "Selection":
    """What these options ask for. Raises UsageError for words that nothing has; see `check_names` for the rest."""
    from janitor.core.decision import Reason, Verdict
    from janitor.core.explaining.selection import Order, Selection

    return Selection(
        frozenset(policies),
        frozenset(_known("--verdict", verdicts, list(Verdict))),
        frozenset(_known("--reason", reasons, list(Reason))),
        frozenset(targets),
        None if name is None else _pattern(name),
        None if order is None else Order(_known("--sort", [order], list(Order))[0]),
    )


def check_names(chosen: "Selection", policies: Iterable[str], targets: Iterable[str]) -> None:
    """Raises UsageError for a policy or target that is none of these, and names them."""
    _known("--policy", sorted(chosen.policies), list(dict.fromkeys(policies)))
    check_targets(chosen.targets, targets)


def check_targets(chosen: Iterable[str], targets: Iterable[str]) -> None:
    """Raises UsageError for a target that is none of these, and names them."""
    _known("--target", sorted(chosen), list(dict.fromkeys(targets)))


def check_surveyed(targets: Collection[str]) -> None:
    """Raises UsageError where no run has surveyed any target."""
    from janitor.errors import UsageError

    if not targets:
        raise UsageError(f"no run has surveyed any target yet: `{command('run --dry-run')}` makes the first")


def _known(option: str, given: Sequence[str], known: Collection[str]) -> Sequence[str]:
    from janitor.documents.schema import suggestion
    from janitor.errors import UsageError
    from janitor.escaping import visible

    for word in given:
        if word not in known:
            near, there = suggestion(word, known), ", ".join(map(visible, known)) or "none"
            raise UsageError(f'{option}: there is no "{visible(word)}"{near or ";"} there is {there}')
    return given


def _pattern(text: str) -> Any:
    from janitor.core.names.pattern import Pattern, flaw_of_glob
    from janitor.errors import UsageError
    from janitor.escaping import visible

    try:
        pattern = Pattern(text)
    except ValueError as error:
        raise UsageError(f"--name: {visible(str(error))}") from error
    flaw = None if pattern.expression is not None else flaw_of_glob(text)
    if flaw is not None:
        raise UsageError(f'--name: "{visible(text)}" {flaw}')
    return pattern


def run_meant(store: "Store", number: int) -> int:
    """The number of the run that an option names, which may be `LATEST`. Raises UsageError before the first run."""
    from janitor.errors import UsageError

    run = store.latest_run() if number == LATEST else number
    if run is None:
        raise UsageError(f"no run is recorded yet: `{command('run --dry-run')}` makes the first")
    return run
