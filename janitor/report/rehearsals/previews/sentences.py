"""What a preview says in words, the same in text and Markdown."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import tzinfo

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.replay.changes import KINDS, Changed, Kind
from janitor.core.result import Cost, Mode
from janitor.core.units import counted, some_of
from janitor.report.figures import amount_in_words
from janitor.report.rehearsals.previews.preview import Preview, Previewed, expire, is_listed, split, waits_under_another
from janitor.report.wording import local_exact, local_minute

_MODES = {Mode.DRY_RUN: "dry run", Mode.DELETE: "live run"}
_NAMED = 10
_WAITING_ELSEWHERE = "waiting under another policy"
_STAYING = {Verdict.KEEP: "kept", Verdict.WAIT: "waiting"}
_DIFFERING = ("for another reason", "by another policy", "until another date")
_PLANNED = {Reason.EXPIRED: "delete", Reason.NOTICE: "wait", Reason.REFUSED: "wait, rejected before"}

_NO_FAMILY = "Kept now as no family is found"
_IN_DOUBT = "Kept now as it is not known which policy matches"
ALL_IN_CSV = "`--format csv` lists all"
"""Where the images are that text and Markdown have no room for."""


ONLY_POLICIES = (
    "Only policies and their `exempt` are tried, not changes of `references`, `usage`, `shared` or `owners` in "
    "janitor.yaml."
)
"""What a preview says last, as a change of these would pass without a word."""


def in_short(made: Preview, cost: Cost | None) -> str:
    """What would change, and what is to be deleted in all, in a sentence or two."""
    words = [f"{count:,} {what}" for what, count in _counts(made)]
    figures = f"{amount_in_words(made.after.both, cost)}, to be deleted: {_when(made)}"
    now = figures if made.after.images else "nothing to be deleted"
    undecided = sum(each.undecided is not None for each in made.targets)
    shortfall = f" {counted(undecided, 'target')} could not be decided on." if undecided else ""
    if undecided and undecided == len(made.targets):
        return f"What would be deleted is not known:{shortfall}"
    more = sum(len(each.expiring.images) for each in made.targets)
    later = expire(made.targets, more, beside=bool(made.after.images))
    return f"Changes: {', '.join(words) or 'none'}. In all now: {now}.{later and f' {later}.'}{shortfall}"


def _counts(made: Preview) -> Iterator[tuple[str, int]]:
    """How many changes there are of each kind, in words."""
    for kind, count in made.counts.items():
        some = [changed for each in made.targets for changed in each.changes if changed.kind is kind]
        waits = sum(map(waits_under_another, some)) if kind is Kind.OTHER_POLICY else 0
        if count > waits:
            yield as_before(some) if kind is Kind.OTHER_REASON else KINDS[kind], count - waits
        if waits:
            yield _WAITING_ELSEWHERE, waits


def as_before(changes: Iterable[Changed]) -> str:
    """How images are decided on as before, and yet otherwise: `kept as before, but for another reason`.

    Of each image the first that differs counts, of its reason, policy and date. Changes of other kinds are passed over.
    """
    others = [each for each in changes if each.kind is Kind.OTHER_REASON]
    verdicts = {each.after.verdict for each in others if each.after is not None}
    stay = " or ".join(word for verdict, word in _STAYING.items() if verdict in verdicts)
    differ = set(map(_differing, others))
    return f"{stay} as before, but {' or '.join(words for words in _DIFFERING if words in differ)}"


def _differing(changed: Changed) -> str:
    before, after = changed.before, changed.after
    reason, policy, date = _DIFFERING
    if before is None or after is None or before.reason is not after.reason or before.in_doubt != after.in_doubt:
        return reason
    return policy if before.policy != after.policy else date


def others_of(each: Previewed) -> Iterator[str]:
    """A sentence on the images that are decided on as before, but for another reason, if there are any."""
    if count := each.counts.get(Kind.OTHER_REASON):
        yield f"{counted(count)} {as_before(each.changes)}, not listed here: {ALL_IN_CSV}"


def _when(made: Preview) -> str:
    retried = sum(each.owned.count(Reason.REFUSED) for each in made.targets)
    return split(made.after.delete.images, made.after.wait.images, retried)


def change_of(changed: Changed) -> str:
    """How a decision has changed, in words."""
    if changed.kind is Kind.OTHER_POLICY and waits_under_another(changed):
        return _WAITING_ELSEWHERE
    return KINDS[changed.kind]


def grouped(each: Previewed) -> Iterator[tuple[str, list[Changed]]]:
    """The changes that are shown to people, by how the decisions have changed, what matters most first."""
    listed = [changed for changed in each.changes if is_listed(changed)]
    for kind in Kind:
        groups: dict[str, list[Changed]] = {}
        for changed in listed:
            if changed.kind is kind:
                groups.setdefault(change_of(changed), []).append(changed)
        yield from groups.items()


def starts_again(images: Collection[str], anew: Collection[str]) -> str:
    """Of how many of these images the notice starts again, to be put behind their count; empty for none."""
    count = sum(image in anew for image in images)
    if not count:
        return ""
    whose = "its notice" if len(images) == 1 else "their notice" if count == len(images) else f"the notice of {count:,}"
    return f"; {whose} starts again"


def source_of(each: Previewed, zone: tzinfo) -> str:
    """Which snapshot was decided on, as of when, and with which decisions that is compared."""
    source = each.source
    if source is None:
        return "no snapshot"
    at = "" if source.decided_at == source.seen_at else f", decided as of {local_exact(source.decided_at, zone)}"
    mode = f", a {_MODES[source.mode]}," if source.mode is not None else ""
    against = "" if source.against is None else f", compared with what run {source.against}{mode} decided"
    return f"on what run {source.run} saw, {local_minute(source.seen_at, zone)}{at}{against}"


def warnings_of(each: Previewed) -> Iterator[str]:
    """What people must know before they believe the figures, a sentence each."""
    if each.undecided is not None:
        yield f"not decided: {each.undecided}"
    if each.excess:
        yield f"over the limit, so a run would delete nothing: {'; '.join(each.excess)}"
    yield from _foreseen(each)
    if unknown := len(each.sharing_unknown):
        them, those = ("it", "an image that is") if unknown == 1 else ("them", "those that are")
        yield (
            f"{unknown:,} of the {each.after.images:,} to be deleted: not known whether another project uses {them}; a "
            f"run asks, and keeps {those} used"
        )


def _foreseen(each: Previewed) -> Iterator[str]:
    """What comes by the passing of time alone."""
    later = each.expiring
    if count := len(later.images):
        by_policy = [f"{some:,} by {policy}" for policy, some in Counter(later.by_image.values()).items()]
        words = expire([each], count, beside=bool(each.after.images))
        until = f", {later.until}" if later.by_run else f", until {later.until}"
        them = "it" if count == 1 else "them"
        yield f"{words}{until}: {some_of(by_policy, _NAMED)}; --at {later.shown_at} shows {them}"
    if later.excess:
        more = (
            f"more are due by the next run, {later.until}, which"
            if later.by_run
            else "more have come due since the snapshot, so a run now"
        )
        yield f"{more} would be over the limit, and delete nothing: {'; '.join(later.excess)}"


def said_of(made: Preview) -> Iterator[str]:
    """All remarks and warnings, each with its target: for a table, which has no room for them."""
    for each in made.targets:
        yield from (f"{each.target}: {sentence}" for sentence in (*each.remarks, *warnings_of(each)))


def by_reason(reasons: Mapping[Reason, int], guarded: Mapping[Reason, int]) -> str:
    """How many images there are, and by which reasons: `9: 2 wait, 3 kept-newest; guards keep 4: 3 in-use, 1 public`.

    `guarded` are those of them that guards keep.
    """
    if not reasons:
        return "no image"
    others = Counter(reasons) - Counter(guarded)
    words = [_reasons(others)] if others else []
    if kept := sum(guarded.values()):
        words.append(f"{'a guard keeps' if kept == 1 else 'guards keep'} {kept:,}: {_reasons(guarded)}")
    return f"{sum(reasons.values()):,}: {'; '.join(words)}"


def owns_of(each: Previewed, policy: str) -> str:
    """What a policy owns, by reason."""
    return by_reason(each.owned.by_policy.get(policy, {}), each.owned.guarded.get(policy, {}))


def _reasons(reasons: Mapping[Reason, int]) -> str:
    order = sorted(reasons.items(), key=lambda one: (one[0] not in _PLANNED, -one[1], list(Reason).index(one[0])))
    return ", ".join(f"{count:,} {_PLANNED.get(reason, reason)}" for reason, count in order)


def idle_of(each: Previewed) -> list[str]:
    """The tried policies that neither own an image nor planned to delete one, before or now."""
    return [
        policy
        for policy, (before, after) in each.policies.items()
        if not (before.images or after.images or policy in each.owned.by_policy or policy in each.removed)
    ]


def of_no_policy(each: Previewed) -> Iterator[str]:
    """What no policy owns, and of what that is not known, a sentence each."""
    for words, reasons in (
        ("no policy owns", each.owned.by_none),
        ("it is not known which policy owns", each.owned.in_doubt),
    ):
        if reasons:
            guarded: dict[Reason, int] = {
                reason: count for reason, count in reasons.items() if reason is not Reason.UNMATCHED
            }
            yield f"{words} {by_reason(reasons, guarded)}"


def unclear_of(each: Previewed) -> Iterator[tuple[str, list[Decision]]]:
    """The images that are newly kept as something about them is not known, with a title for each kind.

    Those that the list of changes does not show come first.
    """
    listed = {changed.image.id for changed in each.changes if is_listed(changed)}
    unclear = sorted(each.unclear, key=lambda decision: decision.image.id in listed)
    for title, in_doubt in ((_NO_FAMILY, False), (_IN_DOUBT, True)):
        if some := [decision for decision in unclear if decision.in_doubt is in_doubt]:
            yield title, some
