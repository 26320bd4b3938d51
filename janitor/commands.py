"""How a command about one account is written in messages and reports: an account of a fleet has another form.

Like a locale, it belongs to what a thread does and to no value: a report made by a worker and the same report shown by
`fleet exec` name the same command, and no rule has to know that there are fleets.
"""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_ACCOUNT: ContextVar[str | None] = ContextVar("account", default=None)


def command(words: str, *, asks: bool = False) -> str:
    """The command line of a command about one account: `janitor keep …`, or that of `fleet exec`.

    One that `asks` before it goes on has `--yes` there: the worker that carries it out can ask nobody.
    """
    account = _ACCOUNT.get()
    if account is None:
        return f"janitor {words}"
    return f"{asked_of(account)} {words}{' --yes' if asks else ''}"


def asked_of(account: str) -> str:
    """What a command about an account of a fleet begins with: `janitor fleet exec prod-7 --`."""
    # The name of an option would otherwise be read into it.
    name = f"-- {shlex.quote(account)}" if account.startswith("-") else shlex.quote(account)
    return f"janitor fleet exec {name} --"


@contextmanager
def about(account: str | None) -> Iterator[None]:
    """Meanwhile, commands are written as they are for this account of a fleet; None: for a host without one."""
    token = _ACCOUNT.set(account)
    try:
        yield
    finally:
        _ACCOUNT.reset(token)


def as_here(action: Callable[P, T]) -> Callable[P, T]:
    """The action for another thread, in which commands are written as in this one. May be called once at a time."""

    def in_a_copy(*args: P.args, **kwargs: P.kwargs) -> T:
        return here.copy().run(action, *args, **kwargs)

    here = copy_context()
    return in_a_copy
