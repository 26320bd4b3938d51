"""Looking back at deletions that policies would have made: what was done with the images afterwards. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from itertools import pairwise

from janitor.core.exemptions import active, exemptions_by_tag
from janitor.core.image import Image
from janitor.core.names.image_ids import folded
from janitor.core.names.spelling import normal
from janitor.core.names.wire_keys import WireKeys
from janitor.core.needs import may_be_a_part
from janitor.core.replay.afterwards import Afterwards, Moment, Surveyed, both
from janitor.core.replay.cases import Case, Record
from janitor.core.replay.regrets import MOST_BETWEEN, Doubt, Hindsight, Regret, RegretKind, Watched
from janitor.core.replay.replayed import NightDeletion

_Found = Iterator[Regret | Doubt]
_Look = Callable[[Case], _Found]


def hindsight_of(
    deletions: Sequence[NightDeletion],
    afterwards: Afterwards,
    zone: tzinfo,
    wire_keys: Callable[[str | None], WireKeys] = lambda _api: WireKeys(),
) -> Hindsight:
    """What the time afterwards tells about the deletions of one target, of which each is of another image.

    An image that would have been deleted, too, no longer uses others from then on. `zone` is for the dates in tags
    where a run did not record its own, and `wire_keys` are the names of the fields of images, by the API's name.
    """
    record = Record(deletions, afterwards, zone)
    cases = [Case(deletion, record, wire_keys(deletion.api)) for deletion in deletions]
    found = [each for case in cases for look in _LOOKS for each in look(case)]
    first = min((deletion.run for deletion in deletions), default=None)
    later = [each for each in afterwards.surveys if first is not None and each.run > first]
    return Hindsight(
        tuple(each for each in found if isinstance(each, Regret)),
        tuple(each for each in found if isinstance(each, Doubt)),
        tuple(map(_watched, cases)),
        frozenset(each.run for each in later),
        frozenset(each.run for each in later if not each.saw_all_uses),
        Counter(source for each in later for source in sorted(each.not_asked)),
    )


def _watched(case: Case) -> Watched:
    seen = case.seen()
    with_uses = [each for each in seen if each.saw_all_uses]
    after = case.record.after
    shared = after.shared.get(case.identity, ())
    by_us = case.last_seen in after.deleted.get(case.identity, ()) or (not seen and case.deletion.really)
    over = by_us or case.missing is not None
    return Watched(
        case.deletion,
        len(seen),
        len(with_uses),
        _last(seen, case),
        bool(seen) and not over and not case.rebound,
        any(case.seen_in(runs) for sharing, runs in shared if not sharing.unasked and sharing.problem is None),
        _last(with_uses, case),
        over,
        by_us,
        case.rebound and not by_us,
        _unseen(seen, case),
        _unseen(with_uses, case),
    )


def _last(surveys: Sequence[Surveyed], case: Case) -> Moment | None:
    """When an image was watched last, as far as the clocks of runs can be believed."""
    if not surveys:
        return None
    timed = _timed(surveys, case)
    return timed[-1].moment if timed else Moment(case.deletion.at, case.deletion.run)


def _timed(surveys: Sequence[Surveyed], case: Case) -> list[Surveyed]:
    return [each for each in surveys if each.run in case.record.surveys.in_order and each.at >= case.deletion.at]


def _unseen(surveys: Sequence[Surveyed], case: Case) -> timedelta:
    """How much of the time up to the last of these surveys was in gaps that are too long to count as watched."""
    instants = [case.deletion.at, *(each.at for each in _timed(surveys, case))]
    return sum((max(later - at - MOST_BETWEEN, timedelta()) for at, later in pairwise(instants)), timedelta())


def _used(case: Case) -> _Found:
    seen: defaultdict[tuple[str, str], list[Surveyed]] = defaultdict(list)
    for use in case.record.uses_of(case.identity):
        seen[use.detail, use.who] += filter(use.seen_by, case.seen_in(use.runs))
    for (detail, who), surveys in seen.items():
        if surveys:
            in_order = sorted(surveys, key=lambda each: each.run)
            yield Regret(case.deletion, RegretKind.USED, detail, who, in_order[0].moment, in_order[-1].moment)


def _needed_perhaps(case: Case) -> _Found:
    if not case.record.unknown_needs or not may_be_a_part(case.image):
        return
    for use in case.record.unknown_needs:
        if seen := case.seen_in(case.record.while_there(use.by_image, use.runs)):
            yield Doubt(case.deletion, RegretKind.USED, use.detail, seen[0].moment)
            return


@dataclass(frozen=True, slots=True)
class _Said:
    """A change, in words, and by whom where that is recorded; not `sure` where a value cannot be read."""

    detail: str
    who: str = ""
    sure: bool = True


def _first(case: Case, kind: RegretKind, said: Iterator[tuple[_Said | None, Moment]]) -> _Found:
    """The first change of one kind; without any, the first value that may hide one."""
    doubt: Doubt | None = None
    for each, moment in said:
        if each is not None and each.sure:
            yield Regret(case.deletion, kind, each.detail, each.who, moment)
            return
        if each is not None and doubt is None:
            doubt = Doubt(case.deletion, kind, each.detail, moment)
    if doubt is not None:
        yield doubt


def _changed(kind: RegretKind, said_of: Callable[[Case, Image, Surveyed], _Said | None]) -> _Look:
    """Looks for a change of the image itself, which nobody is named for."""

    def look(case: Case) -> _Found:
        others = ((each.image, surveys[0]) for each, surveys in case.later if each.image != case.image)
        return _first(case, kind, ((said_of(case, image, survey), survey.moment) for image, survey in others))

    return look


def _protected(case: Case, image: Image, _survey: Surveyed) -> _Said | None:
    if case.image.protected or not image.protected:
        return None
    unreadable = image.unreadable.get("protected")
    return _Said("protected") if unreadable is None else _Said(f"protected cannot be read ({unreadable})", sure=False)


def _published(case: Case, image: Image, _survey: Surveyed) -> _Said | None:
    if case.image.public or not image.public:
        return None
    key = case.wire_keys.public
    if key in image.unreadable:
        return _Said(f"{key} cannot be read ({image.unreadable[key]})", sure=False)
    return _Said(f"made {image.visibility or 'public'}")


def _renamed(case: Case, image: Image, _survey: Surveyed) -> _Said | None:
    unreadable = [each.unreadable.get("name") for each in (case.image, image)]
    if unreadable == [None, None]:
        same = normal(case.image.name or "") == normal(image.name or "")
        return None if same else _Said(f"renamed from {_named(case.image)} to {_named(image)}")
    return None if unreadable[0] == unreadable[1] else _Said("its name cannot be read in every survey", sure=False)


def _named(image: Image) -> str:
    return f'"{image.name}"' if image.name else "no name"


def _tagged(case: Case, image: Image, survey: Surveyed) -> _Said | None:
    zone = survey.zone or case.record.zone
    given = exemptions_by_tag([image], survey.at, zone).get(image.id)
    if given is None or exemptions_by_tag([case.image], case.deletion.at, zone):
        return None
    if image.tags is None:
        return _Said(f"exempt by its tags, perhaps: {given.why}", sure=False)
    return _Said(f"exempt by its tag {given.why}")


def _exempted_by_command(case: Case) -> _Found:
    for given, at in case.record.after.granted.get(case.identity, ()):
        if at > case.deletion.at and case.may_be_there(at):
            yield Regret(case.deletion, RegretKind.EXEMPTED, f"exempt: {given.why}", given.who, Moment(at))
            return


def _exempted_in_files(case: Case) -> _Found:
    before, record = case.deletion, case.record
    had = [
        given
        for given, (first, end) in record.in_files(case.image)
        if first <= before.run and (end is None or end > before.run) and active(given, before.at)
    ]

    def said() -> Iterator[tuple[_Said | None, Moment]]:
        for listed, _ in case.later:
            for given, runs in record.in_files(listed.image):
                doubtful = "name" in listed.image.unreadable and folded(normal(given.image)) != case.identity
                surveys = record.surveys.of(both(runs, listed.runs))
                survey = next((each for each in surveys if active(given, each.at)), None)
                if survey is not None and given not in had:
                    perhaps = ", perhaps, as its name cannot be read" if doubtful else ""
                    words = f"exempt in a policy file{perhaps}: {given.why}"
                    yield _Said(words, given.who, sure=not doubtful), survey.moment

    return _first(case, RegretKind.EXEMPTED, iter(sorted(said(), key=lambda each: each[1].run or 0)))


def _no_longer_exempted(case: Case) -> _Found:
    """What a policy file of then kept, and these policies do not."""
    before = case.deletion
    for given, (first, end) in case.record.in_files(case.image):
        if first <= before.run and (end is None or end > before.run) and active(given, before.at):
            words = f"exempt in a policy file of then, and not in these: {given.why}"
            yield Doubt(before, RegretKind.EXEMPTED, words, Moment(before.at, before.run))
            return


def _left_out(case: Case) -> _Found:
    """What a run left out of its deletions at the last moment, as something had changed."""
    for run, why in case.record.after.left_out.get(case.identity, ()):
        seen = case.seen_in((run, run + 1))
        if seen or run == case.deletion.run:
            moment = seen[0].moment if seen else Moment(case.deletion.at, run)
            yield Doubt(case.deletion, None, f"left out of the deletions at the last moment: {why}", moment)
            return


def _given_away(case: Case) -> _Found:
    owner = case.image.owner
    for listed, surveys in case.later:
        if None not in (owner, listed.image.owner) and listed.image.owner != owner:
            yield Doubt(case.deletion, None, f"it belongs to project {listed.image.owner} since", surveys[0].moment)
            return


def _accepted(case: Case) -> _Found:
    before = case.deletion
    shared = case.record.after.shared.get(case.identity, ())
    known: tuple[str, ...] = ()
    for sharing, (first, _) in shared:
        if case.since < first <= before.run and sharing.problem is None and not sharing.unasked:
            known = sharing.accepted

    def said() -> Iterator[tuple[_Said | None, Moment]]:
        for sharing, runs in shared:
            for survey in case.seen_in(runs)[:1]:
                if sharing.problem is not None:
                    words = f"whether another project has accepted it could not be read: {sharing.problem}"
                    yield _Said(words, sure=False), survey.moment
                elif new := sorted(set(sharing.accepted) - set(known)):
                    who = f"project{'' if len(new) == 1 else 's'} {', '.join(new)}"
                    yield _Said(f"accepted by {who}", who), survey.moment

    return _first(case, RegretKind.SHARED, said())


_LOOKS: tuple[_Look, ...] = (
    _used,
    _needed_perhaps,
    _changed(RegretKind.PROTECTED, _protected),
    _exempted_by_command,
    _exempted_in_files,
    _no_longer_exempted,
    _changed(RegretKind.EXEMPTED, _tagged),
    _changed(RegretKind.SHARED, _published),
    _accepted,
    _changed(RegretKind.RENAMED, _renamed),
    _left_out,
    _given_away,
)
"""Where to look for regrets, in the order in which they are told."""
