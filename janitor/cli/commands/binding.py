"""The command `target rebind`: a person says that a target is another account from now on."""

from pathlib import Path

from janitor.cli.commands.exempting import who_says
from janitor.cli.commands.loading import existing_store
from janitor.cli.terminal import answer_to, can_ask, say
from janitor.clock import utc_now
from janitor.errors import Exit, UsageError
from janitor.escaping import visible
from janitor.store import Store, exclusive


def rebind(config: Path | None, verbose: int, *, name: str, yes: bool) -> int:
    """Let the next run bind a target to what it then reaches, and begin its history anew.

    Raises UsageError for a target of which nothing is recorded, and where nobody is there to be asked; Busy during a
    run. Nothing is changed then.
    """
    with existing_store(config, verbose) as (settings, store):
        _check_known(store, name)
        bound, shown = store.bound(name), visible(name)
        account = visible(bound.described(reached_now=False)) if bound is not None else None
        what = f"{shown} is bound to {account}" if account is not None else f"{shown} is not bound yet"
        when = "From now on" if yes else "If you say yes,"
        say(
            f"{what}. {when} everything recorded of {shown} stops counting, and can be read as before: when images "
            "were first seen and last used, notices, requests, refusals. Exemptions stay.",
            err=True,
        )
        if not yes and not _agreed(f"Bind {shown} to the account that the next run reaches?"):
            say("nothing changed", err=True)
            return Exit.FAILED
        now = utc_now()
        with exclusive(settings.database, "janitor target rebind", now):
            store.rebind(name, who_says(None), now)
    say(f"{shown}: the next run binds it to the account that it reaches, and begins its history anew")
    return Exit.OK


def _check_known(store: Store, name: str) -> None:
    known = sorted({*store.targets(), *store.bound_targets()})
    if name not in known:
        there_is = f"; there is {visible(', '.join(known))}" if known else ""
        raise UsageError(f"nothing is recorded of a target {visible(name)}{there_is}")


def _agreed(question: str) -> bool:
    """Whether a person types `yes`. Raises UsageError where there is no terminal to ask at."""
    if not can_ask():
        raise UsageError("there is no terminal to ask at: add --yes, and nothing is asked")
    return answer_to(f"{question} Type yes:") == "yes"
