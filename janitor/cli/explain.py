"""Everything known about one image: its properties, its decision, every policy that matches it, and its history."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from janitor.core.decision import Decision, Reason
from janitor.core.image import Image
from janitor.core.memory import Notice
from janitor.core.names.spelling import SURROGATE
from janitor.core.policy import Policy
from janitor.core.survey import Survey
from janitor.core.units import format_duration, format_minute, format_size, format_until
from janitor.core.usage import User, UserKind
from janitor.errors import UsageError
from janitor.escaping import visible
from janitor.expressions import Budget
from janitor.report.layout import BOLD, Line, Page, Segment, labelled, line, paragraph
from janitor.report.tables import user_name, users_of
from janitor.report.wording import label_of, local_minute
from janitor.store import Store

_CANDIDATES = 10


def explanation(store: Store, policies: Sequence[Policy], prefix: str, zone: tzinfo) -> Page:
    """Explain the image whose id is, or unambiguously starts with, `prefix`.

    Raises UsageError for an image that no run has seen, for a prefix of several, and for text that is not UTF-8.
    """
    identity, targets = find_image(store, prefix)
    # All is read before any of it is printed: a database that fails leaves no half of an answer.
    return Page(lambda width: list(_everything(store, policies, targets, identity, zone, width)))


def find_image(store: Store, prefix: str) -> tuple[str, list[str]]:
    """The id of the image that is, or starts with, `prefix`, and the targets that it was seen in.

    Raises UsageError for an image that no run has seen, and for a prefix of several.
    """
    if SURROGATE.search(prefix):
        raise UsageError(f'"{visible(prefix)}" is not UTF-8 text, so it is not an id')
    places = store.find_image(prefix)
    identities = sorted({identity for _, identity in places})
    if not identities:
        known = _named(store.find_named(prefix))
        runs = "run has" if store.is_whole() else "run whose details are still kept has"
        raise UsageError(f'no {runs} seen an image whose id starts with "{visible(prefix)}"{known}')
    if len(identities) > 1:
        shown = _some([visible(identity) for identity in identities])
        raise UsageError(f'"{visible(prefix)}" is the start of {len(identities)} ids: {shown}')
    return identities[0], [target for target, _ in places]


def _named(images: Sequence[tuple[str, str, bool]]) -> str:
    """For a person who gave a name instead of an id: the ids of the images of that name. Empty where there are none."""
    if not images:
        return ""
    places = [
        f"{visible(identity)} in {visible(target)}{'' if listed else ', no longer listed'}"
        for target, identity, listed in images
    ]
    return f"; {'an image' if len(places) == 1 else f'{len(places)} images'} of that name: {_some(places, '; ')}"


def _some(words: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(words) - _CANDIDATES} more" if len(words) > _CANDIDATES else ""
    return between.join(words[:_CANDIDATES]) + more


def _everything(
    store: Store, policies: Sequence[Policy], targets: Sequence[str], identity: str, zone: tzinfo, width: int
) -> Iterator[Line]:
    for target in targets:
        run, survey = store.survey_of(target, identity) or (0, None)
        image = next(iter(survey.images), None) if survey is not None else None
        yield from paragraph(f"{visible(identity)} in {visible(target)}", width, style=BOLD)
        if survey is None or image is None:
            yield line("  No longer listed. Its history:")
        else:
            yield from _facts(image, survey, width)
            yield from _decision(store, run, target, identity, zone, width)
            yield from _policies(policies, image, target, width)
        yield from _exemptions(store, target, identity, zone, width)
        yield from _history(store, target, identity, width)


def _facts(image: Image, survey: Survey, width: int) -> Iterator[Line]:
    users = users_of(image, survey)
    facts = {
        "name": label_of(image.name, 255),
        "status": visible(image.status) or "missing",
        "public": _flag(image.public),
        "protected": _flag(image.protected),
        "created": _minute(image.created_at),
        "updated": _minute(image.updated_at),
        "size": format_size(image.size),
        "disk format": visible(image.disk_format or "unknown"),
    }
    if image.visibility is not None:
        facts |= {"visibility": visible(image.visibility), "owner": visible(image.owner or "unknown")}
    if image.os_hidden:
        facts["hidden"] = "yes"
    if image.tags:
        facts["tags"] = ", ".join(visible(tag) for tag in image.tags)
    for key, value in facts.items():
        yield from _row(key, value, width)
    if not users:
        yield from _row("used by", survey.usage.problem or "nothing known", width)
    for user in users:
        yield from _use(user, width)
    for key, value in sorted((image.properties or {}).items()):
        yield from _row("property", f"{visible(key)}: {visible(value)}", width)
    for key, value in sorted(image.unreadable.items()):
        yield from _row("unreadable", f"{visible(key)}: {visible(value)}", width)
    yield from _row("seen", format_minute(survey.finished_at), width)


def _use(user: User, width: int) -> Iterator[Line]:
    """A user of an image, and its source. For a text, its place is both."""
    if user.kind is UserKind.REFERENCE:
        return _row("named in", visible(user.name), width)
    told = f" ({visible(user.source)})" if user.source else ""
    return _row("used by", f"{visible(user_name(user))}{told}", width)


def _row(label: str, text: str, width: int) -> Iterator[Line]:
    return labelled(Segment(f"{label:<13}"), Segment(text), width, 2)


def _flag(holds: bool) -> str:
    return "yes" if holds else "no"


def _minute(instant: datetime | None) -> str:
    return "unknown" if instant is None else format_minute(instant)


def _decision(store: Store, run: int, target: str, identity: str, zone: tzinfo, width: int) -> Iterator[Line]:
    decision = store.decision_of(run, target, identity)
    yield line()
    yield line(f"Decision of run {run}", BOLD)
    if decision is None:
        yield line("  none: the run ended before deciding")
        return
    by = f" by policy {decision.policy}" if decision.policy else ""
    yield from _row("verdict", f"{decision.verdict}{by} [{decision.reason}]", width)
    yield from _row("because", visible(decision.detail), width)
    decided_on, notice = store.notice_at(run, target, identity), store.memory(target).notices.get(identity)
    yield from _row("due", _due(decision, decided_on, notice, zone), width)


def _due(decision: Decision, decided_on: Notice | None, notice: Notice | None, zone: tzinfo) -> str:
    """When its term ends, or its deletion is due: with a notice, only what was announced is a date.

    `decided_on` is the notice that the decision was made on, and `notice` the one that runs now.
    """
    if decision.due is None:
        return "no date"
    if decision.reason is Reason.EXEMPT:
        return f"exempt {format_until(decision.due, zone)}"
    if decision.reason is not Reason.NOTICE:
        return local_minute(decision.due, zone)
    if notice is None or notice.policy != decision.policy:
        return "no date until it is announced"
    if decided_on is not None and decided_on.announced_at == notice.announced_at:
        if decided_on.lapsed is not None:
            return f"no date until it is announced again, after a silence since {local_minute(decided_on.lapsed, zone)}"
        if decided_on.renamed:
            return "no date until it is announced again, under its new name"
        if decision.due == decided_on.waits_until and notice.reminded_at is None:
            return f"no date until a reminder of it is accepted; announced {local_minute(notice.announced_at, zone)}"
    if notice.due < decision.due:
        return "no date until it is announced"
    return f"{local_minute(notice.due, zone)}, announced {local_minute(notice.announced_at, zone)}"


def _policies(policies: Sequence[Policy], image: Image, target: str, width: int) -> Iterator[Line]:
    yield line()
    yield line("Current policies; the first that matches owns the image", BOLD)
    owned, budget = False, Budget()
    for policy in policies:
        match policy.match.holds(image, target, budget):
            case True:
                word = "matches, but a policy before it owns the image" if owned else "owns it"
                owned = True
            case False:
                continue
            case None:
                slow = "; ".join(policy.match.doubts(image, budget))
                word = f"undecided: {visible(slow) or 'it depends on a value that is unknown'}"
        yield from _row(policy.name, f"{word}; {_rule(policy)}", width)
    if not owned:
        yield line("  None matches the image: it is kept.")


def _rule(policy: Policy) -> str:
    if policy.expire is None:
        return "keeps everything that it matches"
    return f"expires {format_duration(policy.expire.after)} after {policy.expire.since}"


def _exemptions(store: Store, target: str, identity: str, zone: tzinfo, width: int) -> Iterator[Line]:
    records = store.exemption_records(target, identity)
    if not records:
        return
    yield line()
    yield line("Exemptions by command", BOLD)
    for record in records:
        granted, revoked = record.exemption, record.ended_at
        end = f"; revoked {local_minute(revoked, zone)} by {record.ended_by}" if revoked else ""
        text = f"{format_until(granted.until, zone)} by {granted.who}: {granted.why}{end}"
        yield from paragraph(f"granted {local_minute(record.created_at, zone)}, {visible(text)}", width, 2)


def _history(store: Store, target: str, identity: str, width: int) -> Iterator[Line]:
    yield line()
    yield line("History", BOLD)
    for event in store.image_history(target, identity):
        yield from paragraph(f"{format_minute(event.at)} run {event.run}: {visible(event.text)}", width, 2)
    yield line()
