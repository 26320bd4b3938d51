"""What a shell offers for an argument or an option: read when a person asks for it, and never in the way.

A source is given to click as `shell_complete`; it loads what it needs when it is asked.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SHELLS = ("bash", "zsh", "fish")
"""The shells that there is a script for."""

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem[str]]"]


class Kind(StrEnum):
    """What can be offered."""

    IMAGES = "ids of images"
    NAMED_IMAGES = "ids and names of images"
    EXEMPT_IMAGES = "ids of images that are exempt"
    RUNS = "numbers of runs"
    BEGINNINGS = "lengths of time, and days of runs"
    SHOWN_RUNS = "numbers of runs, and the latest"
    POLICIES = "names of policies"
    TARGETS = "names of targets"


def _source(kind: Kind) -> Complete:
    def complete(context: click.Context, _parameter: click.Parameter, begun: str) -> "list[CompletionItem[str]]":
        from click.shell_completion import CompletionItem

        from janitor.cli.completion.candidates import candidates

        offered = candidates(kind, context.params.get("config"), begun)
        return [CompletionItem(value, help=about or None) for value, about in offered]

    return complete


def words(load: Callable[[], Iterable[str]]) -> Complete:
    """Offers these words, which are the same everywhere."""

    def complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> "list[CompletionItem[str]]":
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in load() if word.startswith(begun)]

    return complete


IMAGES = _source(Kind.IMAGES)
NAMED_IMAGES = _source(Kind.NAMED_IMAGES)
EXEMPT_IMAGES = _source(Kind.EXEMPT_IMAGES)
RUNS = _source(Kind.RUNS)
BEGINNINGS = _source(Kind.BEGINNINGS)
SHOWN_RUNS = _source(Kind.SHOWN_RUNS)
POLICIES = _source(Kind.POLICIES)
TARGETS = _source(Kind.TARGETS)
