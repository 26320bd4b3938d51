"""The message and the question before a target is bound to another account, and before two are told apart."""

from janitor.cli.terminal import answer_to, can_ask
from janitor.core.survey.one_account import AccountPair
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


def pair_of(store: Store, name: str, other: str) -> AccountPair:
    """Two targets that were found to be one account. Raises UsageError for any others."""
    pairs = {pair.names: pair for pair in store.account_pairs()}
    one, another = sorted((name, other))
    if (one, another) not in pairs:
        found = visible("; ".join(" and ".join(names) for names in pairs) or "none")
        both = visible(f"{name} and {other}")
        raise UsageError(f"no run found that {both} list the same images; targets of which one did: {found}")
    return pairs[one, another]


def shared_images(pair: AccountPair, *, certain: bool) -> str:
    """What two targets list in common, and what follows from telling them apart, at once or after a yes."""
    one, other = map(visible, pair.names)
    when = "From now on" if certain else "If you say yes,"
    return (
        f"{one} and {other} both listed image {visible(pair.image)}, among others, up to run {pair.listed}. {when} "
        "each deletes by what it alone knows of such images: what only the other sees using one no longer keeps it. "
        f"This ends once {one} or {other} is bound to another account."
    )


def agreed(question: str) -> bool:
    """Whether a person types `yes`. Raises UsageError where there is no terminal to ask at."""
    if not can_ask():
        raise UsageError("there is no terminal to ask at: add --yes to go ahead without a question")
    return answer_to(f"{question} Type yes:") == "yes"
