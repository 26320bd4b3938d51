"""Records of one image that disagree: none of them is believed, the image stays, and too many of them stop the run."""

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
import yaml

from janitor.cli import configuration
from janitor.cli.explain import explanation
from janitor.cloud.common.entries import Listed
from janitor.cloud.common.merging import Merging
from janitor.config import load_settings
from janitor.config.policy_files import Rules
from janitor.core.decide import decide
from janitor.core.decision import Reason, Verdict
from janitor.core.image import Image
from janitor.core.policy import Expire, Policy
from janitor.core.result import Mode, RunResult
from janitor.core.retention import Family, Keep
from janitor.core.survey import Survey
from janitor.core.survey.contradictions import disagreement, doubts_about, merged
from janitor.core.usage import EarlierUsage, Usage
from janitor.errors import Exit
from janitor.report.answers.explanation import explanation_page
from janitor.report.layout import Page
from janitor.run import exit_code
from janitor.run.sites import chosen
from janitor.store import Store
from janitor.transport import HttpOptions
from tests import openstack_account, runs, toast_account
from tests.config.configuration import TARGET
from tests.factories import ALL, NOW, make_image
from tests.loopback import Answered, Asked, Loopback
from tests.new_database import new_database
from tests.toast_account import Account, yes
from tests.usage_cloud import UsageCloud, usage_of

LATER = NOW - timedelta(days=1)
OTHER: Mapping[str, Any] = {
    "name": "golden-1",
    "status": "saving",
    "public": True,
    "protected": True,
    "created_at": LATER,
    "updated_at": LATER,
    "size": 1,
    "disk_format": "raw",
    "min_disk": 1,
    "min_ram": 1,
    "properties": {"os_distro": "debian"},
    "owned": False,
    "visibility": "public",
    "owner": "another",
    "os_hidden": True,
    "tags": ("keep",),
    "unreadable": {"isPublic": '"maybe"'},
}
"""Another value for each field of an image."""


# What records say together


def test_every_field_counts() -> None:
    assert {*Image.fields()} - {"id"} == OTHER.keys()


@pytest.mark.parametrize("fact", OTHER)
def test_an_image_whose_records_disagree_is_kept_whichever_comes_first(fact: str) -> None:
    records = make_image(properties={}), make_image(**({"properties": {}} | {fact: OTHER[fact]}))
    policies = [Policy("all", ALL, Expire(timedelta(days=14)))]
    for image in (merged(*records), merged(*reversed(records))):
        [decision] = decide([image], policies, Usage(), {}, NOW, target="prod", zone=UTC)
        assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.UNSETTLED_RECORD)
        name = {"properties": "properties.os_distro", "unreadable": "isPublic"}.get(fact, fact)
        assert list(image.contradictions) == [name]
        assert f"its records disagree: {name} is listed as " in decision.detail


def test_what_differs_is_unknown_and_the_rest_is_known() -> None:
    image = make_image("ci-1", properties={"a": "1", "kernel_id": "k1"})
    both = merged(image, image.replace(name="golden-1", protected=True, properties={"a": "1", "kernel_id": "k2"}))
    assert (both.name, both.protected, both.properties, both.size) == (None, True, {"a": "1"}, image.size)
    assert disagreement(both) == (
        'its records disagree: name is listed as "ci-1" and as "golden-1", '
        'properties.kernel_id is listed as "k1" and as "k2", protected is listed as false and as true'
    )


def test_records_that_agree_are_one_image_however_its_id_is_spelled() -> None:
    image = make_image(id="ABC")
    assert merged(image, make_image(id=" abc ")) is image


def test_the_order_of_records_does_not_count() -> None:
    image = make_image("a", id="i")
    records = [image, image.replace(name="b"), image.replace(name="c", protected=True), image.replace(size=1)]
    for order in itertools.permutations(records):
        *_, together = Merging().take([Listed(record, None) for record in (*order, *order)])
        assert together.contradictions.keys() == {"name", "protected", "size"}
        assert (together.name, together.protected, together.size) == (None, True, None)


def test_a_record_that_adds_nothing_changes_nothing() -> None:
    first, second = make_image("a", id="i"), make_image("b", id="I")
    records = [Listed(record, None) for record in (first, second, first, second, second)]
    assert len(list(Merging().take(records))) == 2


def test_an_image_in_doubt_takes_no_place_among_the_newest() -> None:
    old, new = make_image("ci-1"), make_image("ci-2", age=timedelta(days=20))
    keep = Keep(newest=1, per=Family("policy"))
    policies = [Policy("all", ALL, Expire(timedelta(days=14)), keep=keep)]
    doubtful = merged(new, new.replace(size=1))
    decisions = decide([old, doubtful], policies, Usage(), {}, NOW, target="prod", zone=UTC)
    assert [decision.reason for decision in decisions] == [Reason.KEPT_NEWEST, Reason.UNSETTLED_RECORD]


@pytest.mark.parametrize(
    ("images", "disputed", "doubted"),
    [(400, 4, False), (400, 5, True), (500, 5, False), (501, 6, True), (5, 5, True), (4, 4, False)],
)
def test_more_than_one_percent_and_five_at_least_are_too_many(images: int, disputed: int, doubted: bool) -> None:
    every = [make_image(f"ci-{number}") for number in range(images)]
    every[:disputed] = [merged(image, image.replace(public=True, owned=False)) for image in every[:disputed]]
    foreign = [make_image(f"x-{number}", owned=False) for number in range(9)]
    theirs = [merged(image, image.replace(size=1)) for image in foreign]
    words = [f"the records of {disputed} of {images} own images disagree"] if doubted else []
    assert list(doubts_about([*every, *theirs])) == words


def test_one_image_with_two_creation_dates_is_too_many() -> None:
    image = make_image("x", id="x", owned=False)
    both = merged(image, image.replace(created_at=LATER))
    assert list(doubts_about([both])) == ["image x is listed with two different creation dates"]
    assert list(doubts_about([both, both.replace(id="y")])) == [
        "image x and 1 more is listed with two different creation dates"
    ]


# What is recorded


def _explained(store: Store, folder: Path) -> Page:
    (folder / "janitor.yaml").write_text(TARGET, encoding="utf-8")
    settings = load_settings(folder / "janitor.yaml", {})
    return explanation_page(explanation(settings, Rules(()), store, "i1", NOW), UTC)


def test_a_snapshot_gives_back_what_was_disputed(tmp_path: Path) -> None:
    image = make_image("ci-1", id="i1")
    both = merged(image, image.replace(name="golden-1", created_at=LATER, properties={"a": "1"}))
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        run = store.begin_run(Mode.DRY_RUN, NOW, owes_report=False)
        store.record_survey(run, "prod", Survey((both,), Usage(), NOW, NOW))
        [read] = store.surveys(run)["prod"].images
        page = "".join(text for line in _explained(store, tmp_path).lines(200) for text, _style in line)
    assert read == both
    assert read.contradictions == both.contradictions
    assert 'name: listed as "ci-1" and as "golden-1"' in page


# Where records come from


ENTRIES = [toast_account.entry("i1"), toast_account.entry("i2"), toast_account.entry("i3")]
AGAIN = toast_account.entry("i2", name="golden-1")


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([ENTRIES[:2], [AGAIN, ENTRIES[2]]], id="across-two-pages"),
        pytest.param([[*ENTRIES[:2], AGAIN, ENTRIES[2]]], id="twice-on-one-page"),
        pytest.param([[AGAIN, *ENTRIES], [], ENTRIES], id="while-the-end-is-verified"),
        pytest.param([ENTRIES[:2], [{**AGAIN, "id": " I2"}, ENTRIES[2]], [], ENTRIES[2:]], id="under-another-spelling"),
        pytest.param([ENTRIES, [], [ENTRIES[0], AGAIN, ENTRIES[2]]], id="on-the-way-back"),
    ],
)
def test_v1_hands_on_every_record(answers: list[list[Any]]) -> None:
    account = Account(entries=ENTRIES).scripted(toast_account.IMAGES, *(yes(images=page) for page in answers))
    with toast_account.serving(account) as (client, _):
        found = {image.id.strip().lower(): image for image in client.images()}
    assert {key: image.name for key, image in found.items()} == {"i1": "name of i1", "i2": None, "i3": "name of i3"}
    assert list(found["i2"].contradictions) == ["name"]


@pytest.mark.parametrize(
    ("again", "disputed"),
    [
        pytest.param({}, False, id="the-same"),
        pytest.param({"createdAt": "2026-11-01T00:00:00.000000"}, False, id="the-same-date-in-another-shape"),
        pytest.param({"createdAt": "2026-11-01T00:00:01Z"}, True, id="another-date"),
        pytest.param({"createdAt": None}, True, id="no-date"),
    ],
)
def test_one_id_with_two_creation_dates(again: dict[str, Any], disputed: bool) -> None:
    pages = yes(images=ENTRIES[:2]), yes(images=[ENTRIES[1] | again, ENTRIES[2]])
    with toast_account.serving(Account(entries=ENTRIES).scripted(toast_account.IMAGES, *pages)) as (client, _):
        listed = {image.id: image for image in client.images()}
    words = ["image i2 is listed with two different creation dates"] if disputed else []
    assert list(doubts_about(listed.values())) == words


@pytest.mark.parametrize("beside", ["hidden", "community"])
def test_openstack_puts_the_records_of_all_its_lists_together(beside: str) -> None:
    again = openstack_account.entry("i1", os_hidden=True, tags=["keep"])
    cloud = openstack_account.Cloud()
    setattr(cloud, beside, [again])
    with openstack_account.serving(cloud, HttpOptions(page_size=1)) as (client, _):
        found = {image.id: image for image in client.images()}
    assert found["i1"].contradictions.keys() == {"os_hidden", "tags"}
    assert not found["i2"].contradictions


# What a run makes of it


def inclusive(images: list[dict[str, Any]], second: Mapping[str, Any], cap: int = 3) -> Callable[[Asked], Answered]:
    """A v1.0 that begins each page with its marker, which by then is as `second` says."""

    def answer(asked: Asked) -> Answered:
        if asked.path.endswith("/tokens"):
            stamp = {"issued_at": "2026-11-23T03:00:00.0", "expires": "2026-11-23T04:00:00Z"}
            return yes(access={"token": {"id": "t", **stamp}})
        if asked.path.endswith("/instances-detail"):
            return yes(instances=[])
        if asked.method == "DELETE":
            images[:] = [image for image in images if image["id"] != asked.query["id"]]
            return yes()
        start = [image["id"] for image in images].index(asked.query["marker"]) if "marker" in asked.query else 0
        page = images[start : start + cap]
        return yes(images=[{**page[0], **second}, *page[1:]] if start else page)

    return answer


def run(folder: Path, answer: Callable[[Asked], Answered]) -> RunResult:
    (folder / "policies.yaml").write_text("policies: [{name: ci, match: {name: 'ci-*'}, expire: {after: 14d}}]")
    with stamina.set_testing(True, attempts=1), Loopback(answer) as server:
        target = {"name": "prod", "api": "toast", "endpoint": server.url, "appkey": "appkey-of-prod"}
        document = {
            "policies": "policies.yaml",
            "targets": [{**target, "username": "robot@example.com", "password": "password"}],
            "limits": {"max_share": "100%", "max_shrink": "100%"},
        }
        (folder / "janitor.yaml").write_text(yaml.safe_dump(document))
        settings, rules = configuration.load(folder / "janitor.yaml")
        return runs.perform(settings, rules, Mode.DELETE, chosen(settings, ()), clock=lambda: ISSUED)


ISSUED = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""When the token was issued, the only time in these answers."""


def fleet(count: int) -> list[dict[str, Any]]:
    return [toast_account.entry(f"i{number}", name=f"ci-{number}") for number in range(count)]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"name": "golden-1"}, id="renamed"),
        pytest.param({"protected": True}, id="protected"),
        pytest.param({"isPublic": "true"}, id="public"),
        pytest.param({"status": "saving"}, id="saving"),
        pytest.param({"properties": {"keep": "yes"}}, id="property"),
        pytest.param({"protected": "maybe"}, id="unreadable"),
    ],
)
def test_an_image_that_changes_at_the_edge_of_a_page_stays(tmp_path: Path, second: Mapping[str, Any]) -> None:
    images = fleet(5)
    result = run(tmp_path, inclusive(images, second))
    reasons = {decision.image.id: decision.reason for decision in result.targets[0].decisions}
    assert {image["id"] for image in images} == {one for one in reasons if reasons[one] is Reason.UNSETTLED_RECORD}
    assert "i2" in reasons
    assert exit_code(result) is Exit.OK


@pytest.mark.parametrize(
    ("count", "second"), [(5, {"createdAt": "2026-11-02T00:00:00Z"}), (13, {"name": "golden-1"})], ids=["date", "many"]
)
def test_a_list_that_contradicts_itself_too_much_deletes_nothing(
    tmp_path: Path, count: int, second: Mapping[str, Any]
) -> None:
    images = fleet(count)
    result = run(tmp_path, inclusive(images, second))
    assert len(images) == count
    assert exit_code(result) is Exit.LIMIT
    assert "implausible survey" in str(result.targets[0].error)


# Users of images, which may be listed twice, too


TWICE = [openstack_account.server("s1", {"id": "a"}), openstack_account.server("s1", {"id": "b"})]


@pytest.mark.parametrize("pages", [[TWICE], [TWICE[:1], TWICE[1:]]], ids=["on-one-page", "across-pages"])
def test_a_server_that_is_listed_with_two_images_uses_both(pages: list[list[Any]]) -> None:
    link = [{"rel": "next", "href": "http://x/servers?marker=s1"}]
    answers = [Answered({"servers": page, "servers_links": link if page is not pages[-1] else []}) for page in pages]
    cloud = openstack_account.Cloud(servers=TWICE[1:]).scripted(openstack_account.SERVERS, *answers)
    with openstack_account.serving(cloud) as (client, _):
        usage = client.usage([], EarlierUsage())
    assert usage.problem is None
    assert usage.by_image.keys() == {"a", "b"}


def test_a_volume_that_is_listed_with_two_images_uses_both() -> None:
    cloud = openstack_account.Cloud(volumes=[openstack_account.volume("v1", "a"), openstack_account.volume("v1", "b")])
    with openstack_account.serving(cloud) as (client, _):
        assert client.usage([], EarlierUsage()).by_image.keys() == {"a", "b"}


def test_an_instance_of_v1_that_is_listed_with_two_images_uses_both() -> None:
    account = Account(instances=[{"id": "1", "name": "web", "image": image} for image in ("i1", "i2")])
    with toast_account.serving(account) as (client, _):
        assert client.usage((), EarlierUsage()).by_image.keys() == {"i1", "i2"}


def test_a_cluster_and_a_node_group_that_are_listed_with_two_images_use_all() -> None:
    groups = [{"uuid": "g", "name": "g", "image_id": image} for image in ("c", "d")]
    clusters = [{"uuid": "k", "name": "k", "image_id": image} for image in ("a", "b")]
    cloud = UsageCloud([("image", "R1", "/image"), ("container-infra", "R1", "/magnum/v1")])
    cloud.images, cloud.clusters = {"/image": [openstack_account.entry(one) for one in "abcd"]}, clusters
    cloud.node_groups = {"k": groups}
    assert usage_of(cloud).by_image.keys() == {"a", "b", "c", "d"}
