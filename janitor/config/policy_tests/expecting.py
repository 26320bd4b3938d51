"""Reads what a test expects: which image each expectation is about, and what it says."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from janitor.config.policy_tests.schema import ANY, REASONS, ExpectationSchema, ImageSchema
from janitor.core.decision import Reason, Verdict
from janitor.core.names.image_ids import folded
from janitor.core.policy_tests.cases import Due, Expected
from janitor.core.units import counted, parse_from, some_of
from janitor.documents import Fault, Keys
from janitor.documents.schema import suggestion

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """The images of a test as `expect` may call them: by the ids that are given, or by name; all by their ids."""

    by_id: Mapping[str, str]
    by_name: Mapping[str, Sequence[str]]

    def meant_by(self, word: str) -> str:
        """The image that is called so. Raises ValueError, with a message fit for people, for none or several."""
        if word in self.by_id:
            return self.by_id[word]
        named = self.by_name.get(word, ())
        if not named:
            raise ValueError(f"is not an image of this test{suggestion(word, (*self.by_name, *self.by_id))}")
        if len(named) > 1:
            raise ValueError(f"is the name of {counted(len(named))}: give each an id, and expect by these")
        return named[0]


def listed(ids: Sequence[str], images: Sequence[ImageSchema]) -> Listed:
    """The images of a test, with these ids in their order."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for identity, image in zip(ids, images, strict=True):
        if image.name is not None:
            by_name[image.name].append(identity)
    return Listed({image.id: image.id for image in images if image.id is not None}, by_name)


def repeated_ids(images: Sequence[ImageSchema]) -> Iterator[Fault]:
    """The ids that several images have, as ids are compared."""
    first: dict[str, int] = {}
    for index, image in enumerate(images):
        if image.id is not None and first.setdefault(folded(image.id), index) != index:
            yield Fault(("images", index, "id"), f"is already the id of images[{first[folded(image.id)]}]")


def expected(
    written: ExpectationSchema, keys: Keys, policies: Collection[str], zone: tzinfo
) -> tuple[Expected, list[Fault]]:
    """What is expected, with everything that is wrong with it."""
    faults: list[Fault] = []
    policy, reason = written.policy, written.reason or written.keep
    if policy is not None and policy not in policies:
        faults.append(Fault((*keys, "policy"), _no_policy(policy, policies)))
    for verdict in (Verdict.WAIT, Verdict.DELETE):
        word = getattr(written, verdict)
        if word in policies:
            policy = word
        elif word in _reasons(verdict):
            reason = Reason(word)
        elif word is not None:
            faults.append(Fault((*keys, str(verdict)), _no_policy(word, policies, verdict)))
    return Expected(_verdict(written), reason, policy, None if written.due is None else _due(written.due, zone)), faults


def _verdict(written: ExpectationSchema) -> Verdict | None:
    if written.verdict is not None:
        return None if written.verdict == ANY else Verdict(written.verdict)
    return next((verdict for verdict in Verdict if getattr(written, verdict) is not None), None)


def _reasons(verdict: Verdict) -> list[str]:
    return [str(reason) for reason, of in REASONS.items() if of is verdict]


def _no_policy(word: str, policies: Collection[str], verdict: Verdict | None = None) -> str:
    """Say that a word is no policy, nor a reason of this verdict, and what it could be."""
    reason = next((reason for reason in REASONS if reason == word), None)
    if reason is not None:
        return f'"{word}" is a reason: write {{{_with_reason(reason)}}}'
    known = [*policies, *(_reasons(verdict) if verdict is not None else ())]
    what = "a policy" if verdict is None else f"a policy, nor a reason to {verdict}"
    return f'"{word}" is not {what}{suggestion(word, known) or f" (known: {some_of(known, _SHOWN)})"}'


def _with_reason(reason: Reason) -> str:
    return f"{REASONS[reason]}: {reason}"


def _due(text: str, zone: tzinfo) -> Due:
    first = parse_from(text, zone)
    if ":" in text:
        return Due(text, first)
    return Due(
        text, first, datetime.combine(date.fromisoformat(text) + timedelta(days=1), time.min, zone).astimezone(UTC)
    )
