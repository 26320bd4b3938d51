"""The message and the question before a target is bound to another account."""

from janitor.cli.terminal import answer_to, can_ask
from janitor.errors import UsageError
from janitor.escaping import visible
from janitor.store import Store


def check_known(store: Store, name: str) -> None:
    """Raises UsageError for a target about which nothing is recorded."""
    known = sorted({*store.targets(), *store.bound_targets()})
    if name not in known:
        recorded = f"; targets recorded: {visible(', '.join(known))}" if known else ""
        raise UsageError(f"nothing is recorded about a target {visible(name)}{recorded}")


def consequences(store: Store, name: str, *, certain: bool) -> str:
    """What the target is bound to, and what stops counting: from now on where it is `certain`, else after a yes."""
    bound, shown = store.bound(name), visible(name)
    account = visible(bound.described(reached_now=False)) if bound is not None else None
    what = f"{shown} is bound to {account}" if account is not None else f"{shown} is not bound yet"
    when = "From now on" if certain else "If you say yes,"
    return (
        f"{what}. {when} everything recorded about {shown} stops counting, but can still be read: when images "
        "were first seen and last used, notices, requests, rejections. Exemptions stay."
    )


def agreed(question: str) -> bool:
    """Whether a person types `yes`. Raises UsageError where there is no terminal to ask at."""
    if not can_ask():
        raise UsageError("there is no terminal to ask at: add --yes to go ahead without a question")
    return answer_to(f"{question} Type yes:") == "yes"
