"""The first line of a report: what is asked of its reader, or else what was done."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo

from janitor.commands import command
from janitor.core.decision import Decision
from janitor.core.planning.refusal import Refusal, refusals_in
from janitor.core.result import DeletionOutcome, Mode, Outcome, RunResult, TargetResult
from janitor.core.units import counted
from janitor.report.figures import confirmed, worth
from janitor.report.outline import why_refused
from janitor.report.wording import local_moment, shortened

_LONGEST = 135
_LONGEST_NAME = 24
_MOST_NAMES = 3
_ROOM = len("ACTION: ") + len("; and more")


def headline(result: RunResult, zone: tzinfo, *, late: bool = False) -> str:
    """What is asked of the reader, or what was done, in at most 135 characters; times in `zone`.

    A `late` report announces nothing.
    """
    return shortened(_words(result, zone, late=late), _LONGEST)


def _words(result: RunResult, zone: tzinfo, *, late: bool) -> str:
    if result.mode is Mode.DRY_RUN:
        return f"DRY RUN: {_within(_of_dry_run(result, zone)) or 'a live run would delete nothing'}"
    asked = [*_announced(result, zone), *_refused(result), *_failed(result), *_unsuccessful(result)]
    done = [*_done(result), *_not_announced(result)]
    if late:
        asked, done = [*asked[bool(_told(result)) :]], [*done, *_told_later(result)]
    if asked:
        return f"ACTION: {_within([*asked, *done])}"
    return _capital(_within(done)) or "Nothing to do"


def advice(
    result: RunResult,
    zone: tzinfo,
    *,
    late: bool = False,
    buttons: bool = False,
    here: bool = True,
    shown_by: str | None = None,
) -> list[str]:
    """What to do about what the headline asks, who and until when: a sentence or two for each part.

    `buttons`: the images have some. Not `here`: they are listed in other channels. `shown_by`: this report leaves the
    images out, and this command lists them. A `late` report announces nothing.
    """
    if result.mode is Mode.DRY_RUN:
        listed = [one for target in result.targets for one in (*target.to_delete, *target.notices.announced)]
        would = _placed(_OF_DRY_RUN, shown_by).replace(_TELLS, _tells(listed, result))
        return [f"{_NOTHING_DONE} {would}" if listed else _NOTHING_DONE]
    told, refused = [] if late else _told(result), [t for t in result.targets if t.outcome is Outcome.REFUSED]
    keep = _KEEP_ELSEWHERE if not here else _KEEP_BY_BUTTON if buttons else _placed(_KEEP, shown_by)
    sentences = [keep.format(_from(told, result, zone, " before ")) if told else ""]
    listed = [decision for target in refused if target.excess is not None for decision in target.to_delete]
    review = _placed(_REVIEW, shown_by).replace(_TELLS, _tells(listed, result))
    sentences += [review if any(target.excess is not None for target in refused) else ""]
    why = set(refusals_in(target for target in refused if target.excess is None))
    sentences += [_DOUBT if why - _ONCE else "", _RESTORED if why & _ONCE else ""]
    sentences += [_FAILED if any(_failed(result)) else ""]
    sentences += [_placed(_REJECTED, shown_by) if any(_unsuccessful(result)) else ""]
    return [sentence for sentence in sentences if sentence]


def _placed(sentence: str, shown_by: str | None) -> str:
    """The sentence, said of images that are not in this report but shown by a command, if there is one."""
    placed = sentence if shown_by is None else _CUT[sentence].replace("{shown}", f"`{shown_by}`")
    return placed.replace("{keep}", command("keep"))


def _tells(decisions: Iterable[Decision], result: RunResult) -> str:
    """What a sentence says of the contacts of these images' policies: nothing where no policy has one."""
    policies = {decision.policy for decision in decisions if decision.policy is not None}
    named = [policy is not None and bool(policy.contact) for policy in map(result.terms.policy, policies)]
    if not any(named):
        return ""
    return f"tells the contact of its policy{'' if all(named) else ', if it has one'}, or "


_TELLS = "{tells}"
_KEEP = (
    "If an image below must stay, keep it{} with the command below it. For the others there is nothing to do: they are "
    "deleted from then on."
)
_KEEP_ELSEWHERE = (
    "The images are listed in the other channels named below; whoever needs one keeps it there{}. The others are "
    "deleted from then on."
)
_KEEP_BY_BUTTON = (
    "If an image below must stay, keep it{}: press its button, or run the command below it. Its days count from the "
    "click, and after them it is announced again. For the others there is nothing to do: they are deleted from then on."
)
_REVIEW = (
    "Whoever runs Image Janitor reviews the list below, and then deletes exactly it with the command in the error, "
    "raises the limit, or corrects the policy; until then nothing is deleted there. Whoever needs an image of the list "
    "{tells}keeps it by `{keep}`."
)
_DOUBT = (
    "Whoever runs Image Janitor does what the error below says. Nobody else has to do anything: until then nothing is "
    "deleted there."
)
_ONCE = {Refusal.COPY, Refusal.OTHER_DATABASE}
_RESTORED = (
    "Whoever runs Image Janitor reads the error below before the next run, which may delete again, and exempts again "
    "what has to stay."
)
_FAILED = (
    "Whoever runs Image Janitor looks into the error below, if the next run fails likewise. Nobody else has to do "
    "anything: what could not be surveyed is not deleted, however long it waits."
)
_REJECTED = "See below what the API said about each deletion that was rejected or failed."
_NOTHING_DONE = "Nothing was deleted or announced."
_OF_DRY_RUN = "This is what a live run would do now. Whoever needs an image of the list {tells}keeps it by `{keep}`."
_CUT = {
    _KEEP: "{shown} lists the images. If one must stay, keep it{} with the command that stands below it there. For the "
    "others there is nothing to do: they are deleted from then on.",
    _REVIEW: "Whoever runs Image Janitor reviews the list that {shown} prints, and then deletes exactly it with the "
    "command in the error, raises the limit, or corrects the policy; until then nothing is deleted there. Whoever "
    "needs an image of it {tells}keeps it by `{keep}`.",
    _REJECTED: "{shown} says what the API said about each deletion that was rejected or failed.",
    _OF_DRY_RUN: "This is what a live run would do now; {shown} lists the images. Whoever needs one of them "
    "{tells}keeps it by `{keep}`.",
}
"""The sentences about images that are listed in a report, in one that leaves its images out."""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _within(parts: Sequence[str]) -> str:
    """As many of the parts as fit, the first in any case."""
    text = ""
    for part in parts:
        longer = f"{text}; {part}" if text else part
        if text and len(longer) > _LONGEST - _ROOM:
            return f"{text}; and more"
        text = longer
    return text


def _of_dry_run(result: RunResult, zone: tzinfo) -> list[str]:
    allowed = [d for target in result.targets if target.outcome is not Outcome.REFUSED for d in target.to_delete]
    would = [f"delete {counted(len(allowed))}, {worth(allowed, None)}"] if allowed else []
    told = [decision for target in result.targets for decision in target.notices.announced]
    would += [f"announce {counted(len(told))}{_from(told, result, zone, ', to be deleted from ')}"] if told else []
    live = [f"a live run would {' and '.join(would)}"] if would else []
    return [*_refused(result), *_failed(result), *live]


def _told(result: RunResult) -> list[Decision]:
    """The images whose deletion this report announces, or reminds of."""
    return [
        decision
        for target in result.targets
        for decision in (*target.notices.announced, *target.notices.reminded)
        if decision.image.id not in target.notices.undelivered
    ]


def _announced(result: RunResult, zone: tzinfo) -> Iterator[str]:
    told = _told(result)
    if told:
        yield f"{counted(len(told))} will be deleted{_from(told, result, zone, ' from ')}"


def _told_later(result: RunResult) -> Iterator[str]:
    if _told(result):  # some of which another channel may have heard of in time
        yield "announces nothing, a later report does"


def _not_announced(result: RunResult) -> Iterator[str]:
    missed = sum(
        decision.image.id in target.notices.undelivered
        for target in result.targets
        for decision in (*target.notices.announced, *target.notices.reminded)
    )
    if missed:
        yield f"{counted(missed)} not announced, the next run tries again"


def _from(decisions: Iterable[Decision], result: RunResult, zone: tzinfo, word: str) -> str:
    dates: list[datetime] = [decision.due for decision in decisions if decision.due is not None]
    return f"{word}{local_moment(min(dates), zone, result.finished_at)}" if dates else ""


def _refused(result: RunResult) -> Iterator[str]:
    nothing = "nothing would be deleted" if result.mode is Mode.DRY_RUN else "nothing was deleted"
    doubtful: dict[str, list[TargetResult]] = {}
    for target in result.targets:
        where = f" in {_name(target)}" if len(result.targets) > 1 else ""
        if target.excess is not None:
            yield f"{nothing}{where}, {target.excess.planned:,} planned and the limit is {target.excess.allowed}"
        elif target.outcome is Outcome.REFUSED:
            doubtful.setdefault(why_refused(target), []).append(target)
    for why, some in doubtful.items():
        yield f"{nothing} in {_names(some)}, as {why}"


def _failed(result: RunResult) -> Iterator[str]:
    failed = [target for target in result.targets if target.outcome is Outcome.FAILED]
    unread = [target for target in failed if not target.decisions]
    if unread:
        yield f"{_names(unread)} could not be surveyed"
    cut_short = [target for target in failed if target.decisions]
    if cut_short:
        yield f"{_names(cut_short)} could not be cleaned{' wholly' if any(t.deletions for t in cut_short) else ''}"
    if result.error is not None and not failed:
        yield "the run failed" if result.run else "the run could not begin"


def _unsuccessful(result: RunResult) -> Iterator[str]:
    """The deletions that a person may have to look into: not those that were rejected as the last time."""
    count = sum(
        deletion.outcome.unsuccessful and not deletion.unknown
        for target in result.targets
        for deletion in target.deletions
        if deletion.decision.image.id not in target.earlier.refused_again
    )
    if count:
        yield f"{counted(count, 'deletion')} rejected or failed"


def _done(result: RunResult) -> Iterator[str]:
    deleted = confirmed(result.targets)
    if deleted:
        yield f"deleted {counted(len(deleted))}, {worth(deleted, None)}"
    unknown = sum(deletion.unknown for target in result.targets for deletion in target.deletions)
    if unknown:
        yield f"{counted(unknown, 'deletion')} not confirmed yet"
    accepted = [d for target in result.targets for d in target.deletions if d.outcome is DeletionOutcome.ACCEPTED]
    if accepted:
        yield f"{counted(len(accepted), 'deletion')} accepted, not confirmed gone"
    gone = sum(len(target.notices.gone) for target in result.targets)
    if gone:
        yield f"{counted(gone, 'announced image')} deleted by somebody else"
    changed = sum(len(target.review.changed) for target in result.targets)
    if changed:
        yield f"{counted(changed)} changed since planned, not deleted"


def _names(targets: Sequence[TargetResult]) -> str:
    names = [_name(target) for target in targets]
    if len(names) > _MOST_NAMES:
        names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} others"]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _name(target: TargetResult) -> str:
    return shortened(target.target, _LONGEST_NAME)
