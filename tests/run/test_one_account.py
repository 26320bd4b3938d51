"""Two targets that are one account are noticed by their images, whatever their APIs, before anything is deleted."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from janitor.core.image import Image
from janitor.core.result import Mode, Outcome, RunResult
from janitor.errors import Unavailable
from janitor.run.accounts import Traits, unfamiliar
from janitor.run.orders import Site
from janitor.run.upkeep import keep_up
from janitor.shutdown import Stop
from janitor.store import Store
from tests.factories import AMPLE, DAY, NOW, OLD, image_called
from tests.fakes import MOVED, RecordingCloud
from tests.runs import run_of

FLEET = [image_called(f"i{number}") for number in range(20)]
SAID = "list the same images (i0 is one of them): they are one account under two names"
AT_ONCE = pytest.mark.parametrize("targets_at_once", [1, 4])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "janitor.db") as opened:
        yield opened


def bare(image_id: str) -> str:
    return image_id.replace("-", "")


def unreachable() -> RecordingCloud:
    raise Unavailable("no answer")


def sites(clouds: Mapping[str, RecordingCloud]) -> list[Site]:
    return [
        Site(name, lambda cloud=cloud: cloud, elsewhere=frozenset(clouds).difference([name]))  # type: ignore[misc]
        for name, cloud in clouds.items()
    ]


def alone(name: str, clouds: Mapping[str, RecordingCloud], **parts: Any) -> list[Site]:
    """The site of this name, in a run without the others."""
    return [replace(site, **parts) for site in sites(clouds) if site.name == name]


def run(store: Store, clouds: Mapping[str, RecordingCloud], mode: Mode = Mode.DELETE, **parts: Any) -> RunResult:
    return run_of(sites(clouds), [OLD], store, mode, AMPLE, **parts).perform()


def two(first: list[Image], second: list[Image]) -> dict[str, RecordingCloud]:
    return {"new": RecordingCloud(first), "old": RecordingCloud(second)}


@AT_ONCE
def test_in_their_first_run_neither_deletes_before_both_are_listed(store: Store, targets_at_once: int) -> None:
    clouds = two(FLEET, [image.replace(protected=True) for image in FLEET])
    result = run(store, clouds, targets_at_once=targets_at_once)
    assert not [image for cloud in clouds.values() for image in cloud.deleted]
    assert [target.outcome for target in result.targets] == [Outcome.REFUSED] * 2
    assert all(SAID in str(target.error) for target in result.targets)


@AT_ONCE
def test_by_what_is_recorded_each_is_refused_even_if_the_other_is_not_part_of_the_run(
    store: Store, targets_at_once: int
) -> None:
    clouds = two(FLEET, FLEET)
    run(store, clouds, Mode.DRY_RUN)
    for name in clouds:
        once = run_of(alone(name, clouds), [OLD], store, Mode.DELETE, AMPLE, targets_at_once=targets_at_once)
        [target] = once.perform().targets
        assert target.outcome is Outcome.REFUSED
        assert not clouds[name].deleted


def test_no_person_can_accept_that(store: Store) -> None:
    clouds = two(FLEET, FLEET)
    result = run(store, clouds, accept_survey=True)
    assert [target.outcome for target in result.targets] == [Outcome.REFUSED] * 2


OTHERS = [image_called(f"x{number}") for number in range(90)]


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        pytest.param(FLEET[:9], [*FLEET[5:9], *OTHERS[:9]], False, id="some"),
        pytest.param(FLEET[:6], [*FLEET[:6], *OTHERS[:40]], False, id="all-of-a-small-one-shared-with-a-large-one"),
        pytest.param([FLEET[0], OTHERS[0]], [FLEET[0], OTHERS[1]], False, id="one-of-two"),
        pytest.param(FLEET, [*FLEET, *OTHERS[:21]], True, id="one-lists-others-besides"),
        pytest.param(FLEET[:5], FLEET, True, id="one-lists-a-part"),
        pytest.param(FLEET[:3], [*FLEET[:2], OTHERS[0]], True, id="two-of-three"),
    ],
)
def test_a_few_images_in_common_are_no_reason(store: Store, first: list[Image], second: list[Image], one: bool) -> None:
    """Of an API that does not tell shared images from others, each account that shares one lists it."""
    clouds = two(first, second)
    result = run(store, clouds)
    assert {target.outcome for target in result.targets} == {Outcome.REFUSED if one else Outcome.OK}
    assert [len(cloud.deleted) for cloud in clouds.values()] == ([0, 0] if one else [len(first), len(second)])


def test_a_target_that_is_configured_no_longer_does_not_count(store: Store) -> None:
    clouds = two(FLEET, FLEET)
    run(store, {"old": clouds["old"]}, Mode.DRY_RUN)
    assert run(store, {"new": clouds["new"]}).outcome is Outcome.OK
    assert len(clouds["new"].deleted) == 20


def test_nor_does_what_was_found_of_it(store: Store) -> None:
    clouds = two(FLEET, FLEET)
    run(store, clouds, Mode.DRY_RUN)
    assert run(store, {"new": clouds["new"], "third": RecordingCloud(list(OTHERS))}).outcome is Outcome.OK
    assert len(clouds["new"].deleted) == 20


def test_one_that_cannot_be_listed_holds_up_no_other(store: Store) -> None:
    clouds = two(FLEET, FLEET)
    failing = Site("old", unreachable, elsewhere=frozenset({"new"}))
    result = run_of([sites(clouds)[0], failing], [OLD], store, Mode.DELETE, AMPLE, targets_at_once=1).perform()
    assert [target.outcome for target in result.targets] == [Outcome.OK, Outcome.FAILED]
    assert len(clouds["new"].deleted) == 20


def test_no_more_targets_are_surveyed_at_a_time_than_configured(store: Store) -> None:
    """Although all new ones wait for each other."""
    under_way, most, lock = 0, 0, threading.Lock()

    class Counted(RecordingCloud):
        def images(self, markers: Any = ()) -> Iterator[Image]:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            yield from super().images(markers)
            with lock:
                under_way -= 1

    clouds: dict[str, RecordingCloud] = {f"t{number}": Counted([image_called(f"i{number}")]) for number in range(30)}
    assert run(store, clouds, targets_at_once=3).outcome is Outcome.OK
    assert most <= 3
    assert all(cloud.deleted for cloud in clouds.values())


def test_nobody_waits_for_the_deletions_of_another(store: Store) -> None:
    clouds = two(FLEET[:1], OTHERS[:1])
    run(store, {"old": clouds["old"]}, Mode.DRY_RUN)
    meeting = threading.Barrier(2, timeout=10)

    def meet(_image: str) -> None:
        meeting.wait()

    for cloud in clouds.values():
        cloud.on_delete = meet
    assert run(store, clouds).outcome is Outcome.OK


@AT_ONCE
@pytest.mark.parametrize("order", [1, -1], ids=["new-first", "old-first"])
def test_one_with_a_history_waits_for_those_without(store: Store, targets_at_once: int, order: int) -> None:
    clouds = two([image.replace(protected=True) for image in FLEET], FLEET)
    run(store, {"old": clouds["old"]}, Mode.DRY_RUN)
    both = dict(list(clouds.items())[::order])
    assert [target.outcome for target in run(store, both, targets_at_once=targets_at_once).targets] == [
        Outcome.REFUSED
    ] * 2
    assert not clouds["old"].deleted


BRACED, SPACED = "{{{}}}".format, " {} ".format


@pytest.mark.parametrize("order", [1, -1], ids=["new-first", "old-first"])
@pytest.mark.parametrize(
    "written", [str.upper, bare, lambda one: bare(one).upper(), "urn:uuid:{}".format, BRACED, SPACED, "{} ".format]
)
def test_ids_are_compared_where_each_list_spells_them_in_its_way(store: Store, written: Any, order: int) -> None:
    ids = [str(UUID(int=0xABCDEF << 100 | number)) for number in range(9)]
    clouds = two([image_called(written(one)) for one in ids], [image_called(one) for one in ids])
    both = dict(list(clouds.items())[::order])
    assert [target.outcome for target in run(store, both).targets] == [Outcome.REFUSED] * 2


@pytest.mark.parametrize("spelled", ["{:032x}", "urn:uuid:{:032x}"])
def test_ids_are_compared_however_they_are_spelled(store: Store, spelled: str) -> None:
    fleet = [image_called(spelled.format(0xABCDEF << 100 | number)) for number in range(9)]
    clouds = two(fleet, fleet)
    assert run(store, clouds).outcome is Outcome.REFUSED
    assert not clouds["new"].deleted


# What was listed before counts


def seen_once(store: Store, clouds: dict[str, RecordingCloud], **then: Any) -> None:
    """The new target lists the fleet in a survey that is refused, and then in one that is accepted something else."""
    new = clouds["new"]
    new.irregular = ["the list is cut off"]
    assert run(store, {"new": new}, clock=lambda: NOW).outcome is Outcome.REFUSED
    new.irregular, new.listed = [], then.pop("listed")
    assert run(store, {"new": new}, clock=lambda: NOW, **then).outcome is Outcome.OK


@pytest.mark.parametrize("listed", [[], FLEET[:2], OTHERS[:30]], ids=["nothing-any-more", "few-of-them", "others-only"])
@pytest.mark.parametrize("mode", [Mode.DRY_RUN, Mode.DELETE])
def test_what_only_refused_surveys_listed_counts(store: Store, mode: Mode, listed: list[Image]) -> None:
    clouds = two([image.replace(protected=True) for image in FLEET], FLEET)
    seen_once(store, clouds, listed=listed, mode=mode)
    [target] = run_of(alone("old", clouds), [OLD], store, Mode.DELETE, AMPLE).perform().targets
    assert target.outcome is Outcome.REFUSED
    assert "old and new listed, up to run 1, the same images (i0 is one of them)" in str(target.error)
    assert not clouds["old"].deleted


def test_what_was_listed_counts_without_the_details_of_older_runs(store: Store) -> None:
    clouds = two(FLEET, FLEET)
    seen_once(store, clouds, listed=[])
    for _ in range(3):
        latest = run(store, {"new": clouds["new"]}, clock=lambda: NOW + 9 * DAY).run
    keep_up(store, latest, DAY, Stop())
    assert not store.is_whole()
    [target] = run_of(alone("old", clouds), [OLD], store, Mode.DELETE, AMPLE).perform().targets
    assert target.outcome is Outcome.REFUSED


def test_a_list_of_long_ago_is_measured_by_how_much_was_listed_then(store: Store) -> None:
    """A small account whose images were all shared with a large one, which lists nothing now."""
    clouds = two([*FLEET[:6], *OTHERS[:40]], FLEET[:6])
    seen_once(store, clouds, listed=[])
    assert run(store, clouds).outcome is Outcome.OK
    assert len(clouds["old"].deleted) == 6


@AT_ONCE
def test_two_that_were_one_account_stay_it_when_all_images_are_replaced(store: Store, targets_at_once: int) -> None:
    clouds = two(FLEET, FLEET)
    run(store, clouds, Mode.DRY_RUN)
    clouds["new"].listed, clouds["old"].listed = [], list(OTHERS)
    result = run(store, clouds, targets_at_once=targets_at_once, accept_survey=True)
    assert [target.outcome for target in result.targets] == [Outcome.REFUSED] * 2
    assert all("listed, up to run 1, the same images" in str(target.error) for target in result.targets)


def test_a_corrected_configuration_frees_both(store: Store) -> None:
    """The new target reached the account of the old one by mistake, so that no survey of it was accepted."""
    clouds = two(FLEET, FLEET)
    run(store, clouds)
    clouds["new"].reached, clouds["new"].listed = MOVED, list(OTHERS)
    run(store, clouds)
    assert [target.outcome for target in run(store, clouds).targets] == [Outcome.OK] * 2
    assert len(clouds["old"].deleted) == 20


def test_what_a_target_listed_before_it_was_bound_to_another_account_does_not_count(store: Store) -> None:
    clouds = two(FLEET, FLEET)
    run(store, {"new": clouds["new"]}, Mode.DRY_RUN)
    store.rebind("new", "kim", NOW)
    [target] = run_of(alone("old", clouds), [OLD], store, Mode.DELETE, AMPLE).perform().targets
    assert target.outcome is Outcome.OK
    assert len(clouds["old"].deleted) == 20


# A person's word


def told_apart(store: Store) -> dict[str, RecordingCloud]:
    clouds = two(FLEET, FLEET)
    result = run(store, clouds, Mode.DRY_RUN)
    assert all("`janitor target distinct new old`" in str(target.error) for target in result.targets)
    [pair] = store.account_pairs()
    store.tell_apart(pair.names, "kim", NOW)
    return clouds


def test_two_that_a_person_told_apart_are_both_cleaned_each_night(store: Store) -> None:
    clouds = told_apart(store)
    assert run(store, clouds, Mode.DRY_RUN).outcome is Outcome.OK
    assert run(store, clouds).outcome is Outcome.OK
    assert [len(cloud.deleted) for cloud in clouds.values()] == [20, 20]
    [pair] = store.account_pairs()
    assert (pair.told_apart_by, pair.told_apart_at) == ("kim", NOW)


def test_telling_two_apart_hides_no_other_pair(store: Store) -> None:
    clouds = {**told_apart(store), "third": RecordingCloud(FLEET)}
    result = run(store, clouds)
    assert [target.outcome for target in result.targets] == [Outcome.REFUSED] * 3
    assert "new and old" not in " ".join(str(target.error) for target in result.targets)
    assert not [image for cloud in clouds.values() for image in cloud.deleted]


@pytest.mark.parametrize("name", ["new", "old"])
def test_told_apart_are_two_accounts_and_not_their_names(store: Store, name: str) -> None:
    clouds = told_apart(store)
    store.rebind(name, "lee", NOW)
    assert store.account_pairs() == []
    assert [target.outcome for target in run(store, clouds).targets] == [Outcome.REFUSED] * 2


# Of which nothing is known


def beside_failing(store: Store, clouds: dict[str, RecordingCloud], common: str | None) -> RunResult:
    first = alone("new", clouds, alike={} if common is None else {"old": common})
    failing = Site("old", unreachable, elsewhere=frozenset({"new"}))
    return run_of([*first, failing], [OLD], store, Mode.DELETE, AMPLE, targets_at_once=1).perform()


def test_one_that_may_be_the_same_account_is_waited_for_until_it_was_listed_once(store: Store) -> None:
    clouds = two(FLEET, OTHERS)
    refused, failed = beside_failing(store, clouds, "the same host").targets
    assert (refused.outcome, failed.outcome) == (Outcome.REFUSED, Outcome.FAILED)
    assert "no list was ever read of old (the same host)" in str(refused.error)
    assert "`janitor run --dry-run --target old`" in str(refused.error)
    assert not clouds["new"].deleted
    run(store, {"old": clouds["old"]}, Mode.DRY_RUN)
    assert beside_failing(store, clouds, "the same host").targets[0].outcome is Outcome.OK
    assert len(clouds["new"].deleted) == 20


def test_it_counts_although_it_is_not_part_of_the_run(store: Store) -> None:
    clouds = two(FLEET, OTHERS)
    [target] = run_of(alone("new", clouds, alike={"old": "the same host"}), [OLD], store, Mode.DELETE).perform().targets
    assert target.outcome is Outcome.REFUSED
    assert not clouds["new"].deleted


def test_the_survey_of_one_that_waits_is_accepted(store: Store) -> None:
    """Later ones are compared with it: to wait for long must not make the next survey implausible."""
    result = beside_failing(store, two(FLEET, OTHERS), "the same host")
    assert store.last_accepted("new", result.run + 1) is not None


def test_where_nothing_is_to_be_deleted_nothing_is_refused(store: Store) -> None:
    clouds = two([image.replace(protected=True) for image in FLEET], OTHERS)
    assert beside_failing(store, clouds, "the same host").targets[0].outcome is Outcome.OK


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        pytest.param(("p1", "h"), ("p2", "h"), None, id="two-projects"),
        pytest.param(("p1", "h"), ("p1", "g"), "the same project", id="one-project"),
        pytest.param((None, "h"), ("p1", "h"), "the same host", id="one-host"),
        pytest.param((None, "h"), (None, "g"), None, id="two-hosts"),
        pytest.param((None, None), (None, None), None, id="nothing-known"),
        pytest.param((None, "h", "k"), (None, "h", "l"), None, id="two-appkeys"),
        pytest.param((None, "h", "k"), (None, "h"), "the same host", id="one-appkey"),
    ],
)
def test_what_makes_two_targets_alike(one: Any, other: Any, common: str | None) -> None:
    assert Traits(*one).shared_with(Traits(*other)) == Traits(*other).shared_with(Traits(*one)) == common


# Who is waited for

HOUR_AGO, LONG_AGO = NOW - DAY / 24, NOW - 9 * DAY


@pytest.mark.parametrize(
    ("last", "new"),
    [
        pytest.param({"a": (4, HOUR_AGO), "b": (4, HOUR_AGO)}, "", id="none"),
        pytest.param({"a": (4, HOUR_AGO), "b": None}, "b", id="without-images"),
        pytest.param({"a": (4, HOUR_AGO), "b": (4, HOUR_AGO), "c": (3, HOUR_AGO)}, "c", id="failed-since"),
        pytest.param({"a": (4, HOUR_AGO), "b": (4, HOUR_AGO), "c": (5, HOUR_AGO)}, "", id="run-alone-since"),
        pytest.param({"a": (4, LONG_AGO), "b": (4, LONG_AGO)}, "ab", id="long-ago"),
        pytest.param({}, "", id="nobody"),
    ],
)
def test_who_is_waited_for(last: Any, new: str) -> None:
    assert unfamiliar(last, NOW) == set(new)


def test_one_that_listed_nothing_yet_is_waited_for(store: Store) -> None:
    clouds = two([], FLEET)
    for _ in range(3):
        run(store, clouds, Mode.DRY_RUN)
    clouds["new"].listed = list(FLEET)
    both = dict(list(clouds.items())[::-1])
    assert [target.outcome for target in run(store, both).targets] == [Outcome.REFUSED] * 2


@pytest.mark.parametrize("short", ["new", "old"])
def test_a_first_list_may_be_short(store: Store, short: str) -> None:
    clouds = two(FLEET, FLEET)
    clouds[short].listed = FLEET[:1]
    run(store, clouds, Mode.DRY_RUN)
    clouds[short].listed = list(FLEET)
    for order in (1, -1):
        assert run(store, dict(list(clouds.items())[::order]), accept_survey=True).outcome is Outcome.REFUSED
    assert not [image for cloud in clouds.values() for image in cloud.deleted]


@AT_ONCE
def test_a_new_one_is_compared_with_the_present_lists_of_all(store: Store, targets_at_once: int) -> None:
    """What is recorded of the others may be of images that are all replaced since."""
    clouds = two(FLEET, OTHERS)
    for _ in range(3):
        run(store, {"old": clouds["old"]}, Mode.DRY_RUN)
    clouds["old"].listed = list(FLEET)
    result = run(store, clouds, targets_at_once=targets_at_once, accept_survey=True)
    assert [target.outcome for target in result.targets] == [Outcome.REFUSED] * 2
