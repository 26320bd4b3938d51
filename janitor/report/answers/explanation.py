"""Everything known about one image, as `janitor explain` prints it, target by target."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.exemptions import FOREVER
from janitor.core.explaining.image import Explanation
from janitor.core.explaining.records import Given, Granted
from janitor.core.explaining.waiting import Cause, Snapshot, State, Waiting
from janitor.core.memory import Refusals
from janitor.core.policy import Policy
from janitor.core.result import Event, Mode
from janitor.core.retention import Place
from janitor.core.units import format_duration, format_until
from janitor.escaping import visible
from janitor.report.answers.checks import words_of_answer
from janitor.report.answers.facts import Seen, facts_lines, row
from janitor.report.answers.waiting import words_of
from janitor.report.layout import BOLD, Line, Page, line, paragraph
from janitor.report.wording import local_minute


@dataclass(frozen=True, slots=True)
class Explained:
    """All that is known about an image in one target. It is no longer listed there if it was not `seen`."""

    target: str
    image: str
    seen: Seen | None
    why: Explanation | None
    exemptions: Sequence[Granted]
    notices: Sequence[Given]
    refusals: Refusals | None
    history: Sequence[Event] = ()


def explanation_page(every: Sequence[Explained], zone: tzinfo) -> Page:
    """For people; times in `zone`."""
    return Page(lambda width: (line for each in every for line in _lines(each, zone, width)))


def _lines(each: Explained, zone: tzinfo, width: int) -> Iterator[Line]:
    yield from paragraph(f"{visible(each.image)} in {visible(each.target)}", width, style=BOLD)
    if each.seen is None:
        yield line("  No longer listed. Its history:")
    else:
        yield from facts_lines(each.seen, zone, width)
        yield from _decision(each.seen, zone, width)
    if each.why is not None:
        yield from _following(each.why, each.seen, zone, width)
        yield from _policies(each.why, width)
        yield from _family(each.why, width)
        yield from _guards(each.why, zone, width)
    yield from _exemptions(each.exemptions, zone, width)
    yield from _notices(each.notices, zone, width)
    yield from _refusals(each.refusals, zone, width)
    yield line()
    yield line("History", BOLD)
    for event in each.history:
        text = f"{local_minute(event.at, zone)} run {event.run}: {visible(event.text)}"
        yield from paragraph(text, width, 2)
    yield line()


def _section(title: str, width: int) -> Iterator[Line]:
    yield line()
    yield from paragraph(title, width, style=BOLD)


def _decision(seen: Seen, zone: tzinfo, width: int) -> Iterator[Line]:
    kind = "a dry run" if seen.mode is Mode.DRY_RUN else "a live run"
    yield from _section(f"Decision of run {seen.run}, {kind}", width)
    if seen.decision is None:
        yield line("  none: the run ended before deciding")
        return
    yield from _verdict(seen.decision, width)
    yield from row("due", due_words(seen, zone), width)


def _verdict(decision: Decision, width: int) -> Iterator[Line]:
    by = f" by policy {visible(decision.policy)}" if decision.policy else ""
    yield from row("verdict", f"{decision.verdict}{by} [{decision.reason}]", width)
    yield from row("because", visible(decision.detail), width)


def due_words(seen: Seen, zone: tzinfo) -> str:
    """When its term ends, or its deletion is due: with a notice, only what was announced is a date."""
    decision, waiting = seen.decision, seen.waiting
    if waiting is not None and waiting.due is not None and waiting.since is not None:
        announced = f"announced {local_minute(waiting.since, zone)}"
        if waiting.state is State.ANNOUNCED:
            return f"{local_minute(waiting.due, zone)}, {announced}"
        if waiting.state is State.AWAITS_REMINDER:
            return f"no date until a reminder of it is accepted; {announced}"
    if decision is None or decision.due is None:
        return "no date"
    if decision.reason is Reason.EXEMPT:
        return f"exempt {format_until(decision.due, zone)}"
    if decision.reason is Reason.TOO_YOUNG:
        return f"expires {local_minute(decision.due, zone)}"
    if decision.reason is not Reason.NOTICE:
        return local_minute(decision.due, zone)
    return "no date until it is announced" + _again(waiting, seen.snapshot, zone)


def _again(waiting: Waiting | None, snapshot: Snapshot | None, zone: tzinfo) -> str:
    if waiting is None or waiting.cause is None or snapshot is None:
        return ""
    if waiting.cause is Cause.SILENCE and waiting.since is not None:
        return f" again, after a silence since {local_minute(waiting.since, zone)}"
    if waiting.cause is Cause.RENAMED:
        return " again, under its new name"
    if waiting.cause is Cause.OTHER_OWNER:
        return " again, to its new owner"
    if waiting.cause is Cause.OTHER_PLACE:
        return " again, where it is reported now"
    return f": {visible(words_of(waiting, snapshot, lambda at: local_minute(at, zone)))}"


def _following(why: Explanation, seen: Seen | None, zone: tzinfo, width: int) -> Iterator[Line]:
    yield from _section("If a live run saw the same now", width)
    decision = why.following
    if decision is None:
        yield line("  not known: an earlier version recorded the run")
        return
    if seen is not None and seen.decision == decision and decision.verdict is not Verdict.DELETE:
        yield line("  it would decide the same")
        return
    yield from _verdict(decision, width)
    if decision.verdict is Verdict.DELETE:
        yield from row("so it", "would be deleted by the next live run, within the limits", width)
    elif decision.due is not None and decision.reason is not Reason.NOTICE:
        due = format_until(decision.due, zone) if decision.reason is Reason.EXEMPT else local_minute(decision.due, zone)
        yield from row("due", due, width)


def _policies(why: Explanation, width: int) -> Iterator[Line]:
    yield from _section("Current policies, in order; the first that matches owns the image", width)
    for answer in why.policies:
        rule = f"; {rule_of(answer.policy)}" if answer.truth else ""
        yield from row(visible(answer.policy.name), f"{visible(words_of_answer(answer))}{rule}", width)
    policy = why.policy
    if policy is None:
        yield line("  None matches the image: it is kept.")
    elif policy.contact is not None:
        yield from row("contact", visible(policy.contact), width)
    if policy is not None and policy.owner is not None:
        yield from row("owner", visible(why.owner or "none is found"), width)


def rule_of(policy: Policy) -> str:
    """What a policy does with the images that it owns."""
    if policy.expire is None:
        return "keeps everything that it matches"
    return f"expires {format_duration(policy.expire.after)} after {policy.expire.since}"


def _family(why: Explanation, width: int) -> Iterator[Line]:
    owner = why.policy
    if owner is None or owner.keep is None:
        return
    yield from _section("Family", width)
    per = f"{visible(owner.keep.per.text)} of policy {visible(owner.name)}"
    if why.place is None:
        yield from row("family", f"takes no place in one, by {per}", width)
        return
    family = f"{visible(why.place.family)}, by " if why.place.family else "all images, by "
    yield from row("family", f"{family}{per}", width)
    yield from row("rank", rank_of(why.place), width)
    for bucket in why.place.buckets:
        last = "the last of it" if bucket.last else "not the last of it"
        place = f"the {ordinal(bucket.place)} that has images, the last {bucket.kept} stay"
        yield from row(bucket.period.value, f"{bucket.name}: {place}; {last}", width)


def rank_of(place: Place) -> str:
    """`4th of 18, the newest 3 stay`."""
    stay = f"the newest {place.newest} stay" if place.newest else "none stays for being the newest"
    return f"{ordinal(place.rank)} of {place.size:,}, {stay}"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `11th`, `23rd`."""
    teens = number % 100 in (11, 12, 13)
    return f"{number:,}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _guards(why: Explanation, zone: tzinfo, width: int) -> Iterator[Line]:
    yield from _section("Guards", width)
    if not why.guards:
        yield line("  none holds")
    for guard in why.guards:
        yield from row(guard.reason.value, visible(guard.detail), width)
    for ending in why.endings:
        until = "" if ending.at is None else f", until {local_minute(ending.at, zone)}"
        yield from row("nearly", f"{ending.reason}: {visible(ending.detail)}{until}", width)


def _exemptions(exemptions: Sequence[Granted], zone: tzinfo, width: int) -> Iterator[Line]:
    if exemptions:
        yield from _section("Exemptions", width)
    for granted in exemptions:
        exemption = granted.exemption
        until = "without an end" if exemption.until == FOREVER else format_until(exemption.until, zone)
        end = "" if granted.active else "; expired"
        if granted.ended_at is not None:
            end = f"; revoked {local_minute(granted.ended_at, zone)} by {granted.ended_by}"
        at = f"granted {local_minute(granted.created_at, zone)}, " if granted.created_at is not None else ""
        text = f"{_SOURCES[granted.source]}: {at}{until} by {exemption.who}: {exemption.why}{end}"
        yield from paragraph(visible(text), width, 2)


_SOURCES = {"command": "by command", "policy-file": "in a policy file", "tag": "by a tag"}


def _notices(notices: Sequence[Given], zone: tzinfo, width: int) -> Iterator[Line]:
    if notices:
        yield from _section("Notices", width)
    for given in notices:
        notice = given.notice
        words = f"run {given.run}, policy {notice.policy}: announced {local_minute(notice.announced_at, zone)}"
        words += f" for {local_minute(notice.due, zone)}"
        if notice.reminded_at is not None:
            words += f", reminded {local_minute(notice.reminded_at, zone)}"
        if given.ended_at is not None:
            words += f"; ended {local_minute(given.ended_at, zone)}, {given.ended}"
        yield from paragraph(visible(words), width, 2)
        for message in sorted(given.messages, key=lambda sent: sent.delivered_at is None):  # the accepted first
            at, error = message.delivered_at, message.error
            state = f"undelivered: {error or 'not sent yet'}" if at is None else f"accepted {local_minute(at, zone)}"
            yield from paragraph(visible(f"its report to {message.channel}: {state}"), width, 4)


def _refusals(refusals: Refusals | None, zone: tzinfo, width: int) -> Iterator[Line]:
    if refusals is None:
        return
    yield from _section("Rejections", width)
    times = f"{refusals.count} in a row, the last {local_minute(refusals.last_at, zone)}"
    text = f"{times}: {refusals.detail}; retried from {local_minute(refusals.next_try, zone)}"
    yield from paragraph(visible(text), width, 2)
