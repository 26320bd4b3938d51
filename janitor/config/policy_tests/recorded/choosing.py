"""Chooses what a test of a recorded run holds, and makes sure that it holds under the policies of the run."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import assert_never
from zoneinfo import ZoneInfo

from janitor.config.policy_tests import read_test
from janitor.config.policy_tests.making import Footing, id_at
from janitor.config.policy_tests.recorded.asked_facts import asked_by
from janitor.config.policy_tests.recorded.facts import Writer
from janitor.config.policy_tests.recorded.text import Value, expectation, yaml_of
from janitor.config.policy_tests.schema import ANY
from janitor.core.basis import Basis
from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.matching import Matched
from janitor.core.names.image_ids import folded, ids_in
from janitor.core.needs import PARTS
from janitor.core.policy import Policy
from janitor.core.policy_tests.judging import judged
from janitor.core.replay.inputs import Night
from janitor.core.units import format_day, format_duration, iso
from janitor.documents import parse_document
from janitor.errors import ConfigurationError
from janitor.expressions import Budget

_NAME = "recorded.test.yaml"
_NONE: Mapping[str, str] = MappingProxyType({})
_DATED = (Reason.TOO_YOUNG, Reason.NOTICE, Reason.REFUSED)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A test of a recorded run: its text, how many images were chosen, and how many others are in it.

    `unlike` are the decisions on chosen images that the test does not repeat: it expects anything of them.
    """

    text: str
    chosen: int
    others: int
    unlike: tuple[Decision, ...]


def recorded(
    night: Night, basis: Basis, decisions: Sequence[Decision], chosen: Callable[[Image], bool], heading: str
) -> Recorded:
    """The smallest test that repeats what was decided on the chosen images of a night; else the one most like it.

    What a decision depends on may be other images: those of its family, and those that need it. These are in the test
    only where it does not hold without them. Raises ConfigurationError for more than one file can hold.
    """
    wanted = {each.image.id: each for each in decisions if chosen(each.image)}
    best: _Draft | None = None
    for images, exact in _attempts(night, basis.policies, wanted):
        try:
            draft = _Draft(night, basis, images, wanted, exact=exact)
        except ConfigurationError:
            if best is None:
                raise
            break  # more than a file can hold
        if best is None or len(draft.unlike) < len(best.unlike):
            best = draft
        if not draft.unlike:
            break
    assert best is not None
    return Recorded(best.text(heading), len(wanted), len(best.images) - len(wanted), best.unlike)


def _attempts(
    night: Night, policies: Sequence[Policy], wanted: Mapping[str, Decision]
) -> Iterator[tuple[list[Image], bool]]:
    """What may be in the test: ever more images, and at last their exact instants."""
    ordered = sorted(night.images, key=_age)
    yield [image for image in ordered if image.id in wanted], False
    owner_of = Matched(policies, night.names, Budget()).owner_of
    owners = {image.id: owner_of(image).policy for image in ordered}
    counting = {owners[image] for image in wanted} - {None}
    counting = {policy for policy in counting if policy is not None and policy.keep is not None}
    yield [i for i in ordered if i.id in wanted or owners[i.id] in counting or _may_need_parts(i)], False
    yield ordered, False
    yield ordered, True


def _may_need_parts(image: Image) -> bool:
    return image.properties is None or any(map(image.properties.get, PARTS)) or bool(image.unreadable)


def _age(image: Image) -> tuple[datetime, str]:
    return (image.created_at or datetime.min.replace(tzinfo=UTC), image.id)


class _Draft:
    """A test with these images in it, and how its decisions differ from the wanted ones."""

    def __init__(
        self, night: Night, basis: Basis, images: list[Image], wanted: Mapping[str, Decision], *, exact: bool
    ) -> None:
        self.images = images
        self._night, self._basis, self._wanted = night, basis, wanted
        self._ids = _ids(images)
        self._writer = Writer(night, asked_by(basis.policies), self._ids, exact)
        owner_of = Matched(basis.policies, night.names, Budget()).owner_of
        self._written = [self._writer.image(image, owner_of(image).policy) for image in images]
        self._made = self._judged({self._label(image): ANY for image in images})
        self.unlike = tuple(each for each in wanted.values() if not each.is_like(self._made[each.image.id]))

    def text(self, heading: str) -> str:
        """The test. Raises RuntimeError if it does not hold: a bug."""
        expected = {self._label(image): self._expected(image) for image in self.images}
        self._judged(expected)
        differing = {self._label(each.image): each for each in self.unlike}
        comments = {label: f"the run decided {each.verdict} ({each.reason})" for label, each in differing.items()}
        return self._text(expected, heading, comments)

    def _judged(self, expected: Mapping[str, Value]) -> dict[str, Decision]:
        """What is decided on each image, by its id in the night; all that is expected holds."""
        document = parse_document(_NAME, self._text(expected).encode())
        footing = Footing(self._basis.zone, self._basis.usage_memory, self._basis.exemptions)
        test = read_test(document, self._basis.policies, footing)
        cases = judged(test, self._basis.policies).judged
        if not all(each.holds for each in cases):
            raise RuntimeError("a recorded test does not hold")
        return {image.id: each.decision for image, each in zip(self.images, cases, strict=True)}

    def _text(self, expected: Mapping[str, Value], heading: str = "", comments: Mapping[str, str] = _NONE) -> str:
        zone, names = str(self._night.zone), [*self._night.names]
        top: dict[str, Value] = {"now": iso(self._writer.now)}
        if zone == "UTC" or isinstance(self._night.zone, ZoneInfo):
            top["timezone"] = zone
        top["usage_memory"] = format_duration(self._basis.usage_memory)
        top["target"] = names[0] if len(names) == 1 else names
        lines = (expectation(label, value, comments.get(label, "")) for label, value in expected.items())
        return "".join((*yaml_of(heading, top, self._written), "expect:\n", *lines))

    def _label(self, image: Image) -> str:
        return self._ids.get(image.identity) or image.name or ""

    def _expected(self, image: Image) -> Value:
        decision = self._wanted.get(image.id)
        if decision is None or decision in self.unlike:
            return ANY
        expected: dict[str, Value] = {}
        match decision.verdict:
            case Verdict.KEEP:
                expected["keep"] = str(decision.reason)
                if decision.policy is not None:
                    expected["policy"] = decision.policy
            case Verdict.WAIT:
                expected = {"wait": decision.policy or "", "reason": str(decision.reason)}
            case Verdict.DELETE:
                expected["delete"] = decision.policy or ""
            case _:
                assert_never(decision.verdict)
        due, again = decision.due, self._made[image.id].due
        if decision.reason in _DATED and due is not None and again is not None:
            day = format_day(due, self._night.zone)
            if day == format_day(again, self._night.zone):
                expected["due"] = day
        return expected


def _ids(images: Sequence[Image]) -> dict[str, str]:
    """The ids of those that need one: as they have no name of their own, or as others name them by it.

    No id is the name of another image. Where the usual ones would be, all images get others, which keeps their order.
    """
    names = Counter(image.name for image in images)
    parts = {each for image in images for key in PARTS for each in ids_in((image.properties or {}).get(key) or "")}
    taken, prefix = {folded(name) for name in names if name}, ""
    while any(folded(prefix + id_at(place)) in taken for place in range(1, len(images) + 1)):
        prefix += "test-"
    return {
        image.identity: prefix + id_at(place)
        for place, image in enumerate(images, 1)
        if prefix or not image.name or names[image.name] > 1 or image.identity in parts
    }
