"""Everything known about one image, as `janitor explain --format json` prints it: times in UTC."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from janitor.core.decision import Verdict
from janitor.core.explaining.image import Explanation
from janitor.core.explaining.records import Given, Granted
from janitor.core.explaining.waiting import Waiting
from janitor.core.memory import Refusals
from janitor.core.result import Event
from janitor.core.retention import Place
from janitor.core.units import format_minute, iso, iso_or_none
from janitor.report.answers.checks import answer_json
from janitor.report.answers.explanation import Explained
from janitor.report.answers.facts import Seen
from janitor.report.answers.waiting import words_of
from janitor.report.json_pieces import json_pieces
from janitor.report.listing import facts_of
from janitor.report.tables import image_facts


def explanation_json(every: Sequence[Explained]) -> Iterator[str]:
    """The same content as the page, for programs."""
    return json_pieces({"image": every[0].image, "targets": [_target(each) for each in every]})


def _target(each: Explained) -> dict[str, Any]:
    seen, why = each.seen, each.why
    return {
        "target": each.target,
        "listed": seen is not None,
        **(_seen(seen) if seen is not None else {}),
        **(_why(why) if why is not None else {}),
        "exemptions": [_granted(granted) for granted in each.exemptions],
        "notices": [_given(given) for given in each.notices],
        "refusals": _refusals(each.refusals),
        "history": [_event(event) for event in each.history],
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "run": seen.run,
        "mode": seen.mode,
        "seen_at": iso(seen.seen_at),
        "usage_problem": seen.usage_problem,
        "facts": image_facts(seen.image, seen.users),
        "decision": facts_of(seen.decision),
        "waiting": _waiting(seen, seen.waiting),
    }


def _waiting(seen: Seen, waiting: Waiting | None) -> dict[str, Any] | None:
    if waiting is None or seen.snapshot is None:
        return None
    return {
        "state": waiting.state,
        "due": iso_or_none(waiting.due),
        "cause": waiting.cause,
        "detail": words_of(waiting, seen.snapshot, format_minute),
    }


def _why(why: Explanation) -> dict[str, Any]:
    following = why.following
    return {
        "next": None if following is None else facts_of(following),
        "would_be_deleted": None if following is None else following.verdict is Verdict.DELETE,
        "policies": [answer_json(answer) for answer in why.policies],
        "owner": why.owner,
        "contact": None if why.policy is None else why.policy.contact,
        "family": None if why.place is None else _place(why.place),
        "guards": [
            {"reason": guard.reason, "detail": guard.detail, "until": iso_or_none(guard.due)} for guard in why.guards
        ],
        "nearly": [
            {"reason": ending.reason, "detail": ending.detail, "at": iso_or_none(ending.at)} for ending in why.endings
        ],
    }


def _place(place: Place) -> dict[str, Any]:
    return {**asdict(place), "buckets": [asdict(bucket) for bucket in place.buckets]}


def _granted(granted: Granted) -> dict[str, Any]:
    return {
        "source": granted.source,
        "until": iso(granted.exemption.until),
        "who": granted.exemption.who,
        "why": granted.exemption.why,
        "active": granted.active,
        "created_at": iso_or_none(granted.created_at),
        "ended_at": iso_or_none(granted.ended_at),
        "ended_by": granted.ended_by,
    }


def _given(given: Given) -> dict[str, Any]:
    notice = given.notice
    return {
        "run": given.run,
        "policy": notice.policy,
        "name": notice.name,
        "announced_at": iso(notice.announced_at),
        "due": iso(notice.due),
        "reminded_at": iso_or_none(notice.reminded_at),
        "ended_at": iso_or_none(given.ended_at),
        "ended": given.ended,
        "messages": [
            {"channel": sent.channel, "delivered_at": iso_or_none(sent.delivered_at), "error": sent.error}
            for sent in given.messages
        ],
    }


def _refusals(refusals: Refusals | None) -> dict[str, Any] | None:
    if refusals is None:
        return None
    times = {"last_at": iso(refusals.last_at), "next_try": iso(refusals.next_try)}
    return {"count": refusals.count, "detail": refusals.detail, **times}


def _event(event: Event) -> dict[str, Any]:
    return {"at": iso(event.at), "run": event.run, "event": event.text}
