"""The plausibility of surveys against a cloud: what the client notices, and what a run does then."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from janitor.cli import configuration
from janitor.cloud.toast.client import ToastClient
from janitor.config import load_settings
from janitor.core.decision import Reason
from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.result import DeletionOutcome, Mode, Outcome, RunResult
from janitor.core.survey.clock import ClockDoubt
from janitor.core.survey.plausibility import Measure, OwnImages, Plausibility, implausible
from janitor.core.usage import EarlierUsage, Usage, User
from janitor.errors import Unavailable
from janitor.run.orders import Site
from janitor.run.sites import Choice
from janitor.sandbox.faults import Fault, Faults, Rule
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox
from janitor.store import Store
from janitor.transport import HttpOptions
from tests import runs
from tests.conftest import Desk
from tests.factories import ALL, AMPLE, NOW, OLD, make_image, usage_of
from tests.fakes import RecordingCloud
from tests.in_process import in_process
from tests.loopback import Answered, Asked, Loopback
from tests.runs import run_of
from tests.toast_account import APPKEY, INSTANCES, PASSWORD, TOKENS, USERNAME, Account, ids, serving, yes

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ANNOUNCED = Policy("announced", ALL, Expire(14 * DAY), notice=2 * DAY)


# What the gate compares

FLEET = frozenset("abcdefghij")


def own(
    listed: str,
    *,
    before: Iterable[str] = FLEET,
    ours: str = "",
    unanswered: str | None = None,
    owned: int | None = None,
) -> OwnImages:
    known, deleted, seen = (frozenset(map(ImageId, ids)) for ids in (before, ours, listed))
    gone = None if unanswered is None else frozenset(map(ImageId, unanswered))
    return OwnImages(known, deleted, seen, len(listed) if owned is None else owned, gone)


@pytest.mark.parametrize(
    ("images", "doubt"),
    [
        pytest.param(own("abcdefghij"), None, id="the-same"),
        pytest.param(own("abcdefgxyz"), None, id="some-replaced"),
        pytest.param(own("abcuvwxyz12"), None, id="most-replaced-and-more"),
        pytest.param(own("abcuvwxyz1"), None, id="most-replaced-and-as-many"),
        pytest.param(
            own("abcuvwxyz"),
            "7 of the 10 owned images of the last accepted survey are unexpectedly missing (70.0%), and 9 are listed "
            "now; limits.max_shrink allows 30%",
            id="and-the-count-fell",
        ),
        pytest.param(own("abcdefg"), None, id="fell-as-far-as-allowed"),
        pytest.param(
            own("abcdef"),
            "4 of the 10 owned images of the last accepted survey are unexpectedly missing (40.0%), and 6 are",
            id="fell-further",
        ),
        pytest.param(
            own("abcd", ours="ij"),
            "are unexpectedly missing (40.0%), besides 2 of them deleted by the janitor, and 4",
            id="beside-our-deletions",
        ),
        pytest.param(
            own("klmnopqrst"), "none of the 10 owned images of the last accepted survey is listed", id="none-left"
        ),
        pytest.param(own("klmno", before="abcde"), "none of the 5 owned", id="none-of-five"),
        pytest.param(own("klmn", before="abcd"), None, id="none-of-four"),
        pytest.param(own("klmno", ours="efghij", before=FLEET), None, id="none-of-four-that-we-left"),
        pytest.param(own("klmno", ours="fghij"), "none of the 5 owned", id="none-of-five-that-we-left"),
        pytest.param(own("abcd", ours="efghij"), None, id="fell-by-our-deletions"),
        pytest.param(own("abcdefghij", owned=0), None, id="listed-but-public-now"),
        pytest.param(own("", unanswered=""), None, id="all-gone-by-the-word-of-the-api"),
        pytest.param(own("abcdefg", unanswered="hij"), None, id="untold-as-far-as-allowed"),
        pytest.param(own("abcdef", unanswered="ghij"), "4 of 10 owned images are not listed", id="untold-of-more"),
        pytest.param(own("abcdefvwxyz", unanswered="ghij"), "the API does not say they are gone", id="and-as-many-new"),
        pytest.param(own("abcdef", ours="ghij", unanswered="ghij"), None, id="untold-of-what-we-deleted"),
    ],
)
def test_images_are_told_apart_by_their_ids(images: OwnImages, doubt: str | None) -> None:
    seen = Measure(len(images.before), 0, 0)
    doubts = Plausibility(30).doubts(seen, seen, own=images, clock_offset=timedelta(), irregularities=())
    assert [doubt in each if doubt else each for each in doubts] == ([True] if doubt else [])


def test_what_may_be_lost_altogether_is_missed_by_nobody() -> None:
    seen = Measure(10, 0, 0)
    for images in (own("klmnopqrst"), own(""), own("", unanswered="abcdefghij")):
        assert Plausibility(100).doubts(seen, seen, own=images, clock_offset=timedelta(), irregularities=()) == ()


# What the client notices


def clock_off(*offsets: timedelta) -> Faults:
    """The server's clock is off by these at its first answers, in turn, and right afterwards."""
    rules = (Rule(Fault.CLOCK_OFF, at=frozenset({at}), offset=offset) for at, offset in enumerate(offsets, start=1))
    return Faults(0, tuple(rules))


def client_of(faults: Faults) -> tuple[Sandbox, ToastClient]:
    sandbox, http_transport = in_process(Options(images=40, faults=faults), lambda: NOW)
    chosen = sandbox.options
    words = (sandbox.url, chosen.appkey, chosen.username, chosen.password)
    return sandbox, ToastClient(*words, HttpOptions(page_size=10), clock=lambda: NOW, http_transport=http_transport)


@pytest.mark.parametrize(
    ("offsets", "noticed"),
    [
        pytest.param([], timedelta(), id="at-one"),
        pytest.param([MINUTE, 6 * MINUTE], 6 * MINUTE, id="ahead"),
        pytest.param([MINUTE, -6 * MINUTE], -6 * MINUTE, id="behind"),
        pytest.param([MINUTE, 6 * MINUTE, MINUTE], 6 * MINUTE, id="at-its-worst"),
        pytest.param([MINUTE, -6 * MINUTE, 2 * MINUTE], -6 * MINUTE, id="at-its-worst-on-either-side"),
    ],
)
def test_the_client_knows_how_far_the_clocks_are_apart(offsets: list[timedelta], noticed: timedelta) -> None:
    _, client = client_of(clock_off(*offsets))
    assert len(ids(client)) > 20
    assert client.clock_offset() == noticed


@pytest.mark.parametrize(
    ("token", "date", "noticed"),
    [
        pytest.param({}, None, None, id="nobody-tells"),
        pytest.param({"issued_at": "2026-11-23T03:04:00.123456"}, None, 4 * MINUTE, id="the-token-tells"),
        pytest.param({"issued_at": "soon"}, None, None, id="unreadable"),
        pytest.param({"issued_at": "2026-11-23T12:00:00"}, "Mon, 23 Nov 2026 03:01:00 GMT", MINUTE, id="a-date"),
        pytest.param({}, "yesterday", None, id="an-unreadable-date"),
        pytest.param({}, "Mon, 23 Nov 2026 03:00:00 GMT, Mon, 23 Nov 2026 09:00:00 GMT", None, id="two-dates"),
    ],
)
def test_the_time_is_told_by_dates_and_else_by_tokens(
    token: dict[str, str], date: str | None, noticed: timedelta | None
) -> None:
    given = yes(access={"token": {"id": "t0ken", **token}})
    account = Account().scripted(TOKENS, replace(given, headers={} if date is None else {"Date": date}))
    with serving(account) as (client, _):
        client.probe()
        offset = client.clock_offset()
    assert (offset if offset is None else round(offset / MINUTE) * MINUTE) == noticed


@pytest.mark.parametrize(
    ("age", "noticed"),
    [
        pytest.param({}, timedelta(), id="as-it-was-made"),
        pytest.param({"Age": "3600"}, timedelta(hours=1), id="kept-by-a-cache"),
        pytest.param({"Age": "soon"}, timedelta(), id="unreadable"),
    ],
)
def test_what_a_cache_kept_tells_no_time(age: dict[str, str], noticed: timedelta) -> None:
    answer = replace(yes(instances=[]), headers={"Date": "Mon, 23 Nov 2026 03:00:00 GMT", **age})
    with serving(Account().scripted(INSTANCES, answer)) as (client, _):
        client.usage((), EarlierUsage())
        assert client.clock_offset() == noticed


@pytest.mark.parametrize(
    ("after", "noticed"),
    [
        pytest.param(0, timedelta(), id="between"),
        pytest.param(-1, -MINUTE, id="before-it-was-asked"),
        pytest.param(12, 2 * MINUTE, id="after-it-came"),
    ],
)
def test_a_date_is_right_anywhere_between_the_question_and_the_end_of_the_answer(
    after: int, noticed: timedelta
) -> None:
    """As where the process is stopped for ten minutes while it waits."""
    account = Account()
    times = {"now": NOW}

    def answer(asked: Asked) -> Answered:
        given = account.answer(asked)
        if not asked.path.endswith("/instances-detail"):
            return given
        times["now"] = NOW + 10 * MINUTE
        return replace(given, headers={"Date": format_datetime(NOW + after * MINUTE, usegmt=True)})

    with Loopback(answer) as server:
        words = (f"{server.url}/compute", APPKEY, USERNAME, PASSWORD, HttpOptions())
        client = ToastClient(*words, clock=lambda: times["now"])
        client.usage((), EarlierUsage())
        assert client.clock_offset() == noticed
        client.close()


# What a run makes of it


@pytest.mark.parametrize(
    ("offset", "believed"),
    [(5 * MINUTE, True), (-5 * MINUTE, True), (3 * DAY, False), (-3 * DAY, False)],
    ids=["ahead-a-little", "behind-a-little", "ours-was-put-back", "ours-was-put-forward"],
)
def test_a_clock_that_is_off_deletes_nothing_and_gives_no_notice(
    store: Store, offset: timedelta, believed: bool
) -> None:
    builds = Policy("builds", Match(name=(Pattern("ci-*"),)), Expire(14 * DAY))
    sandbox, client = client_of(Faults(0, (Rule(Fault.CLOCK_OFF, offset=offset),)))
    orders = run_of([Site("prod", lambda: client)], [builds, ANNOUNCED], store, Mode.DELETE, clock=lambda: NOW)
    result = orders.perform()
    [target] = result.targets
    deletions = [request for request in sandbox.requests if request.name == "delete-image"]
    assert (bool(deletions), bool(target.notices.announced), result.outcome is Outcome.REFUSED) == (
        believed,
        believed,
        not believed,
    )
    assert believed or "clock is 4320 minutes" in (target.error or "")
    assert believed or ". Check the clock of this machine; if it is right, run `janitor run --accept-survey" in (
        target.error or ""
    )


def test_our_clock_is_checked_before_the_account() -> None:
    clock, list_ = ClockDoubt("our clock is slow"), "instances fell from 9 to 0"
    said = implausible("kr 1", [list_])
    assert said.endswith("; if the survey is right, run `janitor run --accept-survey --target 'kr 1'` once.")
    assert ". Check the account;" in said
    both = "Check the clock of this machine first, and then the account; if both are right, run `janitor run"
    assert both in implausible("prod", [list_, clock])
    assert implausible("prod", [clock], acceptable=False).endswith("our clock is slow.")


def perform(store: Store, cloud: RecordingCloud, mode: Mode = Mode.DELETE, *, accept: bool = False) -> RunResult:
    sites = [Site("prod", lambda: cloud)]
    return run_of(sites, [OLD], store, mode, AMPLE, clock=lambda: NOW, accept_survey=accept).perform()


def test_only_deletions_since_the_last_accepted_survey_excuse_a_fall(store: Store) -> None:
    young = [make_image(f"young-{number}", age=DAY) for number in range(6)]
    cloud = RecordingCloud([*(make_image(f"old-{number}") for number in range(4)), *young])
    perform(store, cloud)
    assert (len(cloud.deleted), perform(store, cloud).outcome) == (4, Outcome.OK)
    cloud.listed = cloud.listed[:4]
    assert perform(store, cloud).outcome is Outcome.REFUSED


def test_a_deletion_that_was_not_done_excuses_no_fall(store: Store) -> None:
    old, young = ([make_image(f"{kind}-{n}", age=age) for n in range(5)] for kind, age in (("a", 30 * DAY), ("b", DAY)))
    cloud = RecordingCloud([*old, *young], undone={image.id for image in old})
    perform(store, cloud)
    assert len(cloud.deleted) == 5
    cloud.listed = [*old, young[0]]
    assert perform(store, cloud).outcome is Outcome.REFUSED


def test_a_survey_without_usage_is_not_what_the_next_is_compared_with(store: Store) -> None:
    cloud = RecordingCloud([make_image()], used=usage_of({"x": (User("i", "web"),)}, instances=10))
    perform(store, cloud)
    cloud.used = Unavailable("no answer")
    assert [perform(store, cloud, accept=accept).outcome for accept in (False, True)] == [Outcome.FAILED] * 2
    cloud.used = Usage(instances=0)
    assert perform(store, cloud).outcome is Outcome.REFUSED


@pytest.mark.parametrize(("kept", "doubted"), [({"own"}, False), ({"public"}, True)], ids=["of-others", "of-our-own"])
def test_a_fall_is_one_of_our_own_images(store: Store, kept: set[str], doubted: bool) -> None:
    public = [make_image(f"public-{number}", age=DAY, public=True) for number in range(9)]
    own = [make_image(f"own-{number}", age=DAY) for number in range(9)]
    cloud = RecordingCloud([*public, *own])
    perform(store, cloud)
    cloud.listed = [image for image in cloud.listed if str(image.name).partition("-")[0] in kept or image is own[0]]
    assert (perform(store, cloud).outcome is Outcome.REFUSED) is doubted


def fleet(word: str, count: int = 9) -> list[Image]:
    return [make_image(f"{word}-{number}", age=DAY) for number in range(count)]


@pytest.mark.parametrize("unseen", [None, set[str]()], ids=["by-the-list-alone", "asked-by-id"])
def test_a_pipeline_that_replaces_its_images_is_believed(store: Store, unseen: set[str] | None) -> None:
    base = fleet("base", 1)
    cloud = RecordingCloud([*fleet("build-1"), *base], unseen=unseen)
    for build in range(2, 5):
        perform(store, cloud)
        cloud.listed = [*fleet(f"build-{build}"), *base]
    assert perform(store, cloud).outcome is Outcome.OK


def test_what_was_not_believed_is_asked_about_again(store: Store) -> None:
    """The survey that was not believed is the latest snapshot, and yet the images that it lacked are known."""
    old = make_image("old-1")
    cloud = RecordingCloud([*fleet("young"), old], unseen={image.id for image in fleet("young")})
    perform(store, cloud, mode=Mode.DRY_RUN)
    cloud.listed = [old]
    for _ in range(3):
        assert perform(store, cloud).outcome is Outcome.REFUSED
    assert (cloud.deleted, set(cloud.unlisted_asked)) == ([], {image.id for image in fleet("young")})


def test_a_request_is_not_settled_by_an_answer_that_says_nothing(store: Store) -> None:
    old = make_image("old-1")
    cloud = RecordingCloud([*fleet("young"), old], undone={old.id}, unseen={old.id})
    cloud.survey_errors = [None, Unavailable("no answer")]
    perform(store, cloud)
    cloud.listed = fleet("young")
    assert perform(store, cloud).targets[0].earlier.settled == ()
    cloud.unseen = set()
    [settled] = perform(store, cloud).targets[0].earlier.settled
    assert settled.outcome is DeletionOutcome.DELETED


def test_a_dry_run_looks_as_closely(store: Store) -> None:
    cloud = RecordingCloud([make_image(f"i-{number}", age=DAY) for number in range(9)])
    perform(store, cloud)
    cloud.listed = cloud.listed[:1]
    assert perform(store, cloud, mode=Mode.DRY_RUN).outcome is Outcome.REFUSED


# As configured


@pytest.mark.parametrize(("allowed", "outcome"), [("30%", Outcome.REFUSED), ("100%", Outcome.OK)])
def test_how_much_a_survey_may_lose_is_configured(
    sandbox_desk: Desk, sandbox: Sandbox, allowed: str, outcome: Outcome
) -> None:
    path = sandbox_desk.folder / "janitor.yaml"
    path.write_text(path.read_text().replace("limits: {", f"limits: {{max_shrink: {allowed}, "))
    run_as_configured(path)
    for instance in list(sandbox.account.instances):
        sandbox.account.remove_instance(instance)
    assert run_as_configured(path).outcome is outcome


@pytest.mark.parametrize(("memory", "remembered"), [("24h", True), ("0m", False)])
def test_how_long_a_use_is_remembered_is_configured(
    sandbox_desk: Desk, sandbox: Sandbox, memory: str, remembered: bool
) -> None:
    sandbox_desk.amend(f"usage_memory: {memory}\n")
    path = sandbox_desk.folder / "janitor.yaml"
    used = {d.image.id for d in run_as_configured(path).targets[0].decisions if d.reason is Reason.IN_USE}
    instance = next(instance for instance in sandbox.account.instances.values() if instance.image in used)
    sandbox.account.change_instance(instance.id, image="")
    reasons = {d.reason for d in run_as_configured(path).targets[0].decisions}
    assert (Reason.RECENTLY_USED in reasons) is remembered


def run_as_configured(path: Path) -> RunResult:
    settings = load_settings(path, {})
    return runs.perform(settings, configuration.rules_of(settings), Mode.DRY_RUN, Choice(settings.targets))
