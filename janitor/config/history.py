"""How long history has to be kept: as long as anything that decides looks back."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from janitor.config import Settings
from janitor.core.policy import Policy
from janitor.core.units import format_duration

_A_WEEK = timedelta(days=7)
"""How long a run looks back beyond `usage_memory` for servers, and for images that no survey lists."""


def looking_further_back(settings: Settings, policies: Iterable[Policy]) -> Iterator[str]:
    """What looks further back than `keep_history`, each in a sentence; nothing where all history is kept."""
    kept = settings.keep_history
    if kept is None:
        return
    for what, needed in _looks_back(settings, policies):
        if kept < needed:
            yield (
                f"keep_history: {format_duration(kept)} is too short: {what} looks back {format_duration(needed)}; "
                "keep at least that much, or leave the key out to keep all"
            )


def _looks_back(settings: Settings, policies: Iterable[Policy]) -> Iterator[tuple[str, timedelta]]:
    for policy in policies:
        if policy.expire is not None:
            yield f"expire.after of policy {policy.name}", policy.expire.after
        if policy.notice:
            yield f"notice of policy {policy.name}, with a week,", policy.notice + _A_WEEK
    yield "usage_memory, with a week,", settings.usage_memory + _A_WEEK
    yield "plan_validity", settings.plan_validity
