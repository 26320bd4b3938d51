"""What a target reaches, and whether it is still the account whose images the database knows. Pure."""

import shlex
from dataclasses import dataclass

from janitor.commands import command

_TELLING = 5
"""So few images may all be replaced between two runs: if none of more is left, the account is another one."""

_UPGRADED = (
    "What changed since the last run, and how to lift what it blocks: docs/upgrading.md (webhooks: `slack.accepts`; "
    "`min` and `mo` in policies; `--metrics-host`; `apply --yes`)."
)
"""Said in the first run of a target whose last accepted survey an earlier version recorded, without bindings.

The link comes first: reports cut long notes, and an endpoint that follows may be long.
"""

_LATER = "where it reaches another account, nothing will be deleted."


@dataclass(frozen=True, slots=True)
class Binding:
    """The account that a target reaches. It holds no secret: `account` is a project's id, or a digest.

    `endpoint` is the image service of a project; empty where the digest includes the endpoint.
    """

    api: str
    account: str
    endpoint: str = ""

    def described(self, *, reached_now: bool) -> str:
        """The account in words. A digest does not say which endpoint and appkey it is of."""
        if self.endpoint:
            return f"project {self.account} at {self.endpoint}"
        return "the present endpoint and appkey" if reached_now else "the endpoint and appkey that it reached before"

    def changes(self, after: "Binding") -> str:
        """How another binding differs from this one, in words."""
        if self.api != after.api:
            return f"api: {self.api} -> {after.api}"
        if not self.endpoint or not after.endpoint:
            return "endpoint or appkey"
        pairs = (("project", self.account, after.account), ("endpoint", self.endpoint, after.endpoint))
        return ", ".join(f"{what} {old} -> {new}" for what, old, new in pairs if old != new)


@dataclass(frozen=True, slots=True)
class Known:
    """What identifies an account: the ids of its own images in the last accepted survey, and those listed now.

    `run` made that survey; None where there was none. `expected` omits what the janitor deleted since; `listed` are the
    target's own images in the present survey.
    """

    run: int | None
    expected: frozenset[str]
    listed: frozenset[str]

    @property
    def left(self) -> int:
        """How many of those expected are listed."""
        return len(self.expected & self.listed)


@dataclass(frozen=True, slots=True)
class Recognition:
    """Whether a target is still the account that it was, and what is to be reported about that, if anything."""

    same: bool
    words: str = ""


def recognise(target: str, reached: Binding, bound: Binding | None, known: Known) -> Recognition:
    """Whether the history of a target is that of the account which it reaches now.

    It is if the binding is the same; if another account lists most of the images of the last accepted survey; and if no
    survey was ever accepted, since then it has no history. An accepted survey without own images counts: nothing shows
    that another account is the same. A target without a binding is believed, unless none of several images is left.
    """
    if reached == bound:
        return Recognition(same=True)
    if bound is None:
        return _first(target, reached, known)
    changed = bound.changes(reached)
    if 2 * known.left > len(known.expected):
        most = f"{known.left} of the {len(known.expected)} own images that run {known.run} knew are listed"
        return Recognition(same=True, words=f"bound again ({changed}): it is the same account, as {most}")
    if known.run is None:
        return Recognition(same=True, words=f"bound again ({changed}): no survey was accepted before")
    return Recognition(
        same=False, words=_another_account(target, f"it now reaches a different account ({changed})", known)
    )


def _first(target: str, reached: Binding, known: Known) -> Recognition:
    if len(known.expected) >= _TELLING and not known.left:
        unrecorded = "which account it reached before is not recorded, and this one seems to be different"
        return Recognition(same=False, words=_another_account(target, unrecorded, known))
    if known.run is None:
        return Recognition(same=True)
    return Recognition(same=True, words=f"{_UPGRADED} Bound to {reached.described(reached_now=True)}: {_LATER}")


def _another_account(target: str, what: str, known: Known) -> str:
    seen = (
        f"of the {len(known.expected)} own images that run {known.run} knew, {known.left} are listed"
        if known.expected
        else f"run {known.run} recorded no own image to recognise it by"
    )
    return (
        f"{what}; {seen}. Correct the configuration; or, if this account is intended, start its history again with "
        f"`{command(f'target rebind {shlex.quote(target)}', asks=True)}`"
    )
