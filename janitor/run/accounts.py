"""Targets that may be one account under two names: what is recorded of others, and why a site must not delete."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from shlex import quote
from typing import Protocol
from urllib.parse import urlsplit

from janitor.cloud.service import ONE_ACCOUNT
from janitor.cloud.target import Target
from janitor.commands import command
from janitor.core.survey.one_account import AccountPair, InCommon

_RECENT = timedelta(days=8)
"""How long a survey tells which images a target lists: longer than from one week to the next."""


class Accounts(Protocol):
    """What is recorded of the images of several targets."""

    def listed_elsewhere(self, target: str, images: Iterable[str]) -> Mapping[str, InCommon]:
        """Which of these images other targets have listed as their own, by the name of the target."""
        ...

    def last_listed(self, target: str) -> tuple[int, datetime] | None:
        """The latest run that listed images of the target's own, and when; None before three of its present account."""
        ...

    def is_surveyed(self, target: str) -> bool:
        """Whether any survey of the target's present account is recorded."""
        ...

    def note_one_account(self, pair: AccountPair) -> None:
        """Record that two targets are one account. What a person said of them stays."""
        ...

    def account_pairs(self) -> Iterable[AccountPair]:
        """The pairs of targets that were found to be one account, the accounts to which they are bound now."""
        ...


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of an account without reading it: its project, the host and port of its API, and its appkey.

    None where that is not known. Who signs in is not compared: one user is often a member of all projects.
    """

    project: str | None
    host: str | None
    appkey: str | None = field(default=None, repr=False)

    def shared_with(self, other: "Traits") -> str | None:
        """What both have in common, if that may be one account: two projects cannot, nor two appkeys."""
        if self.appkey is not None and other.appkey is not None:
            return None  # no appkey is configured twice
        if self.project is not None and other.project is not None:
            return "the same project" if self.project == other.project else None
        return "the same host" if self.host is not None and self.host == other.host else None


def traits_of(target: Target, project: str | None) -> Traits:
    """What is known of a target, which signing in may have shown to be of a `project`."""
    project = project or target.project
    host = urlsplit(target.address).netloc.rpartition("@")[2] if target.address is not None else None
    project = project.replace("-", "").lower() if project else None
    return Traits(project, host.lower() if host else None, target.account)


def alike(name: str, traits: Mapping[str, Traits], others: Collection[str]) -> dict[str, str]:
    """Those of the others that may be the same account as a site, with what they have in common."""
    shared = ((other, traits[name].shared_with(traits[other])) for other in sorted(others) if other in traits)
    return {other: common for other, common in shared if common is not None}


def unfamiliar(last: Mapping[str, tuple[int, datetime] | None], now: datetime) -> set[str]:
    """The sites of which no recent survey shows the images: others cannot be compared with what is recorded of them.

    `last` says in which run each was last surveyed, and when. Those are recent that are as late as most are.
    """
    recent = {name: seen[0] for name, seen in last.items() if seen is not None and seen[1] >= now - _RECENT}
    usual = max(((sites, run) for run, sites in Counter(recent.values()).items()), default=(0, 0))[1]
    return {name for name in last if name not in recent or recent[name] < usual}


def doubts_about_account(name: str, pairs: Iterable[AccountPair], present: Iterable[str]) -> list[str]:
    """Why a site must not delete: every other target that is the same account, unless a person told them apart.

    The images of those that are `present` are listed by both now.
    """
    now = frozenset(present)
    return [_one_account(name, pair, still=pair.besides(name) in now) for pair in pairs if pair.told_apart_at is None]


def _one_account(name: str, pair: AccountPair, *, still: bool) -> str:
    other = pair.besides(name)
    when = "list" if still else f"listed, up to run {pair.listed},"
    apart = " ".join(map(quote, pair.names))
    return (
        f"{name} and {other} {when} the same images ({pair.image} is one of them): {ONE_ACCOUNT}. If they are two "
        f"accounts that share these images: `{command(f'target distinct {apart}', asks=True)}`"
    )


def unknown_account(name: str, alike: Mapping[str, str]) -> str:
    """Why a site must not delete while no survey of these other targets is recorded, with what it shares with each."""
    others = ", ".join(f"{other} ({common})" for other, common in sorted(alike.items()))
    targets = " ".join(f"--target {quote(other)}" for other in sorted(alike))
    return (
        f"nothing deleted: no list was ever read of {others}: possibly the account of {name} under another name, which "
        f"keeps what {name} deletes. Once `{command(f'run --dry-run {targets}')}` could read it, or it is removed from "
        "the configuration, the next run deletes again."
    )
