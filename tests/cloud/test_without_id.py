"""Entries of a list that have no id: counted, said in every report, and a survey with more of them is implausible.

What they name as their kernel, ramdisk or base stays.
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stamina
import yaml

from janitor.cli import configuration
from janitor.cloud.service import Need, Sources
from janitor.core.decision import Reason, Verdict
from janitor.core.result import Mode, RunResult
from janitor.core.survey import Survey
from janitor.core.survey.plausibility import Measure, measure
from janitor.core.usage import EarlierUsage, Usage, User, UserKind
from janitor.errors import Exit, Implausible
from janitor.notify.slack.blocks import slack_messages
from janitor.report.as_json import json_report
from janitor.report.routing import Share
from janitor.report.text import text_report
from janitor.run import exit_code
from janitor.run.sites import chosen
from janitor.store import Store
from janitor.transport import HttpOptions
from tests import openstack_account, runs, toast_account
from tests.factories import NOW, make_image
from tests.loopback import Answered, Asked, Loopback
from tests.replays import decided_again
from tests.toast_account import Account, entry, no, yes

NAMELESS: tuple[Any, ...] = ({}, {}, {"id": None}, {"id": " "}, {"id": 5}, "text", None, {**entry(), "id": ["i1"]})


def test_v1_counts_them_once_each_however_often_a_page_is_read() -> None:
    first, second = [entry("i1"), *NAMELESS, entry("i2")], [{}, entry("i2"), {"id": ""}, entry("i3"), {}]
    pages = [first, second, [], first, second[1:], [entry("i3"), {}]]
    account = Account().scripted(toast_account.IMAGES, *(yes(images=page) for page in pages))
    account.entries = [entry("i1"), entry("i2"), entry("i3")]
    with toast_account.serving(account) as (client, _):
        listed = [image.id for image in client.images()]
        assert listed == ["i1", "i2", "i3"]
        assert len(client.unidentified()) == len(NAMELESS) + 3
        account.entries = [entry("i1")]
        toast_account.ids(client)
        assert len(client.unidentified()) == 0


def test_v2_counts_those_of_all_its_lists() -> None:
    cloud = openstack_account.Cloud(hidden=[{"name": "x"}], community=[{"name": "x"}])
    cloud.entries = [openstack_account.entry("i1"), {"name": "y"}, openstack_account.entry("i2")]
    with openstack_account.serving(cloud) as (client, _):
        assert openstack_account.ids(client) == ["i1", "i2"]
        assert len(client.unidentified()) == 2


def test_what_an_image_without_an_id_is_built_upon_stays_where_snapshots_are_required() -> None:
    cloud = openstack_account.Cloud(entries=[openstack_account.entry("i1"), {"base_image_ref": "I1", "name": "snap"}])
    with openstack_account.serving(cloud, sources=Sources(snapshots=Need.REQUIRED)) as (client, _):
        usage = client.usage(list(client.images()), EarlierUsage())
        assert usage.by_image == {"i1": (User("snap", "snap", UserKind.IMAGE, "snapshots"),)}
        cloud.entries.append({"base_image_ref": " "})
        usage = client.usage(list(client.images()), EarlierUsage())
        assert "the base of image without a name cannot be read" in str(usage.problem)


def test_an_instance_without_an_id_still_uses_its_image() -> None:
    instances = [{"image": "i1"}, {"id": None, "name": "x", "image": "i2"}]
    with toast_account.serving(Account(instances=instances)) as (client, _):
        assert client.usage((), EarlierUsage()).by_image.keys() == {"i1", "i2"}


def test_an_image_whose_records_disagree_on_protection_makes_no_fall() -> None:
    """Neither tonight, where it was protected, nor tomorrow, where it was not."""
    disputed = make_image(protected=True, unreadable={"protected": "listed as false and as true"})
    survey = Survey((disputed,), Usage(), NOW, NOW)
    assert [measure(survey, before).protected for before in (None, Measure(1, 0, 0), Measure(1, 1, 0))] == [0, 0, 1]


# What a run makes of it


def cloud(images: list[Any]) -> Callable[[Asked], Answered]:
    def answer(asked: Asked) -> Answered:
        if asked.path.endswith("/tokens"):
            stamps = {"issued_at": "2026-11-23T03:00:00.0", "expires": "2026-11-23T04:00:00Z"}
            return yes(access={"token": {"id": "t", **stamps}})
        if asked.path.endswith("/instances-detail"):
            return yes(instances=[{"image": "i9"}, {"image": "i9"}])
        return yes(images=images if "marker" not in asked.query else [])

    return answer


def night(folder: Path, number: int, images: list[Any], *, accept_survey: bool = False) -> RunResult:
    (folder / "policies.yaml").write_text("policies: [{name: ci, match: {name: 'ci-*'}, expire: {after: 14d}}]")
    with stamina.set_testing(True, attempts=1), Loopback(cloud(images)) as server:
        target = {"name": "prod", "api": "toast", "endpoint": server.url, "appkey": "appkey-of-prod"}
        document = {
            "policies": "policies.yaml",
            "targets": [{**target, "username": "robot@example.com", "password": "password"}],
            "http": {"attempts": 1},
        }
        (folder / "janitor.yaml").write_text(yaml.safe_dump(document))
        settings, rules = configuration.load(folder / "janitor.yaml")
        now = datetime(2026, 11, 23, 3, 0, number, tzinfo=UTC)  # when the token was issued, which alone tells the time
        return runs.perform(
            settings, rules, Mode.DELETE, chosen(settings, ()), clock=lambda: now, accept_survey=accept_survey
        )


def test_more_of_them_than_in_the_last_accepted_survey_are_not_believed_until_a_person_does(tmp_path: Path) -> None:
    one, two = [entry("i1"), {"id": ""}], [entry("i1"), {"id": ""}, {"id": ""}]
    first = night(tmp_path, 1, one)
    assert exit_code(first) is Exit.OK
    said = "1 entry of the image list has no id, so it cannot be decided on or deleted"
    assert said in first.targets[0].survey.remarks
    assert said in json.loads(json_report(first))["targets"][0]["remarks"]
    for number in (2, 3):
        more = night(tmp_path, number, two)
        assert exit_code(more) is Exit.LIMIT
        assert "entries of the image list without an id rose from 1 to 2" in str(more.targets[0].error)
    assert exit_code(night(tmp_path, 4, two, accept_survey=True)) is Exit.OK
    assert exit_code(night(tmp_path, 5, two)) is Exit.OK
    assert exit_code(night(tmp_path, 6, one)) is Exit.OK
    assert exit_code(night(tmp_path, 7, two)) is Exit.LIMIT


def test_where_an_earlier_version_did_not_count_them_none_are_too_many(tmp_path: Path) -> None:
    night(tmp_path, 1, [entry("i1")])
    with sqlite3.connect(tmp_path / "janitor.db") as database:
        database.execute("UPDATE surveys SET without_id = NULL")
    database.close()
    assert exit_code(night(tmp_path, 2, [entry("i1"), {}])) is Exit.OK


KERNEL = entry("i1", name="ci-1", diskFormat="aki")


@pytest.mark.parametrize(
    "properties",
    [{"kernel_id": "I1"}, {"ramdisk_id": "https://images.example/v2/images/i1"}, ["kernel_id=i1"]],
    ids=["kernel", "ramdisk", "no-properties"],
)
def test_what_one_of_them_names_as_its_kernel_or_ramdisk_stays(tmp_path: Path, properties: object) -> None:
    """It uses it: the decision can be made again from what is recorded, which no entry without an id is."""
    result = night(tmp_path, 1, [KERNEL, {"name": "web", "properties": properties}])
    if isinstance(properties, dict):
        [decision] = result.targets[0].decisions
        part = "kernel" if "kernel_id" in properties else "ramdisk"
        assert (decision.reason, decision.detail) == (
            Reason.IN_USE,
            f"used by unidentified image web, whose {part} it is",
        )
        with Store.open_existing(tmp_path / "janitor.db") as store:
            assert decided_again(store.inputs(1)["prod"]) == (decision,)
    else:
        said = "image web, listed without an id, names a kernel or ramdisk that cannot be read"
        assert said in str(result.targets[0].error)
    assert [each for each in result.targets[0].decisions if each.verdict is Verdict.DELETE] == []


def test_one_that_is_gone_or_names_no_part_needs_none(tmp_path: Path) -> None:
    gone = {"name": "web", "status": "deleted", "properties": {"kernel_id": "i1"}}
    [decision] = night(tmp_path, 1, [KERNEL, gone, {"name": "db", "properties": {"os": "linux"}}]).targets[0].decisions
    assert decision.verdict is Verdict.DELETE


@pytest.mark.parametrize("entries", [1, 1234])
def test_they_are_said_in_text_and_to_slack(tmp_path: Path, entries: int) -> None:
    result = night(tmp_path, 1, [entry("i1"), *[{}] * entries])
    said = f"{entries:,} entr{'y' if entries == 1 else 'ies'} of the image list ha"
    lines = text_report(result, None, zone=UTC).lines(300)
    assert said in "".join(segment.text for line in lines for segment in line)
    assert said in str([message.blocks for message in slack_messages(Share(None, result, result), None, zone=UTC)])


PAGES = pytest.mark.parametrize("parallel_pages", [1, 4])


def with_nameless(module: Any, nameless: int) -> list[Any]:
    """60 images, and so many entries without an id behind the first 20."""
    listed = [module.entry() | {"id": f"i{number}"} for number in range(60)]
    return [*listed[:20], *({"name": f"x{number}"} for number in range(nameless)), *listed[20:]]


@PAGES
@pytest.mark.parametrize("nameless", [9, 10, 22, 70])
def test_what_follows_a_whole_page_of_them_is_asked_for_by_longer_pages(nameless: int, parallel_pages: int) -> None:
    account = Account(entries=with_nameless(toast_account, nameless))
    with toast_account.serving(account, HttpOptions(page_size=10, parallel_pages=parallel_pages)) as (client, _):
        for _ in range(2):
            assert len(list(client.images(client.pages_read().markers))) == 60
            assert len(client.unidentified()) == nameless


@PAGES
@pytest.mark.parametrize("size", [10, 11, 100])
@pytest.mark.parametrize("nameless", [10, 22, 90])
@pytest.mark.parametrize("module", [toast_account, openstack_account], ids=["toast", "openstack"])
def test_a_whole_page_of_them_is_not_the_end_of_a_list(
    module: Any, nameless: int, size: int, parallel_pages: int
) -> None:
    """They cannot be asked behind, so it is unknown what follows, where longer pages are not to be had."""
    entries = with_nameless(module, nameless)
    account = Account(entries=entries) if module is toast_account else openstack_account.Cloud(entries=entries)
    with module.serving(account, HttpOptions(page_size=size, parallel_pages=parallel_pages)) as (client, server):
        usual = server.answer
        server.answer = lambda asked: usual(replace(asked, query={**asked.query, "limit": "10"}))
        with pytest.raises(Implausible, match="none of the 10 entries of a page has an id"):
            list(client.images(None))


def test_where_a_longer_page_is_rejected_one_that_is_shorter_than_others_is_the_end() -> None:
    account = Account(entries=[*(entry(f"i{number}") for number in range(20)), {"name": "x"}, {"name": "y"}])
    with toast_account.serving(account, HttpOptions(page_size=10)) as (client, server):
        usual = server.answer
        server.answer = lambda asked: no(30400) if asked.query.get("limit") == "20" else usual(asked)
        assert len(list(client.images())) == 20
        assert len(client.unidentified()) == 2


def test_a_list_of_nothing_else_is_not_an_empty_one() -> None:
    for module, account in (
        (toast_account, Account(entries=[{"name": "x"}])),
        (openstack_account, openstack_account.Cloud(entries=[{"name": "x"}])),
    ):
        with module.serving(account) as (client, _), pytest.raises(Implausible, match="has an id"):
            list(client.images())


@PAGES
@pytest.mark.parametrize("left_out", [range(10), range(10, 20), range(10, 30), range(50, 60)], ids=str)
@pytest.mark.parametrize("shown", ["nothing", "without their ids"])
def test_a_page_that_shows_no_image_is_not_the_end_where_it_links_to_the_next(
    left_out: range, shown: str, parallel_pages: int
) -> None:
    """A service may leave out entries, or their ids, after it has divided the list into pages."""
    listed = [openstack_account.entry() | {"id": f"i{number}"} for number in range(60)]

    def filtered(asked: Asked) -> Answered:
        answer = usual(asked)
        if not asked.path.endswith("/v2/images") or len(asked.query) > 2:
            return answer
        pages = [image if image["id"] not in hidden else {"name": "x"} for image in answer.body["images"]]
        kept = [image for image in pages if shown != "nothing" or "id" in image]
        return replace(answer, body={**answer.body, "images": kept})

    hidden = {f"i{number}" for number in left_out}
    options = HttpOptions(page_size=10, parallel_pages=parallel_pages)
    with openstack_account.serving(openstack_account.Cloud(entries=listed), options) as (client, server):
        usual: Callable[[Asked], Answered] = server.answer
        server.answer = filtered
        for _ in range(2):
            assert len(list(client.images(client.pages_read().markers))) == 60 - len(left_out)


def test_a_last_page_of_them_that_is_shorter_is_the_end_of_a_list() -> None:
    account = Account(entries=[*(entry(f"i{number}") for number in range(20)), {"name": "x"}, {"name": "y"}])
    with toast_account.serving(account, HttpOptions(page_size=10)) as (client, _):
        assert len(list(client.images())) == 20
        assert len(client.unidentified()) == 2
