"""Small builders for the values that tests speak of; whatever a test does not name has an ordinary value."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.memory import Exemption
from janitor.core.names.image_ids import folded
from janitor.core.planning.plan import Limits, owns
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.result import Deletion, DeletionOutcome, Mode, Outcome, RunResult, SurveySummary, TargetResult
from janitor.core.survey.binding import Known
from janitor.core.usage import Usage, User

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
GIB = 2**30

ALL = Match(name=(Pattern("*"),))
OLD = Policy("old", ALL, Expire(14 * DAY))
AMPLE = Limits(max_deletions=1000, max_share=100)


def make_image(name: str | None = "ci-web-41", *, age: timedelta = timedelta(days=30), **facts: Any) -> Image:
    """An ordinary active image, `age` old at NOW. Its id follows from its name, unless given."""
    created_at = NOW - age
    ordinary = Image(
        id=str(uuid5(NAMESPACE_DNS, ascii(name))),
        name=name,
        status="active",
        public=False,
        protected=False,
        created_at=created_at,
        updated_at=created_at,
        size=10 * GIB,
        disk_format="qcow2",
        min_disk=20,
        min_ram=0,
    )
    return ordinary.replace(**facts)


def image_called(word: str, *, days: float = 30, **facts: Any) -> Image:
    """An ordinary image, `days` old at NOW, whose id and name are the same word, unless one of them is given."""
    return make_image(**{"id": word, "name": word, "age": timedelta(days=days), **facts})


def to_delete(image: Image | str = "ci-web-41", **parts: Any) -> Decision:
    """A decision to delete an image (or one of that name) that has expired."""
    ordinary = Decision(
        image=_image(image),
        verdict=Verdict.DELETE,
        policy="ci-images",
        reason=Reason.EXPIRED,
        detail="created 2026-10-24, expired 2026-11-07 (14d after creation)",
    )
    return ordinary.replace(**parts)


def to_keep(image: Image | str = "ci-web-50", reason: Reason = Reason.UNMATCHED, **parts: Any) -> Decision:
    """A decision to keep an image (or one of that name)."""
    ordinary = Decision(_image(image), Verdict.KEEP, None, reason, "no policy matches it")
    return ordinary.replace(**parts)


def too_young(image: Image | str = "ci-web-50", *, due: datetime = NOW + timedelta(days=2), **parts: Any) -> Decision:
    """A decision to keep an image (or one of that name) until it expires."""
    detail = f"created 2026-11-11, expires {due:%Y-%m-%d} (14d after creation)"
    return to_keep(image, Reason.TOO_YOUNG, **{"policy": "ci-images", "detail": detail, "due": due, **parts})


def make_deletion(
    decision: Decision | str = "ci-web-41",
    outcome: DeletionOutcome = DeletionOutcome.DELETED,
    detail: str = "confirmed gone",
) -> Deletion:
    """The outcome of the deletion of a decided image (or of one of that name)."""
    return Deletion(to_delete(decision) if isinstance(decision, str) else decision, outcome, detail)


def make_target(
    decisions: Sequence[Decision] = (), deletions: Sequence[Deletion] = (), name: str = "prod", **parts: Any
) -> TargetResult:
    """The result of one target; images and owned are counted from the decisions. `parts`: see `replace_in`."""
    owned = sum(owns(decision.image) for decision in decisions)
    survey = SurveySummary(len(decisions), owned)
    ordinary = TargetResult(name, Outcome.OK, None, survey, tuple(decisions), tuple(deletions))
    return replace_in(ordinary, **parts)


def replace_in(target: TargetResult, **parts: Any) -> TargetResult:
    """The same result with these parts changed, each by its own name, in whichever value of the result it is."""
    for name, inner in [(each.name, getattr(target, each.name)) for each in fields(target)]:
        within = {each.name for each in fields(inner)} if is_dataclass(inner) else set()
        if chosen := {part: parts.pop(part) for part in within & parts.keys()}:
            target = replace(target, **{name: replace(inner, **chosen)})
    return replace(target, **parts)


def make_run(*targets: TargetResult, mode: Mode = Mode.DRY_RUN, **parts: Any) -> RunResult:
    """The result of one run, number 12, that began at NOW; its outcome is ok unless given."""
    ordinary = RunResult(12, mode, Outcome.OK, NOW, NOW + timedelta(seconds=42), targets)
    return replace(ordinary, **parts)


def live_run(*targets: TargetResult, **parts: Any) -> RunResult:
    """The same of a run that deletes."""
    return make_run(*targets, mode=Mode.DELETE, **parts)


def exempt(
    image: Image | str, until: datetime = NOW + DAY, *, why: str = "rollback candidate", who: str = "kim"
) -> Exemption:
    """An exemption of an image, or of one of that id or name."""
    return Exemption(image if isinstance(image, str) else image.id, until, why, who)


def make_known(expected: str, listed: str, *, run: int | None = 7) -> Known:
    """What is known about a target from its last accepted survey, and what is listed now: a letter for each image."""
    return Known(run, frozenset(expected), frozenset(listed))


def _image(image: Image | str) -> Image:
    return make_image(image) if isinstance(image, str) else image


def usage_of(by_image: Mapping[str, tuple[User, ...]], **facts: Any) -> Usage:
    """What uses these images, by their ids, however these are spelled."""
    return Usage({folded(image): users for image, users in by_image.items()}, **facts)
