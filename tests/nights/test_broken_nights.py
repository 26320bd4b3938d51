"""A hundred nights notice a missing rule: each is removed from the product, and a few nights break.

Not every seed meets what a rule is for, and which do changes with the product's steps. So a case lives seed after seed,
beginning with one that broke when it was written, until one breaks in the words that are expected. Where that would be
rare, it is made frequent: the right clouds, services that are lost, policies that change, other accounts.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from janitor.cloud.common import merging
from janitor.cloud.common.records import Entry
from janitor.cloud.openstack.catalogue import Catalogue, Endpoint
from janitor.cloud.openstack.usage import servers, stacks, survey
from janitor.cloud.openstack.usage.clusters import Clusters
from janitor.cloud.openstack.usage.gathering import Gathering
from janitor.cloud.service import Need
from janitor.core import decide, guards, notices
from janitor.core.decision import Decision, Reason
from janitor.core.exemptions import exemptions_for
from janitor.core.expiry import Term
from janitor.core.image import Image
from janitor.core.memory import Exemption, Notice
from janitor.core.names.image_ids import ids_in
from janitor.core.names.image_names import ImageNames
from janitor.core.notices import due_under
from janitor.core.planning import deletion
from janitor.core.planning.deletion import Answer, Shown
from janitor.core.planning.plan import Plan, revised
from janitor.core.policy import Policy
from janitor.core.result import DeletionOutcome
from janitor.core.survey import plausibility as plausibility_rules
from janitor.core.survey.plausibility import Plausibility
from janitor.core.usage import Source, Usage, User
from janitor.notify import announcing, delivery
from janitor.notify.channel import Receipt
from janitor.notify.file.channel import FileReport
from janitor.notify.outbox import Outbox
from janitor.notify.sending import OutgoingReport, ReportSender
from janitor.notify.slack import channel as slack
from janitor.notify.slack.answers import Problem
from janitor.notify.slack.listening import answering
from janitor.notify.slack.listening.answering import Answering
from janitor.notify.slack.listening.rewriting import Rewriting
from janitor.references import reading
from janitor.report import Name
from janitor.run import cleaning, deleting, survey_check
from janitor.run.deleting import Attempt, Deleter
from janitor.run.freshness import Reading
from janitor.sandbox.options import MarkerReading
from janitor.store import Store, runs
from janitor.store.surveys import uses
from janitor.store.trust import clicks as stored_clicks
from janitor.store.trust import exemptions
from janitor.store.trust import notices as stored_notices
from janitor.transport import bodies
from tests.nights import Broken, often, simulate
from tests.nights.often import Change
from tests.nights.record import Record
from tests.nights.team import Team

NIGHTS = 30
SEEDS = 40

_COUNTED = notices.counted
_DELIVER = ReportSender.deliver
_USING, _USER_OF, _MEANT_BY = Catalogue.using, Clusters._user_of, ImageNames.meant_by
_RECENTLY_USED, _NAMED = guards._recently_used, reading._Survey.usage
_ANNOUNCED, _EXEMPT_BY_FILE = "although it is not announced", "although it is exempt by a policy file"
_USED = "(in use|made into a volume|used by a cluster|named by a stack)"
_RECONSIDER = Team.reconsider
_STAYS = Deleter._stays
_A_WHILE = timedelta(minutes=10)
_NEVER_DRY = SimpleNamespace(DRY_RUN=None)


_SHARED_OR_NOT = tuple(
    Change(module, "apply_sharing", lambda decisions, _sharing: list(decisions)) for module in (cleaning, deleting)
)


def _always(value: Any) -> Callable[..., Any]:
    return lambda *_, **__: value


def _without_guards(*reasons: Reason) -> Change:
    return Change(guards, "_GUARDS", tuple(guard for guard in guards._GUARDS if guard[0] not in reasons))


def _with_guard(reason: Reason, holds: Callable[[Image, guards.Facts], str | None]) -> Change:
    return Change(guards, "_GUARDS", tuple((word, holds if word is reason else was) for word, was in guards._GUARDS))


def _without(source: Source) -> Change:
    asked = {known: service for known, service in survey._SERVICES.items() if known is not source}
    return Change(survey, "_SERVICES", asked)


def _used_since_a_accepted_survey(image: Image, facts: guards.Facts) -> str | None:
    history = {known: one.replace(unused_since=one.unused_since or facts.now) for known, one in facts.history.items()}
    return _RECENTLY_USED(image, replace(facts, history=history))


def _first_endpoint(catalogue: Catalogue, *words: Any) -> list[Endpoint]:
    return _USING(catalogue, *words)[:1]


def _groups_with_nodes(clusters: Clusters, group: Entry, cluster: Entry) -> Iterator[tuple[object, User]]:
    yield from _USER_OF(clusters, group, cluster) if group["node_count"] else ()


def _by_id_only(names: ImageNames, word: str) -> frozenset[str]:
    return _MEANT_BY(names, word) & frozenset(ids_in(word))


def _named_in_what_could_be_read(found: reading._Survey) -> Usage:
    return replace(_NAMED(found), problem=None)


def _without_those_of_files(
    images: Iterable[Image], stored: Iterable[Exemption], _from_files: Iterable[Exemption], now: datetime
) -> Mapping[str, Exemption]:
    return exemptions_for(images, stored, (), now)


def _due_whatever_the_policy(policy: Policy, notice: Notice | None, now: datetime) -> datetime:
    return due_under(policy, notice and replace(notice, policy=policy.name), now)


def _due_however_long(policy: Policy, notice: Notice | None, now: datetime) -> datetime:
    return due_under(policy, notice and replace(notice, length=policy.notice), now)


def _due_by_the_file(policy: Policy, notice: Notice | None, now: datetime) -> datetime:
    if notice is None or notice.lapsed is not None:
        return now + policy.notice
    return max(notice.announced_at + policy.notice, notice.waits_until or notice.announced_at)


def _since_the_survey(decision: Decision, lengths: Mapping[str, Any], at: datetime) -> Notice:
    assert decision.policy is not None
    assert decision.due is not None
    return Notice(decision.policy, lengths[decision.policy], at, decision.due)


def _named_by_what_was_sent(receipts: Iterable[Receipt]) -> frozenset[Name]:
    return frozenset[Name]().union(*(receipt.names | receipt.missing for receipt in receipts))


def _waits_for_no_reminder(*words: Any, **named: Any) -> dict[str, Notice]:
    return {image: replace(notice, waits_until=None) for image, notice in _COUNTED(*words, **named).items()}


def _whatever_the_names(*words: Any, **named: Any) -> dict[str, Notice]:
    return _COUNTED(*words, **named | {"names": {}})


def _any_answer_of_200(status: int, *_words: object, **_named: object) -> Problem | None:
    return None if status == 200 else Problem("another status")


def _moves_no_date(notice: Notice, at: datetime, **_missed: bool) -> Notice:
    return replace(notice, reminded_at=at)


def _all_that_wait(decisions: Iterable[Decision], _notices: object) -> tuple[Decision, ...]:
    return tuple(decision for decision in decisions if decision.reason is Reason.NOTICE)


def _reminds_every_night(notice: Notice, now: datetime) -> bool:
    return notice.length > notices._LONG and now >= notice.due - notices.REMIND_BEFORE


def _journals_afterwards(deleter: Deleter, decision: Decision) -> Attempt | None:
    latest, why = deleter._look(decision)
    if latest is None or why is not None:
        return None
    said = deleter._ask(decision)
    entry = deleter.journal.journal_request(deleter.run, deleter.target, decision, deleter.execution.clock())
    deleter.journal.journal_answer(entry, said, deleter.execution.clock())
    return Attempt(decision, said)


def _as_it_was(deleter: Deleter, decision: Decision, _latest: Image, reading: Reading) -> str | None:
    return _STAYS(deleter, decision, decision.image, reading)


def _believing_the_answer(*seen: Shown) -> dict[Shown, tuple[DeletionOutcome, ...]]:
    return {**deletion._TABLE, **dict.fromkeys(seen, (DeletionOutcome.DELETED,) * len(Answer))}


def _marks_before_it_sends(sender: ReportSender, outgoing: OutgoingReport) -> Receipt:
    sender.outbox.settle(outgoing.number, None, sender.clock())
    return _DELIVER(sender, outgoing)


def _as_planned(
    _planned: object, decisions: Iterable[Decision], _deleted: object
) -> tuple[Mapping[str, Decision], tuple[()]]:
    return {decision.image.id: decision for decision in decisions}, ()


def _all_but_the_oldest(plan: Plan, decisions: Iterable[Decision]) -> Plan:
    plan = revised(plan, decisions)
    return replace(plan, decisions=plan.decisions[1:])


BROKEN: Mapping[str, tuple[int, str, tuple[Change, ...]]] = {
    # Guards. What is in use is also remembered, and other projects' images are also public, or shared.
    "protected": (5, "although it is protected", (_without_guards(Reason.PROTECTED),)),
    "public": (18, "although it is public", (_without_guards(Reason.PUBLIC),)),
    "not-owned": (
        6,
        "although it is another project's",
        (_without_guards(Reason.NOT_OWNED), *_SHARED_OR_NOT),
    ),
    "in-use": (2, "although it is in use", (_without_guards(Reason.IN_USE, Reason.RECENTLY_USED),)),
    "made-into-a-volume": (
        14,
        "although it is made into a volume",
        (_without(Source.VOLUMES), _without_guards(Reason.RECENTLY_USED)),
    ),
    "recently-used": (8, "although it is recently used", (_without_guards(Reason.RECENTLY_USED),)),
    "recently-used-in-two-surveys": (
        8,
        "although it is recently used",
        (_with_guard(Reason.RECENTLY_USED, _used_since_a_accepted_survey),),
    ),
    "newborn": (1, "although it is newborn", (_without_guards(Reason.NEWBORN),)),
    "shared": (
        3,
        "although it is shared",
        _SHARED_OR_NOT,
    ),
    "needed": (11, "although it is needed", (_without_guards(Reason.NEEDED),)),
    "referenced": (6, "although it is named in a text$", (_without_guards(Reason.REFERENCED, Reason.RECENTLY_USED),)),
    # What is asked for uses. What is remembered of them holds an image for a while, whoever forgets to ask.
    "down-cells-are-asked-for": (
        9,
        "although it is in use$",
        (
            Change(servers, "_ASKING", {}),
            often.DOWN_CELLS,
            often.on(lambda cloud: cloud.options.compute_microversion == "2.96" and cloud.options.page_cap == 1000),
        ),
    ),
    "every-endpoint": (
        2,
        "although it is in use$",
        (Change(Catalogue, "using", _first_endpoint), often.on(lambda cloud: cloud.options.computes > 1)),
    ),
    "clusters": (0, "although it is used by a cluster$", (_without(Source.CLUSTERS),)),
    "stacks": (11, "although it is named by a stack$", (_without(Source.STACKS),)),
    "node-groups-without-nodes": (
        5,
        "although it is used by a cluster$",
        (Change(Clusters, "_user_of", _groups_with_nodes), often.on(lambda cloud: not cloud.options.no_clusters)),
    ),
    "names-in-clusters": (18, "although it is used by a cluster$", (Change(ImageNames, "meant_by", _by_id_only),)),
    "stacks-are-read-again": (
        12,
        "although it is named by a stack$",
        (Change(stacks, "_version", _always("1")), often.on(lambda cloud: not cloud.options.no_stacks)),
    ),
    "lost-services": (
        32,
        f"although it is {_USED}$",
        (
            Change(Gathering, "_look_for_what_is_missing", _always(None)),
            often.LOST_SERVICES,
            often.on(),
        ),
    ),
    "unread-is-not-over": (
        7,
        "when that could last be read",
        (
            Change(uses, "_is_unread", _always(value=False)),
            often.LOST_SERVICES,
            often.on(lambda cloud: list(cloud.needs.values()).count(Need.OPTIONAL) > 1),
        ),
    ),
    "texts-must-be-read": (
        11,
        "although it is named in a text$",
        (Change(reading._Survey, "usage", _named_in_what_could_be_read), often.BROKEN_TEXTS),
    ),
    # People's word.
    "exempt-by-command": (
        6,
        "although it is exempt by command",
        (Change(Store, "exemptions", _always([])), Change(exemptions, "exemption_in_force", _always(None))),
    ),
    "exempt-by-file": (
        4,
        _EXEMPT_BY_FILE,
        (Change(cleaning, "exemptions_for", _without_those_of_files), often.EXEMPTIONS_IN_FILES),
    ),
    "exempt-by-tag": (6, _EXEMPT_BY_FILE, (Change(cleaning, "exemptions_by_tag", _always({})),)),
    "exempt-during-the-run": (
        1,
        "although it is exempt by command",
        (
            Change(exemptions, "exemption_in_force", _always(None)),
            often.EXEMPTIONS,
        ),
    ),
    # Clicks.
    "clicks-of-others": (
        2,
        "a click that nobody may make",
        (Change(answering, "refusal_of_origin", _always(None)),),
    ),
    "clicks-on-other-messages": (
        2,
        "a click that nobody may make",
        (Change(answering, "refusal_of_place", _always(None)),),
    ),
    "clicks-of-those-who-are-no-members": (
        2,
        "a click that nobody may make",
        (Change(answering, "refusal_of_person", _always(None)),),
    ),
    "clicks-exempt": (
        2,
        "was kept by a click, and nothing exempts it",
        (Change(stored_clicks, "add_exemption", _always(None)),),
    ),
    "messages-are-rewritten": (2, "still offers to keep", (Change(Rewriting, "rewrite_all", _always(None)),)),
    "refusals-are-told": (2, "nobody was told", (Change(Answering, "_tell", _always(None)),)),
    "changed-during-the-run": (
        19,
        "although it is (protected|public|surely of no policy)",
        (
            Change(Image, "differences", _always(())),
            often.INTERFERENCE,
            often.on(),
        ),
    ),
    # Lists that contradict themselves, other accounts, and databases of before.
    "records-that-disagree": (
        8,
        "although it is (protected|public|surely of no policy)",
        (
            Change(merging, "merged", lambda first, _second: first),
            Change(Deleter, "_stays", _as_it_was),
            often.on(lambda cloud: cloud.options.page_cap < 20 and cloud.options.marker is MarkerReading.INCLUSIVE),
            often.EDGES,
        ),
    ),
    "another-account": (
        0,
        "another account",
        (Change(survey_check.SurveyCheck, "recognised", lambda _check, survey: survey), often.OTHER_ACCOUNTS),
    ),
    "all-images-are-others": (1, "another account", (Change(Plausibility, "_lost", _always(())), often.OTHER_ACCOUNTS)),
    "behind-its-mark": (
        0,
        "behind its mark|is not announced|without a long notice",
        (Change(Store, "knows", _always(value=True)), often.RESTORED_COPIES),
    ),
    # Policies.
    "too-young": (2, "although it is too young", (Change(Term, "over", _always(value=True)),)),
    "kept-newest": (24, "although it is among the newest", (Change(decide, "_kept", _always({})),)),
    # Notices.
    "notice-waits": (0, _ANNOUNCED, (Change(decide, "due_under", lambda _policy, _notice, now: now),)),
    "notice-was-delivered": (
        0,
        _ANNOUNCED,
        # The file of reports would tell before anything is deleted.
        (Change(delivery, "_announced_by", _named_by_what_was_sent), Change(Record, "check", _always(None))),
    ),
    "silent-proxy": (
        0,
        _ANNOUNCED,
        (
            Change(slack, "problem_of_webhook", _any_answer_of_200),
            Change(slack, "problem_of_api", _any_answer_of_200),
            often.SILENT_PROXIES,
            Change(Record, "check", _always(None)),  # as above
        ),
    ),
    "dripping-proxy": (
        0,
        "a byte a second was listened to",
        (Change(bodies, "_in_time", lambda chunks, _until: chunks),),
    ),
    "notice-runs-from-its-delivery": (12, _ANNOUNCED, (Change(announcing, "_notice", _since_the_survey),)),
    "notice-of-another-policy": (
        18,
        _ANNOUNCED,
        (Change(decide, "due_under", _due_whatever_the_policy), often.OTHER_OWNERS),
    ),
    "longer-notice": (
        36,
        _ANNOUNCED,
        (Change(decide, "due_under", _due_however_long), often.NEW_POLICIES),
    ),
    "shorter-notice": (
        1,
        "although it is announced by run",
        (Change(decide, "due_under", _due_by_the_file), often.NEW_POLICIES),
    ),
    "notice-withdrawn": (24, _ANNOUNCED, (Change(runs, "end_spared", _always(None)),)),
    "renamed-is-announced-again": (
        5,
        "although it is announced under another name only",
        (Change(notices, "counted", _whatever_the_names), often.NEW_NAMES),
    ),
    "spared-is-told": (51, "stays, and nobody was told", (Change(cleaning, "spared", _always(())),)),
    "announced-once": (0, "and again for no reason", (Change(cleaning, "to_announce", _all_that_wait),)),
    "reminded-once": (19, "was reminded of twice", (Change(notices, "_wants_reminder", _reminds_every_night),)),
    "reminder-is-waited-for": (
        8,
        "although it is not reminded of in time",
        (Change(notices, "counted", _waits_for_no_reminder),),
    ),
    "late-reminder-moves-the-date": (
        8,
        "although it is not reminded of in time",
        (Change(stored_notices, "reminded", _moves_no_date),),
    ),
    "silence": (2, "although it is announced before a silence", (Change(notices, "silent_since", _always(None)),)),
    # Limits, the survey gate, reviewed plans and dry runs.
    "limits": (0, "the limits are", (Change(Plan, "over_limit", _always(None)),)),
    "survey-shrank": (0, "although the survey saw", (Change(Plausibility, "_shrunk", _always(())), often.NO_INSTANCES)),
    "clock-off": (
        25,
        "although the server's clock is off",
        (Change(plausibility_rules, "_clock_doubts", _always(())),),
    ),
    "apply-unchanged": (1, "not as it was when the plan", (Change(cleaning, "changes_since", _as_planned),)),
    "dry-run-deletes-nothing": (1, "a dry run sent a delete", (Change(cleaning, "Mode", _NEVER_DRY), often.DRY_RUNS)),
    "dry-run-announces-nothing": (1, "a dry run started", (Change(announcing, "Mode", _NEVER_DRY), often.DRY_RUNS)),
    # The journal, and what is said of deletions.
    "journal-before-delete": (0, "the journal does not know", (Change(Deleter, "_attempt", _journals_afterwards),)),
    "open-deletions-are-settled": (9, "never settled", (Change(Store, "unsettled", _always([])), often.KILLS)),
    "confirmed-by-the-list": (
        1,
        "is deleted, and it is there",
        (
            Change(deletion, "_TABLE", _believing_the_answer(Shown.LISTED)),
            often.NOT_DONE,
        ),
    ),
    "unconfirmed-is-not-deleted": (
        34,
        "is deleted, and it is there",
        (
            Change(deletion, "_TABLE", _believing_the_answer(Shown.UNKNOWN)),
            often.NOT_DONE_NOR_SEEN,
        ),
    ),
    "told-at-all": (34, "told of by nobody", (Change(ReportSender, "deliver", _marks_before_it_sends),)),
    "told-after-a-crash": (7, "were never kept", (Change(Store, "owed_reports", _always([])),)),
    "told-once": (30, "times that .* is deleted", (Change(Outbox, "note_accepted", _always(None)),)),
    # The file of reports.
    "the-file-knows-what-arrived": (0, "were announced", (Change(delivery, "as_told", lambda result, _told: result),)),
    "the-file-is-written": (0, "does not say so", (Change(FileReport, "send", _always(Receipt())),)),
    "nothing-is-left": (7, "unguarded and still there", (Change(cleaning, "revised", _all_but_the_oldest),)),
}
"""The rules by what they are for: a seed that breaks without them, in which words, and how they are taken out."""


@pytest.mark.timeout(600)  # up to so many seeds; on a busy machine that takes its time
@pytest.mark.parametrize(("seed", "words", "changes"), [pytest.param(*case, id=rule) for rule, case in BROKEN.items()])
def test_nights_break_without_a_rule(seed: int, words: str, changes: tuple[Change, ...]) -> None:
    breaches = []
    with ExitStack() as taken_out:
        for change in changes:
            taken_out.enter_context(patch.object(*change))
        for each in range(seed, seed + SEEDS):
            try:
                simulate(each, NIGHTS)
            except Broken as broken:
                if re.search(words, str(broken)):
                    return
                breaches.append(str(broken))
    pytest.fail(f"nothing is {words!r} in {SEEDS} seeds; there was {breaches}")
