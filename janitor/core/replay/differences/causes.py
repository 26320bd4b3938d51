"""Why a run decided otherwise on an image than an earlier one: told from what both recorded, and never guessed.

The reasons of decisions are asked in a fixed order, and the first that holds is given. So if the earlier reason comes
first, it is that one which no longer holds; otherwise the later one holds only now. What can have changed that is
looked for in what the two runs saw and went by. Where several things can, the cause is unknown.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from janitor.core.decision import Decision, Reason
from janitor.core.image import Image
from janitor.core.notices import known
from janitor.core.replay.differences.between import Cause, ChangedDecision, Compared, Difference
from janitor.core.replay.differences.facts import unread_facts
from janitor.core.replay.differences.grounds import (
    dated_by,
    family_in,
    is_by_day,
    matched_by,
    owner_in,
    unless_granted,
)
from janitor.core.replay.differences.using import Using, differing

_LAST = (Reason.SHARED, Reason.REFUSED, Reason.NOTICE, Reason.EXPIRED)
_ORDER = (*(reason for reason in Reason if reason not in _LAST), *_LAST)
_GUARDS = frozenset(_ORDER[: _ORDER.index(Reason.UNMATCHED)])
_KEPT = frozenset(_ORDER[_ORDER.index(Reason.KEPT_NEWEST) : _ORDER.index(Reason.SHARED)])
_FACTS = {
    Reason.UNSETTLED_RECORD: ("unreadable",),
    Reason.GONE: ("status",),
    Reason.PUBLIC: ("public", "visibility"),
    Reason.PROTECTED: ("protected",),
    Reason.NOT_OWNED: ("owned", "owner"),
    Reason.UNKNOWN_STATUS: ("status",),
}
"""The facts that alone decide whether a guard holds."""

_CAUSE_OF_FACT = {
    "protected": Cause.PROTECTION,
    "status": Cause.STATUS,
    "name": Cause.NAME,
    "public": Cause.VISIBILITY,
    "visibility": Cause.VISIBILITY,
}
_DATES = frozenset({"created_at", "updated_at", "status", "properties"})


def difference(compared: Compared) -> Difference:
    """What differs between two surveys, and why other decisions were made. Raises what a budget's stop does."""
    if not compared.decisions_compared:
        return Difference(compared, ())
    why = _Why(compared)
    changed = tuple(why.of(before, after) for before, after in compared.decided if why.differ(before, after))
    return Difference(compared, changed, sum(why.is_announced(before, after) for before, after in compared.decided))


def _is_guard(decision: Decision) -> bool:
    return decision.policy is None and decision.reason in _GUARDS


def _rank(decision: Decision) -> int:
    """The place of a decision's reason in the order in which reasons are asked; all that `keep` gives are one."""
    if decision.reason in _KEPT:
        return _ORDER.index(Reason.KEPT_NEWEST)
    if decision.reason is Reason.UNDATED and not _is_guard(decision):
        return _ORDER.index(Reason.PINNED)  # a policy that expires something is no pin
    return _ORDER.index(decision.reason)


class _Why:
    """Finds the causes of what was decided otherwise by the later of two runs."""

    def __init__(self, compared: Compared) -> None:
        self._compared = compared
        self._before, self._after = compared.before, compared.after
        self._using = Using(compared)
        texts, later = self._before.texts, self._after.texts
        self._edited = frozenset(name for name in {*texts, *later} if texts.get(name) != later.get(name))
        self._rewritten = self._edited & texts.keys() & later.keys()
        self._reordered = [name for name in texts if name in later] != [name for name in later if name in texts]
        self._matched = tuple(matched_by(side, compared.target) for side in (self._before, self._after))
        self._families: frozenset[tuple[str, str | None]] | None = None

    def differ(self, before: Decision, after: Decision) -> bool:
        """Whether the later decision says something else, and not only in other words or with another user.

        That is another verdict, policy or reason, or another instant of an expiry, an exemption or a retry. The date of
        a notice that nobody was told of is another one every time, and that people are told is no other decision: only
        a date that they knew, and that no longer stands, is one.
        """
        if not before.is_like(after):
            return True
        if after.reason is Reason.NOTICE:
            told, now = self._dates_told(before, after)
            return told is not None and told != now
        return before.due != after.due

    def is_announced(self, before: Decision, after: Decision) -> bool:
        """Whether an image waits for its notice as before, and only the later run found that people know the date."""
        if not before.is_like(after) or after.reason is not Reason.NOTICE:
            return False
        told, now = self._dates_told(before, after)
        return told is None and now is not None

    def of(self, before: Decision, after: Decision) -> ChangedDecision:
        """The two decisions with the cause, or what may be it."""
        causes = tuple(dict.fromkeys(self._causes(before, after)))
        if len(causes) == 1:
            return ChangedDecision(before, after, causes[0])
        candidates = tuple(each for each in causes if each is not Cause.UNKNOWN)
        return ChangedDecision(before, after, Cause.UNKNOWN, candidates)

    def _causes(self, before: Decision, after: Decision) -> Iterator[Cause]:
        """What can be why; nothing where nothing is known to have changed."""
        old, new = _rank(before), _rank(after)
        if _is_guard(before) or _is_guard(after):
            yield from self._of_guard(before, after, began=new <= old)
        elif before.policy != after.policy and Reason.SHARED not in (before.reason, after.reason):
            yield from self._of_owner(before, after)
        elif new == old:
            yield from self._of_same(before, after)
        else:
            first = after if new < old else before
            yield from self._of_rule(first.reason, before, after)

    def _of_guard(self, before: Decision, after: Decision, *, began: bool) -> Iterator[Cause]:
        """Why a guard holds only now, or no longer."""
        reason = after.reason if began else before.reason
        match reason:
            case Reason.IN_USE | Reason.REFERENCED:
                yield from self._using.of_use(after.image, began=began)
            case Reason.RECENTLY_USED:
                yield from self._using.of_recent_use(after.image, began=began)
            case Reason.USAGE_UNKNOWN:
                yield Cause.USAGE_UNREAD
            case Reason.NEEDED:
                yield Cause.NEEDED
            case Reason.EXEMPT:
                yield from self._of_exemption(before, after, began=began)
            case Reason.UNDATED | Reason.NEWBORN:
                dated = list(_of_facts(before.image, after.image, ("created_at",)))
                yield from dated or [Cause.UNKNOWN if began else Cause.TIME_PASSED]
            case _:
                yield from _of_facts(before.image, after.image, _FACTS[reason])

    def _of_exemption(self, before: Decision, after: Decision, *, began: bool) -> Iterator[Cause]:
        if None in (before.image.tags, after.image.tags):  # they may exempt the image, and nobody knows
            yield Cause.UNKNOWN
            return
        if not began and before.reason is not after.reason and self._is_over(before.due):
            yield Cause.EXEMPTION_EXPIRED
            return
        same = before.reason is after.reason
        later = after.due is None or (before.due is not None and after.due > before.due)
        granted = later if same else began
        given, other = (after, before) if granted else (before, after)
        side, rest = (self._after, self._before) if granted else (self._before, self._after)
        unless = unless_granted(given.image, other.image, side, rest)
        moved = given.due is not None and differing(side, "zone", rest) and is_by_day(given.image, side)
        if unless is not Cause.UNKNOWN or not moved:
            yield unless or (Cause.EXEMPTION_GRANTED if granted else Cause.EXEMPTION_REVOKED)
        if moved:
            yield Cause.SETTINGS

    def _of_sharing(self, before: Decision, after: Decision) -> Iterator[Cause]:
        """Its sharing changed only if both runs could read it, and read other things."""
        sides = ((before, self._before), (after, self._after))
        old, new = ((side.sharing or {}).get(decision.image.id) for decision, side in sides)
        if old is None or new is None:
            yield Cause.UNKNOWN
            if None not in (self._before.sharing, self._after.sharing):  # asked only where it is set, and can be shared
                yield from _of_facts(before.image, after.image, ("visibility",))
                yield Cause.SETTINGS
        elif old.unasked or new.unasked or old.problem or new.problem or old == new:
            yield Cause.UNKNOWN
        else:
            yield Cause.SHARING

    def _is_over(self, due: datetime | None) -> bool:
        return due is not None and due <= self._after.seen_at

    def _of_owner(self, before: Decision, after: Decision) -> Iterator[Cause]:
        """Why another policy owns an image: its facts alone or the policies alone, where either is enough."""
        edited = bool(self._edited) or self._reordered
        altered = list(_of_facts(before.image, after.image, Image.fields(), but=("updated_at",)))
        old, new = self._matched
        if not (edited and altered) or old is None or new is None:
            yield from [self._of_policies(before, after)] if edited else altered
            yield from altered if edited else ()
            return
        if owner_in(old, after.image) == after.policy:
            yield from altered
        elif owner_in(new, before.image) == after.policy:
            yield self._of_policies(before, after)
        else:
            yield from (self._of_policies(before, after), *altered)

    def _of_policies(self, before: Decision, after: Decision) -> Cause:
        """Whether only the text of a policy of the image itself changed, or policies that may own it, or its family."""
        itself = not self._reordered and self._edited <= self._rewritten & {before.policy, after.policy}
        return Cause.POLICY_EDITED if itself else Cause.POLICIES_CHANGED

    def _of_same(self, before: Decision, after: Decision) -> Iterator[Cause]:
        """Why a date or, in a family, a reason is another one."""
        if after.reason is Reason.NOTICE:
            yield from self._of_notice(before, after)
        elif after.reason is Reason.REFUSED:
            yield Cause.REJECTED
        else:
            yield from self._of_rule(after.reason, before, after)

    def _of_rule(self, reason: Reason, before: Decision, after: Decision) -> Iterator[Cause]:
        """Why a reason that policies give holds only now, or no longer, or otherwise."""
        ended = reason is before.reason and reason is not after.reason
        if ended and reason in (Reason.TOO_YOUNG, Reason.REFUSED, Reason.NOTICE) and self._is_over(before.due):
            yield Cause.TIME_PASSED
            if reason is not Reason.REFUSED and before.policy in self._edited:
                yield Cause.POLICY_EDITED
            if reason is Reason.TOO_YOUNG:
                yield from _of_facts(before.image, after.image, dated_by(before.policy, self._before))
            return
        if reason is Reason.SHARED:
            yield from self._of_sharing(before, after)
            return
        if reason is Reason.REFUSED:
            yield Cause.UNKNOWN if ended else Cause.REJECTED
            return
        if reason is Reason.NOTICE:
            yield from self._of_notice(before, after)
            return
        if reason in _KEPT:
            yield from self._of_family(before, after)
            return
        if (policy := before.policy or after.policy) in self._edited:
            yield Cause.POLICY_EDITED if policy in self._rewritten else Cause.POLICIES_CHANGED
        if reason in (Reason.TOO_YOUNG, Reason.UNDATED):
            yield from _of_facts(before.image, after.image, _DATES)
            yield from self._using.of_last_use(after.image)

    def _of_notice(self, before: Decision, after: Decision) -> Iterator[Cause]:
        told, _ = self._dates_told(before, after)
        if after.policy in self._edited and (told is not None or before.reason is not after.reason):
            yield Cause.POLICY_EDITED
        notices = self._before.notices, self._after.notices
        if None in notices:
            return
        old, new = ((each or {}).get(after.image.id) for each in notices)
        if new is not None and new.renamed and not (old is not None and old.renamed):
            yield Cause.NAME
        elif old != new:
            yield Cause.NOTICE

    def _dates_told(self, before: Decision, after: Decision) -> tuple[datetime | None, datetime | None]:
        """The dates that people were told; None for none, and where either is not known."""
        if self._before.notices is None or self._after.notices is None:
            return None, None
        pairs = ((before, self._before.notices), (after, self._after.notices))
        old, new = (d.due if known(notices.get(d.image.id), d.policy, d.due) else None for d, notices in pairs)
        return old, new

    def _of_family(self, before: Decision, after: Decision) -> Iterator[Cause]:
        """Why `keep` protects an image only now, or no longer."""
        if self._edited or self._reordered:
            yield self._of_policies(before, after)
        facts = ("name", "status", "created_at", "owned", "properties", "unreadable")
        yield from _of_facts(before.image, after.image, facts)
        old, _ = self._matched
        if old is None:
            yield Cause.UNKNOWN
            return
        if family_in(old, before.image) in self._moved():
            yield Cause.FAMILY
        if differing(self._before, "zone", self._after):
            yield Cause.SETTINGS

    def _moved(self) -> frozenset[tuple[str, str | None]]:
        """The families of which an image came, went, or changed."""
        if self._families is None:
            old, new = self._matched
            lost = (*(gone.image for gone in self._compared.gone), *(one.before for one in self._compared.changed))
            gained = (*(one.image for one in self._compared.new), *(one.after for one in self._compared.changed))
            families = [family_in(old, image) for image in lost if old is not None]
            families += [family_in(new, image) for image in gained if new is not None]
            self._families = frozenset(family for family in families if family is not None)
        return self._families


def _of_facts(before: Image, after: Image, some: Iterable[str], but: Iterable[str] = ()) -> Iterator[Cause]:
    """The causes that are changes of some of an image's facts; unknown for those that could not be read."""
    changed = before.differences(after)
    unread = unread_facts(before, after) | {"unreadable"}
    for name in some:
        if name in changed and name not in but:
            yield Cause.UNKNOWN if name in unread else _CAUSE_OF_FACT.get(name, Cause.FACTS)
