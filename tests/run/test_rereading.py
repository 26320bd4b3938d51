"""Deletions never depend on data older than ten minutes; and a later list has to be as plausible as a survey."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.cloud.common.backoffs import Backoffs
from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId
from janitor.core.planning.plan import Limits
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.result import DeletionOutcome, Mode, Outcome, RunResult
from janitor.core.usage import Usage, User
from janitor.errors import Exit, RetryLater, Unavailable
from janitor.run import exit_code
from janitor.run.freshness import Freshness, Moment, Reading
from janitor.run.orders import Site
from janitor.store import Store
from janitor.transport import Call
from tests.factories import AMPLE, NOW, image_called, usage_of
from tests.fakes import RecordingCloud
from tests.loopback import Answered, Asked
from tests.new_database import new_database
from tests.runs import outcomes, run_of
from tests.toast_account import DELETE, INSTANCES, ROOT, Account, entry, serving
from tests.toast_account import no as no_v1

TEN, SECOND = timedelta(minutes=10), timedelta(seconds=1)
OLD = Policy("old", Match(name=(Pattern("ci-*"),)), Expire(timedelta(days=14)))
DELETED, ACCEPTED, GONE = DeletionOutcome.DELETED, DeletionOutcome.ACCEPTED, DeletionOutcome.ALREADY_GONE


@dataclass
class Night:
    """A cloud, and two clocks that advance only with its requests."""

    store: Store
    cloud: RecordingCloud
    wall: timedelta = timedelta()
    ticks: timedelta = timedelta()

    def pass_time(self, wall: timedelta = timedelta(), ticks: timedelta = timedelta()) -> None:
        self.wall += wall
        self.ticks += ticks

    def run(self, **rest: Any) -> RunResult:
        sites = [Site("prod", lambda: self.cloud)]
        clocks: dict[str, Any] = {"clock": lambda: NOW + self.wall, "monotonic": lambda: self.ticks.total_seconds()}
        return run_of(sites, [OLD], self.store, Mode.DELETE, AMPLE, deletions_at_once=1, **clocks, **rest).perform()


@dataclass
class SlowCloud(RecordingCloud):
    """Something happens after the survey, and before each deletion."""

    after_survey: Callable[[], object] = lambda: None
    usages: int = 0
    later_use: Usage | None = None

    def usage(self, *asked: Any) -> Usage:
        self.usages += 1
        found = self.later_use if self.usages > 1 and self.later_use is not None else super().usage(*asked)
        if self.usages == 1:
            self.after_survey()
        return found


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    young = [image_called(f"young-{number}", days=1) for number in range(8)]
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        yield Night(store, SlowCloud([image_called("ci-a", days=40), image_called("ci-b"), *young], by_id=False))


def stays(result: RunResult) -> dict[str, str]:
    return {change.decision.image.id: change.detail for change in result.targets[0].review.changed}


def later(night: Night, *, happens: Callable[[], object] = lambda: None, **passed: timedelta) -> SlowCloud:
    cloud = night.cloud
    assert isinstance(cloud, SlowCloud)

    def after_survey() -> None:
        night.pass_time(**passed)
        happens()

    cloud.after_survey = after_survey
    return cloud


@pytest.mark.parametrize(
    ("passed", "again"),
    [
        pytest.param({"wall": TEN, "ticks": TEN}, False, id="ten-minutes"),
        pytest.param({"wall": TEN + SECOND}, True, id="by-the-clock"),
        pytest.param({"ticks": TEN + SECOND}, True, id="stopped-and-the-clock-put-back"),
        pytest.param({"wall": -TEN, "ticks": TEN + SECOND}, True, id="the-longer-of-both"),
    ],
)
@pytest.mark.parametrize("by_id", [False, True])
def test_an_old_survey_is_read_once_more(night: Night, passed: dict[str, Any], again: bool, by_id: bool) -> None:
    cloud = later(night, **passed)
    cloud.by_id = by_id
    result = night.run()
    assert outcomes(result) == {"ci-a": DELETED, "ci-b": DELETED}
    confirming = 1 if by_id else 2  # where an image cannot be asked for by its id, two lists have to omit it
    assert (cloud.usages, cloud.surveys) == (1 + again, 1 + again + confirming)


def test_what_a_list_of_later_shows_otherwise_is_not_deleted(night: Night) -> None:
    def rename() -> None:
        cloud.listed = [each.replace(name="golden") if each.id == "ci-a" else each for each in cloud.listed]

    cloud = later(night, ticks=TEN + SECOND, happens=rename)
    result = night.run()
    assert (cloud.deleted, stays(result)) == (["ci-b"], {"ci-a": "changed during this run: name"})


def test_what_a_list_of_later_does_not_show_is_gone_already(night: Night) -> None:
    cloud = later(night, ticks=TEN + SECOND, happens=lambda: cloud.listed.remove(image_called("ci-a", days=40)))
    result = night.run()
    assert (cloud.deleted, outcomes(result)) == (["ci-b"], {"ci-a": GONE, "ci-b": DELETED})
    assert exit_code(result) is Exit.OK


def test_one_list_that_omits_an_image_does_not_tell_that_it_is_gone(night: Night) -> None:
    """There has to be another list, after the deletions."""
    cloud = later(night, ticks=TEN + SECOND, happens=lambda: cloud.listed.remove(image_called("ci-a", days=40)))
    cloud.survey_errors = [None, None, Unavailable("no answer")]
    result = night.run()
    assert outcomes(result) == {"ci-a": DeletionOutcome.FAILED, "ci-b": ACCEPTED}
    [omitted] = [one for one in result.targets[0].deletions if one.decision.image.id == "ci-a"]
    assert omitted.detail == (
        "not listed when checked again; nothing was sent; one list alone does not tell that it is gone"
    )
    assert not omitted.unsettled


@pytest.mark.parametrize("again", [8, 3, 0], ids="{}-differ-again".format)
def test_records_that_differ_are_accepted_with_the_survey_and_not_by_their_number(night: Night, again: int) -> None:
    """They stay, and are a larger share of what is listed with each deletion."""
    disputed = [image_called(f"d{number}", unreadable={"name": "listed as a and as b"}) for number in range(8)]
    cloud = later(night, ticks=TEN + SECOND, happens=lambda: setattr(cloud, "listed", [*rest, *differing]))
    rest = list(cloud.listed)
    differing = [*disputed[:again], *(image.replace(unreadable={}) for image in disputed[again:])]
    cloud.listed = [*rest, *disputed]
    assert night.run().outcome is Outcome.REFUSED
    cloud.usages, cloud.listed = 0, [*rest, *disputed]
    result = night.run(accept_survey=True)
    assert outcomes(result) == {"ci-a": DELETED, "ci-b": DELETED}
    assert result.outcome is Outcome.OK


@pytest.mark.parametrize("by_id", [False, True])
def test_what_is_used_meanwhile_stays(night: Night, by_id: bool) -> None:
    cloud = later(night, ticks=TEN + SECOND)
    cloud.by_id, cloud.later_use = by_id, usage_of({"ci-a": (User("i", "web-1"),)}, instances=1)
    result = night.run()
    assert cloud.deleted == ["ci-b"]
    assert stays(result) == {"ci-a": "changed during this run: now keep [in-use] used by instance web-1"}


@pytest.mark.parametrize("by_id", [False, True])
def test_where_usage_cannot_be_read_again_nothing_is_sent(night: Night, by_id: bool) -> None:
    cloud = later(night, ticks=TEN + SECOND)
    cloud.by_id, cloud.later_use = by_id, Usage(problem="HTTP 502")
    result = night.run()
    assert (cloud.deleted, cloud.usages, exit_code(result)) == ([], 2, Exit.FAILED), "asked once for all"
    assert result.targets[0].error == (
        "2 of 2 deletions were not sent: the survey is over 10 minutes old, and reading it again failed: "
        "what is in use could not be read: HTTP 502"
    )


def test_a_list_of_later_that_looks_wrong_deletes_nothing(night: Night) -> None:
    cloud = later(night, ticks=TEN + SECOND, happens=lambda: cloud.listed.__delitem__(slice(3, None)))
    result = night.run()
    assert (cloud.deleted, result.outcome) == ([], Outcome.FAILED)
    assert "it is implausible: 7 of the 10 owned images" in (result.targets[0].error or "")


def test_a_long_row_of_deletions_reads_again_every_ten_minutes(night: Night) -> None:
    cloud = night.cloud
    assert isinstance(cloud, SlowCloud)
    cloud.listed += [image_called(f"ci-{number:02}") for number in range(20)]
    cloud.on_delete = lambda _: night.pass_time(ticks=2 * timedelta(minutes=1) + SECOND)
    result = night.run()
    assert set(outcomes(result).values()) == {DELETED}
    assert (len(cloud.deleted), cloud.usages) == (22, 1 + 4)


def test_a_process_that_is_stopped_while_it_looks_looks_again(night: Night) -> None:
    cloud = night.cloud
    assert isinstance(cloud, SlowCloud)
    cloud.by_id = True
    looked: list[str] = []
    look = cloud.latest

    def latest(image_id: str) -> Image | None:
        looked.append(image_id)
        found = look(image_id)
        if len(looked) == 1:
            night.pass_time(ticks=timedelta(hours=1))
            cloud.later_use = usage_of({"ci-a": (User("i", "web-1"),)}, instances=1)
        return found

    cloud.latest = latest  # type: ignore[method-assign]
    result = night.run()
    assert (looked, cloud.deleted) == (["ci-a", "ci-a", "ci-b"], ["ci-b"])
    assert set(stays(result)) == {"ci-a"}


def test_an_account_that_takes_longer_to_read_than_that_is_read_twice_at_most() -> None:
    ticks = [0.0]
    read: list[float] = []

    def slowly() -> Reading:
        ticks[0] += 700
        read.append(ticks[0])
        return Reading({ImageId("x"): str(len(read))})

    def now() -> Moment:
        return Moment(NOW, ticks[0])

    freshness = Freshness(slowly, now, Moment(NOW, -700))
    assert freshness.reading().stays == {"x": "2"}
    assert freshness.reading().stays == {"x": "2"}
    assert not freshness.is_stale()


# By the real client of the API that gives lists only


@dataclass
class Renaming(Account):
    """An account in which, an hour after its instances were listed, an image has another name, and one is in use."""

    calls: list[str] = field(default_factory=list)
    ticks: float = 0

    def answer(self, asked: Asked) -> Answered:
        call = f"{asked.method} {asked.path.removeprefix(ROOT)}"
        self.calls.append(call)
        answered = super().answer(asked)
        if call == INSTANCES and not self.ticks:
            self.ticks = 3600
            self.entries[0] |= {"name": "golden"}
            self.instances = [{"id": "s", "name": "web-1", "image": "I1"}]
        return answered


def test_on_the_api_of_lists_the_list_and_the_instances_are_read_again(store_path: Path) -> None:
    account = Renaming(entries=[entry(f"i{number}", createdAt="2026-10-01T00:00:00Z") for number in range(4)])
    every = Policy("all", Match(name=(Pattern("name*"),)), Expire(timedelta(days=14)))
    clocks: dict[str, Any] = {"clock": lambda: NOW, "monotonic": lambda: account.ticks}
    with serving(account) as (client, _), Store.open(store_path) as store:
        sites = [Site("prod", lambda: client)]
        done = run_of(sites, [every], store, Mode.DELETE, Limits(9, 100), accept_survey=True, **clocks).perform()
    assert stays(done) == {
        "i0": "changed during this run: name",
        "i1": "changed during this run: now keep [in-use] used by instance web-1",
    }
    first = account.calls.index(DELETE)
    assert (account.calls[:first].count(INSTANCES), account.calls.count(DELETE)) == (2, 2)


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "janitor.db"


# The list afterwards


def test_of_a_list_with_a_hole_nothing_is_confirmed(night: Night) -> None:
    """Accepted and not done; and the list afterwards leaves out those, and others."""
    cloud = night.cloud
    cloud.listed = [
        *(image_called(f"ci-{number}") for number in range(20)),
        *(image_called(f"o-{n}", days=1) for n in range(10)),
    ]
    cloud.undone = {each.id for each in cloud.listed}
    whole = list(cloud.listed)

    def leave_out(_: str) -> None:
        if len(cloud.deleted) == 20:
            cloud.listed = whole[-6:]

    cloud.on_delete = leave_out
    result = night.run()
    assert set(outcomes(result).values()) == {ACCEPTED}
    assert all(deletion.unsettled for deletion in result.targets[0].deletions)
    assert exit_code(result) is Exit.FAILED
    assert "none is confirmed: it is implausible: 4 of the 10 owned images" in (result.targets[0].error or "")
    cloud.listed = whole
    again = night.run()
    assert {d.outcome for d in again.targets[0].earlier.settled} == {ACCEPTED}


def test_where_only_a_list_tells_that_an_image_is_gone_two_have_to(night: Night) -> None:
    """Accepted and not done; and one list afterwards leaves out exactly those."""
    cloud = night.cloud
    cloud.undone = {"ci-a", "ci-b"}
    whole = list(cloud.listed)
    lists = cloud.images

    def images(markers: Sequence[str] | None = ()) -> Iterator[Image]:
        cloud.listed = [each for each in whole if cloud.surveys != 1 or each.id not in cloud.undone]
        return lists(markers)

    cloud.images = images  # type: ignore[method-assign]
    assert outcomes(night.run()) == {"ci-a": ACCEPTED, "ci-b": ACCEPTED}
    assert cloud.surveys == 3


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"irregular": ["the image list omits image x, which exists and is active"]}, id="irregular"),
        pytest.param({"offset": timedelta(hours=1)}, id="its-clock"),
    ],
)
def test_a_list_that_looks_wrong_in_any_way_confirms_nothing(night: Night, wrong: dict[str, Any]) -> None:
    def go_wrong(_: str) -> None:
        for name, value in wrong.items():
            setattr(night.cloud, name, value)

    night.cloud.on_delete = go_wrong
    result = night.run()
    assert set(outcomes(result).values()) == {ACCEPTED}
    assert "none is confirmed: it is implausible: " in (result.targets[0].error or "")


def test_protected_images_that_are_missing_afterwards_are_a_hole(night: Night) -> None:
    night.cloud.listed += [image_called(f"p-{number}", days=1, protected=True) for number in range(2)]
    night.cloud.on_delete = lambda _: (
        night.cloud.listed.__delitem__(slice(-2, None)) if len(night.cloud.deleted) == 1 else None
    )
    assert set(outcomes(night.run()).values()) == {ACCEPTED}


def test_what_a_person_accepted_before_is_no_doubt_afterwards(night: Night) -> None:
    night.cloud.irregular = ["image x is listed with two different creation dates"]
    assert night.run().outcome is Outcome.REFUSED
    assert set(outcomes(night.run(accept_survey=True)).values()) == {DELETED}


def test_an_id_in_another_spelling_afterwards_is_still_listed(night: Night) -> None:
    night.cloud.undone = {"ci-a"}

    def respell(_: str) -> None:
        night.cloud.listed = [each.replace(id=each.id.upper()) for each in night.cloud.listed]

    night.cloud.on_delete = respell
    assert outcomes(night.run())["ci-a"] is ACCEPTED


def test_where_there_is_no_list_afterwards_nothing_is_confirmed(night: Night) -> None:
    night.cloud.survey_errors = [None, Unavailable("HTTP 502")]
    assert set(outcomes(night.run()).values()) == {ACCEPTED}


# An API that asks for a rest


LONG = {"retry-after": "3600"}


@pytest.mark.parametrize("busy", [no_v1(30429, "slow down", 200, **LONG), Answered("", status=429, headers=LONG)])
def test_of_an_api_that_asks_for_a_long_rest_nothing_more_is_asked(store_path: Path, busy: Answered) -> None:
    account = Account(entries=[entry(f"i{number:02}", createdAt="2026-10-01T00:00:00Z") for number in range(40)])
    account.scripted(DELETE, *[Answered({"header": {"isSuccessful": True, "resultCode": 0}})] * 3, *[busy] * 37)
    every = Policy("all", Match(name=(Pattern("name*"),)), Expire(timedelta(days=14)))
    with serving(account) as (client, listening), Store.open(store_path) as store:
        run = run_of([Site("prod", lambda: client)], [every], store, Mode.DELETE, Limits(99, 100), clock=lambda: NOW,
                  deletions_at_once=1, accept_survey=True)  # fmt: skip
        result = run.perform()
        asked = listening.paths()
    deletions = [place for place, path in enumerate(asked) if path.startswith("DELETE")]
    assert (len(deletions), deletions[-1]) == (4, len(asked) - 1), "neither a deletion nor a list"
    [unsent, unconfirmed] = (result.targets[0].error or "").split("; ")
    assert unsent.startswith(
        "36 of 40 deletions were not sent: DELETE /images: no usable answer (tried once, and Retry-After"
    )
    assert "GET /images: not sent: the API asked to wait another 3600 s" in unconfirmed
    assert list(outcomes(result).values()) == [ACCEPTED] * 3 + [DeletionOutcome.FAILED]
    assert exit_code(result) is Exit.FAILED


def test_a_rest_is_over_when_it_is_over_and_of_one_service_only() -> None:
    ticks = [100.0]
    rests = Backoffs(120, lambda: ticks[0])
    image_api, other = Call("GET /a", "GET", "http://h/image/v2/images"), Call("GET /b", "GET", "http://h/volume/v3/x")
    for seconds in (None, 1, 120):
        rests.note(image_api, seconds)
        rests.check(image_api)
    rests.note(image_api, 3600)
    rests.note(image_api, 600)
    rests.check(other)
    for passed in (0, 3599):
        ticks[0] = 100 + passed
        with pytest.raises(RetryLater, match=f"another {3600 - passed} s"):
            rests.check(image_api)
    ticks[0] = 3700.5
    rests.check(image_api)
